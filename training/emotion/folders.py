"""Pictures of faces already cut, one sub-folder a class: the layout other face data is passed around in.

`DIR/train/happy/x.png` with `DIR/public/...` (or val, valid, validation, test); or flat,
`DIR/happy/x.png`, where the bytes of each file decide its split: about one in ten is `public`, the
same ones on every run, and exact copies of a picture fall on the same side.
"""
import hashlib
from pathlib import Path
import sys

import numpy as np
from PIL import Image

from .data import LABELS, SIDE, DataError, Split

_ALSO = {"anger": "angry", "disgusted": "disgust", "fearful": "fear", "happiness": "happy", "sadness": "sad",
         "surprised": "surprise", "natural": "neutral"}
_SPLITS = {"train": ("train", "training"), "public": ("public", "publictest", "val", "valid", "validation", "test"),
           "private": ("private", "privatetest")}
_ENDINGS = {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff"}


def load_folders(folder: Path, split: str) -> Split:
    """Rows count the pictures in the order of their paths. Votes are not in this layout."""
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder")
    root = _sub_folder(folder, _SPLITS[split])
    flat = not any(_sub_folder(folder, names) for names in _SPLITS.values())
    if root is None and (not flat or split == "private"):
        raise DataError(f"{folder}: no sub-folder for the split '{split}' ({', '.join(_SPLITS[split])})")

    images, labels, unknown, unread, elsewhere = [], [], [], 0, 0
    for sub in sorted(p for p in (root or folder).iterdir() if p.is_dir()):
        name = _ALSO.get(sub.name.lower(), sub.name.lower())
        if name not in LABELS:
            unknown.append(sub.name)
            continue
        for file in sorted(p for p in sub.rglob("*") if p.suffix.lower() in _ENDINGS):
            if root is None and _drawn_split(file) != split:
                elsewhere += 1
                continue
            picture = _read(file)
            if picture is None:
                unread += 1
                continue
            images.append(picture)
            labels.append(LABELS.index(name))
    _tell(root or folder, labels, unknown, unread)
    if not images:
        raise DataError(f"{root or folder}: no readable picture below folders named {', '.join(LABELS)}"
                        + (f" falls into '{split}' ({elsewhere} fall elsewhere)" if elsewhere else ""))
    return Split(np.stack(images), np.array(labels, np.uint8), None, np.arange(len(labels)))


def _sub_folder(folder: Path, names):
    return next((p for p in sorted(folder.iterdir()) if p.is_dir() and p.name.lower() in names), None)


def _drawn_split(file: Path) -> str:
    return "public" if hashlib.sha256(file.read_bytes()).digest()[0] < 26 else "train"


def _read(file: Path):
    """[48,48] uint8, or None."""
    try:
        with Image.open(file) as picture:
            grey = picture.convert("L").resize((SIDE, SIDE), Image.Resampling.BILINEAR, reducing_gap=None)
            return np.asarray(grey, np.uint8)
    except (OSError, ValueError, SyntaxError, MemoryError, Image.DecompressionBombError):
        return None


def _tell(folder: Path, labels: list, unknown: list, unread: int):
    missing = [name for index, name in enumerate(LABELS) if index not in set(labels)]
    told = ([f"{unread} pictures cannot be read and are left out"] if unread else []) \
        + ([f"folders of no known class left out: {', '.join(unknown)}"] if unknown else []) \
        + ([f"no picture of {', '.join(missing)}"] if missing else [])
    if told:
        print(f"{folder}: {'; '.join(told)}", file=sys.stderr, flush=True)
