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

    def scaled(self, factor: float) -> "Strength":
        """All of it, stronger or weaker; shares stay below one."""
        return Strength(self.degrees * factor, self.scale * factor, self.shift * factor, self.light * factor,
                        min(self.erase * factor, 0.9), min(self.soften * factor, 0.9))


def augment(x: torch.Tensor, random: torch.Generator, strength: Strength) -> torch.Tensor:
    """x: [N,1,S,S] float in 0..255, on the generator's device. Returns the same shape and range."""
    x = _warp(x, random, strength)
    x = _light(x, random, strength)
    x = _soften(x, random, strength)
    return erase(x, *_rectangles(x, random, strength))


def _uniform(x, random, low: float = 0.0, high: float = 1.0) -> torch.Tensor:
    """One number for each crop of x: [N]."""
    return torch.rand(len(x), generator=random, device=x.device) * (high - low) + low


def _warp(x, random, strength):
    angle = _uniform(x, random, -1, 1) * math.radians(strength.degrees)
    scale = torch.exp(_uniform(x, random, -1, 1) * math.log1p(strength.scale))
    flip = torch.where(_uniform(x, random) < 0.5, -1.0, 1.0)
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    matrix = torch.stack([
        torch.stack([cos * flip, -sin, _uniform(x, random, -1, 1) * strength.shift], 1),
        torch.stack([sin * flip, cos, _uniform(x, random, -1, 1) * strength.shift], 1),
    ], 1)
    grid = F.affine_grid(matrix, x.shape, align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _light(x, random, strength):
    mean = x.mean((2, 3), keepdim=True)
    contrast = torch.exp(_uniform(x, random, -1, 1) * strength.light).view(-1, 1, 1, 1)
    brightness = (_uniform(x, random, -1, 1) * strength.light * 100).view(-1, 1, 1, 1)
    return ((x - mean) * contrast + mean + brightness).clamp(0, 255)


def _soften(x, random, strength):
    side = x.shape[-1]
    soft = torch.nonzero(_uniform(x, random) < strength.soften).flatten()
    small = torch.randint(side * 3 // 8, side * 3 // 4, (1,), generator=random, device=x.device).item()
    if len(soft):
        down = F.interpolate(x[soft], size=(small, small), mode="area")
        x[soft] = F.interpolate(down, size=(side, side), mode="bilinear", align_corners=False)
    return x


def _rectangles(x, random, strength):
    """For each crop a rectangle and its grey value; without area where nothing is to be erased."""
    side = x.shape[-1]
    chosen = _uniform(x, random) < strength.erase
    height = _uniform(x, random, side // 8, side * 3 // 8).floor() * chosen
    width = _uniform(x, random, side // 8, side * 3 // 8).floor()
    top = (_uniform(x, random) * (side - height)).floor()
    left = (_uniform(x, random) * (side - width)).floor()
    return top, left, height, width, _uniform(x, random, 0, 255)


def erase(x, top, left, height, width, value) -> torch.Tensor:
    """x [N,1,S,S]; the others [N]: rows top..<top+height and columns left..<left+width become value."""
    place = torch.arange(x.shape[-1], device=x.device)
    rows = (place >= top[:, None]) & (place < (top + height)[:, None])
    columns = (place >= left[:, None]) & (place < (left + width)[:, None])
    inside = rows[:, None, :, None] & columns[:, None, None, :]
    return torch.where(inside, value.view(-1, 1, 1, 1), x)
