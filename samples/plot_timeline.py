#!/usr/bin/env python3
"""Draws a timeline.csv: stacked probabilities over time, one strip a face.

    plot_timeline.py timeline.csv [timeline.png] [--smooth 0.5] [--min-seconds 0.2] [--width 1280]
"""
import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd

# In the order of the columns; warm for what pulls down, and apart in lightness for colour-blind readers.
COLOURS = {
    "angry": "#c0392b", "disgust": "#7d8f2b", "fear": "#7b4f9d", "happy": "#f2c14e",
    "sad": "#3b6ea5", "surprise": "#f08a4b", "neutral": "#b8bcc2",
}


def stretches(face: pd.DataFrame, gap: float):
    """Splits one face's rows where it was away for longer than `gap` seconds."""
    breaks = (face["timestamp"].diff() > gap).cumsum()
    return [rows for _, rows in face.groupby(breaks)]


def smoothed(rows: pd.DataFrame, seconds: float) -> pd.DataFrame:
    """A running mean over `seconds`, for the eye only: the file keeps the values of each frame."""
    values = rows.set_index(pd.to_timedelta(rows["timestamp"], unit="s"))[list(COLOURS)]
    if seconds > 0 and len(values) > 2:
        values = values.rolling(pd.Timedelta(seconds=seconds), center=True, min_periods=1).mean()
    return values


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("timeline", type=Path)
    parser.add_argument("picture", type=Path, nargs="?", default=Path("timeline.png"))
    parser.add_argument("--smooth", type=float, default=0.4, metavar="SECONDS")
    parser.add_argument("--min-seconds", type=float, default=0.2, help="leave out faces that are seen for less")
    parser.add_argument("--width", type=int, default=1280, help="of the picture, in pixels")
    arguments = parser.parse_args()

    timeline = pd.read_csv(arguments.timeline)
    frames = timeline.drop_duplicates("timestamp")["timestamp"]
    step = frames.diff().median() if len(frames) > 1 else 0.04
    faces = timeline.dropna(subset=["face_id"])
    faces = [(int(i), rows) for i, rows in faces.groupby("face_id") if len(rows) * step >= arguments.min_seconds]

    height = 0.5 + 1.15 * max(len(faces), 1)
    figure, axes = plt.subplots(
        max(len(faces), 1), 1, sharex=True, squeeze=False, figsize=(arguments.width / 100, height), dpi=100)
    for (number, rows), axis in zip(faces, axes[:, 0]):
        for part in stretches(rows, gap=max(0.5, 3 * step)):
            values = smoothed(part, arguments.smooth)
            axis.stackplot(
                part["timestamp"], values.to_numpy().T, colors=list(COLOURS.values()), labels=list(COLOURS), lw=0)
        axis.set(ylim=(0, 1), yticks=[0, 0.5, 1], xlim=(frames.min(), frames.max() + step))
        axis.set_ylabel(f"face {number}")
        axis.spines[["top", "right"]].set_visible(False)
    if not faces:
        axes[0, 0].text(0.5, 0.5, "no face", ha="center", transform=axes[0, 0].transAxes)
    axes[-1, 0].set_xlabel("seconds")
    handles = [plt.Rectangle((0, 0), 1, 1, color=colour) for colour in COLOURS.values()]
    figure.legend(handles, COLOURS, ncol=len(COLOURS), loc="upper center", frameon=False, fontsize=9)
    figure.tight_layout(rect=(0, 0, 1, 1 - 0.3 / height))
    figure.savefig(arguments.picture)


if __name__ == "__main__":
    main()
