"""Loading labelled pictures: what is broken is counted and named, the rest is used."""
import json

import numpy as np
import pytest

from detector import data
from detector_data import add, face, make, scene


def test_labels_become_a_picture(tmp_path):
    points = face()["points"]
    faces = [face(points_from="human", human4=[[1, 2], [3, 4], [5, 6], [7, 8]]), face([50, 10, 12, 14], points_from="none"),
             face([60, 40, 9, 9], points=[*points[:4], None], box_from="teacher"), face([70, 50, 10, 10], ignore=True)]
    add(tmp_path, "made", scene(1), faces, complete=False)
    (found,) = data.load(tmp_path, "train")
    assert found.source == "made" and not found.complete and found.luma.shape == (72, 96)
    assert found.boxes.tolist() == [f["box"] for f in faces[:3]] and found.ignored.tolist() == [[70, 50, 10, 10]]
    # A click is worth more than a model's answer; of four points the fifth is not known, so none counts.
    assert found.weights.tolist() == [1.0, 0.0, 0.0] and np.allclose(found.points[0], points)
    assert found.origin == ["human", "human", "teacher"] and found.human[0][3] == [7, 8] and found.human[1] is None


def test_splits_and_sources_are_chosen(tmp_path):
    folder = make(tmp_path / "faces")
    assert [len(data.load(folder, split)) for split in ("train", "val", "all")] == [6, 3, 9]
    assert {p.source for p in data.load(folder, "train", without=("made",))} == {"negatives"}
    assert {p.source for p in data.load(folder, "train", sources=("made",))} == {"made"}


BROKEN = {
    "no JSON": b'{"file": ',
    "not UTF-8": b'\xff\xfe{}',
    "a number": b"7",
    "no faces": {"faces": None},
    "a face of three numbers": {"faces": [{"box": [1, 2, 3]}]},
    "no extent": {"faces": [face([5, 5, 0, 9])]},
    "not a number": {"faces": [face(points=[[float("nan"), 1]] * 5)]},
    "one point for five": {"faces": [face(points=[[1, 2]])]},
    "an unknown origin": {"faces": [face(points_from="oracle")]},
    "no such picture": {"file": "images/made/none.png"},
    "a picture that is text": {"file": "labels/made.jsonl"},
    "no complete": {"complete": KeyError},
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_line_is_named_and_the_rest_is_used(name, tmp_path, capsys):
    folder = make(tmp_path / "faces")
    change = BROKEN[name]
    if isinstance(change, dict):
        label = json.loads((folder / "labels/made.jsonl").read_text().splitlines()[0])
        label = {k: v for k, v in {**label, **change}.items() if v is not KeyError}
        change = json.dumps(label).encode()
    with open(folder / "labels/made.jsonl", "ab") as file:
        file.write(change + b"\n\n")
    assert len(data.load(folder, "train")) == 6
    said = capsys.readouterr().out
    assert "1 labels or pictures cannot be read" in said and "made.jsonl:7: " in said


def test_a_cut_picture_is_named(tmp_path, capsys):
    folder = make(tmp_path / "faces")
    file = folder / "images/made/001.png"
    file.write_bytes(file.read_bytes()[:300])
    assert len(data.load(folder, "train")) == 5 and "made.jsonl:2: " in capsys.readouterr().out


def test_many_broken_lines_are_counted_and_a_few_named(tmp_path, capsys):
    folder = make(tmp_path / "faces")
    with open(folder / "labels/made.jsonl", "a") as file:
        file.write("x\n" * 40)
    data.load(folder, "train")
    said = capsys.readouterr().out
    assert "40 labels" in said and said.count("made.jsonl") == data.NAMED


def test_a_folder_without_labels_or_pictures_is_an_error(tmp_path):
    with pytest.raises(data.DataError, match="no labels"):
        data.load(tmp_path, "train")
    folder = make(tmp_path / "faces")
    with pytest.raises(data.DataError, match="no picture of split 'test'"):
        data.load(folder, "test")


def test_halves_are_means_of_four():
    luma = np.random.default_rng(3).integers(0, 256, (131, 150), dtype=np.uint8)
    levels = data.pyramid(luma)
    assert [level.shape for level in levels] == [(131, 150), (65, 75), (32, 37)]
    assert levels[1][7, 9] == (int(luma[14:16, 18:20].astype(int).sum()) + 2) // 4
