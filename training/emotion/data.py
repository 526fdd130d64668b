"""FER2013 from the three layouts that people have: .npy arrays, Kaggle's CSV, folders of pictures."""
from dataclasses import dataclass
from pathlib import Path
import csv

import numpy as np

LABELS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
# FER+'s columns are neutral, happiness, surprise, sadness, anger, disgust, fear, contempt, unknown, NF.
# Ours in FER+'s columns, contempt as the eighth.
VOTES_IN_OUR_ORDER = [4, 5, 6, 1, 3, 2, 0, 7]
USAGE = {"train": "Training", "public": "PublicTest", "private": "PrivateTest"}


class DataError(Exception):
    """What is wrong with the data, where, and the way out."""


@dataclass
class Split:
    """images [N,48,48] uint8; labels [N] uint8; votes [N,10] uint8 as FER+ gives them, or None."""

    images: np.ndarray
    labels: np.ndarray
    votes: np.ndarray | None

    def __len__(self):
        return len(self.labels)

    def take(self, rows) -> "Split":
        votes = None if self.votes is None else self.votes[rows]
        return Split(self.images[rows], self.labels[rows], votes)

    def distribution(self) -> np.ndarray:
        """Votes for our seven and contempt as shares [N,8]; zero rows where nobody voted for any."""
        if self.votes is None:
            raise DataError("no FER+ votes: put fer2013new.csv beside fer2013.csv, or train without them")
        counted = self.votes[:, VOTES_IN_OUR_ORDER].astype(np.float32)
        return counted / np.maximum(counted.sum(1, keepdims=True), 1)


def load(path, split: str) -> Split:
    """`path` is a folder with <split>_images.npy, a folder with fer2013.csv, or that CSV itself."""
    path = Path(path)
    if split not in USAGE:
        raise DataError(f"no split '{split}': there are {', '.join(USAGE)}")
    if (path / f"{split}_images.npy").is_file():
        return _load_arrays(path, split)
    file = path / "fer2013.csv" if path.is_dir() else path
    if not file.is_file():
        raise DataError(f"{path}: neither {split}_images.npy nor fer2013.csv is there")
    return _load_csv(file, split)


def _load_arrays(folder: Path, split: str) -> Split:
    def read(kind):
        file = folder / f"{split}_{kind}.npy"
        try:
            return np.load(file)
        except (OSError, ValueError) as error:
            raise DataError(f"{file}: cannot be read as .npy ({error})") from error

    images, labels = read("images"), read("labels")
    votes = read("ferplus") if (folder / f"{split}_ferplus.npy").is_file() else None
    if images.ndim != 3 or images.shape[1:] != (48, 48) or images.dtype != np.uint8:
        raise DataError(f"{folder}/{split}_images.npy: expected N x 48 x 48 uint8, found {images.shape} {images.dtype}")
    if len(images) != len(labels) or (votes is not None and len(votes) != len(labels)):
        raise DataError(f"{folder}: {split} has {len(images)} images, {len(labels)} labels"
                        + ("" if votes is None else f", {len(votes)} rows of votes"))
    return Split(images, labels, votes)


def _load_csv(file: Path, split: str) -> Split:
    votes_file = file.parent / "fer2013new.csv"
    votes_rows = None
    if votes_file.is_file():
        with open(votes_file, newline="") as stream:
            rows = list(csv.reader(stream))[1:]
        votes_rows = np.array([[int(v) for v in row[2:12]] for row in rows], np.uint8)
    images, labels, rows, faulty = [], [], [], 0
    with open(file, newline="") as stream:
        reader = csv.reader(stream)
        header = [name.strip().lower() for name in next(reader, [])]
        for name in ("emotion", "pixels"):
            if name not in header:
                raise DataError(f"{file}: no column '{name}'; found {', '.join(header) or 'nothing'}")
        usage = header.index("usage") if "usage" in header else None
        for index, row in enumerate(reader):
            if usage is not None and row[usage].strip() != USAGE[split]:
                continue
            try:
                pixels = np.array(row[header.index("pixels")].split(), np.uint8)
                label = int(row[header.index("emotion")])
                images.append(pixels.reshape(48, 48))
            except (ValueError, IndexError, OverflowError):
                faulty += 1
                continue
            labels.append(label)
            rows.append(index)
    if faulty:
        print(f"{file}: {faulty} rows could not be read and are left out", flush=True)
    if not images:
        raise DataError(f"{file}: no row of usage {USAGE[split]}")
    if votes_rows is not None and len(votes_rows) <= max(rows):
        raise DataError(f"{votes_file}: {len(votes_rows)} rows, but {file.name} has at least {max(rows) + 1}")
    return Split(np.stack(images), np.array(labels, np.uint8), None if votes_rows is None else votes_rows[rows])


def usable_rows(split: Split) -> np.ndarray:
    """Rows with a picture that is not one grey value and, where votes are there, shows a face."""
    flat = split.images.reshape(len(split), -1)
    keep = flat.min(1) != flat.max(1)
    if split.votes is not None:
        keep &= split.votes[:, 9] * 2 <= np.maximum(split.votes.sum(1), 1)
    return np.nonzero(keep)[0]
