"""Augmentation of a batch of crops, on tensors: one random affine warp, light, blur, erasing.

FER2013's own spread (crop scale 0.82 to 1.19, roll -15 to 13 degrees, shift about 2 px) is what the
detectors of a video pipeline add again, so the warp covers it with a margin.
"""
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F


@dataclass
class Strength:
    degrees: float = 15.0
    scale: float = 0.15
    shift: float = 3.0 / 24.0  # of half the crop's side
    light: float = 0.25
    erase: float = 0.3  # share of crops with one erased rectangle
    soften: float = 0.15  # share of crops that are scaled down and up again


def augment(x: torch.Tensor, random: torch.Generator, strength: Strength) -> torch.Tensor:
    """x: [N,1,S,S] float in 0..255. Returns the same shape and range."""
    n, _, side, _ = x.shape

    def uniform(low, high):
        return torch.rand(n, generator=random) * (high - low) + low

    angle = uniform(-1, 1) * math.radians(strength.degrees)
    scale = torch.exp(uniform(-1, 1) * math.log1p(strength.scale))
    flip = torch.where(torch.rand(n, generator=random) < 0.5, -1.0, 1.0)
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    matrix = torch.stack([
        torch.stack([cos * flip, -sin, uniform(-1, 1) * strength.shift], 1),
        torch.stack([sin * flip, cos, uniform(-1, 1) * strength.shift], 1),
    ], 1)
    grid = F.affine_grid(matrix, x.shape, align_corners=False)
    x = F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)

    mean = x.mean((2, 3), keepdim=True)
    contrast = torch.exp(uniform(-1, 1) * strength.light).view(n, 1, 1, 1)
    brightness = (uniform(-1, 1) * strength.light * 100).view(n, 1, 1, 1)
    x = ((x - mean) * contrast + mean + brightness).clamp(0, 255)

    soft = torch.rand(n, generator=random) < strength.soften
    if soft.any():
        small = int(torch.randint(side * 3 // 8, side * 3 // 4, (1,), generator=random))
        down = F.interpolate(x[soft], size=(small, small), mode="area")
        x[soft] = F.interpolate(down, size=(side, side), mode="bilinear", align_corners=False)

    for i in torch.nonzero(torch.rand(n, generator=random) < strength.erase).flatten().tolist():
        h, w = (torch.randint(side // 8, side * 3 // 8, (2,), generator=random)).tolist()
        top = int(torch.randint(0, side - h, (1,), generator=random))
        left = int(torch.randint(0, side - w, (1,), generator=random))
        x[i, :, top:top + h, left:left + w] = float(torch.rand(1, generator=random)) * 255
    return x
