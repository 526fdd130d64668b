"""Pictures in one sub-folder a class, the layout in which AffectNet, RAF-DB and others are passed around.

`DIR/train/happy/x.png` with `DIR/val/...` (or valid, validation, public, test); without the second, or flat,
`DIR/happy/x.png`, the bytes of each file decide its split: about one in ten is `public`, the same ones on
every run, and exact copies of a picture fall on the same side. classes.py says which folder is which label.

`folder:DIR`: a picture of 48x48 is a crop already; in any other the face is found and cut as in use.
`crops:DIR`: every picture is a face already cut; the whole of it becomes the crop.
"""
from dataclasses import dataclass, field
import hashlib
from pathlib import Path
import sys

import numpy as np
from PIL import Image

from . import classes as names, faces
from .data import ALL_LABELS, SIDE, DataError, Split

_SPLITS = {"train": ("train", "training"), "public": ("public", "publictest", "val", "valid", "validation", "test"),
           "private": ("private", "privatetest")}
_ENDINGS = {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff"}
_ARCHIVES = {".zip", ".tar", ".gz", ".tgz", ".rar", ".7z", ".bz2", ".xz"}
_PUBLIC_BELOW = 26  # of 256 values of a digest's first byte


@dataclass
class _Counts:
    """What is left out, for the message."""
    strangers: list = field(default_factory=list)
    archives: list = field(default_factory=list)
    unread: int = 0
    constant: int = 0
    faceless: int = 0
    contempt: int = 0
    elsewhere: int = 0


def load_folders(folder: Path, split: str, classes: int = 7, find: bool = True) -> Split:
    """Rows count the pictures that are used, in the order of their paths. Votes are not in this layout."""
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder")
    root, drawn = _root(folder, split)
    counts = _Counts()
    files, labels, digests = _listed(root, folder, split if drawn else None, classes, counts)
    crops = _crops(files, digests, find, counts)
    chosen = [i for i, picture in enumerate(crops) if picture is not None and picture.min() != picture.max()]
    counts.constant = sum(picture is not None for picture in crops) - len(chosen)
    labels = np.array([labels[i] for i in chosen], np.uint8)
    _tell(root, labels, classes, counts)
    if not chosen:
        raise DataError(f"{root}: no usable picture for '{split}' below folders named {', '.join(ALL_LABELS[:classes])}"
                        + (f" ({counts.elsewhere} fall into the other split)" if counts.elsewhere else ""))
    return Split(np.stack([crops[i] for i in chosen]), labels, None, np.arange(len(chosen)), classes)


def _root(folder: Path, split: str) -> tuple[Path, bool]:
    """The folder of a split's classes, and whether the split is drawn by the files' bytes."""
    there = {name: _sub_folder(folder, spellings) for name, spellings in _SPLITS.items()}
    if split == "private" and not there["private"] or there["public"] and not there[split]:
        raise DataError(f"{folder}: no sub-folder for the split '{split}' ({', '.join(_SPLITS[split])})")
    if split == "private" or there["public"]:
        return there[split], False
    return there["train"] or folder, True


def _sub_folder(folder: Path, spellings) -> Path | None:
    """The first spelling goes before the later ones: where val and test are there, val is used."""
    there = {p.name.lower(): p for p in sorted(folder.iterdir()) if p.is_dir()}
    return next((there[name] for name in spellings if name in there), None)


def _listed(root: Path, top: Path, drawn: str | None, classes: int, counts: _Counts):
    """Paths, labels and digests of the bytes of a split's pictures."""
    files, labels, digests = [], [], []
    counts.archives = [p.name for p in sorted({*root.iterdir(), *top.iterdir()}) if p.suffix.lower() in _ARCHIVES]
    for name, label in names.labels_of(root, top).items():
        if label is None:
            counts.strangers.append(name)
            continue
        inside = sorted(p for p in (root / name).rglob("*") if p.suffix.lower() in _ENDINGS and p.is_file())
        if ALL_LABELS.index(label) >= classes:
            counts.contempt += len(inside)
            continue
        for file in inside:
            try:
                digest = hashlib.sha256(file.read_bytes()).hexdigest()
            except OSError:
                counts.unread += 1
                continue
            if drawn and (drawn == "public") != (int(digest[:2], 16) < _PUBLIC_BELOW):
                counts.elsewhere += 1
                continue
            files.append(file)
            labels.append(ALL_LABELS.index(label))
            digests.append(digest)
    return files, labels, digests


def _crops(files: list, digests: list, find: bool, counts: _Counts) -> list:
    """[48,48] of each file, or None."""
    crops, uncut = [], []
    for index, file in enumerate(files):
        luma = faces.read_luma(file)
        counts.unread += luma is None
        if luma is None or luma.shape == (SIDE, SIDE):
            crops.append(luma)
        elif not find or luma.min() == luma.max():
            crops.append(_whole(luma))
        else:
            crops.append(None)
            uncut.append(index)
    if uncut:
        found = faces.Finder().find([files[i] for i in uncut], [digests[i] for i in uncut])
        counts.faceless = sum(face is None for face in found)
        for index, face in zip(uncut, found):
            crops[index] = face
    return crops


def _whole(luma: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(luma).resize((SIDE, SIDE), Image.Resampling.BILINEAR, reducing_gap=None), np.uint8)


def _tell(folder: Path, labels: np.ndarray, classes: int, c: _Counts):
    missing = [name for index, name in enumerate(ALL_LABELS[:classes]) if index not in labels]
    told = [text for count, text in (
        (c.unread, f"{c.unread} pictures cannot be read and are left out"),
        (c.constant, f"{c.constant} of one grey value are left out"),
        (c.faceless, f"no face found in {c.faceless}, left out (crops:DIR takes each picture whole)"),
        (c.contempt, f"{c.contempt} of contempt left out (--classes 8 keeps them)"),
        (c.strangers, f"folders of no known class left out: {', '.join(c.strangers)} (classes.csv may name them)"),
        (c.archives, f"archives are not looked into: {', '.join(c.archives)}; unpack them"),
        (missing, f"no picture of {', '.join(missing)}"),
    ) if count]
    if told:
        print(f"{folder}: {len(labels)} pictures used; {'; '.join(told)}", file=sys.stderr, flush=True)
