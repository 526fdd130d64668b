"""Runs an exported graph in torch with the arithmetic of another number format.

It knows the operators that `graph` writes. Two hooks see the tensors: `operand` what goes into a
multiplication, `result` what a node gives. With bf16 rounding as `operand` this is the engine's bf16
arithmetic (operands rounded to nearest even, products summed in float32); with rounding to int8
codes in both it is what quantisation-aware fine-tuning needs, since the weights are parameters.
"""
import numpy as np
import onnx
from onnx import numpy_helper
import torch
from torch import nn
import torch.nn.functional as F

from .preprocess import normalise


class SimulationError(Exception):
    """A graph with a node that is not simulated."""


def unchanged(name: str, values: torch.Tensor) -> torch.Tensor:
    return values


def bf16(name: str, values: torch.Tensor) -> torch.Tensor:
    """Rounded to nearest even, as float32 again."""
    return values.bfloat16().float()


class Simulation(nn.Module):
    """`operand(name, values)` and `result(name, values)` are given the tensor's name in the graph."""

    def __init__(self, model: onnx.ModelProto, operand=unchanged, result=unchanged):
        super().__init__()
        self.nodes = list(model.graph.node)
        self.input, self.output = model.graph.input[0].name, model.graph.output[0].name
        # Names have dots, which a module's parameters must not have.
        self.places = {tensor.name: place for place, tensor in enumerate(model.graph.initializer)}
        self.weights = nn.ParameterList([nn.Parameter(torch.from_numpy(numpy_helper.to_array(tensor).copy()))
                                         for tensor in model.graph.initializer])
        self.operand, self.result = operand, result

    def weight(self, name: str) -> torch.Tensor:
        return self.weights[self.places[name]]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x [N,1,48,48]; logits [N,C]."""
        values = {self.input: self.result(self.input, x)}
        for node in self.nodes:
            name = node.output[0]
            values[name] = self.result(name, self._run(node, values))
        return values[self.output]

    def _run(self, node: onnx.NodeProto, values: dict) -> torch.Tensor:
        a = {entry.name: onnx.helper.get_attribute_value(entry) for entry in node.attribute}
        x = values[node.input[0]]
        if node.op_type == "Conv":
            if a["pads"][:2] != a["pads"][2:]:
                raise SimulationError(f"{node.name}: pads {a['pads']} differ between the sides")
            return F.conv2d(self.operand(node.input[0], x), self.operand(node.input[1], self.weight(node.input[1])),
                            self.weight(node.input[2]), a["strides"], a["pads"][:2], a["dilations"], a["group"])
        if node.op_type == "Gemm":
            return F.linear(self.operand(node.input[0], x), self.operand(node.input[1], self.weight(node.input[1])),
                            self.weight(node.input[2]))
        if node.op_type == "Relu":
            return torch.relu(x)
        if node.op_type == "Add":
            return x + values[node.input[1]]
        if node.op_type == "GlobalAveragePool":
            return x.mean((2, 3), keepdim=True)
        if node.op_type == "MaxPool":
            return F.max_pool2d(x, a["kernel_shape"], a["strides"])
        if node.op_type == "Flatten":
            return x.flatten(a.get("axis", 1))
        raise SimulationError(f"{node.name}: operator {node.op_type} is not simulated")


def predict(simulation: Simulation, images: np.ndarray, batch: int = 256) -> np.ndarray:
    """images [N,48,48] uint8; logits [N,C]."""
    with torch.no_grad():
        parts = [simulation(normalise(torch.from_numpy(images[i:i + batch]).float()[:, None]))
                 for i in range(0, len(images), batch)]
    return torch.cat(parts).numpy()
