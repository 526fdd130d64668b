"""The trained net as an ONNX graph: label head only, every batch norm folded into its convolution.

The graph is written operator by operator instead of traced, so that it holds exactly what the
engine runs (Conv, Relu, Add, GlobalAveragePool, Flatten, Gemm) under names that can be read.
"""
import hashlib

import numpy as np
import onnx
from onnx import TensorProto, helper
import torch
from torch import nn

from . import nets
from .data import SIDE

OPSET = 13
IR_VERSION = 8


class _Builder:
    def __init__(self):
        self.nodes, self.weights = [], []

    def add(self, operator: str, inputs, name: str, **attributes) -> str:
        """Appends a node; its one output bears its name."""
        self.nodes.append(helper.make_node(operator, inputs, [name], name, **attributes))
        return name

    def weight(self, name: str, values: np.ndarray) -> str:
        raw = np.ascontiguousarray(values, "<f4").tobytes()
        self.weights.append(helper.make_tensor(name, TensorProto.FLOAT, values.shape, raw, raw=True))
        return name

    def conv(self, x: str, pair: nn.Sequential, name: str) -> str:
        convolution = pair[0]
        weight, bias = folded(pair)
        kernel, stride, pad = convolution.kernel_size, convolution.stride, convolution.padding
        return self.add("Conv", [x, self.weight(f"{name}.weight", weight), self.weight(f"{name}.bias", bias)], name,
                        kernel_shape=kernel, strides=stride, pads=pad * 2, dilations=[1, 1], group=convolution.groups)

    def block(self, x: str, block: nets.BasicBlock, name: str) -> str:
        y = self.conv(x, block.first, f"{name}.first")
        y = self.conv(self.add("Relu", [y], f"{name}.first.relu"), block.second, f"{name}.second")
        if not isinstance(block.shortcut, nn.Identity):
            x = self.conv(x, block.shortcut, f"{name}.shortcut")
        return self.add("Relu", [self.add("Add", [y, x], f"{name}.add")], f"{name}.relu")


def folded(pair: nn.Sequential):
    """A convolution and its batch norm as one kernel [O,I,h,w] and bias [O], computed in double:
    y = (conv(x) - mean) * gamma / sqrt(variance + eps) + beta."""
    convolution, norm = pair
    gain = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
    weight = convolution.weight.double() * gain[:, None, None, None]
    bias = norm.bias.double() - norm.running_mean.double() * gain
    return weight.detach().numpy().astype(np.float32), bias.detach().numpy().astype(np.float32)


def build(net: nets.EmotionNet, name: str) -> onnx.ModelProto:
    """Input `input` [N,1,48,48], output `logits` [N,C]; N is free."""
    b = _Builder()
    x = "input"
    for index, layer in enumerate(net.stem):
        if isinstance(layer, nn.ReLU):
            x = b.add("Relu", [x], f"stem.{index}")
        else:
            x = b.conv(x, layer, f"stem.{index}")
    for index, block in enumerate(net.blocks):
        x = b.block(x, block, f"blocks.{index}")
    x = b.add("Flatten", [b.add("GlobalAveragePool", [x], "pool")], "features", axis=1)
    head = [b.weight("head.weight", net.head.weight.detach().numpy()), b.weight("head.bias", net.head.bias.detach().numpy())]
    b.add("Gemm", [x, *head], "logits", transB=1)
    graph = helper.make_graph(
        b.nodes, name,
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", 1, SIDE, SIDE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", net.head.out_features])],
        b.weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="emotiond training")
    model.ir_version = IR_VERSION
    onnx.checker.check_model(model, full_check=True)
    return model


def weights_sha256(model: onnx.ModelProto) -> str:
    """Over the raw_data of all initialisers, in file order."""
    digest = hashlib.sha256()
    for tensor in model.graph.initializer:
        digest.update(tensor.raw_data)
    return digest.hexdigest()


def set_metadata(model: onnx.ModelProto, entries: dict):
    """Replaces all metadata, in the given order, so that equal runs give equal files."""
    del model.metadata_props[:]
    for key, value in entries.items():
        model.metadata_props.add(key=key, value=str(value))


def metadata(model: onnx.ModelProto) -> dict:
    return {entry.key: entry.value for entry in model.metadata_props}
