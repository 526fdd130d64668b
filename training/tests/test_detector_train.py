"""Runs: repeatable to the bit, resumable, and a sentence where one cannot go on."""
import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from detector import compose, data, nets, runs, train
from detector_data import make


def arguments(folder, out, *more):
    return ["--data", str(folder), "--out", str(out), "--net", "tiny", "--side", "64", "--batch", "2", "--steps", "3", "--epochs", "2",
            "--judge-every", "9", *more]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make(tmp_path_factory.mktemp("detector") / "faces")


@pytest.fixture(scope="module")
def finished(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "whole"
    train.main(arguments(folder, out))
    return out


def composer_of(folder, crops=None):
    return compose.Composer(data.load(folder, "train"), crops, 64)


def equal(a, b):
    return all(np.array_equal(x.luma, y.luma) and np.array_equal(x.boxes, y.boxes) and np.array_equal(x.ignored, y.ignored)
               for x, y in zip(a, b, strict=True))


def test_a_batch_depends_on_seed_and_number_alone(folder):
    with train.Batches(composer_of(folder), SimpleNamespace(seed=1, batch=2)) as batches:
        in_order = [batches.get(n) for n in range(4)]
    with train.Batches(composer_of(folder), SimpleNamespace(seed=1, batch=2)) as batches:
        assert equal(batches.get(3), in_order[3]) and equal(batches.get(0), in_order[0]) and equal(batches.get(2), in_order[2])
    with train.Batches(composer_of(folder), SimpleNamespace(seed=2, batch=2)) as batches:
        assert not equal(batches.get(0), in_order[0])
    assert not equal(in_order[0], in_order[1])


def test_two_kinds_of_batches_do_not_disturb_each_other(folder):
    white = np.full((1, 48, 48), 255, np.uint8)
    with (train.Batches(composer_of(folder), SimpleNamespace(seed=1, batch=8)) as without,
          train.Batches(composer_of(folder, white), SimpleNamespace(seed=1, batch=8)) as pasted):
        first, second = without.get(0), pasted.get(0)
    assert not equal(first, second)


def test_a_resumed_run_equals_an_uninterrupted_one(folder, finished, tmp_path):
    train.main(arguments(folder, tmp_path / "cut", "--stop-after", "1"))
    assert runs.read_state(tmp_path / "cut")["epoch"] == 1
    train.main(arguments(folder, tmp_path / "cut"))
    whole, cut = runs.read_state(finished), runs.read_state(tmp_path / "cut")
    assert cut["epoch"] == whole["epoch"] == 2
    for part in ("net", "averaged"):
        for name, values in whole[part].items():
            assert torch.equal(values, cut[part][name]), f"{part}.{name}"
    for number, state in whole["optimiser"]["state"].items():
        assert all(torch.equal(value, cut["optimiser"]["state"][number][name]) for name, value in state.items())
    lines = [json.loads(line) for line in (tmp_path / "cut/log.jsonl").read_text().splitlines()]
    expected = [json.loads(line) for line in (finished / "log.jsonl").read_text().splitlines()]
    for line in lines + expected:
        del line["minutes"], line["waited"]
    assert lines == expected and "recall" in lines[1] and "recall" not in lines[0]


def test_a_finished_run_is_left_alone(folder, finished):
    before = (finished / "state.pt").read_bytes()
    train.main(arguments(folder, finished))
    assert (finished / "state.pt").read_bytes() == before


def test_a_run_starts_from_another_ones_averaged_weights(folder, finished, tmp_path):
    run = train.Run(train.parse(arguments(folder, tmp_path, "--start", str(finished))))
    averaged = runs.read_state(finished)["averaged"]
    assert run.epoch == 0 and all(torch.equal(value, averaged[name]) for name, value in run.net.state_dict().items())


def test_by_the_clock_the_rate_ends_where_the_time_does(folder, tmp_path):
    run = train.Run(train.parse(arguments(folder, tmp_path, "--minutes", "1")))
    run.began = train.time.monotonic()
    assert run.progress(10 ** 6) < 0.1 and not run.ended
    run.used = 60.0
    assert run.progress(0) == 1 and run.ended and run.rate(400) == pytest.approx(1e-6)


def failing(folder, out, *more) -> str:
    with pytest.raises(SystemExit) as stopped:
        train.main(arguments(folder, out, *more))
    assert isinstance(stopped.value.code, str) and stopped.value.code.startswith("train: ")
    return stopped.value.code


def test_another_net_is_refused(folder, finished):
    assert "holds net tiny, not d100" in failing(folder, finished, "--net", "d100")


def test_a_folder_without_labels_is_named(tmp_path):
    (tmp_path / "empty").mkdir()
    assert "empty: no labels" in failing(tmp_path / "empty", tmp_path / "out")


def test_a_loss_that_is_no_number_ends_the_run(folder, tmp_path):
    said = failing(folder, tmp_path / "out", "--rate", "1e35")
    assert "the loss is" in said and "--rate" in said and not (tmp_path / "out/state.pt").exists()


def test_crops_that_cannot_be_used_are_named(folder, tmp_path):
    assert "train_images.npy: cannot be read" in failing(folder, tmp_path / "out", "--crops", str(tmp_path))
    np.save(tmp_path / "train_images.npy", np.zeros((3, 32, 32), np.uint8))
    assert "not uint8 of N x 48 x 48" in failing(folder, tmp_path / "out", "--crops", str(tmp_path))


def test_a_missing_start_is_named(folder, tmp_path):
    assert "no such file" in failing(folder, tmp_path / "out", "--start", str(tmp_path / "none"))


DAMAGES = {
    "empty": lambda content: b"",
    "cut off": lambda content: content[:len(content) // 2],
    "text": lambda content: b"not a run",
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_state_is_named(name, folder, finished, tmp_path):
    (tmp_path / "state.pt").write_bytes(DAMAGES[name]((finished / "state.pt").read_bytes()))
    assert "state.pt: damaged" in failing(folder, tmp_path)


@pytest.mark.parametrize("content", [{"epoch": 3}, [1, 2], {"name": "r64", "averaged": {}, "epoch": 1, "used": 0.0}])
def test_another_programs_state_is_named(content, folder, tmp_path):
    torch.save(content, tmp_path / "state.pt")
    assert "state.pt" in failing(folder, tmp_path)


def test_weights_of_another_shape_are_named(folder, finished, tmp_path):
    saved = runs.read_state(finished)
    torch.save({**saved, "net": nets.make("d100").state_dict(), "averaged": nets.make("d100").state_dict()}, tmp_path / "state.pt")
    assert "not a state of this training" in failing(folder, tmp_path)
    with pytest.raises(data.DataError, match="not this net's"):
        runs.read_net(tmp_path)


def test_a_state_runs_no_code(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "touched"), "w"))

    torch.save({"name": "tiny", "averaged": Trap(), "epoch": 1, "used": 0.0}, tmp_path / "state.pt")
    with pytest.raises(data.DataError, match="damaged"):
        runs.read_state(tmp_path)
    assert not (tmp_path / "touched").exists()


def test_damaged_mining_is_named(folder, tmp_path):
    (tmp_path / "hard.json").write_text('[["a", [1')
    assert "hard.json: damaged" in failing(folder, tmp_path)


@pytest.mark.parametrize("more", [("--side", "100"), ("--side", "32"), ("--steps", "0"), ("--batch", "0")])
def test_numbers_that_cannot_be_are_a_matter_of_usage(more, folder, tmp_path):
    with pytest.raises(SystemExit) as stopped:
        train.main(arguments(folder, tmp_path, *more))
    assert stopped.value.code == 2
