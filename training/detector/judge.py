"""Finds faces with a net and judges them by the protocol of ../shared/data/faces' README.

    python -m detector.judge --data DIR --run RUN [--split val] [--threshold 0.6]
"""
import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from . import data, nets, runs

LEAST_OF_HALF = 96  # px of a face
OVERLAP, INSIDE = 0.3, 0.7  # as Sources/Faces/OwnDetector.swift
SIZES = (("under 16", 0, 16), ("16 to 32", 16, 32), ("32 to 64", 32, 64), ("above 64", 64, 1e9))


def scaled(luma: np.ndarray, width: int = 640) -> tuple[torch.Tensor, float]:
    """[h,width] float luma and the factor, by antialiased bilinear scaling."""
    factor = width / luma.shape[1]
    height = max(1, round(luma.shape[0] * factor))
    x = torch.from_numpy(luma.astype(np.float32))[None, None]
    return F.interpolate(x, size=(height, width), mode="bilinear", antialias=factor < 1, align_corners=False)[0, 0], factor


@torch.no_grad()
def find(net, luma: torch.Tensor, least=0.05, overlap=OVERLAP, most=500):
    """luma [H,W]. Scores [K], boxes [K,4] corners and points [K,5,2] in its pixels, best first."""
    height, width = luma.shape
    x = F.pad(luma[None, None], (0, -width % 32, 0, -height % 32), value=nets.MEAN)
    raw = nets.flat(net(nets.normalise(x)))[0]
    place = nets.cells(*x.shape[2:])
    score = (raw[:, 0].sigmoid() * raw[:, 1].sigmoid()).sqrt()
    kept = (score > least).nonzero().flatten()
    kept = kept[score[kept].argsort(descending=True)][:2000]
    here = tuple(p[kept] for p in place)
    boxes, points, score = nets.boxes_of(raw[kept], here), nets.points_of(raw[kept], here), score[kept]
    chosen = suppress(boxes.numpy(), overlap)[:most]
    return score.numpy()[chosen], boxes.numpy()[chosen], points.numpy()[chosen]


def find_all(net, luma: torch.Tensor, least=0.05):
    """As the program finds (Sources/Faces/OwnDetector.swift): in the picture, and large faces also in its half."""
    whole = find(net, luma, least=least)
    if min(luma.shape) < LEAST_OF_HALF:
        return whole
    half = F.interpolate(luma[None, None], scale_factor=0.5, mode="area")[0, 0]
    scores, boxes, points = find(net, half, least=least)
    large = 2 * np.sqrt(np.maximum(np.prod(boxes[:, 2:] - boxes[:, :2], 1), 0)) >= LEAST_OF_HALF
    scores, boxes, points = (np.concatenate(pair) for pair in
                             zip(whole, (scores[large], 2 * boxes[large], 2 * points[large])))
    order = np.argsort(-scores, kind="stable")
    chosen = order[suppress(boxes[order], OVERLAP)]
    return scores[chosen], boxes[chosen], points[chosen]


def suppress(boxes: np.ndarray, overlap: float, inside: float = INSIDE) -> list[int]:
    """Greedy non-maximum suppression of boxes that come best first. What overlaps a kept one by more than `overlap`
    (IoU) goes, and what shares more than `inside` of the smaller of both: part of a face is no face."""
    areas, left, chosen = np.prod(boxes[:, 2:] - boxes[:, :2], 1), np.arange(len(boxes)), []
    while len(left):
        first, left = left[0], left[1:]
        chosen.append(int(first))
        low, high = np.maximum(boxes[left, :2], boxes[first, :2]), np.minimum(boxes[left, 2:], boxes[first, 2:])
        common = np.prod(np.maximum(high - low, 0), 1)
        union, smaller = areas[left] + areas[first] - common, np.minimum(areas[left], areas[first])
        left = left[(common <= overlap * np.maximum(union, 1e-6)) & (common <= inside * np.maximum(smaller, 1e-6))]
    return chosen


def iou(box, boxes):
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    common = np.prod(np.maximum(high - low, 0), 1)
    return common / np.maximum(np.prod(box[2:] - box[:2]) + np.prod(boxes[:, 2:] - boxes[:, :2], 1) - common, 1e-6)


def match(scores, boxes, faces, ignored, least):
    """Greedy by score: for each detection its face, -1 (false) or -2 (on an ignored place)."""
    taken, answers = np.zeros(len(faces), bool), []
    for box in boxes:
        overlaps = np.where(taken, 0, iou(box, faces)) if len(faces) else np.zeros(0)
        if len(overlaps) and overlaps.max() >= least:
            answers.append(int(overlaps.argmax()))
            taken[answers[-1]] = True
            continue
        inside = 0.0
        if len(ignored):
            low, high = np.maximum(box[:2], ignored[:, :2]), np.minimum(box[2:], ignored[:, 2:])
            inside = (np.prod(np.maximum(high - low, 0), 1) / max(np.prod(box[2:] - box[:2]), 1e-6)).max()
        answers.append(-2 if inside > 0.5 else -1)
    return answers


def judge(detect, pictures, threshold: float, least=0.4) -> dict:
    """detect(luma [h,640]) gives scores, boxes, points. Recall and false alarms at the threshold; average
    precision over all scores; eye error on human4."""
    sizes = {name: [0, 0] for name, *_ in SIZES}
    found = faces_counted = true = false = negatives = alarms = 0
    eye_errors, ranking, to_find = [], [], 0
    for picture in pictures:
        luma, factor = scaled(picture.luma)
        scores, boxes, points = detect(luma)
        faces = corners(picture.boxes) * factor
        ignored = corners(picture.ignored) * factor
        keep = scores >= threshold
        answers = match(scores[keep], boxes[keep], faces, ignored, least)
        hit = {face: i for i, face in enumerate(answers) if face >= 0}
        for index, face in enumerate(faces):
            if picture.origin[index] == "teacher":
                continue
            side = float(np.sqrt(np.prod(face[2:] - face[:2])))
            name = next(n for n, low, high in SIZES if low <= side < high)
            sizes[name][1] += 1
            sizes[name][0] += index in hit
            faces_counted += 1
            found += index in hit
            if index in hit and picture.human[index]:
                clicks = np.array(picture.human[index], np.float32) * factor
                unit = np.linalg.norm(clicks[:2].mean(0) - clicks[3])
                eyes = np.linalg.norm(points[keep][hit[index]][:2] - clicks[:2], axis=1).mean()
                eye_errors.append(eyes / max(unit, 1e-6))
        if picture.complete and len(picture.boxes):
            true += sum(a >= 0 for a in answers)
            false += sum(a == -1 for a in answers)
        if picture.source == "negatives":
            negatives += 1
            alarms += sum(a == -1 for a in answers)
        if picture.complete:
            strict = match(scores, boxes, faces, ignored, 0.5)
            to_find += len(faces)
            ranking += [(s, a >= 0) for s, a in zip(scores, strict) if a != -2]
    return {"faces": faces_counted, "recall": found / max(faces_counted, 1),
            "by_size": {n: {"faces": c, "recall": f / max(c, 1)} for n, (f, c) in sizes.items()},
            "precision": true / max(true + false, 1), "false_per_100": 100 * alarms / max(negatives, 1),
            "eye_error": float(np.median(eye_errors)) if eye_errors else None, "ap50": average_precision(ranking, to_find)}


def corners(boxes):
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1)


def average_precision(ranking, faces: int) -> float:
    """Area below the precision envelope (VOC 2010 on)."""
    ranking = sorted(ranking, key=lambda r: -r[0])
    hits = np.cumsum([h for _, h in ranking])
    precision = hits / np.arange(1, len(ranking) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(sum(envelope[i] for i, (_, h) in enumerate(ranking) if h) / max(faces, 1))


def promises_hold(figures, precision, alarms) -> bool:
    return figures["precision"] >= precision and figures["false_per_100"] <= alarms


def best_threshold(detect, pictures, precision=0.97, alarms=8.0):
    """The lowest threshold in steps of 0.02 that keeps both promises; the highest where none does."""
    cached = [detect(scaled(p.luma)[0]) for p in pictures]
    for threshold in np.arange(30, 91, 2) / 100:
        answers = iter(cached)
        figures = judge(lambda luma: next(answers), pictures, float(threshold))
        if promises_hold(figures, precision, alarms):
            return float(threshold), figures
    return float(threshold), figures


def main(arguments=None):
    p = argparse.ArgumentParser(prog="python -m detector.judge", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True, type=Path)
    p.add_argument("--run", required=True, type=Path)
    p.add_argument("--split", default="val")
    p.add_argument("--threshold", type=float)
    p.add_argument("--threads", type=int, default=1)
    a = p.parse_args(arguments)
    torch.set_num_threads(a.threads)
    try:
        net, _ = runs.read_net(a.run)
        pictures = data.load(a.data, a.split)
    except data.DataError as error:
        sys.exit(f"judge: {error}")
    detect = lambda luma: find_all(net, luma)
    if a.threshold is None:
        threshold, figures = best_threshold(detect, pictures)
    else:
        threshold, figures = a.threshold, judge(detect, pictures, a.threshold)
    print(json.dumps({"threshold": round(threshold, 3), **figures}, indent=1))


if __name__ == "__main__":
    main()
