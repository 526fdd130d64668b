#!/usr/bin/env python3
"""Stands for emotiond in tests: "finds" the bright rectangle of a picture and writes what emotiond writes.

A picture of fewer than 60 pixels a side, or without a bright pixel, has no face; a rectangle that touches the picture's
edge is not found, as by a detector that needs surroundings. Two levels of brightness are two faces.
"""
import argparse
import json
import os
from pathlib import Path
import sys

import numpy as np
from PIL import Image

p = argparse.ArgumentParser()
for name in ("--file", "--out", "--log-level"):
    p.add_argument(name)
for name in ("-0", "--no-video", "--json"):
    p.add_argument(name, action="store_true", dest=name)
a = p.parse_args()
if os.environ.get("FAKE_CALLS"):
    with open(os.environ["FAKE_CALLS"], "a") as calls:
        calls.write("call\n")
if os.environ.get("FAKE_FAILS"):
    sys.exit("no library")

results = []
for file in sys.stdin.buffer.read().decode().split("\0")[:-1]:
    folder = Path(a.out) / Path(file).name
    folder.mkdir(parents=True)
    grey = np.asarray(Image.open(file).convert("L")).astype(int)
    rows = []
    for level in (150, 250):
        y, x = np.nonzero(abs(grey - level) < 12)
        if len(x) < 300 or min(grey.shape) < 60 or x.min() == 0 or y.min() == 0 or x.max() == grey.shape[1] - 1:
            continue
        rows.append(f"0,0.0,{len(rows) + 1},0.9,{x.min()},{y.min()},{np.ptp(x) + 1},{np.ptp(y) + 1}")
    (folder / "timeline.csv").write_text("frame,timestamp,face_id,confidence,x,y,w,h\n" + "\n".join(rows or ["0,0.0,,,,,,"]) + "\n")
    (folder / "run.json").write_text(json.dumps({
        "detector": {"name": os.environ.get("FAKE_DETECTOR", "haarcascade_frontalface_alt2"), "sha256": "ab" * 32},
        "input": {"width": grey.shape[1], "height": grey.shape[0]}}))
    results.append({"input": file, "folder": str(folder), "exit": 0})
print("a line before")
print(json.dumps({"exit": 0, "results": results}))
