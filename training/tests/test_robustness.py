"""Worse pictures: that each variation does what its row says."""
import io
import json

import numpy as np
import onnx
from PIL import Image
import pytest

from emotion import card, contract, data, nets, graph, robustness


@pytest.fixture
def crops():
    return np.random.Generator(np.random.PCG64(9)).integers(0, 256, (5, 48, 48), dtype=np.uint8)


def test_blur_is_the_gaussian_of_its_sigma(crops):
    point = np.zeros((1, 48, 48), np.uint8)
    point[0, 24, 24] = 255
    y, x = np.mgrid[-24:24, -24:24]
    gaussian = np.exp(-(x * x + y * y) / (2 * 1.5 ** 2))
    expected = 255 * gaussian / gaussian.sum()
    assert np.abs(robustness.blur(point, 1.5)[0] - expected).max() <= 0.6
    flat = np.full((1, 48, 48), 77, np.uint8)
    assert (robustness.blur(flat, 1.5) == 77).all()
    assert robustness.blur(crops, 1.5).std() < 0.4 * crops.std()


def test_a_small_face_has_the_mean_of_its_pixels(crops):
    once = robustness.small(crops, 24)
    means = crops.reshape(5, 24, 2, 24, 2).mean((2, 4))
    # In the middle between four small pixels, bilinear enlarging gives 9/16, 3/16, 3/16 and 1/16 of them.
    expected = (9 * means[:, 4, 6] + 3 * means[:, 4, 7] + 3 * means[:, 5, 6] + means[:, 5, 7]) / 16
    assert np.abs(once[:, 9, 13] - expected).max() <= 0.51


def test_jpeg_is_the_decoders_picture(crops):
    found = robustness.jpeg(crops, 20)
    stream = io.BytesIO()
    Image.fromarray(crops[2]).save(stream, "JPEG", quality=20)
    assert np.array_equal(found[2], np.asarray(Image.open(io.BytesIO(stream.getvalue()))))
    assert found.dtype == np.uint8 and not np.array_equal(found, crops)


def test_darkness_scales_and_rounds():
    assert robustness.darken(np.array([[[0, 1, 2, 100, 255]]], np.uint8), 0.25).tolist() == [[[0, 0, 0, 25, 64]]]


def test_a_box_that_is_where_it_was_changes_nothing(crops):
    assert np.array_equal(robustness.seen_through(crops), crops)


def test_a_moved_box_sees_what_lies_there(crops):
    # 12.5 % of 48 are six pixels.
    assert np.array_equal(robustness.seen_through(crops, right=0.125)[:, :, :42], crops[:, :, 6:])
    assert np.array_equal(robustness.seen_through(crops, down=0.125)[:, :42], crops[:, 6:])
    assert (robustness.seen_through(crops, right=0.125)[:, :, 42:] == crops[:, :, 47:]).all()


def test_a_quarter_turn_is_exact_and_a_half_sized_box_doubles(crops):
    turned = robustness.seen_through(crops, degrees=90)
    assert np.array_equal(turned, np.rot90(crops, 1, (1, 2))) or np.array_equal(turned, np.rot90(crops, -1, (1, 2)))
    flat = np.zeros((1, 48, 48), np.uint8)
    flat[0, 12:36, 12:36] = 200
    assert (robustness.seen_through(flat, scale=0.5)[0, 1:-1, 1:-1] == 200).all()
    assert 200 * 12 * 12 == pytest.approx(robustness.seen_through(flat, scale=2)[0].sum(), rel=0.02)


def test_every_row_of_the_table_gives_crops(crops):
    for changes in robustness.VARIATIONS.values():
        for change in changes:
            found = change(crops)
            assert found.shape == crops.shape and found.dtype == np.uint8 and not np.array_equal(found, crops)


def test_losses_are_means_over_the_variations(arrays):
    model = graph.build(nets.make("tiny").eval(), "tiny")
    public = data.load(arrays, "public")
    found = robustness.measure(model, public, np.ones(56, bool), 1, {"two": [lambda x: x, lambda x: np.zeros_like(x)]})
    answers = [contract.run_onnx(model, x, 1).argmax(1) for x in (public.images, np.zeros_like(public.images))]
    each = [100 * float((a == public.labels).mean()) for a in answers]
    assert [row["row"] for row in found] == ["as they are", "two"]
    assert found[1]["accuracy"] == pytest.approx(np.mean(each), abs=0.01)
    assert found[1]["loss"] == pytest.approx(each[0] - np.mean(each), abs=0.01)
    assert found[1]["of_each"] == pytest.approx(each, abs=0.01)


def test_table_and_report_are_written(arrays, tmp_path, monkeypatch):
    monkeypatch.setattr(robustness, "VARIATIONS", {"dark": [lambda x: robustness.darken(x, 0.1)]})
    onnx.save(graph.build(nets.make("tiny").eval(), "tiny"), tmp_path / "net.onnx")
    (tmp_path / "card.md").write_text(f"{card.begin('robustness')}\n{card.end('robustness')}\n")
    given = ["--data", str(arrays), "--reports", str(tmp_path / "r"), "--threads", "1", "--card", str(tmp_path / "card.md")]
    result = robustness.run(robustness.parse([*given, "--model", str(tmp_path / "net.onnx")]))
    assert json.loads((tmp_path / "r" / "robustness.json").read_text()) == result
    assert "| dark |" in (tmp_path / "card.md").read_text()
    with pytest.raises(robustness.RobustnessError, match="cannot be read as ONNX"):
        robustness.run(robustness.parse([*given, "--model", str(tmp_path / "none.onnx")]))
