"""From an exported float file an int8 one beside it, and the figures of all three number formats.

    python -m emotion.quantise --data DIR --model emotion.onnx [--reports DIR] [--card FILE]

Activations are calibrated on training pictures, by each of `ranges.METHODS`. Of the methods that lose
at most 0.3 points on PublicTest, the one is taken whose answers there are most often the float file's:
between them a difference of a few pictures in accuracy is chance. Where none keeps within 0.3 points,
the weights are fine-tuned in codes (`finetune`).

The int8 file is a QDQ graph, run here by onnxruntime; bf16 is simulated in torch (`simulate.bf16`). Both
files get `accuracy.f32|bf16|int8`, and the float file `int8.file`, the name of its neighbour.
"""
import argparse
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import torch

from . import card, contract, data, finetune, metrics, qdq, ranges, simulate

MOST_LOSS = 0.3  # points
CALIBRATION_SEED = 8


def parse(arguments=None):
    p = argparse.ArgumentParser(prog="python -m emotion.quantise", description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True)
    p.add_argument("--model", required=True, type=Path, help="float file of emotion.export; its metadata is rewritten")
    p.add_argument("--out", type=Path, help="int8 file, in the same folder; default: NAME-int8.onnx")
    p.add_argument("--reports", type=Path, help="folder for int8.json")
    p.add_argument("--card", type=Path)
    p.add_argument("--pictures", type=int, default=1024, help="training pictures for the calibration")
    p.add_argument("--head", choices=("int8", "float"), default="float", help="arithmetic of the last layer")
    p.add_argument("--sums", choices=("int8", "float"), default="int8",
                   help="float: the convolution that ends in an addition is not rounded before it")
    p.add_argument("--weight-bits", type=int, choices=range(3, 9), default=8)
    p.add_argument("--finetune", type=int, default=400, help="steps of fine-tuning, where it is needed")
    p.add_argument("--threads", type=int, default=2)
    return p.parse_args(arguments)


class Judge:
    """Figures of a set of logits on PublicTest beside those of the float file."""

    def __init__(self, a, model: onnx.ModelProto):
        self.threads = a.threads
        self.public = data.load(a.data, "public")
        self.clean = data.clean_public(a.data, self.public)
        self.temperature = float(contract.metadata(model)["temperature"])
        self.float_logits = contract.run_onnx(model, self.public.images, a.threads)
        self.float32 = self.figures(self.float_logits)

    def figures(self, logits: np.ndarray) -> dict:
        right = logits.argmax(1) == self.public.labels
        p = metrics.softmax(logits, self.temperature)
        table = metrics.confusion(self.public.labels, logits.argmax(1), p.shape[1])
        return {"n": len(right), "accuracy": round(100 * float(right.mean()), 2),
                "clean": round(100 * float(right[self.clean].mean()), 2),
                "macro_f1": round(metrics.macro_f1(table), 4),
                "ece": round(metrics.expected_calibration_error(p, self.public.labels), 4),
                "same_answer": round(100 * float((logits.argmax(1) == self.float_logits.argmax(1)).mean()), 2),
                "largest_difference": round(float(np.abs(logits - self.float_logits).max()), 4)}

    def of_model(self, model: onnx.ModelProto) -> dict:
        return self.figures(contract.run_onnx(model, self.public.images, self.threads))

    def loss(self, figures: dict) -> float:
        return round(self.float32["accuracy"] - figures["accuracy"], 2)


def calibration_images(source, count: int) -> np.ndarray:
    """Usable training pictures, drawn once by a fixed seed: [N,48,48] uint8."""
    train = data.load(source, "train")
    usable = np.flatnonzero(data.usable(train))
    random = np.random.Generator(np.random.PCG64(CALIBRATION_SEED))
    return train.images[np.sort(random.choice(usable, min(count, len(usable)), replace=False))]


def choose(rows: list[dict], judge: Judge) -> dict:
    within = [row for row in rows if judge.loss(row) <= MOST_LOSS]
    if within:
        return max(within, key=lambda row: row["same_answer"])
    return min(rows, key=judge.loss)


def quantise(a) -> dict:
    """Writes the int8 file and both files' metadata; returns the report."""
    torch.set_num_threads(a.threads)
    out = a.out or a.model.with_name(a.model.stem + "-int8.onnx")
    if out.resolve().parent != a.model.resolve().parent or out.resolve() == a.model.resolve():
        raise qdq.QuantiseError(f"{out}: the int8 file must be another file in the folder of {a.model}")
    model = _read(a.model)
    judge = Judge(a, model)
    images = calibration_images(a.data, a.pictures)
    seen = ranges.observe(model, qdq.activations(model, head=True, sums=True), images, a.threads)

    def built(method, head=a.head == "int8", sums=a.sums == "int8", bits=a.weight_bits, weights=model):
        codes = {name: seen[name].codes(method) for name in qdq.activations(model, head, sums)}
        return qdq.build(weights, codes, bits), codes

    methods = [{"method": method, **judge.of_model(built(method)[0])} for method in ranges.METHODS]
    chosen = choose(methods, judge)
    method = chosen["method"]
    result, codes = built(method)
    steps = 0
    if judge.loss(chosen) > MOST_LOSS:
        steps = a.finetune
        moved = finetune.finetune(model, codes, a.weight_bits, calibration_images(a.data, 10 ** 9), steps)
        result, _ = built(method, weights=moved)
    variants = {"last layer in int8 too": dict(head=True), "additions before rounding": dict(sums=False),
                "weights of 7 bits": dict(bits=7)}
    report = {"float32": judge.float32,
              "bf16": judge.figures(simulate.predict(simulate.Simulation(model, simulate.bf16), judge.public.images)),
              "int8": judge.of_model(result), "method": method, "pictures": len(images), "finetuned_steps": steps,
              "head": a.head, "sums": a.sums, "weight_bits": a.weight_bits, "methods": methods,
              "variants": [{"variant": name, **judge.of_model(built(method, **changes)[0])}
                           for name, changes in variants.items()]}
    report["loss"] = judge.loss(report["int8"])
    report["file"] = {"name": out.name, **_write_both(a.model, model, out, result, report)}
    if a.reports:
        a.reports.mkdir(parents=True, exist_ok=True)
        (a.reports / "int8.json").write_text(json.dumps(report, indent=1) + "\n")
        _retell_size(a, contract.weights_sha256(model))
    if a.card:
        card.fill(a.card, "formats", markdown(report))
    return report


def _retell_size(a, sha256: str):
    """The float file has grown by its new metadata: its report, where it is of these weights, and its card follow."""
    file = a.reports / "report.json"
    report = json.loads(file.read_text()) if file.is_file() else {}
    if report.get("file", {}).get("weights.sha256") != sha256:
        return
    report["file"]["bytes"] = a.model.stat().st_size
    file.write_text(json.dumps(report, indent=1) + "\n")
    if a.card:
        card.fill(a.card, "figures", card.figures(report))


def _read(file: Path) -> onnx.ModelProto:
    try:
        model = onnx.load(file)
    except Exception as error:  # onnx raises what its parser raises
        raise qdq.QuantiseError(f"{file}: cannot be read as ONNX ({error})") from error
    if "temperature" not in contract.metadata(model):
        raise qdq.QuantiseError(f"{file}: lacks the metadata of emotion.export; export it again")
    if any(node.op_type == "QuantizeLinear" for node in model.graph.node):
        raise qdq.QuantiseError(f"{file}: is quantised already; give the float file")
    return model


def _write_both(file: Path, model: onnx.ModelProto, out: Path, result: onnx.ModelProto, report: dict) -> dict:
    accuracy = {f"accuracy.{key}": contract.figure(report[name]["accuracy"], report[name]["n"])
                for key, name in (("f32", "float32"), ("bf16", "bf16"), ("int8", "int8"))}
    entries = {**contract.metadata(model), **accuracy, "int8.file": out.name}
    sha256 = contract.weights_sha256(result)
    about = {"int8.method": report["method"], "int8.pictures": report["pictures"],
             "int8.finetuned_steps": report["finetuned_steps"], "int8.from": entries["weights.sha256"], "weights.sha256": sha256}
    contract.set_metadata(result, {**entries, **about})
    size = contract.write(result, out)
    contract.set_metadata(model, entries)
    contract.write(model, file)
    return {"bytes": size, "weights.sha256": sha256}


def markdown(report: dict) -> str:
    def row(name, f):
        return (name, f"{f['accuracy']:.2f} %", f"{f['accuracy'] - report['float32']['accuracy']:+.2f}", f"{f['clean']:.2f} %",
                f"{f['macro_f1']:.4f}", f"{f['ece']:.4f}", f"{f['same_answer']:.2f} %")

    head = ("PublicTest, single pass", "all", "points", "clean", "macro-F1", "ECE", "answers as float32")
    rows = [row("float32", report["float32"]), row("bf16", report["bf16"]),
            row(f"**int8** ({report['file']['bytes']:,} bytes), ranges by {report['method']}", report["int8"])]
    rows += [row(f"int8, ranges by {f['method']}", f) for f in report["methods"] if f["method"] != report["method"]]
    rows += [row(f"int8, {f['variant']}", f) for f in report["variants"]]
    return card.table(head, rows)


def main():
    try:
        report = quantise(parse())
        print(f"{report['file']['name']}: {report['file']['bytes']:,} bytes, ranges by {report['method']}, "
              f"loss {report['loss']:+.2f} points" + markdown(report).rstrip())
    except (data.DataError, qdq.QuantiseError, simulate.SimulationError, card.CardError) as error:
        sys.exit(f"quantise: {error}")


if __name__ == "__main__":
    main()
