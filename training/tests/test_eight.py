"""Contempt as the eighth class, from FER+'s votes to the columns of the timeline."""
import csv
import os
from pathlib import Path
import subprocess

import numpy as np
import onnx
import onnxruntime
import pytest

from emotion import data, export, contract, preprocess, publish, state, supervision, train


def with_contempt(arrays, split, rows):
    votes = np.load(arrays / f"{split}_ferplus.npy")
    votes[rows] = 0
    votes[rows, 7] = 8
    votes[rows, 4] = 2
    np.save(arrays / f"{split}_ferplus.npy", votes)


@pytest.fixture
def run(arrays, tmp_path):
    with_contempt(arrays, "train", np.arange(0, 140, 5))
    with_contempt(arrays, "public", np.arange(0, 56, 7))
    train.train(train.parse(["--data", str(arrays), "--out", str(tmp_path / "run"), "--net", "tiny", "--epochs", "2", "--batch", "28",
                             "--threads", "1", "--classes", "8", "--vote-share", "0.5"]))
    return tmp_path / "run"


def exported(arrays, run, out):
    return export.export(export.parse(["--data", str(arrays), "--run", str(run), "--out", str(out), "--threads", "1",
                                       "--reports", str(out.parent / "report")]))


def test_targets_have_eight_columns_and_votes_for_contempt(arrays):
    with_contempt(arrays, "train", [3])
    split = data.load(arrays, "train", 8)
    found = supervision.targets(split, 0.0, 0.5, None, 0).numpy()
    assert found.shape == (140, 8)
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-6)
    expected = np.zeros(8)
    expected[7], expected[0] = 0.5 + 0.5 * 0.8, 0.5 * 0.2  # label contempt, votes 8 contempt and 2 anger
    np.testing.assert_allclose(found[3], expected, atol=1e-6)


def test_the_file_has_eight_labels_and_answers(arrays, run, tmp_path):
    result = exported(arrays, run, tmp_path / "emotion-8.onnx")
    model = onnx.load(tmp_path / "emotion-8.onnx")
    assert contract.metadata(model)["labels"] == ",".join(data.ALL_LABELS)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    public = data.load(arrays, "public")
    logits = session.run(None, {"input": preprocess.normalise(public.images[:, None].astype(np.float32)).astype(np.float32)})[0]
    assert logits.shape == (56, 8)
    # Against FER2013's seven, as emotiond eval counts, contempt is never right; against eight it may be.
    answers = logits.argmax(1)
    assert result["public"]["accuracy"] == round(100 * float((answers == public.labels).mean()), 2)
    eight = data.load(arrays, "public", 8)
    assert result["eight"]["accuracy"] == round(100 * float((answers == eight.labels).mean()), 2)
    assert result["eight"]["per_class"]["contempt"]["n"] == 8 and result["public"]["per_class"]["contempt"]["n"] == 0
    assert "contempt n 8" in publish.summary(result)


def test_a_run_of_seven_is_not_taken_up_with_eight(arrays, run, tmp_path):
    given = ["--data", str(arrays), "--out", str(run), "--net", "tiny", "--epochs", "3", "--batch", "28", "--threads", "1"]
    with pytest.raises(state.StateError, match="does not fit"):
        train.train(train.parse(given))
    # But its trunk may start one of seven.
    given[3] = str(tmp_path / "seven")
    train.train(train.parse([*given, "--start", str(run), "--stop-after", "1"]))


@pytest.mark.skipif("EMOTIOND_REAL" not in os.environ, reason="EMOTIOND_REAL names no emotiond")
def test_the_timeline_gets_a_column(arrays, run, tmp_path):
    exported(arrays, run, tmp_path / "emotion-8.onnx")
    sample = Path(__file__).resolve().parents[2] / "samples" / "two_people.png"
    subprocess.run([os.environ["EMOTIOND_REAL"], "--model", tmp_path / "emotion-8.onnx", "--file", sample, "--out", tmp_path / "out"],
                   check=True, capture_output=True)
    with open(tmp_path / "out" / sample.name / "timeline.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    columns = list(rows[0])
    assert len(rows) == 2 and columns.index("contempt") > columns.index("status")
    assert all(abs(sum(float(row[name]) for name in data.ALL_LABELS) - 1) < 1e-3 for row in rows)
