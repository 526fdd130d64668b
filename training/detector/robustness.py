"""What a detector loses when the pictures get worse: worse copies of the validation split, judged by emotiond.

    python -m detector.robustness --data DIR --out DIR [--emotiond FILE] [--detector yunet ...]

Every copy is a folder of the data's own layout, in colour, so that any detector may be asked; JPEG quality 20 apart,
pictures are stored at quality 100. Copies are drawn once and used again, for the next detector to see the same pixels.
What is not known here (`--detector`, `--model`) goes on to `emotiond eval-detector`.
"""
import argparse
import json
import math
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from . import compose, data

SMALLEST = 8.0  # px: the data's own rule for what is to be found
CLOSE_UP_LEAST = 64  # px of a face's longer side: smaller ones give mush instead of a close-up
DONE = "drawn.json"
PARTIAL = 3  # emotiond's exit status where pictures were left out; it names them


# A variation takes (picture [RGB], label, random) and gives the same pair, or None where it has nothing to show.

def turned(image, label, degrees):
    """In the plane, about the middle, size kept: what leaves the picture is gone, what comes in has its mean."""
    w, h = image.size
    move = compose.Move((w / 2, h / 2), (w / 2, h / 2), 1.0, math.radians(degrees))
    back, start = move.backward()
    mean = tuple(int(v) for v in np.asarray(image).reshape(-1, 3).mean(0).round())
    coefficients = np.concatenate([back, start[:, None]], 1).flatten().tolist()
    return image.transform((w, h), Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR, fillcolor=mean), moved(label, move, w, h)


def close_up(image, label):
    """The largest face with a tenth of it around, cut from the picture as it is stored."""
    w, h = image.size
    faces = [f["box"] for f in label["faces"] if not f.get("ignore")]
    box = max(faces, key=lambda b: b[2] * b[3], default=None)
    if box is None or max(box[2:]) < CLOSE_UP_LEAST:
        return None
    x, y, bw, bh = box
    left, top = max(0, math.floor(x - 0.1 * bw)), max(0, math.floor(y - 0.1 * bh))
    right, bottom = min(w, math.ceil(x + 1.1 * bw)), min(h, math.ceil(y + 1.1 * bh))
    move = compose.Move((left, top), (0, 0), 1.0, 0.0)
    return image.crop((left, top, right, bottom)), moved(label, move, right - left, bottom - top)


def halved(image, label):
    w, h = image.size
    if min(w, h) < 2:
        return None
    return image.reduce(2), moved(label, compose.Move((0, 0), (0, 0), 0.5, 0.0), (w + 1) // 2, (h + 1) // 2)


def darkened(image, label, share):
    return image.point(lambda v: round(v * share)), label


def blurred(image, label, sigma):
    return image.filter(ImageFilter.GaussianBlur(sigma)), label


def noisy(image, label, sigma):
    """The same noise for the same file name."""
    random = np.random.default_rng(zlib.crc32(label["file"].encode()))
    noise = random.normal(0, sigma, (image.height, image.width, 3))
    return Image.fromarray((np.asarray(image) + noise).round().clip(0, 255).astype(np.uint8)), label


# Folder: row's name, the variation, JPEG quality.
VARIATIONS = {
    "as-they-are": ("as they are", lambda i, l: (i, l), 100),
    "turned-left": ("turned by -30 degrees", lambda i, l: turned(i, l, -30), 100),
    "turned-right": ("turned by 30 degrees", lambda i, l: turned(i, l, 30), 100),
    "dark": ("a tenth of the brightness", lambda i, l: darkened(i, l, 0.1), 100),
    "blur": ("blur, sigma 2 px", lambda i, l: blurred(i, l, 2.0), 100),
    "jpeg-20": ("JPEG quality 20", lambda i, l: (i, l), 20),
    "noise": ("noise, sigma 15", lambda i, l: noisy(i, l, 15.0), 100),
    "half": ("half the size", lambda i, l: halved(i, l), 100),
    "close-up": (f"close-up (faces from {CLOSE_UP_LEAST} px)", lambda i, l: close_up(i, l), 100),
}


def moved(label: dict, move: compose.Move, width: int, height: int) -> dict:
    """The label after `move`, for a picture of width x height: cut boxes; what is mostly outside or tiny is ignored."""
    edge, faces = np.array([width, height, width, height], np.float32), []
    for face in label["faces"]:
        box = np.array([face["box"]], np.float32)
        corners = (move.regions if face.get("ignore") else move.faces)(box)[0]
        seen = corners.clip(0, edge)
        w, h = seen[2:] - seen[:2]
        if w <= 0 or h <= 0:
            continue
        area = np.prod(corners[2:] - corners[:2])
        changed = {**face, "box": _rounded([*seen[:2], w, h])}
        changed["ignore"] = bool(face.get("ignore")) or bool(w * h <= 0.5 * area or math.sqrt(w * h) < SMALLEST)
        for key in ("points", "human4"):
            if face.get(key):
                # No variation mirrors, so names of points stay.
                changed[key] = [None if p is None else _rounded(move.anywhere(p)) for p in face[key]]
        faces.append(changed)
    return {**label, "faces": faces, "width": width, "height": height}


def _rounded(values):
    return [round(float(v), 2) for v in values]


def draw(source: Path, out: Path, name: str) -> int:
    """One folder; the number of its pictures. Labels last, and the mark of a whole folder after them."""
    done = out / DONE
    if done.exists():
        return json.loads(done.read_text())["pictures"]
    _, change, quality = VARIATIONS[name]
    count, broken = 0, []
    for file in sorted((source / "labels").glob("*.jsonl")):
        lines = []
        for number, line in enumerate(file.read_bytes().splitlines(), 1):
            try:
                label = json.loads(line)
                if label["split"] != "val":
                    continue
                with Image.open(source / label["file"]) as image:
                    answer = change(image.convert("RGB"), label)
                if answer is None:
                    continue
                image, changed = answer
                place = Path("images") / file.stem / (Path(label["file"]).stem + ".jpg")
                (out / place).parent.mkdir(parents=True, exist_ok=True)
                image.save(out / place, "JPEG", quality=quality)
                lines.append(json.dumps({**changed, "file": str(place), "width": image.width, "height": image.height}))
            except data.UNREADABLE as error:
                broken.append(f"{file.name}:{number}: {error!r}")
        if lines:
            (out / "labels").mkdir(parents=True, exist_ok=True)
            (out / "labels" / file.name).write_text("\n".join(lines) + "\n")
        count += len(lines)
    if broken:
        print(f"{name}: {len(broken)} labels or pictures cannot be used and are left out, first {broken[0]}", file=sys.stderr)
    if not count:
        raise data.DataError(f"{source}: no picture of split 'val' for '{name}'; see training/README.md for the layout")
    done.write_text(json.dumps({"pictures": count}) + "\n")
    return count


def ask(emotiond: Path, folder: Path, more: list[str]) -> dict:
    command = [str(emotiond), "eval-detector", "--data", str(folder), "--json", *more]
    try:
        answer = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        raise data.DataError(f"{emotiond}: cannot be run ({error.strerror}); build it, or give --emotiond FILE") from error
    if answer.returncode not in (0, PARTIAL):
        raise data.DataError(f"{' '.join(command)} ended with {answer.returncode}: {answer.stderr.strip()[-500:]}")
    if answer.returncode == PARTIAL:
        print(answer.stderr.strip(), file=sys.stderr)
    try:
        figures = json.loads(answer.stdout)
        return {key: figures[key] for key in ("faces", "recall", "precision", "false_per_100", "ap50")} | figures
    except (ValueError, KeyError, TypeError) as error:
        raise data.DataError(f"{' '.join(command)}: not the JSON that is wanted ({error!r}); is it of this version?") from error


def table(rows: list[dict]) -> str:
    lines = ["| validation split | pictures | faces | recall | loss in points | precision | false in 100 negatives | AP50 |",
             "|---|---|---|---|---|---|---|---|"]
    for row in rows:
        loss = None if None in (row["recall"], rows[0]["recall"]) else 100 * (rows[0]["recall"] - row["recall"])
        lines.append(f"| {row['row']} | {row['pictures']} | {row['faces']} | {_percent(row['recall'])} | "
                     f"{'' if loss is None else f'{loss:.1f}'} | {_percent(row['precision'])} | "
                     f"{'' if row['false_per_100'] is None else format(row['false_per_100'], '.1f')} | {_percent(row['ap50'])} |")
    return "\n".join(lines)


def _percent(share):
    return "" if share is None else f"{100 * share:.1f} %"


def run(a, more) -> list[dict]:
    rows = []
    for name in a.only or VARIATIONS:
        folder = a.out / name
        pictures = draw(a.data, folder, name)
        rows.append({"row": VARIATIONS[name][0], "pictures": pictures, **ask(a.emotiond, folder, more)})
        print(f"{rows[-1]['row']}: recall {_percent(rows[-1]['recall'])}", file=sys.stderr, flush=True)
    return rows


def main(arguments=None):
    p = argparse.ArgumentParser(prog="python -m detector.robustness", description=__doc__, allow_abbrev=False,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True, type=Path)
    p.add_argument("--out", required=True, type=Path, help="where the copies go; 200 MB for the project's own data")
    p.add_argument("--emotiond", type=Path, default=Path("../.build/release/emotiond"))
    p.add_argument("--only", nargs="+", choices=VARIATIONS, help="these rows")
    p.add_argument("--report", type=Path, help="JSON file for all figures")
    a, more = p.parse_known_args(arguments)
    try:
        rows = run(a, more)
        if a.report:
            a.report.parent.mkdir(parents=True, exist_ok=True)
            a.report.write_text(json.dumps({"arguments": more, "rows": rows}, indent=1) + "\n")
    except (data.DataError, OSError) as error:
        sys.exit(f"robustness: {error}")
    print(table(rows))


if __name__ == "__main__":
    main()
