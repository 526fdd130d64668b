"""VGG19 (Simonyan and Zisserman 2015, configuration E) with seven outputs, and the ImageNet files people have.

All sixteen convolutions, on the 48x48 crop: five poolings leave one pixel of 512 features, which the new
output layers read. ImageNet's nets want three colours, so the luma is given three times, shifted and
scaled as their training did; that is a fixed 1x1 convolution in front (`colour`), exact also at the
borders, where the first convolution pads with zeros.
"""
from pathlib import Path
import pickle

import numpy as np
import torch
from torch import nn

from .baseline import KERAS, LAYOUT, TORCHVISION, WHERE, WeightsError
from .preprocess import MEAN, SCALE

class VGG19(nn.Module):
    """`norm`: a batch norm behind each convolution, for training from scratch (folded at export). The file of
    ImageNet weights has none."""

    def __init__(self, norm: bool, classes: int = 7, vote_classes: int = 8, dropout: float = 0.5):
        super().__init__()
        self.colour = nn.Conv2d(1, 3, 1)
        self.colour.requires_grad_(False)
        self.set_colours(*TORCHVISION)
        layers, width = [], 3
        for outputs in LAYOUT:
            if outputs is None:
                layers.append(nn.MaxPool2d(2))
                continue
            layers += [nn.Conv2d(width, outputs, 3, padding=1), *([nn.BatchNorm2d(outputs)] if norm else []), nn.ReLU()]
            width = outputs
        self.trunk = nn.Sequential(*layers)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width, classes)
        self.vote_head = nn.Linear(width, vote_classes)
        self.locked = False
        for layer in self.trunk:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)

    def set_colours(self, means, deviations):
        """For input x = (grey - MEAN) * SCALE: colour c is (grey - mean_c) / deviation_c."""
        with torch.no_grad():
            for colour, (mean, deviation) in enumerate(zip(means, deviations)):
                self.colour.weight[colour] = 1 / (SCALE * deviation)
                self.colour.bias[colour] = (MEAN - mean) / deviation

    def lock(self):
        """The trunk neither learns nor moves its statistics."""
        self.locked = True
        self.trunk.requires_grad_(False)
        return self.train(self.training)

    def train(self, mode: bool = True):
        super().train(mode)
        if self.locked:
            self.trunk.eval()
        return self

    def new_heads(self):
        self.head.reset_parameters()
        self.vote_head.reset_parameters()

    def convolutions(self) -> list[nn.Conv2d]:
        return [layer for layer in self.trunk if isinstance(layer, nn.Conv2d)]

    def features(self, x):
        """x [N,1,S,S], S of 32 to 63; [N,512]."""
        return self.trunk(self.colour(x)).flatten(1)

    def forward(self, x):
        return self.head(self.dropout(self.features(x)))

    def both_heads(self, x):
        y = self.dropout(self.features(x))
        return self.head(y), self.vote_head(y)


def load_imagenet(net: VGG19, file: Path | None) -> VGG19:
    """Fills the trunk from torchvision's state dict or Keras's h5, and sets the colours to match."""
    if file is None or not Path(file).is_file():
        raise WeightsError((f"{file}: no such file.\n" if file else "") + WHERE)
    kernels, biases, colours = _keras(file) if Path(file).suffix in (".h5", ".hdf5") else _torchvision(file)
    with torch.no_grad():
        for place, (layer, kernel, bias) in enumerate(zip(net.convolutions(), kernels, biases), 1):
            if tuple(kernel.shape) != tuple(layer.weight.shape) or tuple(bias.shape) != tuple(layer.bias.shape):
                raise WeightsError(f"{file}: convolution {place} is {tuple(kernel.shape)}, VGG19's {tuple(layer.weight.shape)}: "
                                   f"it is a file of another net.\n{WHERE}")
            layer.weight.copy_(kernel)
            layer.bias.copy_(bias)
    net.set_colours(*colours)
    return net


def _torchvision(file: Path):
    """`features.0.weight`, ... of vgg19; the numbers skip ReLU and pooling."""
    try:
        saved = torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
        raise WeightsError(f"{file}: cannot be read as a torch file ({error}).\n{WHERE}") from error
    places, place = [], 0
    for width in LAYOUT:
        if width:
            places.append(place)
        place += 2 if width else 1
    return *_taken(file, saved, [(f"features.{p}.weight", f"features.{p}.bias") for p in places]), TORCHVISION


def _keras(file: Path):
    """`block1_conv1/block1_conv1_W_1:0` and the like: one group a layer with a kernel [h,w,I,O] and a bias [O]."""
    import h5py
    try:
        with h5py.File(file, "r") as stored:
            root = stored["model_weights"] if "model_weights" in stored else stored
            arrays = {}
            root.visititems(lambda path, item: arrays.update({path: np.array(item, np.float32)})
                            if isinstance(item, h5py.Dataset) else None)
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise WeightsError(f"{file}: cannot be read as HDF5 ({error}).\n{WHERE}") from error
    blocks = (2, 2, 4, 4, 4)
    found = {}
    for block, count in enumerate(blocks, 1):
        for conv in range(1, count + 1):
            layer = f"block{block}_conv{conv}"
            for path, values in arrays.items():
                if layer in path.split("/"):
                    kind, axes = ("weight", (3, 2, 0, 1)) if values.ndim == 4 else ("bias", None)
                    found[f"{layer} {kind}"] = torch.from_numpy(np.ascontiguousarray(values.transpose(axes)))
    names = [(f"block{block}_conv{conv} weight", f"block{block}_conv{conv} bias")
             for block, count in enumerate(blocks, 1) for conv in range(1, count + 1)]
    return *_taken(file, found, names), KERAS


def _taken(file: Path, tensors, names):
    missing = [name for pair in names for name in pair if not isinstance(tensors, dict) or name not in tensors]
    if missing:
        raise WeightsError(f"{file}: lacks {missing[0]} and {len(missing) - 1} more of VGG19's {2 * len(names)} tensors.\n"
                           + WHERE)
    return [tensors[weight] for weight, _ in names], [tensors[bias] for _, bias in names]
