"""One output out of two heads: how far the head on FER+'s votes should have a say.

    python -m emotion.blend --data DIR --run RUN --reports DIR [--card FILE]

FER2013's label and what ten people see in the same picture agree in two thirds of the pictures, so a
net that answers one is wrong by the other. The logits (1 - A) * label + A * votes are one linear
layer over the same features; `blend.json` and `blend.png` show what each A is worth against both.

Two points are named by rule:
- `balanced`: of all A the one whose larger loss is smallest, a loss being the distance in points from
  the best accuracy that any A has, against the label and against FER+'s majority, each on all of PublicTest;
- `kept`: the A that gains most against FER+ and costs less than 0.3 points against the label.
"""
import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch

from . import calibrate, card, data, metrics, report, state
from .preprocess import normalise

MOST_LOSS = 0.3  # points against FER2013's label


class BlendError(Exception):
    """A share that means nothing, or a net without the second head."""


def fold(net: torch.nn.Module, share: float) -> torch.nn.Module:
    """The net with the mixture as its label head; the eighth vote class (contempt) only where it has eight labels."""
    if not 0 <= share <= 1:
        raise BlendError(f"a blend of {share}: give a share from 0 (label) to 1 (votes)")
    if share:
        classes = net.head.out_features
        if net.vote_head.out_features < classes:
            raise BlendError(f"the vote head has {net.vote_head.out_features} classes, the label head {classes}")
        with torch.no_grad():
            for name in ("weight", "bias"):
                label, votes = getattr(net.head, name), getattr(net.vote_head, name)[:classes]
                label.copy_((1 - share) * label + share * votes)
    return net


def both(net, images: np.ndarray, batch: int = 256):
    """images [N,48,48] uint8; the two heads' logits, each [N,C] for the label head's C classes."""
    net.eval()
    parts = []
    with torch.no_grad():
        for i in range(0, len(images), batch):
            parts.append(net.both_heads(normalise(torch.from_numpy(images[i:i + batch]).float()[:, None])))
    label, votes = (torch.cat(side).numpy() for side in zip(*parts))
    return label, votes[:, :label.shape[1]]


def curve(label: np.ndarray, votes: np.ndarray, public: data.Split, clean: np.ndarray, shares) -> list[dict]:
    """A row for each share. ECE: of the half of PublicTest that the temperature was not fitted on."""
    rows = []
    fit, check = calibrate.halves(len(public))
    for share in shares:
        logits = (1 - share) * label + share * votes
        temperature = calibrate.fit_temperature(logits[fit], public.labels[fit])
        p = metrics.softmax(logits, temperature)
        table = metrics.confusion(public.labels, p.argmax(1), p.shape[1])
        right = p.argmax(1) == public.labels
        majority, majority_clean = report.against_votes(p, public), report.against_votes(p[clean], public.take(clean))
        if majority is None or majority_clean is None:
            raise data.DataError("the curve needs FER+ votes for PublicTest: put fer2013new.csv beside fer2013.csv")
        rows.append({"share": round(float(share), 3), "label": round(100 * float(right.mean()), 2),
                     "label_clean": round(100 * float(right[clean].mean()), 2), "ferplus": majority["accuracy"],
                     "ferplus_clean": majority_clean["accuracy"], "ferplus_n": majority["n"],
                     "macro_f1": round(metrics.macro_f1(table), 4),
                     "ece": round(metrics.expected_calibration_error(p[check], public.labels[check]), 4)})
    return rows


def balanced(rows: list[dict]) -> dict:
    best = {key: max(row[key] for row in rows) for key in ("label", "ferplus")}
    return min(rows, key=lambda row: max(best[key] - row[key] for key in best))


def kept(rows: list[dict]) -> dict:
    """rows[0] is the label head alone."""
    near = [row for row in rows if round(rows[0]["label"] - row["label"], 2) < MOST_LOSS]
    return max(near, key=lambda row: (row["ferplus"], -row["share"]))


def markdown(result: dict) -> str:
    marks = {}
    for name in ("kept", "balanced"):
        marks[result[name]] = marks.get(result[name], "") + f" ({name})"
    shown = [row for row in result["curve"] if round(row["share"] * 20) % 2 == 0 or row["share"] in marks]
    return card.table(
        ("share of the votes", "FER2013 label", "clean", "FER+ majority", "clean", "macro-F1", "ECE"),
        [(f"{row['share']:g}{marks.get(row['share'], '')}", f"{row['label']:.2f} %", f"{row['label_clean']:.2f} %",
          f"{row['ferplus']:.2f} %", f"{row['ferplus_clean']:.2f} %", f"{row['macro_f1']:.3f}", f"{row['ece']:.3f}")
         for row in shown])


def draw(rows: list[dict], chosen: dict, file: Path):
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    figure = pyplot.figure(figsize=(5.2, 4.2), layout="constrained")
    axes = figure.add_subplot(title="PublicTest, one output out of two heads",
                              xlabel="percent right by FER2013's label", ylabel="percent right by FER+'s majority")
    for key, colour, name in (("", "tab:blue", "all"), ("_clean", "tab:cyan", "clean")):
        axes.plot([r["label" + key] for r in rows], [r["ferplus" + key] for r in rows], ".-", color=colour, label=name)
    for name, row in chosen.items():
        axes.annotate(f"{name}, share {row['share']:g}", (row["label"], row["ferplus"]), textcoords="offset points",
                      xytext=(-8, -4), ha="right", fontsize=8)
        axes.plot(row["label"], row["ferplus"], "o", color="tab:red")
    axes.legend(loc="lower left")
    figure.savefig(file, dpi=90, metadata={"Software": None})
    pyplot.close(figure)


def parse(arguments=None):
    p = argparse.ArgumentParser(prog="python -m emotion.blend", description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True)
    p.add_argument("--run", required=True, type=Path, help="folder with state.pt, trained with FER+ votes")
    p.add_argument("--reports", required=True, type=Path)
    p.add_argument("--card", type=Path)
    p.add_argument("--step", type=float, default=0.05)
    p.add_argument("--threads", type=int, default=2)
    return p.parse_args(arguments)


def run(a) -> dict:
    torch.set_num_threads(a.threads)
    saved = state.read(a.run / "state.pt")
    public = data.load(a.data, "public")
    clean = data.clean_public(a.data, public)
    rows = curve(*both(state.averaged_net(saved), public.images), public, clean, np.arange(0, 1 + a.step / 2, a.step))
    chosen = {"balanced": balanced(rows), "kept": kept(rows)}
    result = {"net": saved["name"], "epochs": saved["epoch"], "n": len(public), "n_clean": int(clean.sum()),
              **{name: row["share"] for name, row in chosen.items()}, "curve": rows}
    a.reports.mkdir(parents=True, exist_ok=True)
    (a.reports / "blend.json").write_text(json.dumps(result, indent=1) + "\n")
    draw(rows, chosen, a.reports / "blend.png")
    if a.card:
        card.fill(a.card, "blend", markdown(result))
    return result


def main():
    try:
        print(markdown(run(parse())).strip())
    except (data.DataError, state.StateError, card.CardError, BlendError) as error:
        sys.exit(f"blend: {error}")


if __name__ == "__main__":
    main()
