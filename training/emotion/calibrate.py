"""What turns logits into probabilities one may act on: a temperature, and a floor under which no
emotion is named. Both are chosen on PublicTest."""
from dataclasses import dataclass

import numpy as np

from . import metrics

SPLIT_SEED = 20131


@dataclass
class Calibration:
    temperature: float
    uncertain_below: float
    fitted_on: int
    checked_on: int
    ece_before: float  # on the half that the temperature has not seen
    ece_after: float


def halves(n: int, seed: int = SPLIT_SEED):
    """Two masks [n], drawn once and for all by the seed."""
    first = np.zeros(n, bool)
    first[np.random.Generator(np.random.PCG64(seed)).permutation(n)[:n // 2]] = True
    return first, ~first


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature of least negative log likelihood (Guo et al. 2017, 4.2), to 4 digits.

    By golden section over log T: the likelihood has one minimum in 1/T.
    """
    low, high = np.log(0.05), np.log(20.0)
    ratio = (np.sqrt(5) - 1) / 2
    while high - low > 1e-5:
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        if metrics.negative_log_likelihood(logits, labels, np.exp(a)) \
                < metrics.negative_log_likelihood(logits, labels, np.exp(b)):
            high = b
        else:
            low = a
    return round(float(np.exp((low + high) / 2)), 4)


def even_chance(confidence: np.ndarray, right: np.ndarray) -> float:
    """The confidence at which an answer is as often right as wrong, to 2 digits.

    A logistic curve of `right` over the log odds of the confidence, by Newton's method; it uses
    every picture, where the accuracy of a narrow bin would be mostly noise. Never outside the
    confidences seen, and where the fit has no rising curve (all right, all wrong), the lowest seen.
    """
    c = np.clip(confidence, 1e-6, 1 - 1e-6)
    x = np.stack([np.ones(len(c)), np.log(c / (1 - c))], 1)
    w = np.zeros(2)
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -30, 30)))
        # The small ridge keeps the step finite where right and wrong can be told apart entirely.
        hessian = (x * (p * (1 - p))[:, None]).T @ x + 1e-3 * np.eye(2)
        step = np.linalg.solve(hessian, x.T @ (right - p) - 1e-3 * w)
        w += step
        if np.abs(step).max() < 1e-9:
            break
    lowest, highest = float(confidence.min()), float(confidence.max())
    crossing = 1 / (1 + np.exp(np.clip(w[0] / w[1], -30, 30))) if w[1] > 1e-6 else lowest
    return round(float(np.clip(crossing, lowest, highest)), 2)


def calibrate(logits: np.ndarray, labels: np.ndarray, clean: np.ndarray) -> Calibration:
    """logits [N,C] and labels [N] of PublicTest; clean [N]: no copy of the photograph in train.

    The floor is chosen on the clean pictures, since on the others the net may remember.
    """
    fit, check = halves(len(labels))
    temperature = fit_temperature(logits[fit], labels[fit])
    p = metrics.softmax(logits, temperature)
    floor = even_chance(p[clean].max(1), p[clean].argmax(1) == labels[clean])
    return Calibration(
        temperature, floor, int(fit.sum()), int(check.sum()),
        metrics.expected_calibration_error(metrics.softmax(logits[check]), labels[check]),
        metrics.expected_calibration_error(p[check], labels[check]))
