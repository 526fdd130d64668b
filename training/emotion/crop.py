"""The 48x48 crop of a face, as emotiond cuts it (Sources/Faces: CropGeometry, Resampler, Cropper).

The square lies where FER2013 has it around a face; the sample points and weights are the engine's, so that
a net sees in training what it will see in use.
"""
import numpy as np

from .data import SIDE

# Detector -> side of the square as a share of the box's height, shift of its centre by shares of it.
SQUARES = {
    "haarcascade_frontalface_alt2": (1.02, 0.01, 0.01),
    "yunet-2022mar": (0.91, 0.01, 0.0),
    "yunet-2023mar": (0.90, 0.01, 0.0),
}


def square(box, detector: str):
    """box (x, y, w, h) in pixels; (left, top, side) of the crop's square."""
    x, y, w, h = box
    share, right, down = SQUARES[detector]
    side = share * h
    return x + w / 2 + right * h - side / 2, y + h / 2 + down * h - side / 2, side


def cut(luma: np.ndarray, left: float, top: float, side: float) -> np.ndarray:
    """luma [H,W] uint8; the square as [48,48] uint8. Border pixels go on beyond the edge."""
    across, down = weights(left, side, luma.shape[1]), weights(top, side, luma.shape[0])
    values = down @ luma.astype(np.float64) @ across.T
    return np.floor(np.clip(values, 0, 255) + 0.5).astype(np.uint8)


def weights(start: float, extent: float, pixels: int, cells: int = SIDE) -> np.ndarray:
    """[cells, pixels], rows of sum 1: the area average of each cell where pixels are smaller than cells,
    bilinear where they are larger. The first and the last pixel reach to infinity."""
    step = extent / cells
    table = np.zeros((cells, pixels))
    edge = np.arange(pixels, dtype=float)
    low_edges, high_edges = edge.copy(), edge + 1
    low_edges[0], high_edges[-1] = -np.inf, np.inf
    for cell in range(cells):
        low = start + cell * step
        if step >= 1:
            covered = np.minimum(high_edges, low + step) - np.maximum(low_edges, low)
            table[cell] = np.maximum(covered, 0) / step
        else:
            centre = low + step / 2 - 0.5
            floor = int(np.floor(centre))
            share = centre - floor
            table[cell, min(max(floor, 0), pixels - 1)] += 1 - share
            table[cell, min(max(floor + 1, 0), pixels - 1)] += share
    return table
