"""Figures of made-up detections by training/detector/judge.py, which DetectorEvaluationTests holds eval-detector to.

    python Tests/Golden/detector_figures.py

The generator is the tests' SplitMix64 and all numbers are whole, so that both make the same pictures.
"""
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[2] / "training"))
from detector import judge  # noqa: E402

MASK = (1 << 64) - 1


class Generator:
    def __init__(self, seed):
        self.state = seed

    def below(self, limit):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return (z ^ (z >> 31)) % limit


def a_box(g):
    side = 6 + g.below(90)
    return [g.below(560), g.below(400), side, side + g.below(20)]


def a_point(g, box):
    return [box[0] + g.below(box[2]), box[1] + g.below(box[3])]


def a_picture(g):
    source = ("alpha", "beta", "gamma", "negatives")[g.below(4)]
    complete, faces, found = source == "negatives" or g.below(4) > 0, [], []
    for _ in range(0 if source == "negatives" else 1 + g.below(5)):
        box = a_box(g)
        origin, ignored = ("human", "derived", "teacher")[g.below(3)], g.below(5) == 0
        clicks = [a_point(g, box) for _ in range(4)]
        faces.append((box, origin, ignored, clicks if origin == "derived" else None))
        for _ in range((0, 1, 1, 1, 2)[g.below(5)]):
            near = [v + g.below(1 + box[2] // 3) - box[2] // 6 for v in box]
            found.append((g.below(1000), near, [a_point(g, near) for _ in range(5)]))
    for _ in range(g.below(3)):
        box = a_box(g)
        found.append((g.below(700), box, [a_point(g, box) for _ in range(5)]))
    found.sort(key=lambda f: -f[0])

    boxes = lambda ignored: np.array([f[0] for f in faces if f[2] == ignored], np.float32).reshape(-1, 4)
    picture = SimpleNamespace(
        source=source, complete=complete, luma=np.zeros((480, 640), np.uint8), boxes=boxes(False), ignored=boxes(True),
        origin=[f[1] for f in faces if not f[2]], human=[f[3] for f in faces if not f[2]])
    answer = (np.array([f[0] for f in found], np.float32) / np.float32(1000),
              judge.corners(np.array([f[1] for f in found], np.float32).reshape(-1, 4)),
              np.array([f[2] for f in found], np.float32).reshape(-1, 5, 2))
    return picture, answer


def figures(cases):
    answers = iter([answer for _, answer in cases])
    return judge.judge(lambda luma: next(answers), [picture for picture, _ in cases], 0.4)


def main():
    g = Generator(14)
    cases = [a_picture(g) for _ in range(400)]
    of_source = {s: figures([c for c in cases if c[0].source == s]) for s in ("alpha", "beta", "gamma")}
    print(json.dumps({**figures(cases), "by_source": {s: {n: f[n] for n in ("faces", "recall", "ap50")}
                                                      for s, f in of_source.items()}}, indent=1))


if __name__ == "__main__":
    main()
