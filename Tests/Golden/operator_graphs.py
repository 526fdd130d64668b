"""Small graphs, one or a few operators each, written with onnx.helper."""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

RANDOM = np.random.default_rng(7)


def weights(*shape, low=None, high=None):
    if low is not None:
        return RANDOM.uniform(low, high, shape).astype(np.float32)
    return (RANDOM.standard_normal(shape) / np.sqrt(max(np.prod(shape[1:]), 1))).astype(np.float32)


def ints(*values):
    return np.array(values, np.int64)


def graph(shape, nodes, constants, output_rank, opset=13, batch="N", output="y"):
    """`nodes` are (operation, inputs, outputs, attributes); the input is x, the output y. Names are parted by spaces,
    or by commas where one is left out."""
    made = [helper.make_node(op, i.split("," if "," in i else None), o.split(), name=f"{op}_{k}", **a) for k, (op, i, o, a) in enumerate(nodes)]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, *shape])]
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * output_rank) for name in output.split()]
    tensors = [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()]
    body = helper.make_graph(made, "golden", inputs, outputs, tensors)
    return helper.make_model(body, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def conv(out, kernel, into=5, groups=1, side=9, bias=True, **attributes):
    names, constants = "x w", {"w": weights(out, into // groups, *kernel)}
    if bias:
        names, constants["b"] = "x w b", weights(out)
    return graph((into, side, side), [("Conv", names, "y", dict(group=groups, **attributes))], constants, 4)


def convolutions():
    yield "conv_1x1", conv(7, (1, 1)), (3, 5, 9, 9)
    yield "conv_3x3", conv(18, (3, 3), pads=[1, 1, 1, 1]), (3, 5, 9, 9)
    yield "conv_3x3_stride2", conv(16, (3, 3), strides=[2, 2], pads=[1, 1, 1, 1], bias=False), (3, 5, 9, 9)
    yield "conv_5x5", conv(6, (5, 5), pads=[2, 2, 2, 2]), (3, 5, 9, 9)
    yield "conv_7x7_stride2", conv(6, (7, 7), pads=[3, 3, 3, 3], strides=[2, 2]), (3, 5, 9, 9)
    yield "conv_3x1", conv(6, (3, 1), pads=[1, 0, 1, 0]), (3, 5, 9, 9)
    yield "conv_asymmetric_pads", conv(6, (3, 3), pads=[0, 1, 2, 0]), (3, 5, 9, 9)
    yield "conv_dilated", conv(6, (3, 3), pads=[2, 2, 2, 2], dilations=[2, 2]), (3, 5, 9, 9)
    yield "conv_same_upper", conv(6, (3, 3), strides=[2, 2], side=8, auto_pad="SAME_UPPER"), (2, 5, 8, 8)
    yield "conv_same_lower", conv(6, (3, 3), strides=[2, 2], side=8, auto_pad="SAME_LOWER"), (2, 5, 8, 8)
    yield "conv_valid", conv(6, (3, 3), auto_pad="VALID"), (3, 5, 9, 9)
    yield "conv_grouped", conv(12, (3, 3), into=6, groups=2, pads=[1, 1, 1, 1]), (2, 6, 9, 9)
    yield "conv_depthwise", conv(20, (3, 3), into=20, groups=20, pads=[1, 1, 1, 1]), (2, 20, 9, 9)
    yield "conv_depthwise_stride2", conv(6, (3, 3), into=6, groups=6, pads=[1, 1, 1, 1], strides=[2, 2]), (2, 6, 9, 9)
    yield "conv_depth_multiplier", conv(12, (3, 3), into=6, groups=6, pads=[1, 1, 1, 1]), (2, 6, 9, 9)


NEAREST = dict(mode="nearest", nearest_mode="floor", coordinate_transformation_mode="asymmetric")


def neck(*last):
    """A 3x3 of stride 2 upsampled to `up`, a 1x1 `side`, and what joins them."""
    constants = {"w": weights(6, 5, 3, 3), "v": weights(6, 5, 1, 1), "b": weights(6), "twice": np.float32([1, 1, 2, 2])}
    down = ("Conv", "x w b", "small", dict(pads=[1, 1, 1, 1], strides=[2, 2]))
    nodes = [down, resize("small", "twice", "up"), ("Conv", "x v", "side", {}), *last]
    return graph((5, 8, 12), nodes, constants, 4)


def resize(x, scales, y):
    """The second input, which is left out, has an empty name."""
    return "Resize", f"{x},,{scales}", y, NEAREST


def of_detectors():
    """Upsampling, alone and in a sum; a map cut into parts; a residual behind an activation."""
    shape = (2, 5, 8, 12)
    rounded = dict(mode="nearest", coordinate_transformation_mode="half_pixel")
    scales = {"s": np.float32([1, 1, 2, 3])}
    yield "resize_scales", graph((5, 8, 12), [resize("x", "s", "y")], scales, 4), shape
    yield "resize_sizes", graph((5, 8, 12), [("Resize", "x,,,s", "y", rounded)], {"s": ints(1, 5, 24, 24)}, 4, batch=1), shape
    add, relu = ("Add", "side up", "n", {}), ("Relu", "n", "y", {})
    yield "neck_add", neck(("Add", "side up", "y", {})), shape
    yield "neck_add_turned", neck(("Add", "up side", "y", {})), shape
    yield "neck_add_relu", neck(add, relu), shape
    yield "neck_of_active", neck(("Relu", "side", "r", {}), ("Add", "r up", "y", {})), shape
    yield "neck_multiplied", neck(("Mul", "side up", "y", {})), shape
    yield "neck_read_twice", neck(add, ("Add", "n up", "y", {})), shape
    pad = dict(pads=[1, 1, 1, 1])
    cut = {"a": ints(0), "b": ints(2), "c": ints(9), "axis": ints(1)}
    whole = ("Conv", "x w", "h", pad)
    yield "slice_parts", graph(
        (5, 9, 9), [whole, ("Slice", "h a b axis", "y0", {}), ("Slice", "h b c axis", "y1", {})],
        {"w": weights(9, 5, 3, 3), **cut}, 4, output="y0 y1"), (2, 5, 9, 9)
    yield "slice_conv", graph(
        (5, 9, 9), [whole, ("Slice", "h b c axis", "p", {}), ("Conv", "p v", "q", pad), ("Slice", "q a b axis", "s", {}),
                    ("Slice", "p a b axis", "t", {}), ("Concat", "s t h", "y", dict(axis=1))],
        {"w": weights(10, 5, 3, 3), "v": weights(4, 7, 3, 3), **cut}, 4), (2, 5, 9, 9)
    yield "slice_sigmoid_reshape", graph(
        (5, 9, 9), [whole, ("Transpose", "h", "t", dict(perm=[0, 2, 3, 1])), ("Slice", "t a b last", "p", {}),
                    ("Sigmoid", "p", "q", {}), ("Reshape", "q shape", "y0", {}), ("Slice", "t b c last", "y1", {})],
        {"w": weights(16, 5, 3, 3), "last": ints(3), "shape": ints(1, -1, 2), **cut}, 4, batch=1, output="y0 y1"), (2, 5, 9, 9)
    yield "residual_of_active", graph(
        (5, 9, 9), [("Conv", "x w", "c", pad), ("Relu", "c", "r", {}), ("Add", "r x", "n", {}), relu],
        {"w": weights(5, 5, 3, 3)}, 4), (2, 5, 9, 9)


def fused():
    w, b = weights(6, 5, 3, 3), weights(6)
    bn = {"g": weights(6, low=.5, high=2), "s": weights(6), "m": weights(6), "v": weights(6, low=.2, high=2)}
    pad = dict(pads=[1, 1, 1, 1])
    head, tensors = ("Conv", "x w b", "c", pad), {"w": w, "b": b}
    shape = (3, 5, 9, 9)

    def one(op, inputs="c", constants={}, opset=13, **attributes):
        return graph((5, 9, 9), [head, (op, inputs, "y", attributes)], {**tensors, **constants}, 4, opset)

    limits = {"lo": np.float32(0), "hi": np.float32(.4)}
    yield "conv_bn", one("BatchNormalization", "c g s m v", bn), shape
    yield "conv_relu", one("Relu"), shape
    yield "conv_leaky", one("LeakyRelu", alpha=.2), shape
    yield "conv_sigmoid", one("Sigmoid"), shape
    yield "conv_clip", one("Clip", "c lo hi", limits), shape
    yield "conv_clip_attributes", one("Clip", opset=10, min=-.3, max=.4), shape
    yield "conv_clip_low_only", one("Clip", "c lo", {"lo": np.float32(.1)}), shape
    yield "conv_scaled", one("Mul", "c k", {"k": weights(6, 1, 1, low=.5, high=2)}), shape
    yield "conv_bn_relu_twice_read", graph((5, 9, 9), [
        head, ("BatchNormalization", "c g s m v", "d", {}), ("Relu", "c", "e", {}), ("Add", "d e", "y", {})],
        {**tensors, **bn}, 4), shape
    square = {"w": weights(5, 5, 3, 3), "b": weights(5)}
    yield "residual_relu", graph((5, 9, 9), [head, ("Add", "c x", "d", {}), ("Relu", "d", "y", {})], square, 4), shape
    yield "residual_after_relu", graph((5, 9, 9), [head, ("Relu", "c", "r", {}), ("Add", "x r", "y", {})], square, 4), shape
    yield "residual_of_pool", graph((5, 9, 9), [
        head, ("AveragePool", "x", "p", dict(kernel_shape=[3, 3], pads=[1, 1, 1, 1])), ("Add", "c p", "d", {}),
        ("Relu", "d", "y", {})], square, 4), shape
    yield "two_outputs", graph((5, 9, 9), [head, ("Relu", "c", "r", {})], square, 4, output="c r"), shape
    pads = {"p": ints(0, 0, 1, 2, 0, 0, 0, 1)}
    yield "pad_conv", graph((5, 9, 9), [("Pad", "x p", "q", {}), ("Conv", "q w b", "y", {})], {**tensors, **pads}, 4), shape
    yield "pad_maxpool", graph((5, 9, 9), [
        ("Relu", "x", "r", {}), ("Pad", "r p", "q", {}), ("MaxPool", "q", "y", dict(kernel_shape=[3, 3], strides=[2, 2]))],
        pads, 4), shape


def elementwise():
    shape = (3, 5, 4, 6)

    def one(op, inputs="x", constants={}, rank=4, **attributes):
        return graph(shape[1:], [(op, inputs, "y", attributes)], constants, rank)

    channel = {"k": weights(5, 1, 1, low=.5, high=2)}
    yield "bn_alone", one("BatchNormalization", "x g s m v", {
        "g": weights(5), "s": weights(5), "m": weights(5), "v": weights(5, low=.2, high=2)}), shape
    for op in ("Add", "Sub", "Mul", "Div"):
        yield f"{op.lower()}_channel", one(op, "x k", channel), shape
        yield f"{op.lower()}_scalar", one(op, "x k", {"k": np.float32(1.7)}), shape
    yield "sub_from_constant", one("Sub", "k x", channel), shape
    yield "relu_alone", one("Relu"), shape
    yield "swish", graph(shape[1:], [("Sigmoid", "x", "s", {}), ("Mul", "x s", "y", {})], {}, 4), shape
    yield "squeeze_excite", graph(shape[1:], [
        ("GlobalAveragePool", "x", "g", {}), ("Conv", "g a", "h", {}), ("Relu", "h", "i", {}), ("Conv", "i b", "j", {}),
        ("Sigmoid", "j", "k", {}), ("Mul", "x k", "y", {})],
        {"a": weights(3, 5, 1, 1), "b": weights(5, 3, 1, 1)}, 4), shape
    yield "concat", graph(shape[1:], [
        ("Conv", "x w", "c", {}), ("Relu", "x", "r", {}), ("Concat", "c x r", "d", dict(axis=1)), ("Conv", "d v", "y", {})],
        {"w": weights(3, 5, 1, 1), "v": weights(4, 13, 1, 1)}, 4), shape
    yield "dropout_identity", graph(shape[1:], [
        ("Dropout", "x", "d", {}), ("Identity", "d", "i", {}), ("Relu", "i", "y", {})], {}, 4), shape
    yield "softmax_channels", one("Softmax", axis=1), shape
    yield "pass_through", one("Identity"), shape


def pools():
    shape = (2, 5, 9, 10)

    def one(op, **attributes):
        return graph(shape[1:], [(op, "x", "y", attributes)], {}, 4)

    yield "maxpool", one("MaxPool", kernel_shape=[2, 2], strides=[2, 2]), shape
    yield "maxpool_padded", one("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]), shape
    yield "maxpool_ceil", one("MaxPool", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1), shape
    yield "maxpool_ceil_padded", one("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1), shape
    yield "maxpool_same", one("MaxPool", kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER"), shape
    yield "averagepool", one("AveragePool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]), shape
    yield "averagepool_include", one("AveragePool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], count_include_pad=1), shape
    yield "averagepool_ceil", one("AveragePool", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1), shape
    yield "global_average", one("GlobalAveragePool"), shape
    yield "global_max", one("GlobalMaxPool"), shape
    yield "reduce_mean", graph(shape[1:], [("ReduceMean", "x", "y", dict(axes=[2, 3], keepdims=0))], {}, 2), shape
    yield "reduce_mean_18", graph(shape[1:], [("ReduceMean", "x a", "y", dict(keepdims=1))], {"a": ints(-1, -2)}, 4, 18), shape


def dense():
    shape = (3, 4, 3, 3)
    flat = {"w": weights(7, 36), "b": weights(7)}
    yield "flatten_gemm", graph(shape[1:], [("Flatten", "x", "f", {}), ("Gemm", "f w b", "y", dict(transB=1))], flat, 2), shape
    yield "gemm_alpha", graph((10,), [("Gemm", "x w b", "y", dict(alpha=.5, beta=2.))], {
        "w": weights(10, 6), "b": weights(1, 6)}, 2), (3, 10)
    yield "matmul_add_softmax", graph((10,), [("MatMul", "x w", "m", {}), ("Add", "m b", "a", {}), ("Softmax", "a", "y", {})], {
        "w": weights(10, 6), "b": weights(6)}, 2), (3, 10)
    yield "shape_reshape", graph(shape[1:], [
        ("Relu", "x", "r", {}), ("Shape", "r", "s", {}), ("Gather", "s zero", "n", dict(axis=0)), ("Unsqueeze", "n axes", "u", {}),
        ("Concat", "u rest", "t", dict(axis=0)), ("Reshape", "r t", "f", {}), ("Gemm", "f w b", "y", dict(transB=1))],
        {"zero": np.int64(0), "axes": ints(0), "rest": ints(-1), **flat}, 2), shape
    yield "fixed_batch", graph(shape[1:], [
        ("Reshape", "x t", "f", {}), ("Gemm", "f w b", "y", dict(transB=1))], {"t": ints(1, 36), **flat}, 2, batch=1), shape
    yield "transposed_dense", graph(shape[1:], [
        ("Transpose", "x", "t", dict(perm=[0, 2, 3, 1])), ("Reshape", "t s", "f", {}), ("MatMul", "f w", "y", {})],
        {"s": ints(-1, 36), "w": weights(36, 7)}, 2), shape
    yield "transposed_output", graph(shape[1:], [
        ("Transpose", "x", "t", dict(perm=[0, 2, 3, 1])), ("Mul", "t k", "y", {})], {"k": weights(4)}, 4), shape
    yield "flatten_output", graph(shape[1:], [("Relu", "x", "r", {}), ("Flatten", "r", "y", {})], {}, 2), shape


def all_graphs():
    for group in (convolutions, fused, elementwise, pools, dense, of_detectors):
        yield from group()
