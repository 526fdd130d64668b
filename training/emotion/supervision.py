"""What a net is asked to answer: FER2013's labels, FER+'s votes, a teacher's opinion, and how the
imbalance between the classes is met.

Every picture has a target distribution over the seven classes (eight with contempt),

    (1 - t - v) * smoothed label + v * votes + t * teacher,

and, where FER+ votes are there, one over eight classes for the second head. A picture that nobody
voted for (or that a teacher has not seen) gives that share back to its label.
"""
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from . import data

BALANCES = ("weights", "oversample", "softmax", "none")


def targets(split: data.Split, smoothing: float, vote_share: float, teacher: np.ndarray | None,
            teacher_share: float) -> torch.Tensor:
    """[N,7] float32, rows sum to 1. `teacher` [N,7] probabilities or None."""
    classes = split.classes
    label = np.full((len(split), classes), smoothing / classes, np.float32)
    label[np.arange(len(split)), split.labels] += 1 - smoothing
    mixed, left = np.zeros_like(label), np.ones((len(split), 1), np.float32)
    if vote_share:
        votes = split.distribution()[:, :classes]
        seen = votes.sum(1, keepdims=True)
        share = vote_share * (seen > 0)
        mixed += share * votes / np.maximum(seen, 1e-6)
        left -= share
    if teacher is not None and teacher_share:
        mixed += teacher_share * teacher
        left -= teacher_share
    return torch.from_numpy(mixed + left * label)


def read_teacher(file: Path, split: data.Split) -> np.ndarray:
    """[N,7] for the rows of `split` out of a file that emotion.teach wrote for all rows."""
    try:
        whole = np.load(file)
    except (OSError, ValueError, EOFError) as error:
        raise data.DataError(f"{file}: cannot be read as a teacher's answers ({error}); emotion.teach writes them") from error
    if whole.ndim != 2 or whole.shape[1] != split.classes or len(whole) <= split.rows.max(initial=0):
        raise data.DataError(f"{file}: {whole.shape} answers do not fit {split.rows.max(initial=-1) + 1} rows of "
                             f"{split.classes} classes; write it again for this data")
    chosen = whole[split.rows].astype(np.float32)
    if not np.isfinite(chosen).all():
        raise data.DataError(f"{file}: lacks answers for some of the training pictures; write it again for this data")
    return chosen / chosen.sum(1, keepdims=True)


class Balance:
    """How rare classes are met, by a power p of (mean count / count):

    - `weights`: a picture's loss is multiplied by it (mean weight 1),
    - `oversample`: a picture is drawn with that weight, so rare ones come again, differently augmented,
    - `softmax`: the logarithm of the inverse is added to the logits while training
      (balanced softmax, Ren et al. 2020, for p = 1),
    - `none`.
    """

    def __init__(self, kind: str, power: float, counts: np.ndarray, labels: torch.Tensor):
        share = torch.from_numpy(counts).float().clamp(min=1)
        rarity = ((share.mean() / share) ** power).to(labels.device)
        of_picture = rarity[labels]
        self.weights = rarity / of_picture.mean() if kind == "weights" else None
        self.draw = of_picture if kind == "oversample" else None
        self.offset = -rarity.log() if kind == "softmax" else None

    def order(self, count: int, random: torch.Generator) -> torch.Tensor:
        """The pictures of one epoch."""
        if self.draw is not None:
            return torch.multinomial(self.draw, count, replacement=True, generator=random)
        return torch.randperm(count, generator=random, device=random.device)

    def loss(self, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(logits if self.offset is None else logits + self.offset, target, self.weights)
