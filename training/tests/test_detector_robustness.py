"""Worse copies of the validation split: labels follow the pictures, and emotiond is asked about each."""
import json
import math
from pathlib import Path
import sys

import numpy as np
from PIL import Image
import pytest

from detector import robustness
from detector_data import add, face, make, scene

EMOTIOND = Path(__file__).with_name("fake_eval_detector.py")
BIG = [100.0, 60.0, 80.0, 100.0]


@pytest.fixture(autouse=True)
def this_python(monkeypatch, tmp_path):
    """The fake is run by the Python that runs the tests: the system's may lack numpy."""
    starter = tmp_path / "emotiond"
    starter.write_text(f'#!/bin/sh\nexec "{sys.executable}" -B "{EMOTIOND}" "$@"\n')
    starter.chmod(0o755)


@pytest.fixture
def folder(tmp_path):
    folder = make(tmp_path / "faces")
    faces = [face(BIG, human4=[[120, 90], [160, 90], [140, 120], [140, 140]]), face([20, 20, 12, 12], ignore=True)]
    add(folder, "made", scene(40, [BIG], 300, 240), faces, "val")
    return folder


def label_of(folder) -> tuple[dict, np.ndarray]:
    """Of the picture with the large face."""
    lines = [json.loads(line) for line in (folder / "labels/made.jsonl").read_text().splitlines()]
    label = max(lines, key=lambda l: l["width"] * len(l["faces"]))
    with Image.open(folder / label["file"]) as image:
        return label, np.asarray(image.convert("L"))


def disc(luma):
    """Middle and extent of what is bright."""
    rows, columns = np.nonzero(luma > 150)
    return np.array([columns.mean() + 0.5, rows.mean() + 0.5]), np.array([np.ptp(columns) + 1, np.ptp(rows) + 1])


@pytest.mark.parametrize("name, sign", [("turned-left", -1), ("turned-right", 1)])
def test_a_turned_copys_labels_are_turned(name, sign, folder, tmp_path):
    robustness.draw(folder, tmp_path / "out", name)
    label, luma = label_of(tmp_path / "out")
    assert luma.shape == (240, 300)
    large = label["faces"][0]
    x, y, w, h = large["box"]
    assert np.abs(disc(luma)[0] - [x + w / 2, y + h / 2]).max() < 1
    # Points turn about the middle of the picture: clockwise to the eye where the angle is positive.
    turn = math.radians(30 * sign)
    for before, after in zip(face(BIG)["points"] + [[120, 90]], large["points"] + [large["human4"][0]]):
        dx, dy = before[0] - 150, before[1] - 120
        assert after == pytest.approx([150 + math.cos(turn) * dx - math.sin(turn) * dy, 120 + math.sin(turn) * dx + math.cos(turn) * dy], abs=0.01)
    assert not large["ignore"] and all(f["ignore"] for f in label["faces"][1:])


def test_what_turns_out_of_the_picture_is_ignored_or_gone(tmp_path):
    label = {"faces": [face([0, 0, 20, 20]), face([140, 110, 20, 20])], "file": "a"}
    _, changed = robustness.turned(Image.new("RGB", (300, 240)), label, 30)
    assert [f["ignore"] for f in changed["faces"] if f["box"][0] > 100] == [False]
    assert all(f["ignore"] for f in changed["faces"] if f["box"][0] < 100)


def test_a_close_up_is_filled_by_the_largest_face(folder, tmp_path):
    assert robustness.draw(folder, tmp_path / "out", "close-up") == 1  # the others are too small
    label, luma = label_of(tmp_path / "out")
    assert luma.shape == (120, 96)
    (large,) = label["faces"]
    assert large["box"] == [8, 10, 80, 100] and large["points"][0] == [32, 50]
    middle, extent = disc(luma)
    assert np.abs(middle - [48, 60]).max() < 1 and np.abs(extent - [80, 100]).max() <= 2


def test_half_the_size_halves_the_labels_and_ignores_what_gets_tiny(folder, tmp_path):
    robustness.draw(folder, tmp_path / "out", "half")
    label, luma = label_of(tmp_path / "out")
    assert luma.shape == (120, 150) and label["faces"][0]["box"] == [50, 30, 40, 50] and label["faces"][1]["ignore"]
    _, changed = robustness.halved(Image.new("RGB", (101, 61)), {"faces": [face([5, 5, 15, 15]), face([30, 5, 18, 18])]})
    assert [f["ignore"] for f in changed["faces"]] == [True, False] and (changed["width"], changed["height"]) == (51, 31)


def test_light_noise_blur_and_jpeg_leave_the_labels(folder, tmp_path):
    original, luma = label_of(folder)
    for name, test in {"as-they-are": lambda found: np.abs(found - luma).max() <= 3,
                       "dark": lambda found: np.abs(found - luma * 0.1).max() <= 2,
                       "noise": lambda found: 5 < (found - luma.astype(float)).std() < 15,
                       "blur": lambda found: found[:40].std() < 0.4 * luma[:40].std(),
                       "jpeg-20": lambda found: 2 < (found - luma.astype(float)).std() < 12}.items():
        robustness.draw(folder, tmp_path / name, name)
        label, found = label_of(tmp_path / name)
        assert label["faces"] == original["faces"] and test(found.astype(float)), name


def test_noise_is_the_same_for_the_same_picture():
    image = Image.new("RGB", (32, 32), (90, 90, 90))
    first, other = (robustness.noisy(image, {"file": "a"}, 15)[0] for _ in range(2))
    assert first.tobytes() == other.tobytes() != robustness.noisy(image, {"file": "b"}, 15)[0].tobytes()


def arguments(folder, tmp_path, *more):
    return ["--data", str(folder), "--out", str(tmp_path / "out"), "--emotiond", str(tmp_path / "emotiond"), *more]


def test_the_table_has_a_row_for_each_copy(folder, tmp_path, capsys):
    robustness.main(arguments(folder, tmp_path, "--report", str(tmp_path / "reports/robustness.json"), "--detector", "yunet"))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + len(robustness.VARIATIONS)
    assert lines[2] == "| as they are | 4 | 3 | 100.0 % | 0.0 | 100.0 % |  | 50.0 % |"
    # The fake sees nothing in the dark.
    assert next(l for l in lines if "brightness" in l) == "| a tenth of the brightness | 4 | 3 | 0.0 % | 100.0 | 100.0 % |  | 50.0 % |"
    report = json.loads((tmp_path / "reports/robustness.json").read_text())
    assert report["arguments"] == ["--detector", "yunet"] and {row["detector"] for row in report["rows"]} == {"yunet"}


def test_copies_are_drawn_once_and_half_a_copy_again(folder, tmp_path, capsys):
    robustness.main(arguments(folder, tmp_path, "--only", "dark"))
    file = next((tmp_path / "out/dark/images").rglob("*.jpg"))
    made = file.stat().st_mtime_ns
    robustness.main(arguments(folder, tmp_path, "--only", "dark"))
    assert file.stat().st_mtime_ns == made
    (tmp_path / "out/dark" / robustness.DONE).unlink()
    file.write_bytes(b"half a")
    robustness.main(arguments(folder, tmp_path, "--only", "dark"))
    assert len(file.read_bytes()) > 100


def test_broken_lines_are_named_and_the_rest_is_judged(folder, tmp_path, capsys):
    with open(folder / "labels/made.jsonl", "a") as file:
        file.write('{"split": "val", "file": "images/none.png", "faces": []}\nno JSON\n')
    robustness.main(arguments(folder, tmp_path, "--only", "half"))
    said = capsys.readouterr()
    assert "2 labels or pictures cannot be used" in said.err and "| half the size | 4 |" in said.out


def test_pictures_that_emotiond_leaves_out_do_not_end_it(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("FAKE_PARTIAL", "1")
    robustness.main(arguments(folder, tmp_path, "--only", "half"))
    assert "| half the size | 4 |" in capsys.readouterr().out


@pytest.mark.parametrize("trouble, said", [("FAKE_FAILS", "no detector"), ("FAKE_TALKS", "not the JSON")])
def test_an_emotiond_that_fails_is_a_sentence(trouble, said, folder, tmp_path, monkeypatch):
    monkeypatch.setenv(trouble, "1")
    with pytest.raises(SystemExit, match=f"robustness: .*{said}"):
        robustness.main(arguments(folder, tmp_path, "--only", "half"))


def test_without_emotiond_or_data_it_ends_with_a_sentence(folder, tmp_path):
    (tmp_path / "emotiond").unlink()
    with pytest.raises(SystemExit, match="cannot be run"):
        robustness.main(arguments(folder, tmp_path, "--only", "half"))
    with pytest.raises(SystemExit, match="no picture of split 'val'"):
        robustness.main(arguments(tmp_path / "none", tmp_path / "other", "--only", "half"))
