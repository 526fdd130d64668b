"""Accuracy, macro-F1, confusion and calibration, by the plainest formulas."""
import numpy as np


def softmax(logits: np.ndarray) -> np.ndarray:
    e = np.exp(logits - logits.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def confusion(labels, predicted, classes: int) -> np.ndarray:
    table = np.zeros((classes, classes), int)
    np.add.at(table, (labels, predicted), 1)
    return table


def macro_f1(table: np.ndarray) -> float:
    hit, truth, said = np.diag(table), table.sum(1), table.sum(0)
    return float(np.mean(2 * hit / np.maximum(truth + said, 1)))


def expected_calibration_error(probabilities, labels, bins: int = 15) -> float:
    """Guo et al. 2017, equation 3, equal-width bins of the winning probability."""
    confidence, predicted = probabilities.max(1), probabilities.argmax(1)
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    error = 0.0
    for b in range(bins):
        inside = index == b
        if inside.any():
            error += inside.mean() * abs((predicted[inside] == labels[inside]).mean() - confidence[inside].mean())
    return float(error)
