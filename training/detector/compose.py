"""Training pictures: random pieces of labelled pictures, mosaics of them, faces pasted on scenes without any.

Everything is drawn from one numpy generator, so that a resumed run sees what an uninterrupted one would.
"""
import io
import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFont

from . import data

SMALLEST = 7.0  # px of the training picture: smaller faces are neither to find nor a false alarm
SIGNS = np.array([ord(c) for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789&%$@#!?()"])


@dataclass
class Sample:
    luma: torch.Tensor  # [1,S,S] float 0..255
    boxes: np.ndarray  # [F,4] as x1, y1, x2, y2
    points: np.ndarray  # [F,5,2]
    weights: np.ndarray  # [F]
    ignored: np.ndarray  # [I,4] as x1, y1, x2, y2


@dataclass
class Piece:
    """A warped picture in its own square."""
    luma: torch.Tensor
    boxes: np.ndarray
    points: np.ndarray
    weights: np.ndarray
    ignored: np.ndarray
    outside: torch.Tensor | None = None  # [S,S] bool: what the picture leaves open


class Composer:
    def __init__(self, pictures, crops: np.ndarray | None, side: int = 320, hard=()):
        """crops: [N,48,48] uint8 faces to paste. hard: (file, [x, y, w, h]) of false alarms, shown more often (mine.py)."""
        self.side = side
        self.with_faces = [(p, data.pyramid(p.luma)) for p in pictures if len(p.boxes)]
        self.scenes = [(p, data.pyramid(p.luma)) for p in pictures if not len(p.boxes) and p.complete]
        self.crops = crops
        by_file = {p.file: (p, levels) for p, levels in self.with_faces + self.scenes}
        self.hard = [(*by_file[file], np.array(box, np.float32)) for file, box in hard if file in by_file]
        if not self.with_faces:
            raise data.DataError("no training picture with a face")

    def draw(self, random: np.random.Generator) -> Sample:
        kind = random.random()
        if kind < 0.5:
            half = self.side // 2
            tiles = [self._any(random, half) for _ in range(4)]
            sample = self._mosaic(tiles, half)
        elif kind < 0.88 or not self.scenes:
            sample = self._face_piece(random, self.side)
        else:
            sample = self._scene(random, self.side)
        luma = degrade(sample.luma, random)
        return Sample(luma[None], *_kept(sample, self.side))

    def _any(self, random, side):
        return self._scene(random, side) if self.scenes and random.random() < 0.25 else self._face_piece(random, side)

    def _face_piece(self, random, side):
        """A piece around a face chosen at random, which gets a size drawn log-uniformly: every size is learnt."""
        picture, levels = self.with_faces[random.integers(len(self.with_faces))]
        return self._around(random, side, picture, levels, picture.boxes[random.integers(len(picture.boxes))])

    def _around(self, random, side, picture, levels, box):
        x, y, w, h = box
        # Mostly what a frame shows; sometimes a close-up that fills the picture.
        wanted = math.exp(random.uniform(math.log(9), math.log(side * (0.95 if random.random() < 0.3 else 0.45))))
        scale = wanted / max(math.sqrt(w * h), 1)
        # A picture never shrinks to less than half of the piece: what it leaves open costs as much as what it fills.
        scale = min(max(scale, 0.5 * side / max(picture.luma.shape)), 4.0)
        angle = math.radians(random.normal(0, 8) if random.random() < 0.7 else random.uniform(-35, 35))
        # The face lies anywhere in the piece, and may be cut a little.
        margin = 0.3 * wanted
        place = random.uniform(min(margin, side / 2), max(side - margin, side / 2), 2)
        piece = warp(picture, levels, side, Move((x + w / 2, y + h / 2), place, scale, angle, random.random() < 0.5))
        if self.scenes and float(piece.outside.float().mean()) > 0.1:
            piece.luma = torch.where(piece.outside, self._scene(random, side, paste=False).luma, piece.luma)
        return piece

    def _scene(self, random, side, paste=True):
        if paste and self.hard and random.random() < 0.5:
            piece = self._around(random, side, *self.hard[random.integers(len(self.hard))])
            return self._written(piece, random, side)
        picture, levels = self.scenes[random.integers(len(self.scenes))]
        height, width = picture.luma.shape
        scale = side / min(height, width) * math.exp(random.uniform(math.log(0.6), math.log(2.0)))
        piece = warp(picture, levels, side, Move((random.uniform(0, width), random.uniform(0, height)), (side / 2, side / 2), scale,
                                                 math.radians(random.uniform(-20, 20)), random.random() < 0.5))
        if paste and self.crops is not None and random.random() < 0.5:
            for _ in range(random.integers(1, 4)):
                self._paste(piece, random, side)
        return self._written(piece, random, side) if paste else piece

    def _written(self, piece, random, side):
        """Letters and figures: round, dark in light, and taken for faces by a net that saw few of them."""
        if random.random() < 0.6:
            return piece
        image = Image.fromarray(piece.luma.clamp(0, 255).to(torch.uint8).numpy())
        draw = ImageDraw.Draw(image)
        for _ in range(random.integers(1, 4)):
            font = ImageFont.load_default(size=math.exp(random.uniform(math.log(8), math.log(side * 0.5))))
            text = "".join(chr(c) for c in random.choice(SIGNS, random.integers(1, 8)))
            place = tuple(random.uniform(-0.1, 0.9, 2) * side)
            box = np.array(draw.textbbox(place, text, font), np.float32)
            if any(_overlap(box, other) > 0 for other in piece.boxes):
                continue
            if random.random() < 0.5:
                draw.rectangle(box.tolist(), fill=int(random.integers(256)))
            draw.text(place, text, font=font, fill=int(random.integers(256)))
        piece.luma = torch.from_numpy(np.asarray(image).astype(np.float32))
        return piece

    def _paste(self, piece, random, side):
        """One of the 48x48 crops, blended into the scene by a soft ellipse. A crop is the face's square: see the
        data's README, box height 1/0.9 of the crop's side, width 0.8 of it."""
        wanted = int(math.exp(random.uniform(math.log(16), math.log(side * 0.5))))
        left, top = (int(v) for v in random.uniform(0, max(side - wanted, 1), 2))
        box = np.array([left + 0.1 * wanted, top - 0.055 * wanted, left + 0.9 * wanted, top + 1.055 * wanted], np.float32)
        if any(_overlap(box, other) > 0 for other in piece.boxes):
            return
        crop = torch.from_numpy(self.crops[random.integers(len(self.crops))].astype(np.float32))[None, None]
        face = F.interpolate(crop, size=(wanted, wanted), mode="bilinear", antialias=True, align_corners=False)[0, 0]
        axis = torch.linspace(-1, 1, wanted)
        distance = torch.sqrt(axis[:, None] ** 2 + axis[None] ** 2)
        blend = ((1.05 - distance) / 0.15).clamp(0, 1)
        under = piece.luma[top:top + wanted, left:left + wanted]
        face, blend = face[:under.shape[0], :under.shape[1]], blend[:under.shape[0], :under.shape[1]]
        piece.luma[top:top + wanted, left:left + wanted] = blend * face + (1 - blend) * under
        piece.boxes = np.concatenate([piece.boxes, box[None]])
        piece.points = np.concatenate([piece.points, np.zeros((1, 5, 2), np.float32)])
        piece.weights = np.concatenate([piece.weights, np.zeros(1, np.float32)])

    def _mosaic(self, tiles, half):
        """Four pieces in one square (Bochkovskiy et al. 2020)."""
        luma = torch.cat([torch.cat([tiles[0].luma, tiles[1].luma], 1), torch.cat([tiles[2].luma, tiles[3].luma], 1)], 0)
        parts = []
        for tile, (dx, dy) in zip(tiles, ((0, 0), (half, 0), (0, half), (half, half))):
            shift = np.array([dx, dy, dx, dy], np.float32)
            boxes, points, weights, ignored = _kept(tile, half)
            parts.append((boxes + shift, points + shift[:2], weights, ignored + shift))
        return Piece(luma, *(np.concatenate(column) for column in zip(*parts)))


@dataclass
class Move:
    """Scales, turns by `angle` and mirrors, so that the picture's point `centre` comes to `place`."""
    centre: tuple
    place: tuple
    scale: float
    angle: float
    mirrored: bool = False

    @property
    def forward(self) -> np.ndarray:
        cos, sin = math.cos(self.angle) * self.scale, math.sin(self.angle) * self.scale
        flip = -1.0 if self.mirrored else 1.0
        return np.array([[flip * cos, -sin], [flip * sin, cos]])

    def backward(self) -> tuple[np.ndarray, np.ndarray]:
        """Matrix and shift from places in the piece to places in the picture."""
        back = np.linalg.inv(self.forward)
        return back, np.asarray(self.centre) - back @ np.asarray(self.place)

    def anywhere(self, places) -> np.ndarray:
        """[..., 2]"""
        away = np.asarray(places, np.float32) - np.asarray(self.centre, np.float32)
        return away @ self.forward.T.astype(np.float32) + np.asarray(self.place, np.float32)

    def points(self, points) -> np.ndarray:
        """[F,5,2]; right and left change their names in a mirror."""
        moved = self.anywhere(points)
        return moved[:, data.MIRRORED] if self.mirrored else moved

    def faces(self, boxes) -> np.ndarray:
        """Corners of [F,4]. A turned face's upright box is less than the hull of its turned box: heads are round."""
        return self._around(boxes, 1 / (abs(math.cos(self.angle)) + abs(math.sin(self.angle))))

    def regions(self, boxes) -> np.ndarray:
        """Corners of the hulls of [I,4]."""
        return self._around(boxes, 1.0)

    def _around(self, boxes, shrink):
        if not len(boxes):
            return np.zeros((0, 4), np.float32)
        x, y, w, h = np.asarray(boxes, np.float32).T
        corners = np.stack([np.stack([x, y], -1), np.stack([x + w, y], -1), np.stack([x, y + h], -1), np.stack([x + w, y + h], -1)], 1)
        corners = self.anywhere(corners)
        low, high = corners.min(1), corners.max(1)
        middle, half = (low + high) / 2, (high - low) / 2 * shrink
        return np.concatenate([middle - half, middle + half], 1).astype(np.float32)


def warp(picture, levels, side, move: Move) -> Piece:
    """A side x side piece of `picture`; levels: its pyramid."""
    level = min(len(levels) - 1, max(0, int(math.floor(math.log2(1 / move.scale))))) if move.scale < 1 else 0
    source, times = levels[level], 2 ** level
    # Halves leave out an odd last row and column.
    height, width = source.shape[0] * times, source.shape[1] * times
    back, start = move.backward()
    # Pillow's coefficients take the centres of the piece's pixels to places in `source`.
    coefficients = (np.concatenate([back, start[:, None]], 1) / times).flatten().tolist()
    taken = Image.fromarray(source).transform((side, side), Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR)
    luma = torch.from_numpy(np.asarray(taken).astype(np.float32))
    middles = torch.arange(side) + 0.5
    columns = (back[0, 0] * middles + start[0]) + (back[0, 1] * middles)[:, None]
    rows = (back[1, 0] * middles + start[1]) + (back[1, 1] * middles)[:, None]
    outside = (columns < 0) | (columns >= width) | (rows < 0) | (rows >= height)
    luma = torch.where(outside, luma[~outside].mean() if not outside.all() else luma.mean(), luma)
    ignored = move.regions(picture.ignored)
    if not picture.complete:
        # Nobody says what else is in it: everything beside the faces is ignored.
        ignored = np.concatenate([ignored, [[-1e4, -1e4, 1e4, 1e4]]]).astype(np.float32)
    return Piece(luma, move.faces(picture.boxes), move.points(picture.points), picture.weights.copy(), ignored, outside)


def _kept(piece, side):
    """Boxes cut to the piece; what is mostly outside or tiny becomes ignored."""
    boxes = piece.boxes.copy()
    area = np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), 1)
    boxes = boxes.clip(0, side)
    size = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    seen = np.prod(size, 1)
    visible = seen > 0
    good = visible & (seen > 0.5 * area) & (np.sqrt(seen) >= SMALLEST)
    ignored = np.concatenate([piece.ignored.clip(0, side), boxes[visible & ~good]])
    ignored = ignored[(ignored[:, 2] > ignored[:, 0]) & (ignored[:, 3] > ignored[:, 1])]
    return boxes[good], piece.points[good], piece.weights[good], ignored.astype(np.float32)


def _overlap(a, b):
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    return max(w, 0) * max(h, 0)


def degrade(luma: torch.Tensor, random) -> torch.Tensor:
    """Light, blur, noise, JPEG: what cameras and files do. luma [S,S] 0..255."""
    if random.random() < 0.6:
        mean = luma.mean()
        luma = (luma - mean) * math.exp(random.uniform(-0.4, 0.4)) + mean + random.uniform(-35, 35)
    if random.random() < 0.12:
        luma = luma * random.uniform(0.08, 0.5)
    if random.random() < 0.1:
        luma = 255 * (luma.clamp(0, 255) / 255) ** math.exp(random.uniform(-0.6, 0.6))
    if random.random() < 0.2:
        side, smaller = luma.shape[-1], luma.shape[-1] / random.uniform(1.2, 2.5)
        small = F.interpolate(luma[None, None], size=(int(smaller),) * 2, mode="area")
        luma = F.interpolate(small, size=(side, side), mode="bilinear", align_corners=False)[0, 0]
    if random.random() < 0.15:
        noise = torch.from_numpy(random.standard_normal(luma.shape, np.float32))
        luma = luma + random.uniform(1, 10) * noise
    luma = luma.clamp(0, 255)
    if random.random() < 0.15:
        file = io.BytesIO()
        Image.fromarray(luma.round().to(torch.uint8).numpy()).save(file, "JPEG", quality=int(random.integers(15, 70)))
        luma = torch.from_numpy(np.asarray(Image.open(file)).astype(np.float32))
    return luma
