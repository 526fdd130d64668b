"""Folders of pictures: names of classes, splits, finding and cutting of faces, archives, counts of what is left out."""
import io
import os
from pathlib import Path
import shutil
import sys
import tarfile
import zipfile

import numpy as np
from PIL import Image
import pytest

from emotion import classes, crop, data, faces, train

FAKE = Path(__file__).with_name("fake_emotiond.py")
NAMES = ("anger", "Disgust", "fear", "happiness", "sad", "surprise", "contempt")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(faces, "CACHE", tmp_path / "cache")
    program = tmp_path / "emotiond"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -B "{FAKE}" "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("EMOTIOND", str(program))


def noise(seed, side=48):
    return np.random.Generator(np.random.PCG64(seed)).integers(0, 255, (side, side), np.uint8)


def folders(root, split=".", names=NAMES, per_class=3, side=48):
    for number, name in enumerate(names):
        place = root / split / name
        place.mkdir(parents=True)
        for i in range(per_class):
            Image.fromarray(noise(1000 * number + i, side)).save(place / f"{i}.png")


def scene(box, level=250, size=(200, 160)) -> np.ndarray:
    """A dark noisy picture [H,W] with a bright rectangle that has a mark inside."""
    picture = np.random.Generator(np.random.PCG64(5)).integers(0, 40, size[::-1], np.uint8)
    x, y, w, h = box
    picture[y:y + h, x:x + w] = level
    picture[y + h // 4:y + h // 2, x + w // 4:x + w // 2] = 60
    return picture


def test_pictures_are_read_with_counts(tmp_path, capsys):
    folders(tmp_path, "train", side=96)
    folders(tmp_path, "val")
    (tmp_path / "train" / "anger" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno")
    (tmp_path / "train" / "anger" / "notes.txt").write_text("no picture")
    Image.new("RGB", (96, 96), (9, 9, 9)).save(tmp_path / "train" / "fear" / "constant.jpg")
    folders(tmp_path, "train", ["dogs"])
    (tmp_path / "train" / "more.zip").write_bytes(b"")
    split = data.load(f"crops:{tmp_path}", "train")
    assert split.images.shape == (18, 48, 48) and split.counts().tolist() == [3, 3, 3, 3, 3, 3, 0]
    told = capsys.readouterr().err
    for part in ("18 pictures used", "1 pictures cannot be read", "1 of one grey value", "3 of contempt left out",
                 "no known class left out: dogs", "not looked into: more.zip", "no picture of neutral"):
        assert part in told
    eight = data.load(f"crops:{tmp_path}", "train", 8)
    assert eight.counts().tolist() == [3, 3, 3, 3, 3, 3, 0, 3]
    assert len(data.load(f"folder:{tmp_path}", "public")) == 18  # 48x48: crops already, no detector is asked
    with pytest.raises(data.DataError, match="no sub-folder for the split 'private'"):
        data.load(f"folder:{tmp_path}", "private")


@pytest.mark.parametrize("split", [".", "train"])
def test_without_a_second_folder_the_bytes_decide_the_split(tmp_path, split):
    folders(tmp_path, split, per_class=40)
    first, second = (data.load(f"folder:{tmp_path}", name) for name in ("train", "public"))
    assert len(first) + len(second) == 240 and 8 <= len(second) <= 48
    np.testing.assert_array_equal(second.images, data.load(f"folder:{tmp_path}", "public").images)
    # A copy under another name, and in another class, lies on the same side.
    shutil.copy(next((tmp_path / split / "fear").iterdir()), tmp_path / split / "sad" / "copy.png")
    again = [data.load(f"folder:{tmp_path}", name) for name in ("train", "public")]
    sides = [{image.tobytes() for image in part.images} for part in again]
    assert sides[0].isdisjoint(sides[1]) and len(again[0]) + len(again[1]) == 241
    with pytest.raises(data.DataError):
        data.load(f"folder:{tmp_path}", "private")


def test_val_goes_before_test(tmp_path):
    folders(tmp_path, "train")
    folders(tmp_path, "test", per_class=2)
    assert len(data.load(f"folder:{tmp_path}", "public")) == 12
    folders(tmp_path, "val", per_class=1)
    assert len(data.load(f"folder:{tmp_path}", "public")) == 6


@pytest.mark.parametrize("names, expected", [
    (range(1, 8), ["surprise", "fear", "disgust", "happy", "sad", "angry", "neutral"]),
    (range(8), ["neutral", "happy", "sad", "surprise", "fear", "disgust", "angry", "contempt"]),
    (["Anger", "joy", "natural", "Contempt", "unknown"], ["angry", "happy", "neutral", "contempt", None]),
])
def test_names_and_numbers_of_known_sets(tmp_path, names, expected):
    for name in names:
        (tmp_path / str(name)).mkdir()
    found = classes.labels_of(tmp_path, tmp_path)
    assert [found[str(name)] for name in names] == expected


def test_unknown_numbers_need_a_table(tmp_path):
    for number in range(7):
        (tmp_path / str(number)).mkdir()
    with pytest.raises(data.DataError, match="numbers of no known data set.*classes.csv"):
        classes.labels_of(tmp_path, tmp_path)
    table = tmp_path / "classes.csv"
    table.write_text("folder,label\n" + "".join(f"{i},{name}\n" for i, name in enumerate(data.LABELS[:6])) + "6,\n")
    assert list(classes.labels_of(tmp_path, tmp_path).values()) == [*data.LABELS[:6], None]
    table.write_text("0,neutral\n1,glad\n2\n")
    with pytest.raises(data.DataError, match="'1,glad' and 1 more lines"):
        classes.labels_of(tmp_path, tmp_path)


def test_faces_are_found_and_cut_by_the_engines_square(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("FAKE_CALLS", str(tmp_path / "calls"))
    place = tmp_path / "data" / "train" / "happy"
    place.mkdir(parents=True)
    Image.fromarray(scene((60, 40, 70, 70))).save(place / "a.png")
    two = np.maximum(scene((20, 20, 90, 100)), scene((140, 30, 30, 30), 150))
    Image.fromarray(two).save(place / "b two faces.png")
    Image.fromarray(scene((2, 2, 96, 96), size=(100, 100))).save(place / "c tight.png")
    Image.fromarray(noise(3, 96) // 8).save(place / "d nobody.png")
    (tmp_path / "data" / "public" / "sad").mkdir(parents=True)
    split = data.load(f"folder:{tmp_path / 'data'}", "train")
    assert len(split) == 3 and "no face found in 1, left out" in capsys.readouterr().err
    for image, picture, (x, y, w, h) in ((split.images[0], scene((60, 40, 70, 70)), (60, 40, 70, 70)),
                                         (split.images[1], two, (20, 20, 90, 100)),
                                         # This one fills its picture: found again through a margin, at the same place.
                                         (split.images[2], scene((2, 2, 96, 96), size=(100, 100)), (2, 2, 96, 96))):
        side = 1.02 * h
        expected = crop.cut(picture, x + w / 2 + 0.01 * h - side / 2, y + h / 2 + 0.01 * h - side / 2, side)
        np.testing.assert_array_equal(image, expected)
    assert (tmp_path / "calls").read_text().count("call") == 3  # the detector's name, the pictures, those with a margin
    calls = (tmp_path / "calls").read_text().count("call")
    again = data.load(f"folder:{tmp_path / 'data'}", "train")
    np.testing.assert_array_equal(again.images, split.images)
    assert (tmp_path / "calls").read_text().count("call") == calls + 1  # only to ask for the detector
    assert not [p for p in (tmp_path / "data").rglob("*") if p.name.endswith((".csv", ".part"))]  # data is only read


@pytest.mark.parametrize("variable, value, told", [
    ("EMOTIOND", "/no/such/program", "is no program; build it .*crops:DIR"),
    ("FAKE_FAILS", "1", "without results: no library"),
    ("FAKE_DETECTOR", "new-net", "new-net.*no crop template"),
])
def test_without_a_working_detector_the_way_out_is_named(tmp_path, monkeypatch, variable, value, told):
    folders(tmp_path, "train", side=64)
    folders(tmp_path, "val")
    monkeypatch.setenv(variable, value)
    with pytest.raises(data.DataError, match=told):
        data.load(f"folder:{tmp_path}", "train")
    assert len(data.load(f"folder:{tmp_path}", "public")) == 18


def test_weights_are_areas_or_bilinear_and_sum_to_one():
    rows = np.arange(200, dtype=float)
    for start, extent in ((10.3, 96.0), (-20.0, 150.0), (150.5, 130.0), (30.2, 20.0), (-3.0, 12.0)):
        table = crop.weights(start, extent, 200)
        np.testing.assert_allclose(table.sum(1), 1, atol=1e-12)
        edges = start + np.arange(49) * extent / 48
        inside = (edges[:-1] > 1) & (edges[1:] < 198)
        if extent >= 48:  # the exact mean of a line of pixels, from its running sum
            exact = np.diff(np.interp(edges, np.arange(201), np.r_[0, rows.cumsum()])) / (extent / 48)
        else:  # on the straight line between pixel centres
            exact = (edges[:-1] + edges[1:]) / 2 - 0.5
        np.testing.assert_allclose((table @ rows)[inside], exact[inside], atol=1e-9)
    picture = noise(8, 96)
    exact = picture.reshape(48, 2, 48, 2).mean((1, 3))  # twice as large: means of four
    np.testing.assert_array_equal(crop.cut(picture, 0, 0, 96), np.floor(exact + 0.5).astype(np.uint8))
    np.testing.assert_array_equal(crop.cut(noise(9), 0, 0, 48), noise(9))


def test_a_folder_trains(tmp_path, capsys):
    folders(tmp_path, ".", per_class=20)
    a = train.parse(["--data", f"folder:{tmp_path}", "--out", str(tmp_path / "run"), "--net", "tiny", "--epochs", "1",
                     "--batch", "16", "--threads", "1", "--classes", "8"])
    train.train(a)
    assert "no training picture of neutral" in capsys.readouterr().err


def tar_of(folder, file):
    with tarfile.open(file, "w:gz") as archive:
        archive.add(folder, "set")


def test_archives_are_unpacked_once_and_never_beside_themselves(tmp_path, table):
    source = tmp_path / "in"
    source.mkdir()
    tar_of(table, source / "fer2013.tar.gz")
    with zipfile.ZipFile(source / "fer2013.zip", "w") as archive:
        for file in table.iterdir():
            archive.write(file, file.name)
    for name in ("fer2013.tar.gz", "fer2013.zip"):
        for _ in range(2):
            split = data.load(source / name, "public")
            assert len(split) == 56 and split.votes is not None
    assert len(list(source.iterdir())) == 2 and len(list((tmp_path / "cache" / "unpacked").iterdir())) == 2


def test_of_a_truncated_archive_the_rest_is_used(tmp_path, capsys):
    folders(tmp_path / "set", "train", per_class=10)
    tar_of(tmp_path / "set", tmp_path / "set.tar.gz")
    content = (tmp_path / "set.tar.gz").read_bytes()
    (tmp_path / "set.tar.gz").write_bytes(content[:len(content) * 2 // 3])
    split = data.load(f"folder:{tmp_path / 'set.tar.gz'}", "train")
    assert 20 < len(split) < 60 and "cut off after" in capsys.readouterr().err
    (tmp_path / "none.tar.gz").write_bytes(content[:20])
    with pytest.raises(data.DataError, match="no file could be unpacked"):
        data.load(f"folder:{tmp_path / 'none.tar.gz'}", "train")
    (tmp_path / "cut.zip").write_bytes(b"PK\3\4" + b"0" * 50)
    with pytest.raises(data.DataError, match="no file could be unpacked"):
        data.load(tmp_path / "cut.zip", "train")


def test_an_archive_cannot_write_outside_its_place(tmp_path):
    with tarfile.open(tmp_path / "evil.tar", "w") as archive:
        member = tarfile.TarInfo("../../evil.txt")
        member.size = 4
        archive.addfile(member, io.BytesIO(b"evil"))
    with pytest.raises(data.DataError, match="no file could be unpacked"):
        data.load(tmp_path / "evil.tar", "train")
    assert not list(tmp_path.rglob("evil.txt"))


@pytest.mark.skipif("EMOTIOND_REAL" not in os.environ, reason="EMOTIOND_REAL names no emotiond")
def test_the_real_program_finds_the_faces_of_the_samples(tmp_path, monkeypatch):
    monkeypatch.setenv("EMOTIOND", os.environ["EMOTIOND_REAL"])
    samples = Path(__file__).resolve().parents[2] / "samples"
    place = tmp_path / "train" / "happy"
    place.mkdir(parents=True)
    (tmp_path / "val" / "happy").mkdir(parents=True)
    for name in ("astronaut.jpg", "grace_hopper.jpg", "two_people.png"):
        shutil.copy(samples / name, place)
    Image.open(samples / "astronaut.jpg").crop((175, 65, 272, 162)).save(place / "tight.png")
    split = data.load(f"folder:{tmp_path}", "train")
    assert len(split) == 4
    # The tight picture is the astronaut's box itself: with a margin around it, it gives nearly the same crop.
    first, tight = split.images[0].astype(float).flatten(), split.images[2].astype(float).flatten()
    assert np.corrcoef(first, tight)[0, 1] > 0.9
