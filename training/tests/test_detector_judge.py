"""The protocol on cases worked out by hand."""
import numpy as np
import pytest
import torch

from detector import judge, nets
from detector_data import face, picture

WIDTH = 640  # so that a picture is judged at its own size


def blank(faces=(), ignored=(), complete=True, source="made", file="a.png"):
    return picture(np.zeros((480, WIDTH), np.uint8), faces, ignored, complete, file, source)


def detector(*found):
    """found: (score, [x, y, w, h]) or with points."""
    def detect(luma):
        ranked = sorted(found, key=lambda f: -f[0])
        return (np.array([f[0] for f in ranked]), judge.corners(np.array([f[1] for f in ranked], np.float32).reshape(-1, 4)),
                np.array([f[2] if len(f) > 2 else np.zeros((5, 2)) for f in ranked], np.float32).reshape(-1, 5, 2))
    return detect


def test_faces_count_in_the_class_of_their_size():
    sides = [15.9, 16, 31.9, 32, 63, 64, 200]
    boxes = [[70 * i, 10, side, side] for i, side in enumerate(sides[:6])] + [[100, 200, 200, 200]]
    found = judge.judge(detector((0.9, boxes[1]), (0.9, boxes[6])), [blank([face(b) for b in boxes])], 0.5)
    assert [(n, s["faces"]) for n, s in found["by_size"].items()] == [("under 16", 1), ("16 to 32", 2), ("32 to 64", 2), ("above 64", 2)]
    assert [s["recall"] for s in found["by_size"].values()] == [0, 0.5, 0, 0.5]
    assert found["faces"] == 7 and found["recall"] == pytest.approx(2 / 7) and found["precision"] == 1


def test_sizes_are_those_of_the_copy_640_wide():
    small = picture(np.zeros((120, 160), np.uint8), [face([10, 10, 10, 10])])
    asked = []
    found = judge.judge(lambda luma: asked.append(luma.shape) or detector((0.9, [40, 40, 40, 40]))(luma), [small], 0.5)
    assert asked == [(480, 640)] and found["by_size"]["32 to 64"] == {"faces": 1, "recall": 1.0}


def test_teachers_boxes_are_not_asked_for_but_no_false_alarms():
    faces = [face([10, 10, 40, 40]), face([100, 10, 40, 40], box_from="teacher"), face([200, 10, 40, 40], box_from="derived")]
    found = judge.judge(detector((0.9, [100, 10, 40, 40]), (0.8, [200, 10, 40, 40])), [blank(faces)], 0.5)
    assert found["faces"] == 2 and found["recall"] == 0.5 and found["precision"] == 1


def test_ignored_places_are_neutral():
    one = blank([face([10, 10, 40, 40])], [[300, 100, 80, 80]])
    there, beside = (0.9, [310, 110, 30, 30]), (0.9, [280, 100, 30, 30])
    assert judge.judge(detector((0.9, [10, 10, 40, 40]), there), [one], 0.5)["precision"] == 1
    # A third of it on the ignored place: a false alarm.
    assert judge.judge(detector((0.9, [10, 10, 40, 40]), beside), [one], 0.5)["precision"] == 0.5


def test_pictures_that_are_not_complete_have_no_false_alarms():
    one = blank([face([10, 10, 40, 40])], complete=False)
    found = judge.judge(detector((0.9, [10, 10, 40, 40]), (0.8, [300, 300, 40, 40])), [one, blank([face([10, 10, 40, 40])])], 0.5)
    assert found["precision"] == 0.5 and found["recall"] == 1


def test_false_alarms_are_counted_in_a_hundred_negatives():
    pictures = [blank(source="negatives")] * 4 + [blank(source="made")]
    found = judge.judge(detector((0.9, [10, 10, 40, 40]), (0.4, [90, 10, 40, 40])), pictures, 0.5)
    assert found["false_per_100"] == 100 and judge.judge(detector(), pictures, 0.5)["false_per_100"] == 0


def test_a_face_is_found_once_and_by_the_best_score():
    box = [10, 10, 40, 40]
    found = judge.match(np.array([0.9, 0.8]), judge.corners(np.array([box, box], np.float32)), judge.corners(np.array([box], np.float32)),
                        np.zeros((0, 4)), 0.4)
    assert found == [0, -1]


def test_the_overlap_that_is_wanted_is_04():
    # 40x40 moved by d: (40 - d) / (40 + d); 0.404 and 0.379.
    for away, recall in ((17, 1), (18, 0)):
        assert judge.judge(detector((0.9, [10 + away, 10, 40, 40])), [blank([face([10, 10, 40, 40])])], 0.5)["recall"] == recall


def test_the_eyes_error_is_a_share_of_the_way_from_eyes_to_mouth():
    clicks = [[20, 20], [40, 20], [30, 32], [30, 45]]
    points = [[22, 20], [40, 24], [0, 0], [0, 0], [0, 0]]
    found = judge.judge(detector((0.9, [10, 10, 40, 40], points)), [blank([face([10, 10, 40, 40], human4=clicks)])], 0.5)
    assert found["eye_error"] == pytest.approx((2 + 4) / 2 / 25)
    assert judge.judge(detector((0.9, [10, 10, 40, 40], points)), [blank([face([10, 10, 40, 40])])], 0.5)["eye_error"] is None


def test_average_precision_is_the_area_below_the_envelope():
    # Precision 1, 1/2, 2/3, 3/4, 3/5; envelope at the hits 1, 3/4, 3/4; of four faces one is never found.
    ranking = [(0.9, True), (0.8, False), (0.7, True), (0.6, True), (0.5, False)]
    for given in (ranking, ranking[::-1]):
        assert judge.average_precision(given, 4) == pytest.approx((1 + 0.75 + 0.75) / 4)
    assert judge.average_precision([], 4) == 0 and judge.average_precision([(0.9, False)], 0) == 0


def test_the_threshold_is_the_lowest_that_keeps_both_promises():
    pictures = [blank([face([10, 10, 40, 40])]), blank(source="negatives")]
    right, wrong = (0.95, [10, 10, 40, 40]), (0.555, [300, 300, 40, 40])
    # One answer for both pictures: in the negative one it is an alarm at every threshold, and the highest is left.
    threshold, figures = judge.best_threshold(detector(right, wrong), pictures, 0.97, 8)
    assert threshold == pytest.approx(0.9) and not judge.promises_hold(figures, 0.97, 8)
    by_picture = iter([detector(right), detector(wrong)])
    threshold, figures = judge.best_threshold(lambda luma: next(by_picture)(luma), pictures, 0.97, 8)
    assert threshold == pytest.approx(0.56) and judge.promises_hold(figures, 0.97, 8)


def test_overlapping_boxes_are_suppressed_best_first():
    boxes = judge.corners(np.array([[0, 0, 40, 40], [4, 0, 40, 40], [100, 0, 40, 40], [20, 0, 40, 40]], np.float32))
    assert judge.suppress(boxes, 0.45) == [0, 2, 3]


def test_a_part_of_a_face_is_no_face():
    boxes = judge.corners(np.array([[100, 100, 80, 100], [90, 120, 50, 40], [60, 120, 80, 50], [0, 0, 300, 300]], np.float32))
    assert judge.suppress(boxes, 0.3, 0.7) == [0, 2]
    assert judge.suppress(boxes, 0.3, 1.0) == [0, 1, 3]


class Planted(torch.nn.Module):
    """Answers at one cell of stride 16: a box and points that are known."""

    def forward(self, x):
        maps = [torch.full((1, 16, x.shape[2] // s, x.shape[3] // s), -9.0) for s in nets.STRIDES]
        maps[1][0, :, 3, 5] = torch.tensor([4.0, 4.0, 0.5, 0.5, np.log(3), np.log(2), *[0.25] * 10])
        return maps


def test_find_decodes_the_cells_that_answer():
    # 100 x 150 is not of the net's multiples: it is padded, and the answer is in the picture's pixels.
    scores, boxes, points = judge.find(Planted(), torch.zeros(100, 150))
    assert scores == pytest.approx([1 / (1 + np.exp(-4))]) and np.allclose(boxes, [[88 - 24, 56 - 16, 88 + 24, 56 + 16]], atol=1e-4)
    assert np.allclose(points, [[[84, 52]] * 5], atol=1e-4)


def test_a_missing_run_is_a_sentence(tmp_path):
    with pytest.raises(SystemExit, match="judge: .*no such file"):
        judge.main(["--data", str(tmp_path), "--run", str(tmp_path)])
