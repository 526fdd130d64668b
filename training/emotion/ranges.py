"""How far the tensors of a float graph reach on given pictures, and where 8-bit codes should end.

Codes are unsigned (0..255) with one scale and zero point a tensor. A wide range rounds coarsely, a
narrow one cuts off the largest values; `METHODS` are the usual ways to choose between the two.
"""
from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

from .preprocess import normalise

METHODS = ("max", "99.999", "99.99", "99.9", "mse")
BINS = 8192
BATCH = 64


@dataclass
class Codes:
    """value = scale * (code - zero), code in 0..255."""

    scale: float
    zero: int

    @staticmethod
    def covering(low: float, high: float) -> "Codes":
        """Codes from low to high, zero exact. Where there are values below zero, 254 steps: grey values are
        256 levels an odd half step from the mean, and with 255 steps each of them would lie on the border of two
        codes, to be rounded by chance."""
        low, high = min(low, 0.0), max(high, 0.0)
        scale = float(np.float32(max(high - low, 1e-6) / (254 if low < 0 else 255)))
        return Codes(scale, int(round(-low / scale)))

    def rounded(self, values: np.ndarray) -> np.ndarray:
        codes = np.clip(np.rint(values / self.scale) + self.zero, 0, 255)
        return (codes - self.zero) * self.scale


@dataclass
class Seen:
    """A tensor's extremes, and a histogram of its values between them."""

    low: float
    high: float
    counts: np.ndarray

    def centres(self) -> np.ndarray:
        return self.low + (np.arange(len(self.counts)) + 0.5) * (self.high - self.low) / len(self.counts)

    def codes(self, method: str) -> Codes:
        if method == "max":
            return Codes.covering(self.low, self.high)
        if method == "mse":
            tried = [Codes.covering(self.low * share, self.high * share) for share in np.linspace(0.2, 1, 81)]
            centres = self.centres()
            return min(tried, key=lambda codes: float((self.counts * (codes.rounded(centres) - centres) ** 2).sum()))
        # A percentile of the distances from zero, the same for both sides.
        centres = self.centres()
        order = np.argsort(np.abs(centres))
        share = np.cumsum(self.counts[order]) / max(self.counts.sum(), 1)
        reach = float(np.abs(centres)[order][np.searchsorted(share, float(method) / 100)])
        return Codes.covering(max(self.low, -reach), min(self.high, reach))


def observe(model: onnx.ModelProto, names, images: np.ndarray, threads: int) -> dict[str, Seen]:
    """images [N,48,48] uint8. Two passes: extremes first, then histograms between them."""
    shown = onnx.ModelProto()
    shown.CopyFrom(model)
    made = [name for name in names if name != model.graph.input[0].name]
    present = {output.name for output in model.graph.output}
    shown.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
                              for name in made if name not in present)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(shown.SerializeToString(), options, providers=["CPUExecutionProvider"])

    def batches():
        for i in range(0, len(images), BATCH):
            x = normalise(images[i:i + BATCH, None].astype(np.float32)).astype(np.float32)
            yield {model.graph.input[0].name: x, **dict(zip(made, session.run(made, {model.graph.input[0].name: x})))}

    extremes = {name: (np.inf, -np.inf) for name in names}
    for values in batches():
        for name, (low, high) in extremes.items():
            extremes[name] = min(low, float(values[name].min())), max(high, float(values[name].max()))
    counts = {name: np.zeros(BINS, np.int64) for name in names}
    for values in batches():
        for name, edges in extremes.items():
            counts[name] += np.histogram(values[name], BINS, _open(edges))[0]
    return {name: Seen(*_open(extremes[name]), counts[name]) for name in names}


def _open(edges):
    """Of a tensor that is one value everywhere, a range that is not empty."""
    low, high = edges
    return (low, high) if high > low else (low, low + 1e-6)
