"""Finds the false alarms of a run in its own training pictures, for the run to look at more often.

    python -m detector.mine --data DIR --run RUN

Writes RUN/hard.json; detector.train reads it when it is started (again). Call it once or twice in a long training.
"""
import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch

from . import data, judge, runs

SCORE = 0.35


def read(run: Path) -> list:
    """(file, [x, y, w, h] in pixels of the stored picture); empty where nothing was mined."""
    file = run / "hard.json"
    try:
        return [(str(name), [float(v) for v in box]) for name, box in json.loads(file.read_bytes())] if file.exists() else []
    except (ValueError, TypeError) as error:
        raise data.DataError(f"{file}: damaged ({error}); mine again, or remove it") from error


def mine(net, pictures) -> list:
    found = []
    for picture in pictures:
        if not picture.complete:
            continue
        luma, factor = judge.scaled(picture.luma)
        scores, boxes, _ = judge.find_all(net, luma, least=SCORE)
        faces, ignored = judge.corners(picture.boxes) * factor, judge.corners(picture.ignored) * factor
        for box, answer in zip(boxes, judge.match(scores, boxes, faces, ignored, 0.4)):
            # Beside a face it is a box drawn badly, which is learnt from the face.
            if answer == -1 and (not len(faces) or judge.iou(box, faces).max() < 0.1):
                x0, y0, x1, y1 = (box / factor).tolist()
                found.append((picture.file, [x0, y0, x1 - x0, y1 - y0]))
    return found


def main(arguments=None):
    p = argparse.ArgumentParser(prog="python -m detector.mine", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True, type=Path)
    p.add_argument("--run", required=True, type=Path)
    p.add_argument("--threads", type=int, default=1)
    a = p.parse_args(arguments)
    torch.set_num_threads(a.threads)
    try:
        net, _ = runs.read_net(a.run)
        found = mine(net, data.load(a.data, "train", without=("dlib_examples",)))
    except data.DataError as error:
        sys.exit(f"mine: {error}")
    part = a.run / "hard.json.part"
    part.write_text(json.dumps(found))
    part.replace(a.run / "hard.json")
    sizes = [np.sqrt(w * h) for _, (_, _, w, h) in found]
    print(f"{len(found)} false alarms in {len({file for file, _ in found})} pictures, median size {np.median(sizes) if sizes else 0:.0f} px")


if __name__ == "__main__":
    main()
