"""Readers: that the layouts agree, and that bad data gives a message with counts."""
import numpy as np
import pytest

from emotion import data
from conftest import SPLITS


def edit(file, line: int, change):
    lines = file.read_text().splitlines()
    lines[line] = change(lines[line])
    file.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("split", data.USAGE)
def test_csv_and_arrays_give_the_same_split(arrays, table, split):
    a, b = data.load(arrays, split), data.load(table, split)
    for field in ("images", "labels", "votes", "rows"):
        np.testing.assert_array_equal(getattr(a, field), getattr(b, field))
        assert getattr(a, field).dtype == getattr(b, field).dtype
    np.testing.assert_array_equal(a.images, SPLITS[split][0])
    np.testing.assert_allclose(a.distribution().sum(1), 1, rtol=1e-6)


def test_the_csv_itself_is_a_source_and_needs_no_votes(table):
    (table / "fer2013new.csv").unlink()
    split = data.load(table / "fer2013.csv", "public")
    assert len(split) == 56 and split.votes is None
    with pytest.raises(data.DataError, match="no FER"):
        split.distribution()


@pytest.mark.parametrize("bad, told", [
    ("3,1 2 3,Training", "1 with no 2304 pixels"),
    ("3," + "1 " * 2303 + "256,Training", "1 with no 2304 pixels"),
    ("3," + "1 " * 2303 + "x,Training", "1 with no 2304 pixels"),
    ("7," + "1 " * 2304 + ",Training", "1 with emotion not 0..6"),
    ("-1," + "1 " * 2304 + ",Training", "1 with emotion not 0..6"),
    ("", "1 with no known Usage"),
    ("3", "1 with no known Usage"),
])
def test_an_unreadable_row_is_counted_and_the_rest_keeps_its_place(table, capsys, bad, told):
    edit(table / "fer2013.csv", 6, lambda _: bad)  # train row 5
    split = data.load(table, "train")
    assert len(split) == 139
    assert told in capsys.readouterr().err
    if "Usage" not in told:  # without a Usage nothing says that the row belongs to this split
        assert 5 not in split.rows and split.rows[-1] == 139
    np.testing.assert_array_equal(split.images[5], SPLITS["train"][0][6])
    np.testing.assert_array_equal(split.votes[5], SPLITS["train"][2][6])


@pytest.mark.parametrize("header, told", [
    ("emotion,picture,Usage", "no column 'pixels'; found emotion, picture, usage"),
    ("label,pixels,Usage", "no column 'emotion'"),
    ("emotion,pixels,set", "no column 'Usage'"),
])
def test_a_missing_column_is_named(table, header, told):
    edit(table / "fer2013.csv", 0, lambda _: header)
    with pytest.raises(data.DataError, match=told):
        data.load(table, "public")


def test_other_column_order_and_spaces_are_read(table):
    file = table / "fer2013.csv"
    rows = [line.split(",") for line in file.read_text().splitlines()]
    file.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(f"{r[0]}, {r[2]}, {r[1]}" for r in rows).encode())
    np.testing.assert_array_equal(data.load(table, "public").images, SPLITS["public"][0])


@pytest.mark.parametrize("content", [b"", b"\0\0\0", b"emotion,pixels,Usage\n", b'emotion,pixels,Usage\n"' + b"1" * 200000])
def test_a_csv_without_rows_is_an_error(table, content):
    (table / "fer2013.csv").write_bytes(content)
    with pytest.raises(data.DataError):
        data.load(table, "train")


def test_votes_of_another_table_are_refused(table):
    file = table / "fer2013new.csv"
    lines = file.read_text().splitlines()
    file.write_text("\n".join(lines[:100]) + "\n")
    with pytest.raises(data.DataError, match="99 rows, but fer2013.csv has at least 140"):
        data.load(table, "train")
    file.write_text("\n".join(lines[:1] + lines[2:] + lines[1:2]) + "\n")
    with pytest.raises(data.DataError, match="1 of 140 rows have another Usage"):
        data.load(table, "train")
    file.write_text("\n".join(lines[:3] + ["Training,,1,2"] + lines[4:]) + "\n")
    with pytest.raises(data.DataError, match="ten numbers"):
        data.load(table, "train")


@pytest.mark.parametrize("kind", ["images", "labels", "ferplus"])
@pytest.mark.parametrize("keep", [0, 5, 100, 128])
def test_an_array_without_a_whole_row_is_an_error(arrays, kind, keep):
    file = arrays / f"train_{kind}.npy"
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(data.DataError, match="cannot be read as .npy"):
        data.load(arrays, "train")


@pytest.mark.parametrize("kind, keep, rows", [("images", -1, 139), ("images", 128 + 20 * 2304 + 7, 20), ("labels", -30, 110),
                                              ("ferplus", 128 + 10, 1)])
def test_of_a_truncated_array_the_whole_rows_are_used(arrays, capsys, kind, keep, rows):
    file = arrays / f"train_{kind}.npy"
    file.write_bytes(file.read_bytes()[:keep])
    split = data.load(arrays, "train")
    assert f"the train arrays are cut off: {rows} of 140 rows are used" in capsys.readouterr().err
    for found, whole in zip((split.images, split.labels, split.votes), SPLITS["train"]):
        np.testing.assert_array_equal(found, whole[:rows])


@pytest.mark.parametrize("kind, array, told", [
    ("images", np.zeros((140, 64, 64), np.uint8), r"expected N x 48 x 48 uint8, found \(140, 64, 64\)"),
    ("images", np.zeros((140, 48, 48), np.float32), "float32"),
    ("images", np.zeros((139, 48, 48), np.uint8), "139 images, 140 labels"),
    ("labels", np.full(140, 9, np.uint8), "140 of 140 labels are not 0..6"),
    ("labels", np.zeros((140, 7), np.uint8), "expected N uint8"),
    ("labels", np.uint8(3), "expected N uint8"),
    ("ferplus", np.zeros((140, 8), np.uint8), "expected N x 10"),
    ("ferplus", np.zeros((139, 10), np.uint8), "139 rows of votes"),
    ("labels", np.array([{}] * 140, object), "cannot be read"),
])
def test_arrays_of_the_wrong_kind_are_an_error(arrays, kind, array, told):
    np.save(arrays / f"train_{kind}.npy", array, allow_pickle=True)
    with pytest.raises(data.DataError, match=told):
        data.load(arrays, "train")


def test_unknown_places_and_splits_are_named(tmp_path):
    with pytest.raises(data.DataError, match="neither train_images.npy nor fer2013.csv"):
        data.load(tmp_path, "train")
    with pytest.raises(data.DataError, match="no split 'test': there are train, public, private"):
        data.load(tmp_path, "test")


def test_constant_pictures_and_non_faces_are_not_usable(arrays):
    split = data.load(arrays, "train")
    split.images[3] = 90
    split.votes[4] = 0
    split.votes[4, data.NO_FACE] = 200  # doubled, this would not fit a byte
    assert np.nonzero(~data.usable(split))[0].tolist() == [3, 4]


def test_lists_of_rows_name_places_in_the_original(arrays):
    split = data.load(arrays, "public").take(np.arange(56) % 2 == 1)
    (arrays / "public_dups_of_train.txt").write_text("1\n2\n55\n")
    assert np.nonzero(~data.clean_public(arrays, split))[0].tolist() == [0, 27]
    (arrays / "public_dups_of_train.txt").write_text("1\ntwo\n")
    with pytest.raises(data.DataError, match="not a list of row numbers"):
        data.clean_public(arrays, split)


def test_a_truncated_csv_gives_its_whole_rows(table, capsys):
    file = table / "fer2013.csv"
    content = file.read_bytes()
    file.write_bytes(content[:content.rfind(b",PublicTest", 0, len(content) - 60000) - 100])  # within PublicTest's pixels
    assert len(data.load(table, "train")) == 140 and 0 < len(data.load(table, "public")) < 56
    assert "1 rows left out" in capsys.readouterr().err
    with pytest.raises(data.DataError, match="no readable row of usage PrivateTest"):
        data.load(table, "private")


def test_contempt_is_the_eighth_class_where_most_voted_for_it(arrays):
    votes = np.load(arrays / "train_ferplus.npy")
    votes[5], votes[6] = 0, 0
    votes[5, 7], votes[5, 0] = 6, 4
    votes[6, 7], votes[6, 0] = 5, 5  # a tie keeps FER2013's label
    np.save(arrays / "train_ferplus.npy", votes)
    seven, eight = data.load(arrays, "train"), data.load(arrays, "train", 8)
    assert np.nonzero(seven.labels != eight.labels)[0].tolist() == [5] and eight.labels[5] == 7
    assert eight.names()[-1] == "contempt" and eight.counts().tolist()[-1] == 1 and len(seven.counts()) == 7
    assert eight.take(eight.labels == 7).classes == 8
    (arrays / "train_ferplus.npy").unlink()
    with pytest.raises(data.DataError, match="no FER"):
        data.load(arrays, "train", 8)
