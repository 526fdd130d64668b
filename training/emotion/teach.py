"""Writes what trained nets say of the training pictures, as targets for another net.

    python -m emotion.teach --data DIR --run RUN [--run RUN ...] --out teacher.npy

The mean over the runs and over each picture and its mirror image of the softmax of the label head's
logits at the temperature given: [N,7] float16, one row for each training row, in order.
(Hinton et al. 2015; a net of the same shape as its teacher: Furlanello et al. 2018.)
"""
import argparse
import sys
from pathlib import Path

import numpy as np
import torch

from . import data, metrics, state
from .train import predict


def parse(arguments=None):
    p = argparse.ArgumentParser(prog="python -m emotion.teach", description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True)
    p.add_argument("--run", required=True, action="append", type=Path, help="folder with state.pt; may be repeated")
    p.add_argument("--out", required=True, type=Path)
    p.add_argument("--temperature", type=float, default=1.0)
    p.add_argument("--threads", type=int, default=2)
    return p.parse_args(arguments)


def teach(a) -> np.ndarray:
    torch.set_num_threads(a.threads)
    train = data.load(a.data, "train")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    total = np.zeros(())
    for run in a.run:
        net = state.averaged_net(state.read(run / "state.pt")).to(device)
        for images in (train.images, np.ascontiguousarray(train.images[:, :, ::-1])):
            total = total + metrics.softmax(predict(net, images, device), a.temperature)
    answers = np.full((train.rows.max() + 1, total.shape[1]), np.nan, np.float16)
    answers[train.rows] = total / total.sum(1, keepdims=True)
    a.out.parent.mkdir(parents=True, exist_ok=True)
    np.save(a.out, answers)
    agree = float((total.argmax(1) == train.labels).mean())
    print(f"{a.out}: {len(train)} pictures, {len(a.run)} nets, {100 * agree:.1f} % of the labels")
    return answers


def main():
    try:
        teach(parse())
    except (data.DataError, state.StateError) as error:
        sys.exit(f"teach: {error}")


if __name__ == "__main__":
    main()
