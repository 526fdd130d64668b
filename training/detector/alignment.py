"""What each way from a detected face to the 48x48 crop is worth to the emotion model, on turned faces.

    python -m detector.alignment --data DIR --run RUN --out DIR --emotiond FILE [--angles 0 10 20 30] [--every 3]

Pictures of PublicTest, three times enlarged on a canvas that repeats their edges, are turned by plus and minus each
angle; the detector finds face and points; the crop is cut by the box, by the points with scale and shift, or by the
points with scale, shift and rotation, and `emotiond eval` judges the crops of each way. A face that is not found gets
the middle of the canvas, in every way alike. `given` is the unturned picture's own crop.
"""
import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from emotion.preprocess import CROP_TEMPLATE

from . import data, judge, runs

TIMES, MARGIN = 3, 24  # enlargement; pixels of a 48x48 picture around it
SIDE = 48
# Sources/Faces: the detector's mapping from box to crop, and how far the points may differ from it.
BOX_SIDE, BOX_SHIFT, LEAST, MOST = 0.90, 0.01, 0.67, 1.5
WAYS = ("box", "points", "points turned")


def turned(image: np.ndarray, degrees: float) -> np.ndarray:
    wide = np.pad(image, MARGIN, mode="edge")
    canvas = Image.fromarray(wide).resize((wide.shape[1] * TIMES, wide.shape[0] * TIMES), Image.Resampling.BILINEAR)
    return np.asarray(canvas.rotate(degrees, Image.Resampling.BILINEAR, fillcolor=int(image.mean())))


def fit(points: np.ndarray, rotates: bool) -> tuple[np.ndarray, float, float]:
    """The crop's centre, side and angle by the similarity that brings the points nearest to the template (Umeyama 1991)."""
    places = np.array(CROP_TEMPLATE, np.float64)
    p, q = points - points.mean(0), places - places.mean(0)
    along, across = (p * q).sum(), (q[:, 0] * p[:, 1] - q[:, 1] * p[:, 0]).sum()
    angle = np.arctan2(across, along) if rotates else 0.0
    scale = (p ** 2).sum() / (np.hypot(along, across) if rotates else along)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return points.mean(0) + scale * turn @ (SIDE / 2 - places.mean(0)), SIDE * scale, angle


def cut(canvas: np.ndarray, centre, side, angle) -> np.ndarray:
    """48x48 of the square; smoothed by halves where it shrinks by more than two."""
    factor = 1.0
    while side * factor >= 2 * SIDE:
        canvas = data.pyramid(canvas)[1] if min(canvas.shape) >= 64 else canvas
        factor /= 2
    step = side * factor / SIDE
    cos, sin = np.cos(angle) * step, np.sin(angle) * step
    x, y = np.asarray(centre) * factor
    start = np.array([x, y]) - np.array([[cos, -sin], [sin, cos]]) @ [SIDE / 2, SIDE / 2]
    # Edges go on beyond the picture, as in the program's cropper.
    border = SIDE
    wide = Image.fromarray(np.pad(canvas, border, mode="edge"))
    return np.asarray(wide.transform((SIDE, SIDE), Image.Transform.AFFINE, (cos, -sin, start[0] + border, sin, cos, start[1] + border),
                                     Image.Resampling.BILINEAR))


def squares(found, canvas) -> dict:
    """For each way the crop's centre, side and angle."""
    middle = (np.array([canvas.shape[1], canvas.shape[0]]) / 2, SIDE * TIMES, 0.0)
    if found is None:
        return {way: middle for way in WAYS}
    box, points = found
    height = box[3] - box[1]
    by_box = ((box[:2] + box[2:]) / 2 + [BOX_SHIFT * height, 0], BOX_SIDE * height, 0.0)
    answers = {"box": by_box}
    for way, rotates in (("points", False), ("points turned", True)):
        fitted = fit(points, rotates)
        answers[way] = fitted if LEAST * by_box[1] < fitted[1] < MOST * by_box[1] else by_box
    return answers


def evaluate(emotiond, folder, images, labels, votes) -> float:
    folder.mkdir(parents=True, exist_ok=True)
    for name, values in (("images", images), ("labels", labels), ("ferplus", votes)):
        np.save(folder / f"public_{name}.npy", values)
    try:
        run = subprocess.run([str(emotiond), "eval", "--data", str(folder), "--split", "public", "--json"], capture_output=True, text=True)
    except OSError as error:
        sys.exit(f"alignment: {emotiond} cannot be run ({error.strerror}); give --emotiond FILE")
    if run.returncode:
        sys.exit(f"alignment: emotiond eval: {run.stderr.strip()}")
    return json.loads(run.stdout)["accuracy"]


def main(arguments=None):
    p = argparse.ArgumentParser(prog="python -m detector.alignment", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True, type=Path, help="folder with public_images.npy")
    p.add_argument("--run", required=True, type=Path, help="the detector's run")
    p.add_argument("--out", required=True, type=Path, help="where the crops go")
    p.add_argument("--emotiond", required=True, type=Path)
    p.add_argument("--angles", nargs="+", type=float, default=[0, 10, 20, 30])
    p.add_argument("--every", type=int, default=3, help="every so many pictures")
    p.add_argument("--threads", type=int, default=1)
    a = p.parse_args(arguments)
    torch.set_num_threads(a.threads)
    try:
        net, _ = runs.read_net(a.run)
        images, labels, votes = (np.load(a.data / f"public_{name}.npy")[:: a.every] for name in ("images", "labels", "ferplus"))
    except (data.DataError, OSError, ValueError) as error:
        sys.exit(f"alignment: {error}")
    print(f"{len(images)} pictures; accuracy in percent\nangle  found  given  " + "  ".join(f"{way:>13}" for way in WAYS))
    given = evaluate(a.emotiond, a.out / "given", images, labels, votes)
    for angle in a.angles:
        sums, found_count, signs = dict.fromkeys(WAYS, 0.0), 0, (1, -1) if angle else (1,)
        for sign in signs:
            crops = {way: np.empty_like(images) for way in WAYS}
            for i, image in enumerate(images):
                canvas = turned(image, sign * angle)
                scores, boxes, points = judge.find_all(net, torch.from_numpy(canvas.astype(np.float32)), least=0.3)
                found = (boxes[0], points[0]) if len(scores) else None
                found_count += found is not None
                for way, square in squares(found, canvas).items():
                    crops[way][i] = cut(canvas, *square)
            for way in WAYS:
                sums[way] += evaluate(a.emotiond, a.out / f"{way.replace(' ', '-')}{sign * angle:+g}", crops[way], labels, votes)
        share = found_count / len(images) / len(signs)
        print(f"{angle:5g}  {100 * share:5.1f}  {given:5.1f}  " + "  ".join(f"{sums[way] / len(signs):13.2f}" for way in WAYS), flush=True)


if __name__ == "__main__":
    main()
