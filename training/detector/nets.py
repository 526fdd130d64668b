"""The nets: an anchor-free detector with strides 8, 16 and 32 on one channel of luma.

Heads as YuNet 2023mar's (Wu, Peng, Yu 2023): at each cell a class score, an objectness, a box and five points,
relative to the cell, so that one decoder serves both. Plain 3x3 convolutions suit blocked kernels and quantise
well; the depthwise-separable variant is there to be compared with.
"""
import torch
from torch import nn

STRIDES = (8, 16, 32)
MEAN, SCALE = 127.5, 1 / 64
CHANNELS = 16  # of a head: cls 1, obj 1, bbox 4, kps 10


def conv(inputs, outputs, kernel=3, stride=1, groups=1):
    padding = 1 if kernel == 6 else kernel // 2
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False), nn.BatchNorm2d(outputs))


class Plain(nn.Sequential):
    def __init__(self, inputs, outputs, stride=1):
        super().__init__(conv(inputs, outputs, 3, stride), nn.ReLU())


class Separable(nn.Sequential):
    """Depthwise 3x3, then 1x1 (Howard et al. 2017)."""

    def __init__(self, inputs, outputs, stride=1):
        super().__init__(conv(inputs, inputs, 3, stride, inputs), nn.ReLU(), conv(inputs, outputs, 1), nn.ReLU())


class Residual(nn.Module):
    def __init__(self, unit, width):
        super().__init__()
        self.unit = unit(width, width)

    def forward(self, x):
        return x + self.unit(x)


class FaceNet(nn.Module):
    """x [N,1,H,W], H and W multiples of 32. Returns for each stride [N,16,H/s,W/s], scores as logits.

    `stages` gives for strides 8, 16, 32 (width, residual units)."""

    def __init__(self, unit, stem, stages, neck):
        super().__init__()
        self.stem = nn.Sequential(conv(1, stem, 6, 4), nn.ReLU())
        self.stages, width = nn.ModuleList(), stem
        for outputs, count in stages:
            self.stages.append(nn.Sequential(unit(width, outputs, 2), *(Residual(unit, outputs) for _ in range(count))))
            width = outputs
        self.laterals = nn.ModuleList(conv(outputs, neck, 1) for outputs, _ in stages)
        self.towers = nn.ModuleList(unit(neck, neck) for _ in stages)
        self.heads = nn.ModuleList(nn.Conv2d(neck, CHANNELS, 1) for _ in stages)
        for head in self.heads:
            nn.init.normal_(head.weight, std=0.01)
            nn.init.zeros_(head.bias)
            with torch.no_grad():
                head.bias[:2] = -4.0  # faces are rare: Lin et al. 2017, section 4.1
                head.bias[4:6] = 1.0  # about e strides wide

    def forward(self, x):
        x = self.stem(x)
        maps = []
        for stage, lateral in zip(self.stages, self.laterals):
            x = stage(x)
            maps.append(lateral(x))
        # From coarse to fine (Lin et al. 2016).
        for level in (1, 0):
            maps[level] = maps[level] + nn.functional.interpolate(maps[level + 1], scale_factor=2.0, mode="nearest")
        return [head(tower(torch.relu(m))) for head, tower, m in zip(self.heads, self.towers, maps)]


NETS = {
    "p190": dict(unit=Plain, stem=32, stages=[(32, 1), (48, 1), (64, 1)], neck=32),
    "d100": dict(unit=Separable, stem=32, stages=[(64, 2), (64, 2), (96, 2)], neck=64),
    "tiny": dict(unit=Plain, stem=8, stages=[(8, 0), (16, 0), (16, 0)], neck=16),
}


def make(name: str) -> FaceNet:
    return FaceNet(**NETS[name])


def normalise(luma: torch.Tensor) -> torch.Tensor:
    """What the model file's input.mean and input.scale say."""
    return (luma - MEAN) * SCALE


def cells(height: int, width: int):
    """For every cell of all strides in order: its column and row in cells, and its stride; [N] each."""
    columns, rows, strides = [], [], []
    for s in STRIDES:
        y, x = torch.meshgrid(torch.arange(height // s), torch.arange(width // s), indexing="ij")
        columns.append(x.flatten())
        rows.append(y.flatten())
        strides.append(torch.full((x.numel(),), s))
    return torch.cat(columns).float(), torch.cat(rows).float(), torch.cat(strides).float()


def flat(maps) -> torch.Tensor:
    """[N, cells, 16] in the order of `cells`."""
    return torch.cat([m.flatten(2).transpose(1, 2) for m in maps], 1)


def boxes_of(raw: torch.Tensor, place) -> torch.Tensor:
    """Box corners [..., 4] in pixels from a flat head."""
    x, y, s = place
    centre_x, centre_y = (x + raw[..., 2]) * s, (y + raw[..., 3]) * s
    half_w, half_h = raw[..., 4].clamp(max=8).exp() * s / 2, raw[..., 5].clamp(max=8).exp() * s / 2
    return torch.stack([centre_x - half_w, centre_y - half_h, centre_x + half_w, centre_y + half_h], -1)


def points_of(raw: torch.Tensor, place) -> torch.Tensor:
    """[..., 5, 2] in pixels."""
    x, y, s = place
    points = raw[..., 6:].reshape(*raw.shape[:-1], 5, 2)
    return torch.stack([(points[..., 0] + x[:, None]) * s[:, None], (points[..., 1] + y[:, None]) * s[:, None]], -1)


def count_macs(net: nn.Module, height: int, width: int) -> int:
    total = 0

    def add(module, inputs, output):
        nonlocal total
        total += output.numel() * module.kernel_size[0] * module.kernel_size[1] * module.in_channels // module.groups

    hooks = [m.register_forward_hook(add) for m in net.modules() if isinstance(m, nn.Conv2d)]
    was = net.training
    net.eval()
    with torch.no_grad():
        net(torch.zeros(1, 1, height, width))
    net.train(was)
    for hook in hooks:
        hook.remove()
    return total
