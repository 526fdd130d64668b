"""Generated pictures with "faces" for the detector's tests: bright discs with a white eye, small and seeded."""
import json
from pathlib import Path

import numpy as np
from PIL import Image

from detector import data

BOX = [20.0, 24.0, 24.0, 30.0]


def face(box=BOX, **changes) -> dict:
    x, y, w, h = box
    places = ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8))
    return {"box": list(box), "points": [[x + w * px, y + h * py] for px, py in places], "points_from": "teacher",
            "box_from": "human", "ignore": False, **changes}


def scene(seed: int, boxes=(), width=96, height=72) -> np.ndarray:
    """[H,W] uint8: noise around 90, discs of 200."""
    random = np.random.default_rng(seed)
    luma = random.normal(90, 12, (height, width))
    y, x = np.mgrid[:height, :width] + 0.5
    for left, top, w, h in boxes:
        luma[((x - left - w / 2) / (w / 2)) ** 2 + ((y - top - h / 2) / (h / 2)) ** 2 < 1] = 200
    return luma.clip(0, 255).astype(np.uint8)


def picture(luma, faces=(), ignored=(), complete=True, file="a.png", source="made") -> data.Picture:
    """As data.load would give it."""
    points = np.array([f["points"] for f in faces], np.float32).reshape(-1, 5, 2)
    weights = np.array([data.POINT_WEIGHTS[f["points_from"]] for f in faces], np.float32)
    return data.Picture(file, source, luma, np.array([f["box"] for f in faces], np.float32).reshape(-1, 4), points, weights,
                        [f["box_from"] for f in faces], [f.get("human4") for f in faces],
                        np.array(ignored, np.float32).reshape(-1, 4), complete)


def add(folder: Path, source: str, luma, faces=(), split="train", complete=True, **changes) -> dict:
    """One picture and the line for it, which it returns."""
    place = folder / "images" / source
    place.mkdir(parents=True, exist_ok=True)
    (folder / "labels").mkdir(exist_ok=True)
    file = place / f"{len(list(place.iterdir())):03}.png"
    Image.fromarray(luma).save(file)
    label = {"file": str(file.relative_to(folder)), "width": luma.shape[1], "height": luma.shape[0], "faces": list(faces),
             "complete": complete, "split": split, **changes}
    with open(folder / "labels" / f"{source}.jsonl", "a") as lines:
        lines.write(json.dumps(label) + "\n")
    return label


def make(folder: Path) -> Path:
    """Six training pictures, two of them without faces, and three to judge by."""
    folder.mkdir()
    for seed in range(4):
        box = [10.0 + 8 * seed, 20.0, 24.0, 30.0]
        add(folder, "made", scene(seed, [box]), [face(box)])
    for seed in (10, 11):
        add(folder, "negatives", scene(seed))
    add(folder, "made", scene(20, [BOX]), [face()], "val")
    add(folder, "made", scene(21, [BOX]), [face(box_from="derived")], "val")
    add(folder, "negatives", scene(22), split="val")
    return folder
