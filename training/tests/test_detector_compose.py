"""Composing: boxes and points follow the picture, whatever is done to it."""
import math

import numpy as np
import pytest
import torch

from detector import compose, data
from detector_data import face, picture, scene

SIDE = 64


def marked(at, width=100, height=80):
    """Dark, with a bright square of 5 pixels around `at`."""
    luma = np.full((height, width), 20, np.uint8)
    x, y = at
    luma[y - 2:y + 3, x - 2:x + 3] = 250
    return luma


def place_of_mark(luma):
    """Centre of what is bright, in the coordinates of boxes."""
    weights = (np.asarray(luma) - 40).clip(0)
    rows, columns = np.mgrid[:weights.shape[0], :weights.shape[1]] + 0.5
    return np.array([(weights * columns).sum(), (weights * rows).sum()]) / weights.sum()


@pytest.mark.parametrize("scale", [0.4, 1.0, 1.7])
@pytest.mark.parametrize("degrees", [0, 25, -90])
@pytest.mark.parametrize("mirrored", [False, True])
def test_points_and_boxes_follow_the_mark(scale, degrees, mirrored):
    shown = face([40, 30, 12, 12], points=[[48.5, 36.5]] + [[44, 34]] * 4)
    original = picture(marked((48, 36)), [shown])
    move = compose.Move((46, 36), (31, 33), scale, math.radians(degrees), mirrored)
    piece = compose.warp(original, data.pyramid(original.luma), SIDE, move)
    # In a mirror the right eye is the left one.
    point = piece.points[0, 1 if mirrored else 0]
    assert np.abs(place_of_mark(piece.luma) - point).max() < 0.35
    x0, y0, x1, y1 = piece.boxes[0]
    assert np.allclose([(x0 + x1) / 2, (y0 + y1) / 2], [31, 33], atol=1e-3)
    # Heads are round: a turned face's box is as large as an upright one's.
    assert x1 - x0 == pytest.approx(12 * scale, rel=1e-4) and y1 - y0 == pytest.approx(12 * scale, rel=1e-4)


def test_a_picture_whose_sides_do_not_halve_stays_where_it_is():
    original = picture(marked((240, 120), 255, 131))
    move = compose.Move((0, 0), (0, 0), 0.24, 0.0)
    piece = compose.warp(original, data.pyramid(original.luma), SIDE, move)
    assert np.abs(place_of_mark(piece.luma) - move.anywhere([240.5, 120.5])).max() < 0.2


def test_mirrored_names_are_swapped():
    original = picture(scene(1), [face()])
    piece = compose.warp(original, data.pyramid(original.luma), SIDE, compose.Move((32, 39), (32, 32), 1.0, 0.0, True))
    right_eye, left_eye, _, right_mouth, left_mouth = piece.points[0]
    # Still the person's right to the left of the picture.
    assert right_eye[0] < left_eye[0] and right_mouth[0] < left_mouth[0]


def test_what_lies_mostly_outside_or_is_tiny_is_ignored():
    piece = compose.Piece(torch.zeros(SIDE, SIDE), np.array([[-11, 0, 9, 20], [-9, 0, 11, 20], [30, 30, 36, 36], [70, 0, 90, 20]], np.float32),
                          np.zeros((4, 5, 2), np.float32), np.arange(4, dtype=np.float32), np.array([[50, 50, 80, 80]], np.float32))
    boxes, points, weights, ignored = compose._kept(piece, SIDE)
    assert boxes.tolist() == [[0, 0, 11, 20]] and weights.tolist() == [1] and len(points) == 1
    assert ignored.tolist() == [[50, 50, 64, 64], [0, 0, 9, 20], [30, 30, 36, 36]]


def test_beside_the_faces_of_an_incomplete_picture_everything_is_ignored():
    for complete, covered in ((True, 0), (False, 1)):
        original = picture(scene(1), [face()], complete=complete)
        piece = compose.warp(original, data.pyramid(original.luma), SIDE, compose.Move((32, 39), (32, 32), 1.0, 0.0))
        boxes, _, _, ignored = compose._kept(piece, SIDE)
        assert len(boxes) == 1 and ignored.tolist() == [[0, 0, SIDE, SIDE]] * covered


def test_a_mosaic_shifts_each_tile():
    tiles = [compose.Piece(torch.full((32, 32), float(i)), np.array([[4, 6, 20, 24]], np.float32), np.full((1, 5, 2), 7, np.float32),
                           np.ones(1, np.float32), np.zeros((0, 4), np.float32)) for i in range(4)]
    whole = compose.Composer([picture(scene(1), [face()])], None, SIDE)._mosaic(tiles, 32)
    assert whole.boxes.tolist() == [[4, 6, 20, 24], [36, 6, 52, 24], [4, 38, 20, 56], [36, 38, 52, 56]]
    assert whole.points[:, 0].tolist() == [[7, 7], [39, 7], [7, 39], [39, 39]]
    assert [float(whole.luma[y, x]) for y, x in ((5, 5), (5, 40), (40, 5), (40, 40))] == [0, 1, 2, 3]


def test_a_pasted_face_lies_in_its_box():
    composer = compose.Composer([picture(scene(1), [face()]), picture(np.full((80, 80), 10, np.uint8))], np.full((2, 48, 48), 240, np.uint8), SIDE)
    random = np.random.default_rng(2)
    for _ in range(10):
        piece = compose.Piece(torch.full((SIDE, SIDE), 10.0), np.zeros((0, 4), np.float32), np.zeros((0, 5, 2), np.float32),
                              np.zeros(0, np.float32), np.zeros((0, 4), np.float32))
        composer._paste(piece, random, SIDE)
        (box,) = piece.boxes
        centre = place_of_mark(piece.luma)
        assert np.abs(centre - (box[:2] + box[2:]) / 2).max() < 0.6
        # The ellipse's width is the crop's side, of which the box has 0.8; no point is known.
        columns = np.nonzero(piece.luma.numpy().max(0) > 100)[0]
        assert box[2] - box[0] == pytest.approx(0.8 * len(columns), rel=0.08, abs=2) and piece.weights.tolist() == [0]


def test_letters_leave_faces_alone():
    composer = compose.Composer([picture(scene(1), [face()])], None, SIDE)
    random = np.random.default_rng(4)
    written = 0
    for _ in range(20):
        piece = compose.Piece(torch.full((SIDE, SIDE), 90.0), np.array([[20, 20, 44, 44]], np.float32), np.zeros((1, 5, 2), np.float32),
                              np.zeros(1, np.float32), np.zeros((0, 4), np.float32))
        luma = composer._written(piece, random, SIDE).luma
        assert (luma[21:43, 21:43] == 90).all()
        written += bool((luma != 90).any())
    assert written > 0


def test_the_worst_of_light_stays_a_picture():
    random = np.random.default_rng(5)
    for _ in range(40):
        found = compose.degrade(torch.from_numpy(scene(6)[:64, :64].astype(np.float32)), random)
        assert found.shape == (64, 64) and 0 <= float(found.min()) and float(found.max()) <= 255


def test_every_sample_is_what_the_loss_expects():
    pictures = [picture(scene(s, [[20, 24, 24, 30]]), [face()], [[70, 10, 12, 12]], s % 2 == 0, f"{s}.png") for s in range(3)]
    pictures.append(picture(scene(9), file="empty.png"))
    composer = compose.Composer(pictures, np.full((2, 48, 48), 240, np.uint8), SIDE, [("empty.png", [5, 5, 20, 20]), ("gone.png", [1, 1, 2, 2])])
    assert len(composer.hard) == 1
    random = np.random.default_rng(7)
    for _ in range(40):
        sample = composer.draw(random)
        assert sample.luma.shape == (1, SIDE, SIDE) and sample.luma.dtype == torch.float32
        n = len(sample.boxes)
        assert sample.points.shape == (n, 5, 2) and sample.weights.shape == (n,) and sample.ignored.shape[1:] == (4,)
        for corners in (sample.boxes, sample.ignored):
            assert corners.dtype == np.float32 and (corners[:, 2:] > corners[:, :2]).all() and (corners >= 0).all() and (corners <= SIDE).all()


def test_without_a_face_there_is_nothing_to_compose():
    with pytest.raises(data.DataError, match="no training picture with a face"):
        compose.Composer([picture(scene(1))], None, SIDE)
