"""Training: that it learns, that an interrupted run ends as an uninterrupted one, that bad runs are named."""
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from emotion import data, nets, state, train


def arguments(source, out, *more):
    return train.parse(["--data", str(source), "--out", str(out), "--net", "tiny", "--epochs", "4", "--batch", "28",
                        "--threads", "1", *map(str, more)])


def weights(out):
    saved = state.read(out / "state.pt")
    return {f"{part}.{name}": value for part in ("net", "averaged") for name, value in saved[part].items()}, saved


def lines(out):
    return [{k: v for k, v in json.loads(line).items() if k != "minutes"}
            for line in (out / "log.jsonl").read_text().splitlines()]


def require_equal(first, second):
    (a, whole), (b, other) = weights(first), weights(second)
    assert a.keys() == b.keys() and (whole["epoch"], whole["steps"]) == (other["epoch"], other["steps"])
    for name in a:
        assert torch.equal(a[name], b[name]), name
    assert lines(first) == lines(second)


def test_a_paused_run_ends_as_an_uninterrupted_one(arrays, tmp_path):
    train.train(arguments(arrays, tmp_path / "whole"))
    for _ in range(2):
        train.train(arguments(arrays, tmp_path / "paused", "--stop-after", 2))
    require_equal(tmp_path / "whole", tmp_path / "paused")
    train.train(arguments(arrays, tmp_path / "paused"))  # nothing is left to do
    require_equal(tmp_path / "whole", tmp_path / "paused")


def test_a_run_cut_off_in_an_epoch_or_before_saving_ends_the_same(arrays, tmp_path, monkeypatch):
    train.train(arguments(arrays, tmp_path / "whole"))
    cut = tmp_path / "cut"
    calls, step, save = [], train.Trainer.step, state.Run.save

    def failing_step(self, *given):
        calls.append(1)
        if len(calls) == 13:  # in the third epoch of five steps
            raise KeyboardInterrupt
        return step(self, *given)

    def failing_save(self, file):
        if self.epoch == 3:
            raise KeyboardInterrupt
        save(self, file)

    monkeypatch.setattr(train.Trainer, "step", failing_step)
    with pytest.raises(KeyboardInterrupt):
        train.train(arguments(arrays, cut))
    assert state.read(cut / "state.pt")["epoch"] == 2
    monkeypatch.setattr(train.Trainer, "step", step)
    monkeypatch.setattr(state.Run, "save", failing_save)
    with pytest.raises(KeyboardInterrupt):
        train.train(arguments(arrays, cut))
    assert len(lines(cut)) == 3  # written, but not in the state
    monkeypatch.setattr(state.Run, "save", save)
    train.train(arguments(arrays, cut))
    require_equal(tmp_path / "whole", cut)


def test_a_net_learns_the_generated_classes(arrays, tmp_path):
    train.train(arguments(arrays, tmp_path / "run", "--epochs", 14, "--votes", 0, "--averaging", 0.5, "--smoothing", 0))
    first, last = lines(tmp_path / "run")[0], lines(tmp_path / "run")[-1]
    assert last["loss"] < first["loss"] and last["public"] > 30  # chance is 14
    settings = json.loads((tmp_path / "run" / "settings.json").read_text())
    assert settings["images"] == 140 and settings["settings"]["epochs"] == 14 and str(tmp_path) not in str(settings)


def test_a_run_by_the_clock_ends_annealed_within_an_epoch(arrays, tmp_path, monkeypatch):
    clock = iter(range(10 ** 6))
    monkeypatch.setattr(train.time, "monotonic", lambda: float(next(clock)))  # a second a look
    train.train(arguments(arrays, tmp_path / "run", "--minutes", 0.5, "--small-until", 0.4))
    log = lines(tmp_path / "run")
    assert log[-1]["rate"] < 0.002 and "public" in log[-1]
    assert state.read(tmp_path / "run" / "state.pt")["steps"] < 30


def test_the_rate_warms_up_and_falls(arrays, tmp_path):
    trainer = train.Trainer(arguments(arrays, tmp_path), train.training_split(arrays, []))
    rates = []
    for trainer.run.steps in range(20):
        rates.append(trainer.rate(trainer.progress()))
    assert rates[0] == pytest.approx(1e-5) and max(rates) == rates[5]
    assert rates[5:] == sorted(rates[5:], reverse=True) and rates[-1] < 0.002


def test_the_average_is_the_formula_for_every_entry():
    run = state.Run("tiny", "cpu", 0.1, 0)
    with torch.no_grad():
        for value in run.net.state_dict().values():
            value.add_(3)
    before = {k: v.clone() for k, v in run.averaged.state_dict().items()}
    run.average(0.75)
    for name, now in run.averaged.state_dict().items():
        new = run.net.state_dict()[name]
        expected = torch.lerp(before[name], new, 0.25) if now.is_floating_point() else new
        assert torch.equal(now, expected), name
    assert nets.make("tiny").state_dict().keys() == run.averaged.state_dict().keys()


def test_a_missing_class_is_named_and_trains(arrays, tmp_path, capsys):
    split = data.load(arrays, "train")
    keep = split.labels != 1
    for kind, part in (("images", split.images), ("labels", split.labels), ("ferplus", split.votes)):
        np.save(arrays / f"train_{kind}.npy", part[keep])
    train.train(arguments(arrays, tmp_path / "run", "--epochs", 1))
    assert "no training picture of disgust" in capsys.readouterr().err


def test_constant_pictures_and_non_faces_are_counted_and_left_out(arrays, capsys):
    images, votes = np.load(arrays / "train_images.npy"), np.load(arrays / "train_ferplus.npy")
    images[[3, 8]], votes[4], votes[4, data.NO_FACE] = 90, 0, 10
    np.save(arrays / "train_images.npy", images)
    np.save(arrays / "train_ferplus.npy", votes)
    assert len(train.training_split(arrays, [])) == 137
    assert "3 of 140 training pictures left out" in capsys.readouterr().err


def test_a_run_that_goes_on_with_other_data_says_so(arrays, tmp_path, capsys):
    train.train(arguments(arrays, tmp_path / "run", "--stop-after", 1))
    (tmp_path / "rows.txt").write_text("0\n1\n")
    train.train(arguments(arrays, tmp_path / "run", "--stop-after", 0, "--exclude", tmp_path / "rows.txt"))
    assert "training pictures 140 -> 138 (other data?" in capsys.readouterr().err


def test_listed_rows_are_left_out(arrays, tmp_path):
    (tmp_path / "rows.txt").write_text("0\n5\n139\n")
    assert len(train.training_split(arrays, [tmp_path / "rows.txt"])) == 137
    (arrays / "dups.txt").write_text("1\n")
    assert len(train.training_split(arrays, [tmp_path / "rows.txt", Path("dups.txt")])) == 136
    with pytest.raises(data.DataError, match="not a list of row numbers"):
        train.training_split(arrays, [Path("absent.txt")])


def test_the_kept_experiments_are_valid_arguments(tmp_path):
    kept = sorted((Path(__file__).resolve().parents[1] / "experiments").glob("*.args"))
    assert kept
    for file in kept:
        a = train.parse(["--data", "d", "--out", "o", "--epochs", "9", f"@{file}"])
        assert nets.shape(a.net) and (a.epochs != 9 or "epochs" not in file.read_text())


def test_unusable_runs_are_refused_with_the_way_out(arrays, tmp_path, capsys):
    with pytest.raises(data.DataError, match="140 usable training pictures are less than a batch of 500"):
        train.train(arguments(arrays, tmp_path / "run", "--batch", 500))
    train.train(arguments(arrays, tmp_path / "run", "--stop-after", 1))
    with pytest.raises(state.StateError, match="of the net 'tiny', not 'r16'"):
        train.train(arguments(arrays, tmp_path / "run", "--net", "r16"))
    train.train(arguments(arrays, tmp_path / "run", "--stop-after", 1, "--rate", 0.01))
    assert "rate 0.08 -> 0.01" in capsys.readouterr().err
    file = tmp_path / "run" / "state.pt"
    whole = file.read_bytes()
    for content in (b"", b"PK", whole[:len(whole) // 2]):
        file.write_bytes(content)
        with pytest.raises(state.StateError, match="cannot be read"):
            train.train(arguments(arrays, tmp_path / "run"))
    torch.save({"net": {}}, file)
    with pytest.raises(state.StateError, match="lacks averaged"):
        train.train(arguments(arrays, tmp_path / "run"))
