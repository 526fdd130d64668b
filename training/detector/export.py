"""Writes a trained run as the ONNX file that emotiond loads, by its own engine or by OpenCV's dnn.

    python -m detector.export --data DIR --run RUN --out faces.onnx [--threshold 0.6]

Input `input` [1,1,H,W], sides multiples of 32, (luma - input.mean) * input.scale; what is padded is 0. Outputs for
each stride s of 8, 16, 32 as YuNet 2023mar's: `cls_s` and `obj_s` [1,cells,1], probabilities; `bbox_s` [1,cells,4];
`kps_s` [1,cells,10]. Without --threshold it is chosen on the validation split: the lowest that keeps precision and
false alarms; a run that has none does not go over a file that is there.
"""
import argparse
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper

from emotion import contract
from emotion.graph import folded

from . import data, judge, nets, runs

# Of a head's channels, in the order of nets.CHANNELS.
PARTS = (("cls", 0, 1), ("obj", 1, 2), ("bbox", 2, 6), ("kps", 6, 16))
PRECISION, ALARMS = 0.97, 8.0  # stricter than what is promised: the threshold is chosen on the pictures that judge it


def build(net: nets.FaceNet, name: str) -> onnx.ModelProto:
    b = contract.Builder()

    def conv(x, pair, name):
        convolution = pair[0]
        weight, bias = folded((convolution, pair[1] if len(pair) > 1 else None))
        return b.add("Conv", [x, b.weight(f"{name}.weight", weight), b.weight(f"{name}.bias", bias)], name,
                     kernel_shape=convolution.kernel_size, strides=convolution.stride, pads=convolution.padding * 2,
                     dilations=[1, 1], group=convolution.groups)

    def relu(x):
        return b.add("Relu", [x], f"{x}.relu")

    def unit(x, layers, name):
        """Plain: conv, relu. Separable: depthwise, relu, 1x1, relu."""
        for index, layer in enumerate(l for l in layers if not isinstance(l, torch.nn.ReLU)):
            pair = layer if isinstance(layer, torch.nn.Sequential) and isinstance(layer[0], torch.nn.Conv2d) else layer[0]
            x = relu(conv(x, pair, f"{name}.{index}"))
        return x

    x = relu(conv("input", net.stem[0], "stem"))
    maps = []
    for index, (stage, lateral) in enumerate(zip(net.stages, net.laterals)):
        x = unit(x, stage[0], f"stage{index}.0")
        for place, residual in enumerate(list(stage)[1:], 1):
            x = b.add("Add", [unit(x, residual.unit, f"stage{index}.{place}"), x], f"stage{index}.{place}.add")
        maps.append(conv(x, lateral, f"lateral{index}"))
    scales = b.weight("twice", np.array([1, 1, 2, 2], np.float32))
    for level in (1, 0):
        up = b.add("Resize", [maps[level + 1], "", scales], f"up{level}", mode="nearest", nearest_mode="floor",
                   coordinate_transformation_mode="asymmetric")
        maps[level] = b.add("Add", [maps[level], up], f"neck{level}")
    outputs = []
    for index, stride in enumerate(nets.STRIDES):
        head = conv(unit(relu(maps[index]), net.towers[index], f"tower{index}"), [net.heads[index]], f"head{index}")
        rows = b.add("Transpose", [head], f"head{index}.rows", perm=[0, 2, 3, 1])
        for part, low, high in PARTS:
            piece = b.add("Slice", [rows, integers(b, low), integers(b, high), integers(b, 3)], f"{part}_{stride}.cut")
            if part in ("cls", "obj"):
                piece = b.add("Sigmoid", [piece], f"{part}_{stride}.p")
            outputs.append(helper.make_tensor_value_info(
                b.add("Reshape", [piece, integers(b, 1, -1, high - low)], f"{part}_{stride}"), TensorProto.FLOAT,
                [1, None, high - low]))
    outputs.sort(key=lambda o: [p[0] for p in PARTS].index(o.name.split("_")[0]))
    graph = helper.make_graph(b.nodes, name, [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 1, "H", "W"])],
                              outputs, b.weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", contract.OPSET)], producer_name="emotiond training")
    model.ir_version = contract.IR_VERSION
    onnx.checker.check_model(model, full_check=True)
    return model


def integers(b, *values) -> str:
    name = "i_" + "_".join(str(v).replace("-", "m") for v in values)
    if not any(w.name == name for w in b.weights):
        b.weights.append(helper.make_tensor(name, TensorProto.INT64, [len(values)], np.array(values, "<i8").tobytes(), raw=True))
    return name


def require_equal(model, net):
    """The file's answers against the net's, on noise of a frame's size."""
    x = torch.from_numpy(np.random.default_rng(1).standard_normal((1, 1, 96, 160)).astype(np.float32))
    with torch.no_grad():
        raw = nets.flat(net(x))[0]
    raw[:, :2] = raw[:, :2].sigmoid()
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found = session.run([f"{part}_{s}" for part, *_ in PARTS for s in nets.STRIDES], {"input": x.numpy()})
    joined = np.concatenate([np.concatenate([f[0] for f in found[3 * i:3 * i + 3]]) for i in range(len(PARTS))], 1)
    contract.require_equal(raw.numpy(), joined)


def main(arguments=None):
    p = argparse.ArgumentParser(prog="python -m detector.export", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", type=Path, help="folder with images/ and labels/, to choose the threshold; not needed with --threshold")
    p.add_argument("--run", required=True, type=Path)
    p.add_argument("--out", required=True, type=Path)
    p.add_argument("--threshold", type=float)
    p.add_argument("--overwrite", action="store_true", help="also with a run that cannot keep them at any threshold")
    p.add_argument("--threads", type=int, default=1)
    a = p.parse_args(arguments)
    if a.threshold is None and not a.data:
        p.error("give --data DIR to choose the threshold, or --threshold")
    torch.set_num_threads(a.threads)
    try:
        net, saved = runs.read_net(a.run)
        figures, threshold = None, a.threshold
        if threshold is None:
            threshold, figures = judge.best_threshold(lambda luma: judge.find_all(net, luma), data.load(a.data, "val"), PRECISION, ALARMS)
        if figures and not judge.promises_hold(figures, PRECISION, ALARMS):
            said = f"no threshold keeps precision {PRECISION:g} with {ALARMS:g} false alarms in 100 pictures; train longer, or mine"
            if a.out.exists() and not a.overwrite:
                raise contract.ExportError(f"{said}. {a.out} was kept; --overwrite (make: OVERWRITE=1) replaces it")
            print(f"export: {said}. {threshold:.2f} stands in the file", file=sys.stderr)
        model = build(net, f"emotiond-faces-{saved['name']}")
        require_equal(model, net)
        contract.set_metadata(model, {
            "emotiond.format": "1", "emotiond.kind": "face-detector", "input.mean": f"{nets.MEAN:g}", "input.scale": f"{nets.SCALE:g}",
            "score.threshold": f"{threshold:.2f}", "weights.sha256": contract.weights_sha256(model), "training.net": saved["name"],
            "training.epochs": saved["epoch"], "training.minutes": round(saved["used"] / 60, 1)})
        size = contract.write(model, a.out)
    except (data.DataError, contract.ExportError, OSError) as error:
        sys.exit(f"export: {error}")
    print(json.dumps({"file": str(a.out), "bytes": size, "threshold": round(threshold, 2), "figures": figures}, indent=1))


if __name__ == "__main__":
    main()
