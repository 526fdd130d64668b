"""Short training runs that compare one thing at a time, one after the other, and their tables.

    python -m emotion.experiments --data DIR --out RUNS [--table seeds ...] [--reports DIR]

The plan (experiments/tables.toml) names runs by the arguments in which they differ, and tables by
their runs; `--start=NAME` starts a run from another one of the plan. Each run is an ordinary run of
emotion.train in RUNS/NAME; it is judged by its averaged weights after the last epoch, never by its
best one. Interrupt at any moment: the same command skips what is finished and goes on. The tables
are written again after every run.
"""
import argparse
import json
import sys
import tomllib
from pathlib import Path

import numpy as np
import torch

from . import data, metrics, report, state, tables, train

PLAN = Path(__file__).resolve().parents[1] / "experiments" / "tables.toml"


class PlanError(Exception):
    """What is wrong with a plan of experiments."""


def parse(arguments=None):
    p = argparse.ArgumentParser(prog="python -m emotion.experiments", description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True, help="as for emotion.train")
    p.add_argument("--out", required=True, type=Path, help="folder for the runs")
    p.add_argument("--plan", type=Path, default=PLAN)
    p.add_argument("--table", action="append", help="only this table; may be repeated")
    p.add_argument("--teacher", type=Path, help="file of emotion.teach, for the runs that want one")
    p.add_argument("--photographs", type=int, help="train on every n-th photograph, instead of the plan's n")
    p.add_argument("--more", default="", help="arguments for every run, before its own: '--epochs=60 --net=r64'")
    p.add_argument("--reports", type=Path, help="folder for the tables")
    p.add_argument("--only-report", action="store_true", help="train nothing, write the tables of what is there")
    p.add_argument("--threads", type=int, default=0)
    return p.parse_args(arguments)


def read_plan(file: Path) -> dict:
    try:
        plan = tomllib.loads(file.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PlanError(f"{file}: cannot be read as a plan ({error})") from error
    missing = [key for key in ("recipe", "runs", "tables") if key not in plan]
    if missing:
        raise PlanError(f"{file}: lacks {', '.join(missing)}")
    for name, table in plan["tables"].items():
        strangers = [run for run in table["runs"] if run not in plan["runs"]]
        if strangers:
            raise PlanError(f"{file}: table '{name}' lists runs that are not there: {', '.join(strangers)}")
        for place, run in enumerate(table["runs"]):
            start = next((word.removeprefix("--start=") for word in plan["runs"][run] if word.startswith("--start=")), None)
            if start and start not in table["runs"][:place]:
                raise PlanError(f"{file}: table '{name}' must list '{start}' before '{run}', which starts from it")
    return plan


def every_nth_photograph(train_split: data.Split, groups: Path, n: int) -> np.ndarray:
    """Rows to leave out, so that every n-th photograph stays with all its copies. `groups` lists the rows
    that show one photograph, a group a line; without that file each row is a photograph of its own."""
    first = {}
    for line in groups.read_text().splitlines() if groups.is_file() else []:
        rows = [int(word) for word in line.split()]
        first.update({row: min(rows) for row in rows})
    photograph = np.array([first.get(row, row) for row in train_split.rows.tolist()])
    _, number = np.unique(photograph, return_inverse=True)
    return train_split.rows[number % n != 0]


def write_left_out(source, folder: Path, n: int) -> Path | None:
    """The list for --exclude that leaves every n-th photograph, in `folder`."""
    if n <= 1:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"all-but-every-{n}.txt"
    rows = every_nth_photograph(data.load(source, "train"), Path(str(source)) / "train_dup_groups.txt", n)
    file.write_text("".join(f"{row}\n" for row in rows))
    return file


def arguments(a, plan: dict, name: str, left_out: Path | None):
    """Of emotion.train, for one run."""
    given = ["--data", str(a.data), "--out", str(a.out / name), "--threads", str(a.threads),
             *plan["recipe"], *a.more.split(), *plan["runs"][name]]
    if left_out:
        given += ["--exclude", str(left_out.resolve())]
    parsed = train.parse(given)
    if parsed.teacher:
        if not a.teacher:
            raise PlanError(f"run '{name}' needs a teacher: --teacher FILE (emotion.teach writes it)")
        parsed.teacher = a.teacher
    if parsed.start:  # names a run of the plan
        parsed.start = a.out / parsed.start
    return parsed


def finished(out: Path, epochs: int) -> bool:
    try:
        return json.loads((out / "figures.json").read_text())["epochs"] >= epochs
    except (OSError, ValueError, KeyError):
        return False


def judged(out: Path, source, threads: int) -> dict:
    """The figures of a finished run, from its averaged weights."""
    saved = state.read(out / "state.pt")
    settings = json.loads((out / "settings.json").read_text())
    public = data.load(source, "public", settings["settings"].get("classes", 7))
    clean = data.clean_public(source, public)
    device, net = settings["device"], state.averaged_net(saved)
    p = metrics.softmax(train.predict(net.to(device), public.images, device))
    host = torch.cuda.get_device_name() if device == "cuda" else f"CPU, {threads or torch.get_num_threads()} threads"
    return {"net": settings["net"], "macs": settings["macs"], "parameters": settings["parameters"],
            "images": settings["images"], "epochs": saved["epoch"], "steps": saved["steps"],
            "minutes": round(saved["used"] / 60, 1), "host": f"{host}, {'bf16' if settings['bf16'] else 'float32'}",
            "settings": settings["settings"], "public": report.figures(p, public.labels),
            "clean": report.figures(p[clean], public.labels[clean]), "ferplus": report.against_votes(p, public)}


def run_all(a, plan: dict):
    """Trains what is not finished, in the order of the plan's tables."""
    chosen = a.table or list(plan["tables"])
    strangers = [name for name in chosen if name not in plan["tables"]]
    if strangers:
        raise PlanError(f"no table '{strangers[0]}': there are {', '.join(plan['tables'])}")
    left_out = write_left_out(a.data, a.out, a.photographs or plan.get("photographs", 1))
    names = list(dict.fromkeys(name for table in chosen for name in plan["tables"][table]["runs"]))
    for index, name in enumerate(names):
        wanted = arguments(a, plan, name, left_out)
        if finished(wanted.out, wanted.epochs):
            continue
        print(f"{name}: {index + 1} of {len(names)}", flush=True)
        try:
            train.train(wanted)
        except state.StateError as error:  # one bad recipe does not end the others
            print(f"{name}: {error}", file=sys.stderr, flush=True)
            continue
        figures = judged(wanted.out, a.data, a.threads)
        (wanted.out / "figures.json").write_text(json.dumps(figures, indent=1) + "\n")
        if a.reports:
            tables.write(a.reports, plan, a.out)


def main():
    a = parse()
    try:
        plan = read_plan(a.plan)
        if not a.only_report:
            run_all(a, plan)
        if a.reports:
            tables.write(a.reports, plan, a.out)
    except (PlanError, data.DataError, state.StateError) as error:
        sys.exit(f"experiments: {error}")
    except KeyboardInterrupt:
        sys.exit("experiments: interrupted; the same command goes on")


if __name__ == "__main__":
    main()
