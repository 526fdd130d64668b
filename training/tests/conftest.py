"""Generated data that the tests share: small, seeded, without a single real picture."""
from pathlib import Path
import sys

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from emotion import data  # noqa: E402 (after the path)


def generated(count: int, seed: int):
    """images, labels, votes: one kind of grating for each class, so that a net can learn it."""
    random = np.random.Generator(np.random.PCG64(seed))
    labels = np.arange(count, dtype=np.uint8) % 7
    y, x = np.mgrid[:48, :48]
    waves = np.stack([np.sin((x * np.cos(k * np.pi / 7) + y * np.sin(k * np.pi / 7)) * 0.5) for k in range(7)])
    images = 128 + 70 * waves[labels] + random.normal(0, 25, (count, 48, 48))
    votes = random.integers(0, 3, (count, 10))
    votes[:, data.NO_FACE] = 0
    votes[np.arange(count), np.array(data.VOTES_IN_OUR_ORDER)[labels]] += 4
    return images.clip(0, 255).astype(np.uint8), labels, votes.astype(np.uint8)


SPLITS = {"train": generated(140, 1), "public": generated(56, 2), "private": generated(14, 3)}


@pytest.fixture
def arrays(tmp_path) -> Path:
    """A folder of .npy files."""
    folder = tmp_path / "arrays"
    folder.mkdir()
    for split, parts in SPLITS.items():
        for kind, part in zip(("images", "labels", "ferplus"), parts):
            np.save(folder / f"{split}_{kind}.npy", part)
    return folder


@pytest.fixture
def table(tmp_path) -> Path:
    """The same pictures as fer2013.csv with fer2013new.csv."""
    folder = tmp_path / "table"
    folder.mkdir()
    pictures, votes = ["emotion,pixels,Usage"], ["Usage,Image name," + ",".join(map(str, range(10)))]
    for split, parts in SPLITS.items():
        for image, label, vote in zip(*parts):
            pictures.append(f"{label},{' '.join(map(str, image.flatten()))},{data.USAGE[split]}")
            votes.append(f"{data.USAGE[split]},," + ",".join(map(str, vote)))
    (folder / "fer2013.csv").write_text("\n".join(pictures) + "\n")
    (folder / "fer2013new.csv").write_text("\n".join(votes) + "\n")
    return folder
