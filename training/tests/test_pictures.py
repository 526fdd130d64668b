"""What is done to a picture before the net: preprocessing against its goldens, augmentation."""
import json
import struct
import subprocess
import sys

import numpy as np
import torch

import make_crop_goldens as goldens
from emotion import preprocess
from emotion.augment import Strength, _rectangles, augment, erase

INDEX = json.loads((goldens.FOLDER / "index.json").read_text())


def read(name, kind):
    return np.frombuffer((goldens.FOLDER / name).read_bytes(), kind).reshape(INDEX["height"], INDEX["width"])


def test_preprocessing_gives_the_golden_tensors():
    assert (float(INDEX["none"]["mean"]), INDEX["none"]["scale"]) == (preprocess.MEAN, preprocess.SCALE_TEXT)
    for entry in INDEX["crops"]:
        crop = read(entry["crop"], np.uint8)
        for found in (preprocess.normalise(torch.from_numpy(crop.copy()).float()).numpy(),
                      preprocess.normalise(crop.astype(np.float32))):
            np.testing.assert_allclose(found, read(entry["none"], "<f4"), rtol=0, atol=INDEX["none"]["tolerance"])
        np.testing.assert_allclose(preprocess.normalise_crop(crop[None])[0], read(entry["crop_normalised"], "<f4"),
                                   rtol=0, atol=INDEX["crop_normalised"]["tolerance"])


def test_the_goldens_are_what_their_script_writes():
    check = subprocess.run([sys.executable, goldens.__file__, "--check"], capture_output=True, text=True)
    assert check.returncode == 0, check.stderr


def test_the_scale_is_written_exactly():
    assert preprocess.SCALE == 1 / 63.75 == 1 / 255 / 0.25
    assert struct.pack("f", float(preprocess.SCALE_TEXT)) == struct.pack("f", 1 / 63.75)


def test_augmentation_keeps_shape_and_range_and_follows_its_seed():
    for side in (48, 36):
        x = torch.rand(64, 1, side, side, generator=torch.Generator().manual_seed(1)) * 255
        a, b = (augment(x.clone(), torch.Generator().manual_seed(2), Strength(erase=1.0, soften=1.0)) for _ in "ab")
        assert a.shape == x.shape and a.dtype == x.dtype
        assert 0 <= float(a.min()) and float(a.max()) <= 255 and bool(torch.isfinite(a).all())
        assert torch.equal(a, b) and not torch.equal(a, x)


def test_augmentation_of_no_strength_at_most_mirrors():
    x = torch.rand(32, 1, 48, 48, generator=torch.Generator().manual_seed(1)) * 255
    y = augment(x.clone(), torch.Generator().manual_seed(2), Strength(0, 0, 0, 0, 0, 0))
    same = [torch.allclose(y[i], x[i], atol=0.01) for i in range(32)]
    mirrored = [torch.allclose(y[i], x[i].flip(-1), atol=0.01) for i in range(32)]
    assert all(a != b for a, b in zip(same, mirrored)) and any(same) and any(mirrored)


def test_erasing_a_batch_equals_erasing_one_by_one():
    random = torch.Generator().manual_seed(3)
    x = torch.rand(20, 1, 48, 48, generator=random)
    top, left = (torch.randint(0, 30, (20,), generator=random) for _ in "ab")
    height, width = (torch.randint(0, 18, (20,), generator=random) for _ in "ab")
    value = torch.rand(20, generator=random)
    expected = x.clone()
    for i in range(20):
        expected[i, :, top[i]:top[i] + height[i], left[i]:left[i] + width[i]] = value[i]
    assert torch.equal(erase(x, top, left, height, width, value), expected)


def test_erased_rectangles_have_the_sizes_that_were_asked_for():
    x = torch.full((400, 1, 48, 48), 300.0)  # brighter than any erased value
    strength = Strength(0, 0, 0, 0, erase=0.5, soften=0)
    gone = (erase(x, *_rectangles(x, torch.Generator().manual_seed(4), strength)) < 300)[:, 0]
    heights, widths = gone.any(2).sum(1), gone.any(1).sum(1)
    erased = heights > 0
    assert 150 < int(erased.sum()) < 250
    for sizes in (heights[erased], widths[erased]):
        assert int(sizes.min()) == 6 and int(sizes.max()) == 17
