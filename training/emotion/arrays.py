"""<split>_images.npy, <split>_labels.npy and, where it is there, <split>_ferplus.npy."""
from pathlib import Path
import sys

import numpy as np

from .data import LABELS, SIDE, DataError, Split


def load_arrays(folder: Path, split: str) -> Split:
    images, labels = _read(folder / f"{split}_images.npy"), _read(folder / f"{split}_labels.npy")
    file = folder / f"{split}_ferplus.npy"
    votes = _read(file) if file.is_file() else (None, 0)
    images, labels, votes = _shortened(folder, split, images, labels, votes)
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


def _read(file: Path) -> tuple[np.ndarray, int]:
    """The array, and how many rows its header promises: more where the file is cut off."""
    try:
        whole = np.load(file)
        return whole, len(whole) if whole.ndim else 0
    except (OSError, ValueError, EOFError, SyntaxError, MemoryError) as error:
        rest, promised = _whole_rows(file)
        if rest is None:
            raise DataError(f"{file}: cannot be read as .npy ({error}); copy it again") from error
        return rest, promised


def _whole_rows(file: Path):
    """The complete rows of a file that is cut off behind its header, and the rows promised; (None, 0) where
    there are none."""
    try:
        with open(file, "rb") as stream:
            version = np.lib.format.read_magic(stream)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, transposed, kind = read(stream)
            if transposed or kind != np.uint8 or not shape:
                return None, 0
            size = int(np.prod(shape[1:], dtype=np.int64))
            values = np.frombuffer(stream.read(), np.uint8)
    except (OSError, ValueError, EOFError, SyntaxError, MemoryError):
        return None, 0
    rows = len(values) // size if size else 0
    return (values[:rows * size].reshape(rows, *shape[1:]).copy(), shape[0]) if 0 < rows < shape[0] else (None, 0)


def _shortened(folder: Path, split: str, *parts):
    """The arrays, all as long as the shortest where one is cut off; as they are where none is."""
    cut = [(array, promised) for array, promised in parts if array is not None and array.ndim and len(array) < promised]
    arrays = [array for array, _ in parts]
    if not cut:
        return arrays
    rows = min(len(array) for array, _ in cut)
    print(f"{folder}: the {split} arrays are cut off: {rows} of {max(promised for _, promised in cut)} rows are used; "
          "copy them again", file=sys.stderr, flush=True)
    return [array if array is None else array[:rows] for array in arrays]
