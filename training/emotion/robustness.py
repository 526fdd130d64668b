"""What an exported model loses when the pictures get worse.

    python -m emotion.robustness --data DIR --model emotion.onnx --reports DIR [--card FILE]

Every variation is applied to the 48x48 crops of PublicTest, rounded to whole grey values, and scored by
onnxruntime in a single pass. Where a row has several variations (both directions, six boxes), it is
their mean. FER2013 has nothing around its crops, so what comes in from outside (rotation, moved boxes)
repeats the edge; in a video the detector's crop brings real surroundings instead.
"""
import argparse
import io
import json
import sys
from pathlib import Path
from typing import Callable

import numpy as np
import onnx
from PIL import Image
import torch
import torch.nn.functional as F

from . import card, contract, data, report

MOST_LOSS = 12.0  # points that a row may lose


class RobustnessError(Exception):
    """A file that is no model."""


def blur(images: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian, cut at three sigma, edges repeated."""
    reach = int(np.ceil(3 * sigma))
    kernel = torch.exp(-torch.arange(-reach, reach + 1).double() ** 2 / (2 * sigma * sigma))
    kernel = (kernel / kernel.sum()).float()
    x = F.pad(_tensor(images), [reach] * 4, mode="replicate")
    return _crops(F.conv2d(F.conv2d(x, kernel.view(1, 1, 1, -1)), kernel.view(1, 1, -1, 1)))


def small(images: np.ndarray, side: int) -> np.ndarray:
    """A face of `side` pixels, enlarged to the crop as the cropper does, bilinearly."""
    x = F.interpolate(_tensor(images), size=(side, side), mode="area")
    return _crops(F.interpolate(x, size=images.shape[1:], mode="bilinear", align_corners=False))


def jpeg(images: np.ndarray, quality: int) -> np.ndarray:
    """The crop itself as a baseline JPEG. Harder than a compressed frame, where a face spans more blocks."""
    out = np.empty_like(images)
    for place, image in enumerate(images):
        stream = io.BytesIO()
        Image.fromarray(image).save(stream, "JPEG", quality=quality)
        out[place] = np.asarray(Image.open(stream))
    return out


def darken(images: np.ndarray, share: float) -> np.ndarray:
    """Grey values times `share`: less contrast, fewer levels."""
    return np.rint(images * share).astype(np.uint8)


def seen_through(images: np.ndarray, degrees: float = 0.0, right: float = 0.0, down: float = 0.0,
                 scale: float = 1.0) -> np.ndarray:
    """The crop that a box would give that is turned, moved by shares of its side, or `scale` times as large."""
    turn = np.deg2rad(degrees)
    cos, sin = scale * np.cos(turn), scale * np.sin(turn)
    # From places in the new crop to places in the old one, both -1 to 1, hence two shares of the side.
    matrix = torch.tensor([[cos, -sin, 2 * right], [sin, cos, 2 * down]], dtype=torch.float32)
    x = _tensor(images)
    grid = F.affine_grid(matrix.expand(len(x), 2, 3), list(x.shape), align_corners=False)
    return _crops(F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False))


def _tensor(images: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(images).float()[:, None]


def _crops(x: torch.Tensor) -> np.ndarray:
    return x[:, 0].round().clamp(0, 255).byte().numpy()


_BOXES = [dict(right=0.1), dict(right=-0.1), dict(down=0.1), dict(down=-0.1), dict(scale=0.9), dict(scale=1.1)]

# Row -> its variations; each takes images [N,48,48] uint8 and gives the same.
VARIATIONS: dict[str, list[Callable[[np.ndarray], np.ndarray]]] = {
    "blur, sigma 1.5 px": [lambda images: blur(images, 1.5)],
    "24 px faces": [lambda images: small(images, 24)],
    "JPEG quality 20": [lambda images: jpeg(images, 20)],
    "a quarter of the light": [lambda images: darken(images, 0.25)],
    "rotation of 20 degrees": [lambda images, d=d: seen_through(images, degrees=d) for d in (-20.0, 20.0)],
    "box off by 10 % (moved, smaller, larger)": [lambda images, box=box: seen_through(images, **box) for box in _BOXES],
}


def measure(model: onnx.ModelProto, public: data.Split, clean: np.ndarray, threads: int, variations=None) -> list[dict]:
    """First row: the pictures as they are. Losses in points, positive is worse."""
    rows = []
    for name, changes in {"as they are": [lambda images: images], **(VARIATIONS if variations is None else variations)}.items():
        parts = []
        for change in changes:
            logits = contract.run_onnx(model, change(public.images), threads)
            right = logits.argmax(1) == public.labels
            votes = report.against_votes(logits, public)
            parts.append((right.mean(), right[clean].mean(), votes["accuracy"] / 100 if votes else np.nan))
        accuracy, on_clean, ferplus = (round(100 * float(value), 2) for value in np.mean(parts, 0))
        row = {"row": name, "accuracy": accuracy, "clean": on_clean, "ferplus": None if np.isnan(ferplus) else ferplus,
               "of_each": [round(100 * float(part[0]), 2) for part in parts]}
        first = rows[0] if rows else row
        rows.append({**row, "loss": round(first["accuracy"] - accuracy, 2), "loss_clean": round(first["clean"] - on_clean, 2)})
    return rows


def markdown(result: dict) -> str:
    return card.table(
        ("PublicTest, single pass", "FER2013 label", "loss in points", "clean", "loss", "FER+ majority"),
        [(row["row"], f"{row['accuracy']:.2f} %", f"{row['loss']:.2f}", f"{row['clean']:.2f} %", f"{row['loss_clean']:.2f}",
          "" if row["ferplus"] is None else f"{row['ferplus']:.2f} %") for row in result["rows"]])


def parse(arguments=None):
    p = argparse.ArgumentParser(prog="python -m emotion.robustness", description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True)
    p.add_argument("--model", required=True, type=Path, help="an exported file, float or int8")
    p.add_argument("--reports", required=True, type=Path, help="folder for robustness.json")
    p.add_argument("--card", type=Path)
    p.add_argument("--threads", type=int, default=2)
    return p.parse_args(arguments)


def run(a) -> dict:
    torch.set_num_threads(a.threads)
    try:
        model = onnx.load(a.model)
    except Exception as error:  # onnx raises what its parser raises
        raise RobustnessError(f"{a.model}: cannot be read as ONNX ({error})") from error
    public = data.load(a.data, "public")
    clean = data.clean_public(a.data, public)
    result = {"file": a.model.name, "weights.sha256": contract.weights_sha256(model), "n": len(public),
              "n_clean": int(clean.sum()), "rows": measure(model, public, clean, a.threads)}
    a.reports.mkdir(parents=True, exist_ok=True)
    (a.reports / "robustness.json").write_text(json.dumps(result, indent=1) + "\n")
    if a.card:
        card.fill(a.card, "robustness", markdown(result))
    return result


def main():
    try:
        result = run(parse())
        print(markdown(result).strip())
        over = [row["row"] for row in result["rows"] if row["loss"] > MOST_LOSS]
        print(f"more than {MOST_LOSS:g} points lost: {', '.join(over) or 'by no row'}")
    except (data.DataError, card.CardError, RobustnessError) as error:
        sys.exit(f"robustness: {error}")


if __name__ == "__main__":
    main()
