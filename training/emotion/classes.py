"""Which label a folder's name stands for, in the data sets that are passed around as folders."""
import csv
from pathlib import Path

from .data import ALL_LABELS, DataError

SYNONYMS = {
    "anger": "angry", "disgusted": "disgust", "fearful": "fear", "afraid": "fear", "happiness": "happy", "joy": "happy",
    "sadness": "sad", "surprised": "surprise", "natural": "neutral", "calm": "neutral", "contemptuous": "contempt",
}
# Numbered folders, known by which numbers are there.
RAF_DB = {"1": "surprise", "2": "fear", "3": "disgust", "4": "happy", "5": "sad", "6": "angry", "7": "neutral"}
AFFECTNET = {"0": "neutral", "1": "happy", "2": "sad", "3": "surprise", "4": "fear", "5": "disgust", "6": "angry",
             "7": "contempt"}
TABLE = "classes.csv"


def labels_of(folder: Path, root: Path) -> dict[str, str | None]:
    """Each sub-folder's name of `folder` -> its label, None for a name of no known class.

    `root`/classes.csv, lines `folder,label`, goes before everything else. Numbers are RAF-DB's where 1
    to 7 are there without 0, and AffectNet's where 0 and 7 are there; 0 to 6 alone may be FER2013's,
    AffectNet's without contempt or anybody's, so a table must say.
    """
    names = sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    table = _read_table(root / TABLE) if (root / TABLE).is_file() else {}
    numbers = {name for name in names if name.isdigit() and name not in table}
    numbered = _numbering(folder, numbers) if numbers else {}

    def label(name: str):
        if name in table:
            return table[name]
        plain = name.lower()
        plain = SYNONYMS.get(plain, plain)
        return numbered.get(name) or (plain if plain in ALL_LABELS else None)

    return {name: label(name) for name in names}


def _numbering(folder: Path, numbers: set) -> dict:
    if numbers <= RAF_DB.keys() and "1" in numbers and "7" in numbers:
        return RAF_DB
    if numbers <= AFFECTNET.keys() and "0" in numbers and "7" in numbers:
        return AFFECTNET
    raise DataError(f"{folder}: sub-folders {', '.join(sorted(numbers))} are numbers of no known data set (RAF-DB has 1 to 7, "
                    f"AffectNet 0 to 7); a file {TABLE} in the data folder, lines such as '0,neutral', says what they are")


def _read_table(file: Path) -> dict[str, str | None]:
    """Folder name -> label; an empty label leaves the folder out."""
    try:
        with open(file, newline="", encoding="utf-8-sig") as stream:
            rows = [[cell.strip() for cell in row] for row in csv.reader(stream) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file}: cannot be read ({error})") from error
    if rows and rows[0] == ["folder", "label"]:
        rows = rows[1:]
    faulty = [",".join(row) for row in rows if len(row) != 2 or (row[1] and row[1] not in ALL_LABELS)]
    if faulty:
        raise DataError(f"{file}: '{faulty[0]}' and {len(faulty) - 1} more lines are not 'folder,label' with a label of "
                        f"{', '.join(ALL_LABELS)} or none")
    return {name: label or None for name, label in rows}
