#!/usr/bin/env python3
"""How many of the faces that detection on every frame finds does an adaptive run have too?

    match.py every-frame/timeline.csv adaptive/timeline.csv [--iou 0.5] [--json]

Frames are joined by their time. Within a frame, pairs are taken one to one, the best overlap first.
"""
import argparse
import csv
import json
from collections import defaultdict


def read_boxes(path):
    """Boxes (x, y, w, h, status) by time stamp; frames without a face have an empty list."""
    frames = defaultdict(list)
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            boxes = frames[row["timestamp"]]
            if row["x"]:
                boxes.append((*(float(row[side]) for side in ("x", "y", "w", "h")), row["status"]))
    return frames


def overlap(a, b):
    """Intersection over union."""
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    return w * h / (a[2] * a[3] + b[2] * b[3] - w * h)


def pairs_of(reference, candidate, least):
    """Overlaps of the pairs that match, one to one."""
    ranked = sorted(
        ((overlap(a, b), i, j) for i, a in enumerate(reference) for j, b in enumerate(candidate)), reverse=True)
    used_reference, used_candidate, found = set(), set(), []
    for value, i, j in ranked:
        if value < least:
            break
        if i not in used_reference and j not in used_candidate:
            used_reference.add(i)
            used_candidate.add(j)
            found.append(value)
    return found


def compare(reference_path, candidate_path, least=0.5):
    reference, candidate = read_boxes(reference_path), read_boxes(candidate_path)
    found = []
    for time, boxes in reference.items():
        found += pairs_of(boxes, candidate.get(time, []), least)
    reference_faces = sum(map(len, reference.values()))
    candidate_faces = sum(map(len, candidate.values()))
    with_faces = [boxes for boxes in candidate.values() if boxes]
    detected = sum(any(box[4] == "detected" for box in boxes) for boxes in with_faces)
    return {
        "reference_faces": reference_faces,
        "candidate_faces": candidate_faces,
        "matched": len(found),
        # Share of the reference's faces that the candidate has, and of the candidate's that the reference has.
        "recall": len(found) / reference_faces if reference_faces else 1.0,
        "precision": len(found) / candidate_faces if candidate_faces else 1.0,
        "mean_iou": sum(found) / len(found) if found else 0.0,
        "frames_missing": sum(time not in candidate for time in reference),
        # Of the frames with faces: how many there are to one on which the detector was asked.
        "frames_per_detection": len(with_faces) / detected if detected else 0.0,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reference")
    parser.add_argument("candidate")
    parser.add_argument("--iou", type=float, default=0.5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    result = compare(arguments.reference, arguments.candidate, arguments.iou)
    if arguments.json:
        print(json.dumps(result))
        return
    print(f"{result['matched']} of {result['reference_faces']} faces matched at IoU {arguments.iou}: "
          f"{100 * result['recall']:.2f} % (mean IoU {result['mean_iou']:.3f}); "
          f"{100 * result['precision']:.2f} % of the {result['candidate_faces']} faces of the other run have a match; "
          f"one detection to {result['frames_per_detection']:.2f} frames with faces")


if __name__ == "__main__":
    main()
