"""Trains an emotion net; resumes at the last finished epoch.

    python -m emotion.train --data DIR --out RUN [--net r64] [--epochs 60 | --minutes 120]

With --minutes the learning rate follows the share of the time that is used up instead of the
epochs, so that a run on a machine of unknown speed ends where it should, annealed. A run by epochs
that is interrupted and resumed ends with the same weights as one that was not. `@FILE` among the
arguments stands for the arguments in FILE, one a line (`--epochs=80`); the later of two wins.

RUN holds settings.json (of the run's start), log.jsonl (a line an epoch) and state.pt.
"""
import argparse
from pathlib import Path

from . import nets, supervision


def _net(name: str) -> str:
    try:
        nets.shape(name)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return name


def parse(arguments=None):
    p = argparse.ArgumentParser(prog="python -m emotion.train", description=__doc__, fromfile_prefix_chars="@",
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True, help="folder of .npy files, fer2013.csv or its folder, folder:DIR or crops:DIR; README.md")
    p.add_argument("--out", required=True, type=Path)
    p.add_argument("--net", default="r64", type=_net, help=f"{', '.join(nets.NETS)}, or scaled: r16x1.5")
    p.add_argument("--classes", type=int, default=7, choices=(7, 8), help="8: contempt too, from FER+ votes or a folder")
    p.add_argument("--epochs", type=int, default=60)
    p.add_argument("--minutes", type=float, help="end after this time instead of after --epochs")
    p.add_argument("--stop-after", type=int, help="pause after this many epochs of this call; the same command goes on")
    p.add_argument("--batch", type=int, default=96)
    p.add_argument("--rate", type=float, default=0.08)
    p.add_argument("--decay", type=float, default=5e-4)
    p.add_argument("--smoothing", type=float, default=0.1)
    p.add_argument("--votes", type=float, default=0.5, help="weight of the FER+ head's loss")
    p.add_argument("--vote-share", type=float, default=0.0, help="share of FER+ votes in the label head's targets")
    p.add_argument("--teacher", type=Path, help="file of emotion.teach with answers for the training pictures")
    p.add_argument("--teacher-share", type=float, default=0.5, help="share of the teacher's answers in the targets")
    p.add_argument("--balance", choices=supervision.BALANCES, default="weights", help="how rare classes are met")
    p.add_argument("--rare", type=float, default=0.25, help="power of (mean count / count) in --balance")
    p.add_argument("--mixup", type=float, default=0.0, help="alpha of mixup (Zhang et al. 2018); 0: none")
    p.add_argument("--augment", type=float, default=1.0, help="strength of the augmentation")
    p.add_argument("--branch", type=float, default=0.0,
                   help="gain that residual branches start with; 0: a block starts as the identity, 1: learns sooner")
    p.add_argument("--start", type=Path, help="folder of a run whose averaged weights start this one")
    p.add_argument("--averaging", type=float, default=0.998, help="decay of the averaged weights")
    p.add_argument("--small-until", type=float, default=0.0, help="share of the run on crops of 36 px")
    p.add_argument("--exclude", type=Path, action="append", default=[],
                   help="file that lists train rows to leave out: a path, or a name in the data folder")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--judge-every", type=int, default=2, help="epochs between two looks at PublicTest")
    p.add_argument("--threads", type=int, default=0)
    return p.parse_args(arguments)
