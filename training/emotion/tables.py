"""The tables and pictures of short comparing runs, from each run's figures.json."""
import json
from pathlib import Path

import numpy as np

COLUMNS = ("run", "arguments", "accuracy", "clean", "FER+", "macro-F1", "disgust", "fear", "ECE")


def read_runs(folder: Path, names) -> dict[str, dict]:
    """The figures of those runs that are finished."""
    there = {name: folder / name / "figures.json" for name in names}
    return {name: json.loads(file.read_text()) for name, file in there.items() if file.is_file()}


def write(folder: Path, plan: dict, runs: Path):
    """NAME.json and NAME.md for each table with a finished run, and its picture where it has one."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in plan["tables"].items():
        found = read_runs(runs, table["runs"])
        if not found:
            continue
        lines = [f"{json.dumps(run)}: {json.dumps(figures)}" for run, figures in found.items()]
        (folder / f"{name}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
        (folder / f"{name}.md").write_text(markdown(name, table, plan, found))
        if name in PICTURES and len(found) > 1:
            save_figure(folder / f"{name}.png", lambda figure: PICTURES[name](figure.add_subplot(), found))


def markdown(name: str, table: dict, plan: dict, found: dict) -> str:
    taught = any("--teacher" in word for run in table["runs"] for word in plan["runs"][run])
    lines = [f"# {table['title']}", "", f"`make -C training experiments TABLE={name}{' TEACHER=FILE' if taught else ''}`", "",
             conditions(found), ""]
    columns = [*COLUMNS, "MMAC"] if name == "size" else COLUMNS
    lines += ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    lines += ["| " + " | ".join(row(run, plan, found.get(run), columns)) + " |" for run in table["runs"]]
    if name == "seeds" and len(found) > 1:
        lines += ["", spread(found)]
    return "\n".join(lines) + "\n"


def conditions(found: dict) -> str:
    """What the runs of a table have in common, and what their figures may be taken for."""
    def common(key):
        values = list(dict.fromkeys(str(figures[key]) for figures in found.values()))
        return values[0] if len(values) == 1 else " / ".join(values)

    any_run = next(iter(found.values()))
    return (f"Short runs: net {common('net')}, {common('epochs')} epochs ({common('steps')} steps) on {common('images')} "
            f"training pictures; {common('host')}. "
            "They compare recipes with each other and say nothing about what the shipped model reaches. Judged after the last "
            f"epoch by averaged weights, one pass over PublicTest: accuracy against FER2013's label (n {any_run['public']['n']}), "
            f"the clean part (n {any_run['clean']['n']})"
            + (f", FER+'s majority (n {any_run['ferplus']['n']})" if any_run["ferplus"] else "")
            + ", recall of disgust and fear, in percent; macro-F1 and ECE on all of PublicTest, without a temperature.")


def row(run: str, plan: dict, figures: dict | None, columns) -> list[str]:
    cells = dict.fromkeys(columns, "")
    cells["run"], cells["arguments"] = run, " ".join(f"`{word}`" for word in plan["runs"][run]) or "(the recipe)"
    if figures is None:
        return [*list(cells.values())[:2], "not run yet", *[""] * (len(columns) - 3)]
    public, recall = figures["public"], {k: v["recall"] for k, v in figures["public"]["per_class"].items()}
    cells.update({"accuracy": f"{public['accuracy']:.1f}", "clean": f"{figures['clean']['accuracy']:.1f}",
                  "FER+": f"{figures['ferplus']['accuracy']:.1f}" if figures["ferplus"] else "",
                  "macro-F1": f"{public['macro_f1']:.3f}", "disgust": f"{100 * recall['disgust']:.0f}",
                  "fear": f"{100 * recall['fear']:.0f}", "ECE": f"{public['ece']:.3f}"})
    if "MMAC" in cells:
        cells["MMAC"] = f"{figures['macs'] / 1e6:.0f}"
    return [cells[column] for column in columns]


def spread(found: dict) -> str:
    """Mean and deviation over seeds: the yardstick for all other tables."""
    parts = []
    for title, key in (("accuracy", "public"), ("clean", "clean"), ("FER+", "ferplus")):
        values = [figures[key]["accuracy"] for figures in found.values() if figures[key]]
        if len(values) > 1:
            parts.append(f"{title} {np.mean(values):.2f} (deviation {np.std(values, ddof=1):.2f}, "
                         f"{min(values):.2f} to {max(values):.2f})")
    return (f"Over {len(found)} seeds: {'; '.join(parts)}. A difference between two single runs of less than about three "
            "such deviations is no finding.")


def save_figure(file: Path, draw, size=(5.2, 3.6)):
    """`draw` fills a matplotlib figure of `size` inches."""
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    figure = pyplot.figure(figsize=size, layout="constrained")
    draw(figure)
    figure.savefig(file, dpi=90, metadata={"Software": None})  # equal figures, equal files
    pyplot.close(figure)


def _size(axes, found):
    runs = sorted(found.values(), key=lambda figures: figures["macs"])
    macs = [figures["macs"] / 1e6 for figures in runs]
    for key, label in (("public", "FER2013 label"), ("clean", "clean part"), ("ferplus", "FER+ majority")):
        if all(figures[key] for figures in runs):
            axes.plot(macs, [figures[key]["accuracy"] for figures in runs], marker="o", label=label)
    axes.set(title=f"Size at equal recipe, {runs[0]['epochs']} epochs", xlabel="MMAC a face", ylabel="PublicTest accuracy, percent",
             xscale="log")
    axes.set_xticks(macs, [f"{value:.0f}" for value in macs])
    axes.minorticks_off()
    axes.legend()


def _blend(axes, found):
    runs = sorted(found.values(), key=lambda figures: figures["settings"]["vote_share"])
    x, y = ([figures[key]["accuracy"] for figures in runs] for key in ("public", "ferplus"))
    axes.plot(x, y, marker="o")
    for figures, px, py in zip(runs, x, y):
        axes.annotate(f"{figures['settings']['vote_share']:g}", (px, py), textcoords="offset points", xytext=(5, 5))
    axes.set(title="Share of FER+ votes in the target", xlabel="accuracy against the FER2013 label, percent",
             ylabel="against FER+'s majority, percent")


PICTURES = {"size": _size, "blend": _blend}
