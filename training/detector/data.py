"""Pictures with faces: labels of ../shared/data/faces' layout, luma in memory.

Boxes are [x, y, w, h] and points [5, 2] (right eye, left eye, nose tip, right and left mouth corner; right is the
person's own) in pixels of the stored picture.
"""
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

# What a point is worth in the loss: a person's click, a model's answer, nothing.
POINT_WEIGHTS = {"human": 1.0, "teacher": 0.5, "none": 0.0}
MIRRORED = [1, 0, 2, 4, 3]
# What json, numpy and Pillow raise over a broken line or picture. Pillow calls a broken PNG a SyntaxError.
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, OSError, SyntaxError, Image.DecompressionBombError)
NAMED = 5  # of those that cannot be read


class DataError(Exception):
    """A data folder that cannot be used, and the way out."""


@dataclass
class Picture:
    file: str
    source: str
    luma: np.ndarray  # [H,W] uint8, BT.601 full range
    boxes: np.ndarray  # [F,4] faces to find
    points: np.ndarray  # [F,5,2]
    weights: np.ndarray  # [F] of the points
    origin: list  # box_from of each face
    human: list  # human4 of each face, [4,2] or None
    ignored: np.ndarray  # [I,4] neither to find nor a false alarm
    complete: bool


def load(folder: Path, split: str, sources=None, without=()) -> list[Picture]:
    """Pictures of one split (`all`: of every split) in the order of the label files."""
    files = sorted((Path(folder) / "labels").glob("*.jsonl"))
    if not files:
        raise DataError(f"{folder}: no labels/*.jsonl; see training/README.md for the layout")
    pictures, unreadable = [], []
    for file in files:
        if (sources and file.stem not in sources) or file.stem in without:
            continue
        for number, line in enumerate(file.read_bytes().splitlines(), 1):
            if not line.strip():
                continue
            try:
                label = json.loads(line)
                if split == "all" or label["split"] == split:
                    pictures.append(_picture(folder, file.stem, label))
            except UNREADABLE as error:
                unreadable.append(f"{file.name}:{number}: {error!r}")
    if unreadable:
        named = "".join(f"\n  {line}" for line in unreadable[:NAMED]) + ("\n  ..." if len(unreadable) > NAMED else "")
        print(f"{folder}: {len(unreadable)} labels or pictures cannot be read and are left out:{named}", flush=True)
    if not pictures:
        raise DataError(f"{folder}: no picture of split '{split}' in {len(files)} label files")
    return pictures


def _picture(folder, source, label) -> Picture:
    with Image.open(Path(folder) / label["file"]) as image:
        luma = np.asarray(image.convert("L"))
    for face in label["faces"]:
        box = np.array(face["box"], np.float32)
        if box.shape != (4,) or not np.isfinite(box).all() or min(box[2:]) <= 0:
            raise ValueError(f"box {face['box']}")
    faces = [f for f in label["faces"] if not f.get("ignore")]
    ignored = [f["box"] for f in label["faces"] if f.get("ignore")]
    points = np.zeros((len(faces), 5, 2), np.float32)
    weights = np.zeros(len(faces), np.float32)
    for i, face in enumerate(faces):
        if face.get("points") and all(p is not None for p in face["points"]):
            points[i] = np.array(face["points"], np.float32).reshape(5, 2)
            if not np.isfinite(points[i]).all():
                raise ValueError(f"points {face['points']}")
            weights[i] = POINT_WEIGHTS[face.get("points_from", "none")]
    return Picture(label["file"], source, luma, np.array([f["box"] for f in faces], np.float32).reshape(-1, 4),
                   points, weights, [f.get("box_from", "human") for f in faces], [f.get("human4") for f in faces],
                   np.array(ignored, np.float32).reshape(-1, 4), bool(label["complete"]))


def pyramid(luma: np.ndarray) -> list[np.ndarray]:
    """The picture and its halves by the mean of 2x2, so that scaling down does not alias."""
    levels = [luma]
    while min(levels[-1].shape) >= 64:
        last = levels[-1]
        h, w = last.shape[0] // 2 * 2, last.shape[1] // 2 * 2
        four = last[:h, :w].reshape(h // 2, 2, w // 2, 2).astype(np.uint16)
        levels.append(((four.sum((1, 3)) + 2) // 4).astype(np.uint8))
    return levels
