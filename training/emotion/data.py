"""FER2013 from the layouts that people have: .npy arrays, Kaggle's CSV, folders of pictures.

Whatever the layout, a split keeps each picture's place in the original (`rows`), so that the index
lists beside the arrays (duplicates, non-faces) still fit when faulty rows were left out.
"""
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

SIDE = 48
LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
ALL_LABELS = (*LABELS, "contempt")
# FER+'s columns are neutral, happiness, surprise, sadness, anger, disgust, fear, contempt, unknown, NF.
# Ours in FER+'s columns, contempt as the eighth.
VOTES_IN_OUR_ORDER = [4, 5, 6, 1, 3, 2, 0, 7]
NO_FACE = 9
USAGE = {"train": "Training", "public": "PublicTest", "private": "PrivateTest"}


class DataError(Exception):
    """What is wrong with the data, where, and the way out."""


@dataclass
class Split:
    """images [N,48,48] uint8; labels [N] uint8; rows [N], each one's place in the original split;
    votes [N,10] uint8 as FER+ gives them, or None; classes: 7, or 8 with contempt."""

    images: np.ndarray
    labels: np.ndarray
    votes: np.ndarray | None
    rows: np.ndarray
    classes: int = 7

    def __len__(self):
        return len(self.labels)

    def take(self, chosen) -> "Split":
        """chosen: positions or a mask over this split."""
        votes = None if self.votes is None else self.votes[chosen]
        return replace(self, images=self.images[chosen], labels=self.labels[chosen], votes=votes, rows=self.rows[chosen])

    def names(self) -> tuple:
        return ALL_LABELS[:self.classes]

    def counts(self) -> np.ndarray:
        return np.bincount(self.labels, minlength=self.classes)

    def with_contempt(self) -> "Split":
        """Eight classes: contempt where it has more FER+ votes than any other, else FER2013's label."""
        counted = self.distribution()
        contempt = counted[:, -1] > counted[:, :-1].max(1)
        return replace(self, labels=np.where(contempt, len(LABELS), self.labels).astype(np.uint8), classes=8)

    def distribution(self) -> np.ndarray:
        """Votes for our seven and contempt as shares [N,8]; zero rows where nobody voted for any."""
        if self.votes is None:
            raise DataError("no FER+ votes: put fer2013new.csv beside fer2013.csv, or train without them")
        counted = self.votes[:, VOTES_IN_OUR_ORDER].astype(np.float32)
        return counted / np.maximum(counted.sum(1, keepdims=True), 1)


def load(source, split: str, classes: int = 7) -> Split:
    """`source` is a folder with <split>_images.npy, a folder with fer2013.csv, that CSV itself, an archive of
    either, or `folder:DIR` (`crops:DIR`) with one sub-folder of pictures for each class."""
    if split not in USAGE:
        raise DataError(f"no split '{split}': there are {', '.join(USAGE)}")
    from . import archives, arrays, folders, kaggle  # these import this module
    kind, colon, rest = str(source).partition(":")
    if colon and kind in ("folder", "crops"):
        return folders.load_folders(archives.unpacked(Path(rest)), split, classes, find=kind == "folder")
    path = archives.unpacked(Path(source))
    if (path / f"{split}_images.npy").is_file():
        found = arrays.load_arrays(path, split)
    else:
        file = path / "fer2013.csv" if path.is_dir() else path
        if not file.is_file():
            raise DataError(f"{path}: neither {split}_images.npy nor fer2013.csv is there")
        found = kaggle.load_csv(file, split)
    return found if classes == 7 else found.with_contempt()


def usable(split: Split) -> np.ndarray:
    """Mask [N] of pictures that are not one grey value and, where votes are there, show a face."""
    flat = split.images.reshape(len(split), -1)
    keep = flat.min(1) != flat.max(1)
    if split.votes is not None:
        votes = split.votes.astype(int)
        keep &= votes[:, NO_FACE] * 2 <= np.maximum(votes.sum(1), 1)
    return keep


def listed(split: Split, file) -> np.ndarray:
    """Mask [N] of the pictures whose place in the original split stands in `file`, one number a line."""
    try:
        numbers = [int(word) for word in Path(file).read_text().split()]
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: not a list of row numbers ({error})") from error
    return np.isin(split.rows, numbers)


def clean_public(source, public: Split) -> np.ndarray:
    """Mask [N] of PublicTest pictures without the same photograph in train, where that list is there."""
    file = Path(str(source)) / "public_dups_of_train.txt"
    return ~listed(public, file) if file.is_file() else np.ones(len(public), bool)
