"""Finds the false alarms of a run in its own training pictures, for the run to look at more often.

    python -m detector.mine --data DIR --run RUN

Writes RUN/hard.json; detector.train reads it when it is started (again). Call it once or twice in a long training.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch

from . import data, judge, nets

SCORE = 0.35


def read(run: Path) -> list:
    """(file, [x, y, w, h] in pixels of the stored picture); empty where nothing was mined."""
    file = run / "hard.json"
    return [(name, box) for name, box in json.loads(file.read_text())] if file.exists() else []


def mine(net, pictures) -> list:
    found = []
    for picture in pictures:
        if not picture.complete:
            continue
        luma, factor = judge.scaled(picture.luma)
        scores, boxes, _ = judge.find(net, luma, least=SCORE)
        faces, ignored = judge.corners(picture.boxes) * factor, judge.corners(picture.ignored) * factor
        for box, answer in zip(boxes, judge.match(scores, boxes, faces, ignored, 0.4)):
            # Beside a face it is a box drawn badly, which is learnt from the face.
            if answer == -1 and (not len(faces) or judge.iou(box, faces).max() < 0.1):
                x0, y0, x1, y1 = (box / factor).tolist()
                found.append((picture.file, [x0, y0, x1 - x0, y1 - y0]))
    return found


def main():
    p = argparse.ArgumentParser(prog="python -m detector.mine", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True, type=Path)
    p.add_argument("--run", required=True, type=Path)
    p.add_argument("--threads", type=int, default=1)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    saved = torch.load(a.run / "state.pt", weights_only=False)
    net = nets.make(saved["name"]).eval()
    net.load_state_dict(saved["averaged"])
    found = mine(net, data.load(a.data, "train", without=("dlib_examples",)))
    part = a.run / "hard.json.part"
    part.write_text(json.dumps(found))
    part.replace(a.run / "hard.json")
    sizes = [np.sqrt(w * h) for _, (_, _, w, h) in found]
    print(f"{len(found)} false alarms in {len({file for file, _ in found})} pictures, median size {np.median(sizes) if sizes else 0:.0f} px")


if __name__ == "__main__":
    main()
