"""Figures of an exported model as one dictionary, and as pictures small enough for a repository."""
import json
from pathlib import Path

import numpy as np

from . import metrics
from .data import ALL_LABELS, LABELS, NO_FACE, VOTES_IN_OUR_ORDER, Split


def figures(probabilities: np.ndarray, labels: np.ndarray) -> dict:
    """n, accuracy in percent with its 95 % interval, macro-F1, ECE, per class, confusion. Of a net with eight
    classes all eight stand in the table, whether or not a picture has the eighth label."""
    names = ALL_LABELS[:probabilities.shape[1]]
    table = metrics.confusion(labels, probabilities.argmax(1), len(names))
    share = metrics.accuracy(table)
    truth, said, hit = table.sum(1), table.sum(0), np.diag(table)
    per_class = {name: {"n": int(truth[i]), "recall": round(float(hit[i] / max(truth[i], 1)), 4),
                        "precision": round(float(hit[i] / max(said[i], 1)), 4),
                        "f1": round(float(metrics.f1(table)[i]), 4)} for i, name in enumerate(names)}
    return {"n": len(labels), "accuracy": round(100 * share, 2),
            "interval": [round(100 * edge, 2) for edge in metrics.wilson(share, len(labels))],
            "macro_f1": round(metrics.macro_f1(table), 4),
            "ece": round(metrics.expected_calibration_error(probabilities, labels), 4),
            "per_class": per_class, "confusion": table.tolist()}


def against_votes(probabilities: np.ndarray, split: Split) -> dict | None:
    """Accuracy against FER+'s majority, where it is one of the seven, without a tie, and a face."""
    if split.votes is None:
        return None
    votes = split.votes[:, VOTES_IN_OUR_ORDER].astype(int)
    largest = votes.max(1)
    counts = (votes.argmax(1) < len(LABELS)) & ((votes == largest[:, None]).sum(1) == 1) & (largest > 0)
    counts &= split.votes[:, NO_FACE].astype(int) * 2 <= split.votes.sum(1)
    right = probabilities.argmax(1)[counts] == votes.argmax(1)[counts]
    return {"n": int(counts.sum()), "accuracy": round(100 * float(right.mean()), 2)} if counts.any() else None


def uncertainty(probabilities: np.ndarray, labels: np.ndarray, floor: float) -> dict:
    """What the floor does: the share below it, and the accuracy below and from it on."""
    confidence, right = probabilities.max(1), probabilities.argmax(1) == labels
    below = confidence < floor

    def percent(mask):
        return round(100 * float(right[mask].mean()), 2) if mask.any() else None

    return {"below": floor, "share": round(100 * float(below.mean()), 2),
            "accuracy_below": percent(below), "accuracy_above": percent(~below)}


def read_log(file: Path) -> list[dict]:
    """The lines of log.jsonl, one an epoch, the later where two are of the same epoch."""
    epochs = {}
    for line in file.read_text().splitlines() if file.is_file() else []:
        try:
            entry = json.loads(line)
            epochs[entry["epoch"]] = entry
        except (ValueError, KeyError, TypeError):
            continue  # the last line of a run that was cut off
    return [epochs[number] for number in sorted(epochs)]


def write(folder: Path, report: dict, probabilities: np.ndarray, labels: np.ndarray, log: list[dict]):
    """report.json, confusion.png, reliability.png and, where there is a log, curves.png."""
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps(report, indent=1) + "\n")
    drawings = {"confusion": lambda figure: _confusion(figure, np.array(report["public"]["confusion"])),
                "reliability": lambda figure: _reliability(figure, probabilities, labels)}
    if log:
        drawings["curves"] = lambda figure: _curves(figure, log)
    for name, draw in drawings.items():
        figure = pyplot.figure(figsize=(5.2, 4.2), layout="constrained")
        draw(figure)
        # No date or version inside, so that equal figures give equal files.
        figure.savefig(folder / f"{name}.png", dpi=90, metadata={"Software": None})
        pyplot.close(figure)


def _confusion(figure, table: np.ndarray):
    share = table / np.maximum(table.sum(1, keepdims=True), 1)
    axes = figure.add_subplot(title="PublicTest, percent of each label", xlabel="answer", ylabel="label")
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    names = ALL_LABELS[:len(table)]
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right")
    axes.set_yticks(range(len(names)), names)
    for (row, column), value in np.ndenumerate(share):
        axes.text(column, row, f"{100 * value:.0f}", ha="center", va="center",
                  color="white" if value > 0.5 else "black", fontsize=8)


def _reliability(figure, probabilities: np.ndarray, labels: np.ndarray):
    count, confidence, right = metrics.reliability(probabilities, labels)
    filled = count > 0
    axes = figure.add_subplot(title="Reliability on PublicTest, 15 bins", xlabel="confidence", ylabel="accuracy",
                              xlim=(0, 1), ylim=(0, 1))
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1, linestyle="--")
    axes.bar(confidence[filled], right[filled], width=0.04, color="tab:blue", alpha=0.7)
    for x, y, n in zip(confidence[filled], right[filled], count[filled]):
        axes.text(x, min(y + 0.015, 0.97), str(n), ha="center", fontsize=6)


def _curves(figure, log: list[dict]):
    axes = figure.add_subplot(title="Training", xlabel="epoch", ylabel="training loss (both heads)")
    axes.plot([e["epoch"] for e in log], [e["loss"] for e in log], color="tab:orange", label="loss")
    judged = [e for e in log if "public" in e]
    other = axes.twinx()
    other.set_ylabel("PublicTest accuracy in percent")
    for key, colour in (("public", "tab:blue"), ("clean", "tab:cyan")):
        other.plot([e["epoch"] for e in judged], [e[key] for e in judged], color=colour, label=key)
    figure.legend(loc="outside lower center", ncols=3)
