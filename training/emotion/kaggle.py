"""Kaggle's fer2013.csv (emotion,pixels,Usage), with FER+'s fer2013new.csv beside it where it is there."""
import csv
from pathlib import Path
import sys

import numpy as np

from .data import LABELS, SIDE, USAGE, DataError, Split

_VOTES = slice(2, 12)  # after Usage and Image name


def load_csv(file: Path, split: str) -> Split:
    """Rows that cannot be read are counted, reported and left out; a file without any is an error."""
    rows = _rows(file)
    header = [name.strip().lower() for name in next(rows, [])]
    for name in ("emotion", "pixels"):
        if name not in header:
            raise DataError(f"{file}: no column '{name}'; found {', '.join(header) or 'nothing'}")
    emotion, pixels = header.index("emotion"), header.index("pixels")
    usage = header.index("usage") if "usage" in header else None
    if usage is None and split != "train":
        raise DataError(f"{file}: no column 'Usage', so nothing says which rows are {USAGE[split]}; "
                        "take fer2013.csv, not Kaggle's train.csv")

    images, labels, places, lines, faulty = [], [], [], [], {}
    place, line = -1, -1
    for line, row in enumerate(rows):
        if usage is not None and _cell(row, usage) != USAGE[split]:
            if _cell(row, usage) not in USAGE.values():
                faulty["no known Usage"] = faulty.get("no known Usage", 0) + 1
            continue
        place += 1
        picture, label = _pixels(_cell(row, pixels)), _label(_cell(row, emotion))
        if picture is None or label is None:
            why = f"no {SIDE * SIDE} pixels of 0..255" if picture is None else f"emotion not 0..{len(LABELS) - 1}"
            faulty[why] = faulty.get(why, 0) + 1
            continue
        images.append(picture)
        labels.append(label)
        places.append(place)
        lines.append(line)
    if faulty:
        told = ", ".join(f"{count} with {why}" for why, count in faulty.items())
        print(f"{file}: {sum(faulty.values())} rows left out ({told})", file=sys.stderr, flush=True)
    if not images:
        raise DataError(f"{file}: no readable row of usage {USAGE[split]} among {line + 1}")
    votes_file = file.parent / "fer2013new.csv"
    votes = _votes(votes_file, lines, split) if votes_file.is_file() else None
    return Split(np.stack(images), np.array(labels, np.uint8), votes, np.array(places))


def _rows(file: Path):
    """Each row as a list of text, the header first; one at a time, since the file has 300 MB."""
    try:
        with open(file, newline="", encoding="utf-8-sig", errors="replace") as stream:
            yield from csv.reader(stream)
    except (OSError, csv.Error) as error:
        raise DataError(f"{file}: cannot be read as CSV ({error})") from error


def _cell(row: list, column: int) -> str:
    return row[column].strip() if column < len(row) else ""


def _pixels(text: str):
    try:
        values = bytes(map(int, text.split()))  # refuses what is no number and what is not 0..255
    except ValueError:
        return None
    return np.frombuffer(values, np.uint8).reshape(SIDE, SIDE) if len(values) == SIDE * SIDE else None


def _label(text: str):
    return int(text) if text.isascii() and text.isdigit() and int(text) < len(LABELS) else None


def _votes(file: Path, lines: list, split: str) -> np.ndarray:
    """FER+ votes [N,10] of the given data lines. The two files belong together line by line, which
    FER+'s own Usage column lets us check."""
    rows = list(_rows(file))[1:]
    if len(rows) <= lines[-1]:
        raise DataError(f"{file}: {len(rows)} rows, but fer2013.csv has at least {lines[-1] + 1}")
    chosen = [rows[line] for line in lines]
    strangers = sum(_cell(row, 0) not in ("", USAGE[split]) for row in chosen)
    if strangers:
        raise DataError(f"{file}: {strangers} of {len(chosen)} rows have another Usage than fer2013.csv: "
                        "the two files do not belong together; take both in their original order")
    try:
        return np.array([list(bytes(map(int, row[_VOTES]))) for row in chosen], np.uint8).reshape(-1, 10)
    except ValueError as error:
        raise DataError(f"{file}: votes are not ten numbers a row ({error})") from error
