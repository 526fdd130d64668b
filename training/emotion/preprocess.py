"""From grey values to what the net sees: the one place where training, export and engine meet.

The engine does the same from the file's `input.*` metadata; Tests/Golden/crops holds both to it.
"""
import numpy as np

MEAN = 127.5
# 1 / 63.75 has no finite decimal form; this literal is the shortest that gives the nearest double back.
SCALE_TEXT = "0.01568627450980392"
SCALE = float(SCALE_TEXT)

# Right eye, left eye, nose tip, right and left mouth corner ("right" is the person's) in pixels of
# the 48x48 crop, from its top left corner: where the faces of FER2013 have them (medians over the
# detections on its training pictures).
CROP_TEMPLATE = ((14.3, 18.5), (33.0, 18.5), (23.6, 28.9), (16.1, 36.5), (31.6, 36.5))


def normalise(values):
    """`input.normalise` = none. values: any shape, 0..255, float tensor or array; same shape out."""
    return (values - MEAN) * SCALE


def normalise_crop(values: np.ndarray) -> np.ndarray:
    """`input.normalise` = crop. values [N,S,S] uint8; float32 [N,S,S].

    Mean and population deviation of each crop, in double; a deviation below 1 counts as 1, so that
    a picture of one grey value becomes zeros instead of amplified noise.
    """
    x = values.astype(np.float64)
    mean = x.mean((1, 2), keepdims=True)
    deviation = x.std((1, 2), keepdims=True)
    return ((x - mean) / np.maximum(deviation, 1)).astype(np.float32)
