"""Searches rate, decay, augmentation, smoothing and width with Optuna, by PublicTest accuracy.

    python -m emotion.search --data DIR --out RUNS --reports reports/search --trials 16 [@FILE]

A tree-structured Parzen estimator (Bergstra et al. 2011) proposes; a trial whose accuracy after an
epoch is below the median of the earlier ones at that epoch ends there. The study is a journal in
the reports' folder; each trial trains in RUNS/trial-N. Interrupted, the same command goes on: a
trial that was cut off is taken up again at its last finished epoch. TRIALS counts those there already.
"""
import argparse
import json
import sys
from pathlib import Path

import optuna

from . import data, experiments, nets, report, state, train
from .tables import save_figure

JOURNAL = "study.jsonl"


def parse(arguments=None):
    p = argparse.ArgumentParser(prog="python -m emotion.search", description=__doc__, fromfile_prefix_chars="@",
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True, help="as for emotion.train")
    p.add_argument("--out", required=True, type=Path, help="folder for the trials' runs")
    p.add_argument("--reports", required=True, type=Path, help="folder for the study, its picture and its table")
    p.add_argument("--trials", type=int, default=16)
    p.add_argument("--net", default="r10", help="the net of width 1")
    p.add_argument("--epochs", type=int, default=6)
    p.add_argument("--batch", type=int, default=32)
    p.add_argument("--branch", type=float, default=1.0, help="as for emotion.train")
    p.add_argument("--small-until", type=float, default=0.75)
    p.add_argument("--photographs", type=int, default=1, help="train on every n-th photograph")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--threads", type=int, default=0)
    return p.parse_args(arguments)


def suggest(trial: optuna.Trial, net: str) -> list[str]:
    """The trial's choice as arguments of emotion.train."""
    width = trial.suggest_categorical("width", [0.75, 1.0, 1.25, 1.5])
    chosen = {"rate": trial.suggest_float("rate", 0.02, 0.32, log=True),
              "decay": trial.suggest_float("decay", 1e-5, 3e-3, log=True),
              "augment": trial.suggest_float("augment", 0.0, 1.2),
              "smoothing": trial.suggest_float("smoothing", 0.0, 0.25)}
    return [f"--net={net}x{width:g}", *(f"--{key}={value:.6g}" for key, value in chosen.items())]


def open_study(a) -> optuna.Study:
    """The study of the journal, or a new one. What an interruption left running comes again first, with
    the same choice and the same folder."""
    a.reports.mkdir(parents=True, exist_ok=True)
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(a.reports / JOURNAL)))
    study = optuna.create_study(storage=storage, study_name="emotion", direction="maximize", load_if_exists=True)
    conditions = {key: getattr(a, key) for key in ("net", "epochs", "batch", "branch", "small_until", "photographs", "seed")}
    then = study.user_attrs.get("conditions", conditions)
    if then != conditions:
        raise state.StateError(f"{a.reports / JOURNAL}: is of a search with {then}, this call has {conditions}; "
                               "give another --reports")
    study.set_user_attr("conditions", conditions)
    # Another draw after each resumption, and not the first ones again.
    study.sampler = optuna.samplers.TPESampler(seed=a.seed * 1009 + len(study.trials), n_startup_trials=6)
    study.pruner = optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=2)
    for trial in study.get_trials(states=[optuna.trial.TrialState.RUNNING]):
        folder = trial.user_attrs.get("folder", f"trial-{trial.number}")
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
        study.enqueue_trial(trial.params, user_attrs={"folder": folder})
    return study


def accuracy_of(trial: optuna.Trial, a, left_out: Path | None) -> float:
    """Trains one trial, or what is left of it."""
    folder = trial.user_attrs.get("folder", f"trial-{trial.number}")
    given = ["--data", str(a.data), "--out", str(a.out / folder), "--epochs", str(a.epochs), "--batch", str(a.batch),
             "--small-until", str(a.small_until), "--branch", str(a.branch), "--seed", str(a.seed),
             "--threads", str(a.threads), "--judge-every", "1", *suggest(trial, a.net),
             *(["--exclude", str(left_out.resolve())] if left_out else [])]
    wanted = train.parse(given)
    trial.set_user_attr("folder", folder)
    trial.set_user_attr("macs", nets.count_macs(nets.make(wanted.net)))

    def watch(line):
        trial.report(line["public"], line["epoch"])
        if trial.should_prune():
            raise optuna.TrialPruned

    for line in report.read_log(wanted.out / "log.jsonl"):
        trial.report(line["public"], line["epoch"])
    try:
        train.train(wanted, watch)
    except state.StateError as error:  # a rate at which the loss is no number any more
        print(f"{folder}: {error}", file=sys.stderr, flush=True)
        raise optuna.TrialPruned from error
    return report.read_log(wanted.out / "log.jsonl")[-1]["public"]


def search(a) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = open_study(a)
    left_out = experiments.write_left_out(a.data, a.out, a.photographs)
    over = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
    while len(study.get_trials(states=over)) < a.trials:
        # Not study.optimize: it would note a trial that is interrupted as failed.
        trial = study.ask()
        try:
            study.tell(trial, accuracy_of(trial, a, left_out))
        except optuna.TrialPruned:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        write(a.reports, study)
    write(a.reports, study)
    return study


def write(folder: Path, study: optuna.Study):
    """search.md and search.png."""
    done = study.get_trials(states=[optuna.trial.TrialState.COMPLETE])
    pruned = study.get_trials(states=[optuna.trial.TrialState.PRUNED])
    if not done:
        return
    (folder / "search.md").write_text(markdown(study, done, pruned))
    save_figure(folder / "search.png", lambda figure: draw(figure, done, pruned), size=(8.4, 5.2))


def markdown(study: optuna.Study, done, pruned) -> str:
    conditions = study.user_attrs["conditions"]
    names = list(done[0].params)
    lines = ["# Search", "", "`make -C training search`", "",
             f"{len(done)} trials to the end, {len(pruned)} ended early; {json.dumps(conditions)}. Accuracy on PublicTest after the "
             "last epoch, averaged weights. The best of several short trials is flattered by the choice, and its "
             "width costs time: a hint for a long run, not a result.", "",
             "| trial | accuracy | MMAC | " + " | ".join(names) + " |", "|---" * (len(names) + 3) + "|"]
    for trial in sorted(done, key=lambda trial: -trial.value):
        lines.append(f"| {trial.number} | {trial.value:.2f} | {trial.user_attrs['macs'] / 1e6:.1f} | "
                     + " | ".join(f"{trial.params[name]:.3g}" for name in names) + " |")
    return "\n".join(lines) + "\n"


def draw(figure, done, pruned):
    """History, then accuracy over each parameter; hollow where a trial was ended early (its last look)."""
    names = list(done[0].params)
    axes = figure.subplots(2, -(-(len(names) + 1) // 2), sharey=True).flatten()
    ended = [(trial, trial.intermediate_values[max(trial.intermediate_values)]) for trial in pruned if trial.intermediate_values]
    for place, name in zip(axes, ["trial", *names]):
        def where(trial):
            return trial.number if name == "trial" else trial.params[name]
        place.scatter([where(trial) for trial in done], [trial.value for trial in done], s=18, color="tab:blue")
        place.scatter([where(trial) for trial, _ in ended], [value for _, value in ended], s=18, facecolors="none",
                      edgecolors="tab:grey")
        place.set_xlabel(name)
        if name in ("rate", "decay"):
            place.set_xscale("log")
    for place in axes[::len(axes) // 2]:
        place.set_ylabel("PublicTest, percent")
    for place in axes[len(names) + 1:]:
        place.set_visible(False)


def main():
    try:
        search(parse())
    except (data.DataError, state.StateError) as error:
        sys.exit(f"search: {error}")
    except KeyboardInterrupt:
        sys.exit("search: interrupted; the same command goes on")


if __name__ == "__main__":
    main()
