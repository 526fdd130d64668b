"""FER2013 from the layouts that people have: .npy arrays, Kaggle's CSV, folders of pictures.

Whatever the layout, a split keeps each picture's place in the original (`rows`), so that the index
lists beside the arrays (duplicates, non-faces) still fit when faulty rows were left out.
"""
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SIDE = 48
LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
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
    votes [N,10] uint8 as FER+ gives them, or None."""

    images: np.ndarray
    labels: np.ndarray
    votes: np.ndarray | None
    rows: np.ndarray

    def __len__(self):
        return len(self.labels)

    def take(self, chosen) -> "Split":
        """chosen: positions or a mask over this split."""
        votes = None if self.votes is None else self.votes[chosen]
        return Split(self.images[chosen], self.labels[chosen], votes, self.rows[chosen])

    def counts(self) -> np.ndarray:
        return np.bincount(self.labels, minlength=len(LABELS))

    def distribution(self) -> np.ndarray:
        """Votes for our seven and contempt as shares [N,8]; zero rows where nobody voted for any."""
        if self.votes is None:
            raise DataError("no FER+ votes: put fer2013new.csv beside fer2013.csv, or train without them")
        counted = self.votes[:, VOTES_IN_OUR_ORDER].astype(np.float32)
        return counted / np.maximum(counted.sum(1, keepdims=True), 1)


def load(source, split: str) -> Split:
    """`source` is a folder with <split>_images.npy, a folder with fer2013.csv, that CSV itself, or
    `folder:DIR` with one sub-folder of pictures for each class."""
    if split not in USAGE:
        raise DataError(f"no split '{split}': there are {', '.join(USAGE)}")
    if str(source).startswith("folder:"):
        from .folders import load_folders  # imports this module
        return load_folders(Path(str(source).removeprefix("folder:")), split)
    path = Path(source)
    if (path / f"{split}_images.npy").is_file():
        return _load_arrays(path, split)
    file = path / "fer2013.csv" if path.is_dir() else path
    if not file.is_file():
        raise DataError(f"{path}: neither {split}_images.npy nor fer2013.csv is there")
    from .kaggle import load_csv
    return load_csv(file, split)


def _load_arrays(folder: Path, split: str) -> Split:
    def read(kind):
        file = folder / f"{split}_{kind}.npy"
        try:
            return np.load(file)
        except (OSError, ValueError, EOFError, SyntaxError, MemoryError) as error:
            raise DataError(f"{file}: cannot be read as .npy ({error}); copy it again") from error

    images, labels = read("images"), read("labels")
    votes = read("ferplus") if (folder / f"{split}_ferplus.npy").is_file() else None
    for kind, array, shape in (("images", images, (SIDE, SIDE)), ("labels", labels, ()), ("ferplus", votes, (10,))):
        if array is not None and (array.ndim < 1 or array.shape[1:] != shape or array.dtype != np.uint8):
            wanted = " x ".join(["N", *map(str, shape)])
            raise DataError(f"{folder}/{split}_{kind}.npy: expected {wanted} uint8, found {array.shape} {array.dtype}")
    if len(images) != len(labels) or (votes is not None and len(votes) != len(labels)):
        raise DataError(f"{folder}: {split} has {len(images)} images, {len(labels)} labels"
                        + ("" if votes is None else f", {len(votes)} rows of votes"))
    foreign = int((labels >= len(LABELS)).sum())
    if foreign:
        raise DataError(f"{folder}/{split}_labels.npy: {foreign} of {len(labels)} labels are not 0..{len(LABELS) - 1}")
    return Split(images, labels, votes, np.arange(len(labels)))


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
