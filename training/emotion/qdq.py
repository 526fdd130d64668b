"""A float graph as a QDQ graph: the same operators between QuantizeLinear and DequantizeLinear.

Weights are signed 8-bit codes with a scale for each output channel, biases 32-bit codes at the scale
of the products; activations are unsigned 8-bit codes with one scale a tensor (`ranges.Codes`). So a
convolution can be run as u8 x s8 products summed in 32 bits, by onnxruntime as by others.
"""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from . import contract
from .ranges import Codes

MULTIPLYING = ("Conv", "Gemm")


class QuantiseError(Exception):
    """Why a graph cannot be quantised, and the way out."""


def activations(model: onnx.ModelProto, head: bool, sums: bool) -> list[str]:
    """The tensors that become codes, in the order in which they are made: what convolutions read, what
    pooling reads, both sides of an addition. `head`: also what the last layer reads, which else stays in
    float. `sums`: also the convolution that ends in an addition, which else goes in at full precision, as
    a kernel does that adds before it rounds."""
    makers = {node.output[0]: node for node in model.graph.node}
    wanted = set()
    for node in model.graph.node:
        if node.op_type in ("Conv", "GlobalAveragePool", "MaxPool") or (node.op_type == "Gemm" and head):
            wanted.add(node.input[0])
        if node.op_type == "MaxPool":
            wanted.add(node.output[0])
        if node.op_type == "Add":
            first, second = node.input
            fused = not sums and first in makers and makers[first].op_type == "Conv"
            wanted |= {second} if fused else {first, second}
    order = [model.graph.input[0].name, *makers]
    return [name for name in order if name in wanted]


def weight_codes(weight: np.ndarray, bits: int, least: np.ndarray | float = 0.0):
    """weight [O,...]; int8 codes of the same shape and float32 scales [O], none below `least` [O]."""
    most = 2 ** (bits - 1) - 1
    reach = np.abs(weight.reshape(len(weight), -1)).max(1)
    scale = np.maximum(np.maximum(reach / most, least), 1e-12).astype(np.float32)
    shaped = scale.reshape(-1, *[1] * (weight.ndim - 1))
    return np.clip(np.rint(weight / shaped), -most, most).astype(np.int8), scale


class _Writer:
    def __init__(self, codes: dict[str, Codes], bits: int):
        self.codes, self.bits = codes, bits
        self.nodes, self.weights = [], []
        self.known = {}  # float tensor -> what its readers read

    def constant(self, name: str, values: np.ndarray) -> str:
        kinds = {"float32": TensorProto.FLOAT, "int8": TensorProto.INT8, "uint8": TensorProto.UINT8, "int32": TensorProto.INT32}
        raw = np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()
        self.weights.append(helper.make_tensor(name, kinds[values.dtype.name], values.shape, raw, raw=True))
        return name

    def pair(self, name: str):
        """Behind the tensor `name`, so that its readers see what the codes can say."""
        codes = self.codes[name]
        given = [self.constant(f"{name}.scale", np.float32(codes.scale)), self.constant(f"{name}.zero", np.uint8(codes.zero))]
        self.nodes.append(helper.make_node("QuantizeLinear", [name, *given], [f"{name}.codes"], f"{name}.quantise"))
        self.nodes.append(helper.make_node("DequantizeLinear", [f"{name}.codes", *given], [f"{name}.values"],
                                           f"{name}.dequantise"))
        self.known[name] = f"{name}.values"

    def layer(self, node: onnx.NodeProto, weight: np.ndarray, bias: np.ndarray) -> onnx.NodeProto:
        """A Conv or Gemm whose input is codes, with weight [O,...] and bias [O] as codes."""
        scale_in = self.codes[node.input[0]].scale
        # A channel of nearly no weight would have a scale at which its bias needs more than 32 bits.
        codes, scale = weight_codes(weight, self.bits, np.abs(bias) / scale_in / 2 ** 30)
        bias_scale = (scale * np.float32(scale_in)).astype(np.float32)
        bias_codes = np.rint(bias.astype(np.float64) / bias_scale).astype(np.int32)
        read = [self.known[node.input[0]]]
        for name, values, scales in ((node.input[1], codes, scale), (node.input[2], bias_codes, bias_scale)):
            given = [self.constant(name, values), self.constant(f"{name}.scale", scales),
                     self.constant(f"{name}.zero", np.zeros(len(scales), values.dtype))]
            self.nodes.append(helper.make_node("DequantizeLinear", given, [f"{name}.values"], f"{name}.dequantise", axis=0))
            read.append(f"{name}.values")
        return self.copied(node, read)

    def copied(self, node: onnx.NodeProto, read) -> onnx.NodeProto:
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        del copy.input[:]
        copy.input.extend(read)
        return copy


def build(model: onnx.ModelProto, codes: dict[str, Codes], bits: int = 8) -> onnx.ModelProto:
    """`codes` of the tensors that `activations` names. bits: of a weight; 7 for kernels whose sums of two
    products must fit 16 bits. Metadata is not copied."""
    floats = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    writer = _Writer(codes, bits)
    name = model.graph.input[0].name
    if name in codes:
        writer.pair(name)
    for node in model.graph.node:
        if node.op_type in MULTIPLYING and node.input[0] in codes:
            if node.op_type == "Gemm" and not any(a.name == "transB" and a.i == 1 for a in node.attribute):
                raise QuantiseError(f"{node.name}: Gemm without transB=1; export the file again")
            writer.nodes.append(writer.layer(node, floats[node.input[1]], floats[node.input[2]]))
        else:
            for name in node.input:
                if name in floats:
                    writer.constant(name, floats[name])
            writer.nodes.append(writer.copied(node, [writer.known.get(name, name) for name in node.input]))
        if node.output[0] in codes:
            writer.pair(node.output[0])
    made = helper.make_graph(writer.nodes, model.graph.name + "-int8", model.graph.input, model.graph.output, writer.weights)
    result = helper.make_model(made, opset_imports=[helper.make_opsetid("", contract.OPSET)], producer_name=model.producer_name)
    result.ir_version = contract.IR_VERSION
    onnx.checker.check_model(result, full_check=True)
    return result
