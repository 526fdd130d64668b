"""Faces in pictures of any kind, found by emotiond itself, so that training sees crops as use does.

emotiond is run on a list of pictures; its timeline.csv gives each face's box, crop.py the square. Where it finds
none, or one that fills the picture, it is asked again with a margin of repeated border pixels around the picture: a
detector wants surroundings, and a box that cannot leave the picture comes out too small. Of several faces
the largest counts. What was found is kept in a cache by the picture's bytes and the detector, so it is found once.

A YuNet's landmarks, by which emotiond refines the square, are not in the timeline; with YuNet the box
decides (sides within about 7 percent of the refined ones for four faces of five).
"""
import csv
from dataclasses import dataclass
import json
import os
from pathlib import Path
import shutil
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image, ImageOps

from . import crop
from .data import SIDE, DataError

CACHE = Path(os.environ.get("EMOTION_CACHE") or Path(__file__).resolve().parents[1] / ".cache")
BATCH = 200  # pictures a call of emotiond
MARGIN = 0.5  # of the picture's shorter side, on the second try
FILLS = 0.7  # share of the picture's shorter side from which a box is doubted


def read_luma(file: Path, turned: bool = False) -> np.ndarray | None:
    """[H,W] uint8, or None. turned: as the EXIF orientation says."""
    try:
        with Image.open(file) as picture:
            return np.asarray((ImageOps.exif_transpose(picture) if turned else picture).convert("L"), np.uint8)
    except (OSError, ValueError, SyntaxError, MemoryError, Image.DecompressionBombError):
        return None


def program() -> str:
    """The emotiond to run: $EMOTIOND, the one built here, or the one on the PATH."""
    named, built = os.environ.get("EMOTIOND"), Path(__file__).resolve().parents[2] / ".build/release/emotiond"
    found = shutil.which(named) if named else (str(built) if built.is_file() else shutil.which("emotiond"))
    if not found:
        raise DataError((f"EMOTIOND={named} is no program" if named else "no emotiond is there to find the faces in the pictures")
                        + "; build it (make build), name it (EMOTIOND=FILE), or, where each picture is a face already "
                          "cut, say crops:DIR instead of folder:DIR")
    return found


def _largest(run: dict | None) -> tuple | None:
    """The largest box (x, y, w, h) of a run."""
    return max(run["boxes"], key=lambda box: box[2] * box[3], default=None) if run else None


@dataclass
class _Found:
    luma: np.ndarray
    box: tuple | None

    @staticmethod
    def of(file: Path, run: dict | None) -> "_Found":
        """The picture the way round that emotiond saw it, and its largest face."""
        luma, box = read_luma(file), _largest(run)
        if run and luma.shape != (run["input"]["height"], run["input"]["width"]):
            luma = read_luma(file, turned=True)
        return _Found(luma, box)


class Finder:
    """Finds and cuts; one detector for all pictures."""

    def __init__(self):
        self.emotiond = program()
        with tempfile.TemporaryDirectory() as place:
            blank = Path(place) / "blank.png"
            Image.new("L", (64, 64), 128).save(blank)
            run = self._run([blank], Path(place) / "out")[0]
        if run is None or run["detector"]["name"] not in crop.SQUARES:
            raise DataError(f"{self.emotiond}: its detector ({run and run['detector']['name']}) has no crop template here; "
                            f"there are {', '.join(crop.SQUARES)}")
        self.detector = run["detector"]["name"]
        self.cache = CACHE / "faces" / f"{self.detector}-{run['detector']['sha256'][:8]}"

    def find(self, files: list[Path], digests: list[str]) -> list[np.ndarray | None]:
        """The crop [48,48] of each picture's largest face, None where no face was found. `digests` are of the
        files' bytes. All files can be read as pictures."""
        new = [(file, digest) for digest, file in dict(zip(digests, files)).items() if not self._known(digest)]
        for start in range(0, len(new), BATCH):
            self._find_new(new[start:start + BATCH])
            if len(new) > BATCH:
                print(f"faces: {min(start + BATCH, len(new))} of {len(new)} new pictures searched", file=sys.stderr, flush=True)
        return [self._cached(digest) for digest in digests]

    def _find_new(self, batch: list):
        """Finds, cuts and caches the faces of (file, digest) pairs."""
        with tempfile.TemporaryDirectory() as place:
            place = Path(place)
            links = [place / f"{number}{file.suffix.lower()}" for number, (file, _) in enumerate(batch)]
            for link, (file, _) in zip(links, batch):
                link.symlink_to(file.resolve())
            found = [_Found.of(file, run) for (file, _), run in zip(batch, self._run(links, place / "first"))]

            doubted = [i for i, one in enumerate(found) if one.box is None or one.box[3] > FILLS * min(one.luma.shape)]
            padded, margins = [place / f"padded-{i}.png" for i in doubted], []
            for i, file in zip(doubted, padded):
                margins.append(int(min(found[i].luma.shape) * MARGIN))
                Image.fromarray(np.pad(found[i].luma, margins[-1], mode="edge")).save(file, compress_level=1)
            for i, margin, run in zip(doubted, margins, self._run(padded, place / "second")):
                box = _largest(run)
                if box:
                    found[i].box = (box[0] - margin, box[1] - margin, *box[2:])
            for (_, digest), one in zip(batch, found):
                square = one.box and crop.square(one.box, self.detector)
                self._write(digest, crop.cut(one.luma, *square) if square else None)

    def _run(self, files: list[Path], out: Path) -> list[dict | None]:
        """run.json of each file with `boxes` from its timeline; None where emotiond could not read it."""
        if not files:
            return []
        listed = b"".join(os.fsencode(file) + b"\0" for file in files)
        done = subprocess.run([self.emotiond, "--file", "-", "-0", "--out", str(out), "--no-video", "--json", "--log-level", "error"],
                              input=listed, capture_output=True)
        try:
            results = json.loads(done.stdout.splitlines()[-1])["results"]
        except (IndexError, ValueError, KeyError) as error:
            told = done.stderr.decode(errors="replace").strip()[-400:]
            raise DataError(f"{self.emotiond} ended with {done.returncode} and without results: {told}") from error
        folders = {result["input"]: Path(result["folder"]) for result in results if "folder" in result}
        return [self._result(folders.get(str(file))) for file in files]

    @staticmethod
    def _result(folder: Path | None) -> dict | None:
        if folder is None or not (folder / "timeline.csv").is_file():
            return None
        run = json.loads((folder / "run.json").read_text())
        with open(folder / "timeline.csv", newline="") as stream:
            run["boxes"] = [tuple(float(row[key]) for key in "xywh") for row in csv.DictReader(stream) if row["x"]]
        return run

    def _known(self, digest: str) -> bool:
        return self._place(digest, ".png").is_file() or self._place(digest, ".none").is_file()

    def _cached(self, digest: str) -> np.ndarray | None:
        found = self._place(digest, ".png")
        return read_luma(found) if found.is_file() else None

    def _write(self, digest: str, face: np.ndarray | None):
        """Whole or not at all, since a long search may be stopped at any moment."""
        place = self._place(digest, ".none" if face is None else ".png")
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_name(place.name + ".part")
        if face is None:
            part.touch()
        else:
            assert face.shape == (SIDE, SIDE)
            Image.fromarray(face).save(part, format="PNG")
        part.replace(place)

    def _place(self, digest: str, ending: str) -> Path:
        return self.cache / digest[:2] / (digest[:32] + ending)
