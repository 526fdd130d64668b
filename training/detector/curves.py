"""Draws a run's log: losses, and recall, precision and average precision of the judged epochs.

    python -m detector.curves --run RUN [--reports reports/detector]

Writes curves.png and copies log.jsonl (and settings.json) beside it.
"""
import argparse
import shutil
import sys
from pathlib import Path

from emotion.report import read_log

from . import data

LOSSES = (("obj", "objectness"), ("cls", "class"), ("box", "box"), ("kps", "points"))
FIGURES = (("recall", "recall"), ("precision", "precision"), ("ap50", "AP at IoU 0.5"))


def draw(figure, log: list[dict]):
    left, right = figure.subplots(1, 2)
    left.set(title="Training losses, for each assigned cell", xlabel="epoch", yscale="log")
    for key, name in LOSSES:
        entries = [e for e in log if e.get(key, 0) > 0]
        left.plot([e["epoch"] for e in entries], [e[key] for e in entries], label=name)
    left.legend(fontsize=8)
    right.set(title="Judged validation pictures, averaged weights", xlabel="epoch", ylabel="percent")
    for key, name in FIGURES:
        entries = [e for e in log if e.get(key) is not None]
        right.plot([e["epoch"] for e in entries], [100 * e[key] for e in entries], marker=".", label=name)
    right.grid(alpha=0.3)
    right.legend(fontsize=8, loc="lower right")


def write(run: Path, reports: Path) -> int:
    """The number of epochs drawn."""
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot

    log = read_log(run / "log.jsonl")
    if not log:
        raise data.DataError(f"{run / 'log.jsonl'}: no finished epoch; --run is a folder that detector.train has written")
    reports.mkdir(parents=True, exist_ok=True)
    figure = pyplot.figure(figsize=(9, 4), layout="constrained")
    draw(figure, log)
    # No date or version inside, so that equal logs give equal files.
    figure.savefig(reports / "curves.png", dpi=90, metadata={"Software": None})
    pyplot.close(figure)
    for name in ("log.jsonl", "settings.json"):
        if (run / name).is_file():
            shutil.copyfile(run / name, reports / name)
    return len(log)


def main(arguments=None):
    p = argparse.ArgumentParser(prog="python -m detector.curves", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--run", required=True, type=Path)
    p.add_argument("--reports", type=Path, default=Path("reports/detector"))
    a = p.parse_args(arguments)
    try:
        print(f"{a.reports / 'curves.png'}: {write(a.run, a.reports)} epochs")
    except (data.DataError, OSError) as error:
        sys.exit(f"curves: {error}")


if __name__ == "__main__":
    main()
