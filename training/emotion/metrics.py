"""Accuracy, macro-F1, confusion and calibration, by the plainest formulas."""
import numpy as np


def softmax(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """logits [N,C]; probabilities [N,C] in double."""
    scaled = logits.astype(np.float64) / temperature
    e = np.exp(scaled - scaled.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def negative_log_likelihood(logits: np.ndarray, labels, temperature: float = 1.0) -> float:
    scaled = logits.astype(np.float64) / temperature
    scaled -= scaled.max(1, keepdims=True)
    return float(np.mean(np.log(np.exp(scaled).sum(1)) - scaled[np.arange(len(labels)), labels]))


def confusion(labels, predicted, classes: int) -> np.ndarray:
    """[C,C] counts; row: label, column: answer."""
    table = np.zeros((classes, classes), int)
    np.add.at(table, (labels, predicted), 1)
    return table


def accuracy(table: np.ndarray) -> float:
    return float(np.trace(table) / max(table.sum(), 1))


def f1(table: np.ndarray) -> np.ndarray:
    """[C]; a class without a picture and without an answer counts 0."""
    return 2 * np.diag(table) / np.maximum(table.sum(1) + table.sum(0), 1)


def macro_f1(table: np.ndarray) -> float:
    return float(np.mean(f1(table)))


def wilson(share: float, n: int, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of a share seen in n draws (Wilson 1927)."""
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return float(centre - half), float(centre + half)


def reliability(probabilities, labels, bins: int = 15):
    """Of each bin of the winning probability: count, mean confidence, accuracy (0 where empty)."""
    confidence, right = probabilities.max(1), probabilities.argmax(1) == labels
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    count = np.bincount(index, minlength=bins)
    filled = np.maximum(count, 1)
    return (count, np.bincount(index, confidence, bins) / filled, np.bincount(index, right, bins) / filled)


def expected_calibration_error(probabilities, labels, bins: int = 15) -> float:
    """Guo et al. 2017, equation 3, equal-width bins of the winning probability."""
    count, confidence, right = reliability(probabilities, labels, bins)
    return float((count * np.abs(confidence - right)).sum() / max(len(labels), 1))
