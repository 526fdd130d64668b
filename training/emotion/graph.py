"""The trained net as an ONNX graph: label head only, every batch norm folded into its convolution.

The graph is written operator by operator instead of traced, so that it holds exactly what the
engine runs (Conv, Relu, Add, MaxPool, GlobalAveragePool, Flatten, Gemm) under names that can be read.
"""
import numpy as np
import onnx
from torch import nn

from . import nets
from .contract import Builder


def build(net: nn.Module, name: str) -> onnx.ModelProto:
    """Input `input` [N,1,48,48], output `logits` [N,C]; N is free."""
    b = Builder()
    x = _residual(b, net) if isinstance(net, nets.EmotionNet) else _stack(b, net)
    b.linear(x, "head", net.head.weight.detach().numpy(), net.head.bias.detach().numpy(), "logits")
    return b.finish(name, net.head.out_features)


def _residual(b: Builder, net: nets.EmotionNet) -> str:
    x = "input"
    for index, layer in enumerate(net.stem):
        x = b.add("Relu", [x], f"stem.{index}") if isinstance(layer, nn.ReLU) else _conv(b, x, layer, f"stem.{index}")
    for index, block in enumerate(net.blocks):
        x = _block(b, x, block, f"blocks.{index}")
    return b.add("Flatten", [b.add("GlobalAveragePool", [x], "pool")], "features", axis=1)


def _block(b: Builder, x: str, block: nets.BasicBlock, name: str) -> str:
    y = _conv(b, x, block.first, f"{name}.first")
    y = _conv(b, b.add("Relu", [y], f"{name}.first.relu"), block.second, f"{name}.second")
    if not isinstance(block.shortcut, nn.Identity):
        x = _conv(b, x, block.shortcut, f"{name}.shortcut")
    return b.add("Relu", [b.add("Add", [y, x], f"{name}.add")], f"{name}.relu")


def _stack(b: Builder, net: nn.Module) -> str:
    """Of a net with `colour` and `trunk` (emotion.vgg19), whose last map is one pixel."""
    x = b.conv("input", "colour", net.colour.weight.detach().numpy(), net.colour.bias.detach().numpy())
    layers = list(net.trunk)
    for index, layer in enumerate(layers):
        name = f"trunk.{index}"
        if isinstance(layer, nn.Conv2d):
            after = layers[index + 1]
            pair = (layer, after if isinstance(after, nn.BatchNorm2d) else None)
            x = b.conv(x, name, *folded(pair))
        elif isinstance(layer, nn.ReLU):
            x = b.add("Relu", [x], name)
        elif isinstance(layer, nn.MaxPool2d):
            x = b.add("MaxPool", [x], name, kernel_shape=[2, 2], strides=[2, 2])
    return b.add("Flatten", [x], "features", axis=1)


def _conv(b: Builder, x: str, pair: nn.Sequential, name: str) -> str:
    return b.conv(x, name, *folded(pair), stride=pair[0].stride[0])


def folded(pair):
    """A convolution and its batch norm (or None) as one kernel [O,I,h,w] and bias [O], computed in double:
    y = (conv(x) - mean) * gamma / sqrt(variance + eps) + beta."""
    convolution, norm = pair
    weight = convolution.weight.double()
    bias = 0 if convolution.bias is None else convolution.bias.double()
    if norm is not None:
        gain = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
        weight = weight * gain[:, None, None, None]
        bias = norm.bias.double() + (bias - norm.running_mean.double()) * gain
    return weight.detach().numpy().astype(np.float32), bias.detach().numpy().astype(np.float32)
