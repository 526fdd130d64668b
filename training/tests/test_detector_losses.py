"""Assignment and losses against plain loops."""
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from detector import losses, nets

HEIGHT, WIDTH = 64, 96


def sigmoid(v):
    return 1 / (1 + math.exp(-v))


def overlap(a, b):
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    common = max(w, 0) * max(h, 0)
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)


def all_cells():
    return [(x, y, s) for s in (8, 16, 32) for y in range(HEIGHT // s) for x in range(WIDTH // s)]


def decoded(row, cell):
    x, y, s = cell
    cx, cy, w, h = (x + row[2]) * s, (y + row[3]) * s, math.exp(row[4]) * s, math.exp(row[5]) * s
    return [cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2]


def assigned_slowly(raw, boxes):
    """{cell: face} by SimOTA, cell after cell."""
    cells, costs, overlaps, candidates = all_cells(), {}, {}, []
    inside, near = {}, {}
    for c, (x, y, s) in enumerate(cells):
        px, py = (x + 0.5) * s, (y + 0.5) * s
        for f, (x0, y0, x1, y1) in enumerate(boxes):
            inside[f, c] = x0 < px < x1 and y0 < py < y1
            near[f, c] = abs(px - (x0 + x1) / 2) < 2 * s and abs(py - (y0 + y1) / 2) < 2 * s
        if any(inside[f, c] or near[f, c] for f in range(len(boxes))):
            candidates.append(c)
    for f, box in enumerate(boxes):
        for c in candidates:
            overlaps[f, c] = overlap(box, decoded(raw[c], cells[c]))
            score = math.sqrt(sigmoid(raw[c][0]) * sigmoid(raw[c][1]))
            costs[f, c] = -math.log(score) - 3 * math.log(overlaps[f, c] + 1e-8) + (0 if inside[f, c] and near[f, c] else 1e4)
    wanted = {}
    for f in range(len(boxes)):
        best = sorted((overlaps[f, c] for c in candidates), reverse=True)[:10]
        for c in sorted(candidates, key=lambda c: costs[f, c])[:max(1, int(sum(best)))]:
            wanted.setdefault(c, []).append(f)
    # Of a cell that several faces want, the cheapest of all faces has it.
    return {c: fs[0] if len(fs) == 1 else min(range(len(boxes)), key=lambda f: costs[f, c]) for c, fs in wanted.items()}


@pytest.mark.parametrize("seed", range(6))
def test_assignment_is_simota(seed):
    random = np.random.default_rng(seed)
    raw = random.normal(0, 0.5, (len(all_cells()), 16)).astype(np.float32)
    raw[:, 4:6] += 0.9
    corners = random.uniform(0, 50, (3, 2))
    boxes = np.concatenate([corners, corners + random.uniform(9, 40, (3, 2))], 1).astype(np.float32)
    boxes[1] = boxes[0] + 3  # two faces that want the same cells
    found = losses.assign(torch.from_numpy(raw), nets.cells(HEIGHT, WIDTH), torch.from_numpy(boxes), torch.zeros(0, 4))
    expected = assigned_slowly(raw.tolist(), boxes.tolist())
    assert dict(zip(found.cells.tolist(), found.faces.tolist())) == expected and len(expected) >= 3
    for cell, face, iou in zip(found.cells.tolist(), found.faces.tolist(), found.iou.tolist()):
        assert iou == pytest.approx(overlap(boxes[face].tolist(), decoded(raw[cell].tolist(), all_cells()[cell])), abs=1e-5)
    assert found.counted.all()


def test_cells_on_an_ignored_place_count_only_where_they_answer_for_a_face():
    place = nets.cells(HEIGHT, WIDTH)
    raw = torch.zeros(len(all_cells()), 16)
    everything = torch.tensor([[0.0, 0, WIDTH, HEIGHT]])
    found = losses.assign(raw, place, torch.tensor([[10.0, 10, 26, 26]]), everything)
    assert 0 < len(found.cells) < len(raw) and found.counted.nonzero().flatten().tolist() == sorted(found.cells.tolist())
    left = losses.assign(raw, place, torch.zeros(0, 4), torch.tensor([[0.0, 0, 20, 20]]))
    assert not len(left.cells)
    for counted, (x, y, s) in zip(left.counted.tolist(), all_cells()):
        assert counted != ((x + 0.5) * s < 20 and (y + 0.5) * s < 20)


def test_eiou_is_the_formula():
    random = np.random.default_rng(3)
    low = random.uniform(0, 30, (40, 2))
    a = np.concatenate([low, low + random.uniform(2, 30, (40, 2))], 1)
    low = random.uniform(0, 30, (40, 2))
    b = np.concatenate([low, low + random.uniform(2, 30, (40, 2))], 1)
    for one, other, found in zip(a, b, losses.eiou(torch.from_numpy(a), torch.from_numpy(b)).tolist()):
        hull_w, hull_h = max(one[2], other[2]) - min(one[0], other[0]), max(one[3], other[3]) - min(one[1], other[1])
        dx, dy = (one[0] + one[2] - other[0] - other[2]) / 2, (one[1] + one[3] - other[1] - other[3]) / 2
        dw, dh = (one[2] - one[0]) - (other[2] - other[0]), (one[3] - one[1]) - (other[3] - other[1])
        expected = 1 - overlap(one, other) + (dx * dx + dy * dy) / (hull_w ** 2 + hull_h ** 2) + (dw / hull_w) ** 2 + (dh / hull_h) ** 2
        assert found == pytest.approx(expected, rel=1e-9)
    assert losses.eiou(torch.from_numpy(a), torch.from_numpy(a)).abs().max() < 1e-12


def sample(boxes, points, weights):
    return SimpleNamespace(boxes=np.array(boxes, np.float32).reshape(-1, 4), points=np.array(points, np.float32).reshape(-1, 5, 2),
                           weights=np.array(weights, np.float32), ignored=np.zeros((0, 4), np.float32))


def maps_of(raw):
    maps, start = [], 0
    for s in nets.STRIDES:
        h, w = HEIGHT // s, WIDTH // s
        maps.append(raw[start:start + h * w].T.reshape(1, 16, h, w))
        start += h * w
    return maps


def test_the_loss_is_the_sum_of_its_parts():
    raw = np.random.default_rng(8).normal(0, 0.5, (len(all_cells()), 16)).astype(np.float32)
    raw[:, 4:6] += 0.9
    box, points = [20.0, 12.0, 44.0, 44.0], [[26, 22], [38, 22], [32, 30], [27, 37], [37, 37]]
    total, parts = losses.loss_of(maps_of(torch.from_numpy(raw)), [sample([box], [points], [0.5])])
    answers = assigned_slowly(raw.tolist(), [box])
    n = len(answers)
    obj = sum(-math.log(sigmoid(row[1] if c in answers else -row[1])) for c, row in enumerate(raw.tolist())) / n
    cls = kps = 0.0
    for c in answers:
        row, (x, y, s) = raw[c].tolist(), all_cells()[c]
        iou = overlap(box, decoded(row, (x, y, s)))
        cls -= (iou * math.log(sigmoid(row[0])) + (1 - iou) * math.log(sigmoid(-row[0]))) / n
        for k, (px, py) in enumerate(points):
            for value, cell, wanted in ((row[6 + 2 * k], x, px), (row[7 + 2 * k], y, py)):
                away = abs((value + cell) * s - wanted) / math.sqrt(24 * 32)
                # The weights of all cells may not reach 1: a face without points must not make the others loud.
                kps += 0.5 * (away * away / 0.1 if away < 0.05 else away - 0.025) / max(0.5 * n, 1)
    assert parts["obj"] == pytest.approx(obj, rel=1e-4) and parts["cls"] == pytest.approx(cls, rel=1e-4)
    assert parts["kps"] == pytest.approx(kps, rel=1e-4)
    assert float(total) == pytest.approx(parts["obj"] + parts["cls"] + 5 * parts["box"] + parts["kps"], rel=1e-5)


def test_points_that_nobody_knows_cost_nothing_and_no_face_is_no_error():
    raw = torch.zeros(len(all_cells()), 16, requires_grad=True)
    box = [20, 12, 44, 44]
    loss, parts = losses.loss_of(maps_of(raw), [sample([box], np.zeros((1, 5, 2)), [0.0])])
    loss.backward()
    assert parts["kps"] == 0 and not raw.grad[:, 6:].any() and raw.grad[:, 2:6].any()
    loss, parts = losses.loss_of(maps_of(raw), [sample([], [], [])])
    assert math.isfinite(float(loss.detach())) and parts["box"] == 0 and parts["obj"] > 0
