"""Which cells answer for which face, and what their answers cost.

Assignment: SimOTA (Ge et al. 2021, YOLOX, section 2.1), as YuNet's authors use it. Boxes: EIoU (Zhang et al.
2021). Points: smooth L1 in units of the face's size.
"""
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from . import nets

RADIUS = 2.0  # of the centre region, in strides
CANDIDATES = 10


def pairwise_iou(a, b):
    """[A,4], [B,4] corners; [A,B]."""
    low = torch.maximum(a[:, None, :2], b[None, :, :2])
    high = torch.minimum(a[:, None, 2:], b[None, :, 2:])
    common = (high - low).clamp(min=0).prod(-1)
    areas = lambda boxes: (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(-1)
    return common / (areas(a)[:, None] + areas(b)[None] - common).clamp(min=1e-6)


@dataclass
class Assignment:
    cells: torch.Tensor  # [K] that answer for a face
    faces: torch.Tensor  # [K] which one
    iou: torch.Tensor  # [K] of their present boxes
    counted: torch.Tensor  # [N] bool: cells whose objectness is judged


@torch.no_grad()
def assign(raw, place, boxes, ignored) -> Assignment:
    """raw [N,16] of one picture; boxes [F,4], ignored [I,4] corners."""
    x, y, s = place
    cx, cy = (x + 0.5) * s, (y + 0.5) * s
    counted = torch.ones(len(raw), dtype=torch.bool)
    if len(ignored):
        inside = ((cx[:, None] > ignored[:, 0]) & (cx[:, None] < ignored[:, 2]) & (cy[:, None] > ignored[:, 1]) & (cy[:, None] < ignored[:, 3]))
        counted = ~inside.any(1)
    nothing = torch.zeros(0, dtype=torch.long)
    if not len(boxes):
        return Assignment(nothing, nothing, torch.zeros(0), counted)
    in_box = ((cx > boxes[:, 0, None]) & (cx < boxes[:, 2, None]) & (cy > boxes[:, 1, None]) & (cy < boxes[:, 3, None]))
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    near = ((cx - middle[:, 0, None]).abs() < RADIUS * s) & ((cy - middle[:, 1, None]).abs() < RADIUS * s)
    chosen = (in_box | near).any(0).nonzero().flatten()
    if not len(chosen):
        return Assignment(nothing, nothing, torch.zeros(0), counted)
    predicted = nets.boxes_of(raw[chosen], (x[chosen], y[chosen], s[chosen]))
    iou = pairwise_iou(boxes, predicted)
    score = (raw[chosen, 0].sigmoid() * raw[chosen, 1].sigmoid()).sqrt().clamp(1e-6, 1 - 1e-6)
    cost = -score.log()[None] - 3 * (iou + 1e-8).log() + 1e4 * ~(in_box & near)[:, chosen]
    k = min(CANDIDATES, len(chosen))
    counts = iou.topk(k, 1).values.sum(1).int().clamp(min=1)
    matched = torch.zeros_like(iou, dtype=torch.bool)
    for face, count in enumerate(counts.tolist()):
        matched[face, cost[face].topk(count, largest=False).indices] = True
    # A cell answers for one face: the cheapest.
    twice = matched.sum(0) > 1
    if twice.any():
        best = cost[:, twice].argmin(0)
        matched[:, twice] = False
        matched[best, twice.nonzero().flatten()] = True
    faces, columns = matched.nonzero(as_tuple=True)
    cells = chosen[columns]
    counted[cells] = True
    return Assignment(cells, faces, iou[faces, columns], counted)


def eiou(a, b):
    """1 - EIoU of boxes [K,4] with boxes [K,4]."""
    low, high = torch.maximum(a[:, :2], b[:, :2]), torch.minimum(a[:, 2:], b[:, 2:])
    common = (high - low).clamp(min=0).prod(-1)
    size_a, size_b = (a[:, 2:] - a[:, :2]), (b[:, 2:] - b[:, :2])
    iou = common / (size_a.prod(-1) + size_b.prod(-1) - common).clamp(min=1e-6)
    hull = torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])
    centres = ((a[:, :2] + a[:, 2:] - b[:, :2] - b[:, 2:]) / 2).square().sum(-1) / hull.square().sum(-1).clamp(min=1e-6)
    sides = ((size_a - size_b).square() / hull.square().clamp(min=1e-6)).sum(-1)
    return 1 - iou + centres + sides


def loss_of(maps, samples) -> tuple[torch.Tensor, dict]:
    """The batch's loss, for each assigned cell, and its parts."""
    height, width = maps[0].shape[2] * 8, maps[0].shape[3] * 8
    place = nets.cells(height, width)
    raw = nets.flat(maps).float()
    total = {"obj": raw.new_zeros(()), "cls": raw.new_zeros(()), "box": raw.new_zeros(()), "kps": raw.new_zeros(())}
    count, weight_sum = 0, 0.0
    for one, sample in zip(raw, samples):
        boxes = torch.from_numpy(sample.boxes)
        found = assign(one.detach(), place, boxes, torch.from_numpy(sample.ignored))
        objectness = torch.zeros(len(one))
        objectness[found.cells] = 1
        each = F.binary_cross_entropy_with_logits(one[:, 1], objectness, reduction="none")
        total["obj"] = total["obj"] + each[found.counted].sum()
        if not len(found.cells):
            continue
        count += len(found.cells)
        mine = one[found.cells]
        here = tuple(p[found.cells] for p in place)
        total["cls"] = total["cls"] + F.binary_cross_entropy_with_logits(mine[:, 0], found.iou, reduction="sum")
        target = boxes[found.faces]
        total["box"] = total["box"] + eiou(nets.boxes_of(mine, here), target).sum()
        weights = torch.from_numpy(sample.weights)[found.faces]
        size = (target[:, 2:] - target[:, :2]).prod(-1).sqrt()
        away = (nets.points_of(mine, here) - torch.from_numpy(sample.points)[found.faces]) / size[:, None, None]
        points = F.smooth_l1_loss(away, torch.zeros_like(away), reduction="none", beta=0.05).sum((1, 2))
        total["kps"] = total["kps"] + (weights * points).sum()
        weight_sum += float(weights.sum())
    n = max(count, 1)
    parts = {"obj": total["obj"] / n, "cls": total["cls"] / n, "box": total["box"] / n, "kps": total["kps"] / max(weight_sum, 1)}
    loss = parts["obj"] + parts["cls"] + 5 * parts["box"] + parts["kps"]
    return loss, {name: float(value.detach()) for name, value in parts.items()}
