"""What stands in a file that emotiond loads: operators, names, metadata. Needs no torch, so that a net of
another framework can be written and judged the same way.
"""
import hashlib
import json

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

from . import calibrate, data, preprocess

OPSET = 13
IR_VERSION = 8
TOLERANCE = 1e-4  # of logits, or of the largest where that is above 1, between the file and the net it was written from


class ExportError(Exception):
    """Why there is no file, and the way out."""


class Builder:
    """Collects the nodes and weights of a graph with input `input` [N,1,48,48] and output `logits` [N,C]."""

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

    def conv(self, x: str, name: str, weight: np.ndarray, bias: np.ndarray, stride: int = 1) -> str:
        """weight [O,I,k,k], bias [O]; padded to the size of its input where the stride is 1."""
        kernel = weight.shape[2:]
        return self.add("Conv", [x, self.weight(f"{name}.weight", weight), self.weight(f"{name}.bias", bias)], name,
                        kernel_shape=kernel, strides=[stride, stride], pads=[side // 2 for side in kernel] * 2,
                        dilations=[1, 1], group=1)

    def linear(self, x: str, name: str, weight: np.ndarray, bias: np.ndarray, output: str) -> str:
        """weight [O,I], bias [O]."""
        return self.add("Gemm", [x, self.weight(f"{name}.weight", weight), self.weight(f"{name}.bias", bias)], output, transB=1)

    def finish(self, name: str, classes: int) -> onnx.ModelProto:
        """The checked model; N is free."""
        side = data.SIDE
        graph = helper.make_graph(
            self.nodes, name,
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", 1, side, side])],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", classes])],
            self.weights)
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


def entries(classes: int, public: dict, calibration: calibrate.Calibration, notes: dict, sha256: str) -> dict:
    """The contract with the engine, then notes for people (`training.*`). public: of `report.figures`."""
    template = ",".join(f"{value:g}" for point in preprocess.CROP_TEMPLATE for value in point)
    made = {
        "emotiond.format": "1", "emotiond.kind": "emotion", "labels": ",".join(data.ALL_LABELS[:classes]),
        "input.mean": f"{preprocess.MEAN:g}", "input.scale": preprocess.SCALE_TEXT, "input.normalise": "none",
        "crop.template": template, "temperature": f"{calibration.temperature:g}",
        "uncertain.below": f"{calibration.uncertain_below:g}",
        "accuracy.f32": figure(public["accuracy"], public["n"]), "weights.sha256": sha256,
    }
    for key, value in notes.items():
        if key != "settings":
            made[f"training.{key}"] = str(value).lower() if isinstance(value, bool) else value
    if "settings" in notes:
        made["training.settings"] = json.dumps(notes["settings"], sort_keys=True, separators=(",", ":"))
    return made


def figure(percent: float, n: int) -> str:
    """How an accuracy on PublicTest stands in the metadata."""
    return f"{percent:.2f};{n};public"


def run_onnx(model: onnx.ModelProto, images: np.ndarray, threads: int, batch: int = 256) -> np.ndarray:
    """images [N,48,48] uint8; logits [N,C]."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Of int8 graphs: without it, hosts without VNNI add pairs of u8 x s8 products in 16 bits, which saturates.
    options.add_session_config_entry("session.x64quantprecision", "1")
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    batches = (preprocess.normalise(images[i:i + batch, None].astype(np.float32)) for i in range(0, len(images), batch))
    return np.concatenate([session.run(["logits"], {"input": x.astype(np.float32)})[0] for x in batches])


def require_equal(expected: np.ndarray, found: np.ndarray) -> float:
    """The largest difference of two arrays of logits, if it is one that rounding explains."""
    difference = float(np.abs(expected - found).max())
    most = TOLERANCE * max(1.0, float(np.abs(expected).max()))
    if not difference <= most:  # also true for NaN
        raise ExportError(f"the exported file's logits differ from the net's by {difference:.3g}, more than {most:.3g}: "
                          "folding or graph is wrong, nothing was written")
    return difference


def write(model: onnx.ModelProto, file) -> int:
    """Whole or not at all, equal models as equal bytes; their number."""
    content = model.SerializeToString(deterministic=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(file.name + ".part")
    part.write_bytes(content)
    part.replace(file)
    return len(content)
