"""The nets: plain residual stacks of 3x3 convolutions, whose widths suit blocked CPU kernels.

A net is described by a stem and a list of blocks, so that the same code makes the shipped net and
the points of a size curve. Input [N,1,48,48]; output logits [N,classes] (and, while training, a
second head for FER+ votes).
"""
import re

import torch
from torch import nn


def conv(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    )


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut (He et al. 2015, figure 5 left)."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.first = conv(inputs, outputs, 3, stride)
        self.second = conv(outputs, outputs, 3, 1)
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else conv(inputs, outputs, 1, stride)
        nn.init.zeros_(self.second[1].weight)

    def forward(self, x):
        y = torch.relu(self.first(x))
        return torch.relu(self.second(y) + self.shortcut(x))


class EmotionNet(nn.Module):
    """`blocks` lists (width, stride) after a 3x3 stem of `stem` channels at 48x48 and a strided
    3x3 convolution to the first width at 24x24."""

    def __init__(self, stem: int, first: int, blocks, classes: int = 7, vote_classes: int = 8,
                 dropout: float = 0.2):
        super().__init__()
        self.stem = nn.Sequential(conv(1, stem, 3, 1), nn.ReLU(), conv(stem, first, 3, 2), nn.ReLU())
        layers, width = [], first
        for outputs, stride in blocks:
            layers.append(BasicBlock(width, outputs, stride))
            width = outputs
        self.blocks = nn.Sequential(*layers)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width, classes)
        self.vote_head = nn.Linear(width, vote_classes)

    def features(self, x):
        return self.blocks(self.stem(x)).mean((2, 3))

    def forward(self, x):
        return self.head(self.dropout(self.features(x)))

    def both_heads(self, x):
        y = self.dropout(self.features(x))
        return self.head(y), self.vote_head(y)


NETS = {
    # 61 MMAC, widths 32 / 64 / 160: the first shipped net.
    "r64": dict(stem=16, first=32, blocks=[(32, 1), (64, 2), (64, 1), (160, 2), (160, 1)]),
    # r64 with one more block at 6x6, 78 MMAC: a trained r64 starts it (a new block is the identity).
    "r78": dict(stem=16, first=32, blocks=[(32, 1), (64, 2), (64, 1), (160, 2), (160, 1), (160, 1)]),
    # 96 MMAC, widths 32 / 96 / 192, and 33 MMAC, widths 32 / 64 / 96: points of the size curve.
    "r100": dict(stem=16, first=32, blocks=[(32, 1), (96, 2), (96, 1), (192, 2), (192, 1)]),
    "r30": dict(stem=16, first=32, blocks=[(64, 2), (64, 1), (96, 2), (96, 1)]),
    # 188 MMAC, widths 64 / 128 / 224: near the most that a face may cost.
    "r190": dict(stem=32, first=64, blocks=[(64, 1), (128, 2), (128, 1), (224, 2), (224, 1)]),
    # 16 and 10 MMAC, for experiments: a third and a fifth of r64's time a step.
    "r16": dict(stem=16, first=16, blocks=[(16, 1), (32, 2), (32, 1), (80, 2), (80, 1)]),
    "r10": dict(stem=8, first=16, blocks=[(32, 2), (32, 1), (96, 2)]),
    # Small enough for a test.
    "tiny": dict(stem=8, first=8, blocks=[(16, 2), (32, 2)]),
}


_SCALED = re.compile(r"(?P<base>[a-z]+\d*)(x(?P<factor>\d+(\.\d+)?))?")


def shape(name: str) -> dict:
    """What EmotionNet takes. `r16x1.5` is r16 with all widths times 1.5, in multiples of 8."""
    parts = _SCALED.fullmatch(name)
    if not parts or parts["base"] not in NETS or not 0.1 <= float(parts["factor"] or 1) <= 8:
        raise ValueError(f"no net '{name}': there are {', '.join(NETS)}, or one of them with x0.1 to x8 behind it")
    base, factor = NETS[parts["base"]], float(parts["factor"] or 1)
    if factor == 1:
        return base

    def scaled(width):
        return max(8, round(width * factor / 8) * 8)

    return dict(stem=scaled(base["stem"]), first=scaled(base["first"]),
                blocks=[(scaled(width), stride) for width, stride in base["blocks"]])


def make(name: str, **changes) -> nn.Module:
    if name in ("vgg19", "vgg19-bn"):
        from .vgg19 import VGG19  # the baseline; not a choice of emotion.train, emotion.vgg19_stages trains it
        return VGG19(norm=name == "vgg19-bn", **changes)
    return EmotionNet(**{**shape(name), **changes})


def count_macs(net: nn.Module, side: int = 48) -> int:
    """Multiply-adds of one forward pass of convolutions and linear layers for one crop."""
    total = 0

    def add(module, inputs, output):
        nonlocal total
        if isinstance(module, nn.Conv2d):
            taps = module.kernel_size[0] * module.kernel_size[1] * module.in_channels // module.groups
            total += output[0].numel() * taps
        elif isinstance(module, nn.Linear):
            total += module.in_features * module.out_features

    hooks = [m.register_forward_hook(add) for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    was_training = net.training
    net.eval()
    with torch.no_grad():
        net(torch.zeros(1, 1, side, side))
    net.train(was_training)
    for hook in hooks:
        hook.remove()
    return total
