"""Writes Tests/Golden/crops: generated crops and the tensors that every reader must make of them.

    python training/tests/make_crop_goldens.py [--check] [FOLDER]

Each crop is 48x48 bytes, row by row (NAME.bin); its tensors are 48x48 little-endian float32
(NAME.none.f32 and NAME.crop.f32). The formulas stand here in plain Python doubles, apart from the
training's own, so that the two can be held against each other. --check compares and writes nothing.
"""
import argparse
import json
import math
import struct
import sys
from pathlib import Path

SIDE = 48
MEAN, SCALE = 127.5, "0.01568627450980392"
FOLDER = Path(__file__).resolve().parents[2] / "Tests" / "Golden" / "crops"


def splitmix(seed: int):
    """Random bytes that no library's version can change (Steele et al. 2014, SplitMix64)."""
    mask = (1 << 64) - 1
    while True:
        seed = (seed + 0x9E3779B97F4A7C15) & mask
        z = ((seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        yield (z ^ (z >> 31)) & 255


def crops() -> dict[str, tuple[str, bytes]]:
    """Name -> (what it is for, bytes)."""
    noise, faint = splitmix(1), splitmix(2)
    drawn = {
        "gradient-x": ("rows and columns not swapped", lambda x, y: x * 255 // (SIDE - 1)),
        "gradient-y": ("the same, along the other axis", lambda x, y: 255 - y * 255 // (SIDE - 1)),
        "blob": ("a smooth picture, not symmetric",
                 lambda x, y: round(30 + 200 * math.exp(-((x - 20) ** 2 + (y - 27) ** 2) / 180))),
        "checkers": ("black and white only: the ends of the range", lambda x, y: 255 * ((x // 3 + y // 5) % 2)),
        "noise": ("all values", lambda x, y: next(noise)),
        "faint-noise": ("little contrast: deviation near 1", lambda x, y: 100 + next(faint) % 4),
        "constant": ("no contrast: deviation 0 counts as 1", lambda x, y: 77),
        "one-pixel": ("deviation below 1, which counts as 1", lambda x, y: 140 if (x, y) == (11, 30) else 120),
    }
    return {name: (purpose, bytes(value(x, y) for y in range(SIDE) for x in range(SIDE)))
            for name, (purpose, value) in drawn.items()}


def none(crop: bytes) -> list[float]:
    return [(value - MEAN) * float(SCALE) for value in crop]


def crop_normalised(crop: bytes) -> list[float]:
    mean = math.fsum(crop) / len(crop)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in crop) / len(crop))
    return [(value - mean) / max(deviation, 1) for value in crop]


def files() -> dict[str, bytes]:
    """Everything in the folder, by file name."""
    out, listed = {}, []
    for name, (purpose, crop) in crops().items():
        entry = {"name": name, "purpose": purpose, "crop": f"{name}.bin", "none": f"{name}.none.f32",
                 "crop_normalised": f"{name}.crop.f32"}
        listed.append(entry)
        out[entry["crop"]] = crop
        out[entry["none"]] = struct.pack(f"<{len(crop)}f", *none(crop))
        out[entry["crop_normalised"]] = struct.pack(f"<{len(crop)}f", *crop_normalised(crop))
    index = {
        "made_by": "training/tests/make_crop_goldens.py", "width": SIDE, "height": SIDE,
        "none": {"formula": "x = (v - mean) * scale", "mean": str(MEAN), "scale": SCALE, "tolerance": 1e-6},
        "crop_normalised": {"formula": "x = (v - m) / max(s, 1); m mean, s population deviation of the crop",
                            "tolerance": 1e-5},
        "crops": listed}
    out["index.json"] = (json.dumps(index, indent=1) + "\n").encode()
    return out


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    p.add_argument("--check", action="store_true")
    a = p.parse_args()
    if not a.check:
        a.folder.mkdir(parents=True, exist_ok=True)
    different = []
    for name, content in files().items():
        file = a.folder / name
        if not file.is_file() or file.read_bytes() != content:
            different.append(name)
            if not a.check:
                file.write_bytes(content)
    if different:
        sys.exit(f"{a.folder}: {'differs in' if a.check else 'wrote'} {', '.join(different)}; look at the difference")


if __name__ == "__main__":
    main()
