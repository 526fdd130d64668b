"""Comparing runs and the search: plans, tables, and that an interruption costs nothing but time."""
import json

import numpy as np
import optuna
import pytest

from emotion import data, experiments, search, state, tables, train

PLAN = """
recipe = ["--net=tiny", "--epochs=1", "--batch=28", "--votes=0"]
[runs]
base = []
seed-2 = ["--seed=2"]
share-1 = ["--vote-share=1"]
taught = ["--teacher=file.npy"]
[tables.seeds]
title = "Seed spread"
runs = ["base", "seed-2"]
[tables.blend]
title = "Blend"
runs = ["base", "share-1"]
[tables.taught]
title = "Taught"
runs = ["taught"]
"""


@pytest.fixture
def plan(tmp_path):
    file = tmp_path / "plan.toml"
    file.write_text(PLAN)
    return file


def arguments(arrays, plan, tmp_path, *more):
    return experiments.parse(["--data", str(arrays), "--out", str(tmp_path / "runs"), "--plan", str(plan), "--threads", "1",
                              "--reports", str(tmp_path / "reports"), *more])


def test_runs_are_trained_once_and_a_cut_off_one_goes_on(arrays, plan, tmp_path, monkeypatch):
    trained, step = [], train.train

    def counted(a, watch=None):
        trained.append(a.out.name)
        if trained == ["base", "seed-2"]:
            raise KeyboardInterrupt
        return step(a, watch)

    monkeypatch.setattr(train, "train", counted)
    a = arguments(arrays, plan, tmp_path, "--table", "seeds", "--table", "blend")
    with pytest.raises(KeyboardInterrupt):
        experiments.run_all(a, experiments.read_plan(plan))
    experiments.run_all(a, experiments.read_plan(plan))
    assert trained == ["base", "seed-2", "seed-2", "share-1"]  # base stands in two tables and is finished
    experiments.run_all(a, experiments.read_plan(plan))
    assert len(trained) == 4
    figures = json.loads((tmp_path / "runs" / "base" / "figures.json").read_text())
    saved = state.read(tmp_path / "runs" / "base" / "state.pt")
    p = train.predict(state.averaged_net(saved), data.load(arrays, "public").images)
    share = float((p.argmax(1) == data.load(arrays, "public").labels).mean())
    assert figures["public"]["accuracy"] == round(100 * share, 2)
    assert json.loads((tmp_path / "reports" / "seeds.json").read_text())["base"] == figures
    text = (tmp_path / "reports" / "seeds.md").read_text()
    assert f"| base | (the recipe) | {figures['public']['accuracy']:.1f} |" in text and "Over 2 seeds: accuracy" in text
    assert (tmp_path / "reports" / "blend.png").is_file() and not (tmp_path / "reports" / "taught.md").exists()


def test_a_run_that_is_not_there_yet_is_named_in_its_table(plan, tmp_path):
    read = experiments.read_plan(plan)
    made_up = {"public": {"accuracy": 50.0, "n": 9, "macro_f1": 0.4, "ece": 0.1,
                          "per_class": {name: {"recall": 0.5} for name in data.LABELS}},
               "clean": {"accuracy": 49.0, "n": 8}, "ferplus": None, "net": "tiny", "epochs": 1, "steps": 5, "images": 140, "host": "CPU"}
    text = tables.markdown("seeds", read["tables"]["seeds"], read, {"base": made_up})
    assert "| seed-2 | `--seed=2` | not run yet |" in text and "| 50.0 | 49.0 |" in text


@pytest.mark.parametrize("old, new, told", [
    ("[runs]", "[run]", "lacks runs"),
    ('runs = ["taught"]', 'runs = ["tought"]', "table 'taught' lists runs that are not there: tought"),
    ("recipe = [", "recipe = ", "cannot be read as a plan"),
    ('seed-2 = ["--seed=2"]', 'seed-2 = ["--start=share-1"]', "table 'seeds' must list 'share-1' before 'seed-2'"),
])
def test_a_faulty_plan_is_named(plan, old, new, told):
    plan.write_text(plan.read_text().replace(old, new))
    with pytest.raises(experiments.PlanError, match=told):
        experiments.read_plan(plan)


def test_a_missing_teacher_and_a_strange_table_are_named(arrays, plan, tmp_path):
    read = experiments.read_plan(plan)
    with pytest.raises(experiments.PlanError, match="'taught' needs a teacher"):
        experiments.run_all(arguments(arrays, plan, tmp_path, "--table", "taught"), read)
    with pytest.raises(experiments.PlanError, match="no table 'size': there are seeds, blend, taught"):
        experiments.run_all(arguments(arrays, plan, tmp_path, "--table", "size"), read)


def test_the_kept_plan_holds_valid_runs():
    plan = experiments.read_plan(experiments.PLAN)
    for name, more in plan["runs"].items():
        train.parse(["--data", "d", "--out", "o", *plan["recipe"], *more])
    listed = {run for table in plan["tables"].values() for run in table["runs"]}
    assert listed == plan["runs"].keys()


def test_a_run_starts_from_another_one_of_the_plan(arrays, plan, tmp_path):
    plan.write_text(plan.read_text().replace('seed-2 = ["--seed=2"]', 'seed-2 = ["--start=base"]'))
    read = experiments.read_plan(plan)
    a = arguments(arrays, plan, tmp_path)
    assert experiments.arguments(a, read, "seed-2", None).start == a.out / "base"


def test_every_nth_photograph_keeps_or_drops_all_its_copies(arrays, tmp_path):
    groups = tmp_path / "groups.txt"
    groups.write_text("0 5 9\n3 100\n")
    split = data.load(arrays, "train")
    out = set(experiments.every_nth_photograph(split, groups, 2).tolist())
    assert all(len({row in out for row in group}) == 1 for group in ((0, 5, 9), (3, 100)))
    assert 60 < len(out) < 80
    assert len(experiments.every_nth_photograph(split, tmp_path / "none.txt", 4)) == 105


def searched(arrays, tmp_path, *more):
    return search.parse(["--data", str(arrays), "--out", str(tmp_path / "trials"), "--reports", str(tmp_path / "search"), "--net", "tiny",
                         "--epochs", "2", "--batch", "28", "--threads", "1", *more])


def test_an_interrupted_search_goes_on_with_the_same_trial(arrays, tmp_path, monkeypatch):
    calls, step = [], train.Trainer.step

    def failing(self, *given):
        calls.append(1)
        if len(calls) == 17:  # the second epoch of the second trial, five steps each
            raise KeyboardInterrupt
        return step(self, *given)

    monkeypatch.setattr(train.Trainer, "step", failing)
    with pytest.raises(KeyboardInterrupt):
        search.search(searched(arrays, tmp_path, "--trials", "2"))
    study = search.search(searched(arrays, tmp_path, "--trials", "2"))
    done = study.get_trials(states=[optuna.trial.TrialState.COMPLETE])
    assert len(done) == 2 and len(calls) == 17 + 5  # the cut epoch again, not the one before
    folders = [trial.user_attrs["folder"] for trial in done]
    assert folders == ["trial-0", "trial-1"]
    cut = next(trial for trial in study.trials if trial.number == 1)
    assert done[1].params == cut.params
    text = (tmp_path / "search" / "search.md").read_text()
    best = max(done, key=lambda trial: trial.value)
    assert "2 trials to the end" in text and f"| {best.number} | {best.value:.2f} |" in text
    assert (tmp_path / "search" / "search.png").is_file()
    with pytest.raises(state.StateError, match="is of a search with"):
        search.search(searched(arrays, tmp_path, "--trials", "2", "--photographs", "2"))


def test_the_search_stays_within_its_bounds():
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    for _ in range(20):
        words = search.suggest(study.ask(), "r10")
        a = train.parse(["--data", "d", "--out", "o", *words])
        assert 0.02 <= a.rate <= 0.32 and 1e-5 <= a.decay <= 3e-3 and a.net.startswith("r10x") and np.isfinite(a.augment)
