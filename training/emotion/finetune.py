"""Quantisation-aware fine-tuning: the weights of a float graph move so that the graph, run in codes, answers
as it does in float.

Rounding passes gradients through unchanged inside the range of the codes (straight-through, Bengio et
al. 2013); scales stay as they are. The target is what the float graph says of the same augmented
pictures (distillation, as in Mishra and Marr 2018), so no label is needed and none is learned.
"""
import numpy as np
import onnx
import torch
import torch.nn.functional as F

from . import qdq
from .augment import Strength, augment
from .preprocess import normalise
from .ranges import Codes
from .simulate import Simulation


def rounded(values: torch.Tensor, codes: Codes) -> torch.Tensor:
    """What the codes can say, with the gradient of the clipped values."""
    low, high = -codes.zero * codes.scale, (255 - codes.zero) * codes.scale
    clipped = values.clamp(low, high)
    return clipped + ((clipped / codes.scale).round() * codes.scale - clipped).detach()


def rounded_weight(weight: torch.Tensor, bits: int) -> torch.Tensor:
    """By `qdq.weight_codes`, with the gradient of the weight."""
    codes, scale = qdq.weight_codes(weight.detach().numpy(), bits)
    values = torch.from_numpy(codes * scale.reshape(-1, *[1] * (weight.ndim - 1)))
    return weight + (values - weight).detach()


def quantised_simulation(model: onnx.ModelProto, codes: dict[str, Codes], bits: int) -> Simulation:
    """The graph in torch, with the rounding that `qdq.build` writes."""
    by_weight = {node.input[1]: node.input[0] for node in model.graph.node if node.op_type in qdq.MULTIPLYING}

    def operand(name, values):
        return rounded_weight(values, bits) if by_weight.get(name) in codes else values

    def result(name, values):
        return rounded(values, codes[name]) if name in codes else values

    return Simulation(model, operand, result)


def finetune(model: onnx.ModelProto, codes: dict[str, Codes], bits: int, images: np.ndarray, steps: int,
             batch: int = 64, rate: float = 2e-5, seed: int = 1) -> onnx.ModelProto:
    """The float graph with moved weights. images [N,48,48] uint8."""
    teacher, student = Simulation(model), quantised_simulation(model, codes, bits)
    optimiser = torch.optim.Adam(student.parameters(), rate)
    random = torch.Generator().manual_seed(seed)
    pictures = torch.from_numpy(images)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = rate * (1 - step / steps)
        chosen = torch.randint(len(pictures), (batch,), generator=random)
        x = normalise(augment(pictures[chosen].float()[:, None], random, Strength()))
        with torch.no_grad():
            target = torch.softmax(teacher(x), 1)
        loss = F.cross_entropy(student(x), target)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
    moved = onnx.ModelProto()
    moved.CopyFrom(model)
    for tensor, weight in zip(moved.graph.initializer, student.weights):
        tensor.raw_data = np.ascontiguousarray(weight.detach().numpy(), "<f4").tobytes()
    return moved
