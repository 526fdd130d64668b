"""Writes a trained run as the ONNX file that emotiond loads, judges that file, and reports.

    python -m emotion.export --data DIR --run RUN --out emotion.onnx [--reports DIR] [--card FILE]

The averaged weights are exported. Every figure is measured by onnxruntime on the written bytes, in
a single pass over PublicTest, without test-time averaging. Nothing is written unless these bytes
give the logits that PyTorch gives.
"""
import argparse
import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from . import calibrate, card, data, graph, metrics, nets, preprocess, report, state
from .train import predict

TOLERANCE = 1e-4  # of logits


class ExportError(Exception):
    """Why there is no file, and the way out."""


def parse(arguments=None):
    p = argparse.ArgumentParser(prog="python -m emotion.export", description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True, help="as for training; its public split is used")
    p.add_argument("--run", required=True, type=Path, help="folder with state.pt")
    p.add_argument("--out", required=True, type=Path)
    p.add_argument("--reports", type=Path, help="folder for report.json and pictures")
    p.add_argument("--card", type=Path, help="model card whose marked block is rewritten")
    p.add_argument("--overwrite", action="store_true", help="also replace a file that was measured better")
    p.add_argument("--threads", type=int, default=2)
    return p.parse_args(arguments)


def run_onnx(model: onnx.ModelProto, images: np.ndarray, threads: int, batch: int = 256) -> np.ndarray:
    """images [N,48,48] uint8; logits [N,C]."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    batches = (preprocess.normalise(images[i:i + batch, None].astype(np.float32)) for i in range(0, len(images), batch))
    return np.concatenate([session.run(["logits"], {"input": x.astype(np.float32)})[0] for x in batches])


def require_equal(expected: np.ndarray, found: np.ndarray) -> float:
    difference = float(np.abs(expected - found).max())
    if not difference <= TOLERANCE:  # also true for NaN
        raise ExportError(f"the exported file's logits differ from PyTorch's by {difference:.3g}, more than {TOLERANCE}: "
                          "folding or graph is wrong, nothing was written")
    return difference


def training_notes(run: Path, saved: dict, net: nets.EmotionNet) -> dict:
    """What is known of the training: from the state, and from settings.json where the run has one."""
    notes = {"net": saved["name"], "macs": nets.count_macs(net),
             # Of the exported net: without the vote head and with the batch norms folded.
             "parameters": None, "epochs": saved["epoch"], "steps": saved["steps"], "minutes": round(saved["used"] / 60, 1)}
    file = run / "settings.json"
    if file.is_file():
        try:
            written = json.loads(file.read_text())
            notes.update({key: written[key] for key in ("images", "votes", "device", "bf16", "torch", "settings")
                          if key in written})
        except (OSError, ValueError, TypeError) as error:
            raise ExportError(f"{file}: cannot be read ({error}); repair or remove it") from error
    return notes


def metadata(net, public: dict, calibration: calibrate.Calibration, notes: dict, sha256: str) -> dict:
    """The contract with the engine, then notes for people (`training.*`)."""
    labels = data.ALL_LABELS[:net.head.out_features]
    template = ",".join(f"{value:g}" for point in preprocess.CROP_TEMPLATE for value in point)
    entries = {
        "emotiond.format": "1", "emotiond.kind": "emotion", "labels": ",".join(labels),
        "input.mean": f"{preprocess.MEAN:g}", "input.scale": preprocess.SCALE_TEXT, "input.normalise": "none",
        "crop.template": template, "temperature": f"{calibration.temperature:g}",
        "uncertain.below": f"{calibration.uncertain_below:g}",
        "accuracy.f32": f"{public['accuracy']:.2f};{public['n']};public", "weights.sha256": sha256,
    }
    for key, value in notes.items():
        if key != "settings":
            entries[f"training.{key}"] = str(value).lower() if isinstance(value, bool) else value
    if "settings" in notes:
        entries["training.settings"] = json.dumps(notes["settings"], sort_keys=True, separators=(",", ":"))
    return entries


def refuse_worse(out: Path, accuracy: float, n: int):
    """A file that was measured better, or on other pictures, is not replaced unasked."""
    if not out.is_file():
        return
    try:
        there = graph.metadata(onnx.load(out)).get("accuracy.f32", "")
        percent, count, split = there.split(";")
        better, same = float(percent) > accuracy, (int(count), split) == (n, "public")
    except Exception:  # not a model, or one without a figure: nothing of worth to protect
        return
    if not same:
        raise ExportError(f"{out} was measured on other pictures ({count} of {split}, here {n}), so nothing says which file is better: "
                          "it is kept; --overwrite (make: OVERWRITE=1) replaces it, --out (OUT=) writes elsewhere")
    if better:
        raise ExportError(f"{out} has {percent} % on the same {n} pictures, this run {accuracy:.2f} %: "
                          "the file is kept; --overwrite (make: OVERWRITE=1) replaces it, --out writes elsewhere")


def export(a) -> dict:
    """Returns the report."""
    torch.set_num_threads(a.threads)
    saved = state.read(a.run / "state.pt")
    net = state.averaged_net(saved)
    public = data.load(a.data, "public")
    clean = data.clean_public(a.data, public)
    model = graph.build(net, saved["name"])

    logits = run_onnx(model, public.images, a.threads)
    sample = np.linspace(0, len(public) - 1, min(64, len(public)), dtype=int)
    difference = require_equal(predict(net, public.images[sample]), logits[sample])
    calibration = calibrate.calibrate(logits, public.labels, clean)
    p = metrics.softmax(logits, calibration.temperature)
    on_all = report.figures(p, public.labels)
    if not a.overwrite:
        refuse_worse(a.out, on_all["accuracy"], on_all["n"])

    notes = training_notes(a.run, saved, net)
    notes["parameters"] = sum(len(tensor.raw_data) // 4 for tensor in model.graph.initializer)
    sha256 = graph.weights_sha256(model)
    graph.set_metadata(model, metadata(net, on_all, calibration, notes, sha256))
    content = model.SerializeToString(deterministic=True)
    a.out.parent.mkdir(parents=True, exist_ok=True)
    part = a.out.with_name(a.out.name + ".part")
    part.write_bytes(content)
    part.replace(a.out)

    result = {
        "file": {"name": a.out.name, "bytes": len(content), "weights.sha256": sha256, "torch_difference": difference},
        "training": notes, "calibration": dataclasses.asdict(calibration),
        "public": on_all, "clean": report.figures(p[clean], public.labels[clean]),
        "ferplus": report.against_votes(p, public), "eight": with_contempt(a, net, model),
        "uncertain": report.uncertainty(p, public.labels, calibration.uncertain_below),
        "uncertain_clean": report.uncertainty(p[clean], public.labels[clean], calibration.uncertain_below)}
    if a.reports:
        report.write(a.reports, result, p, public.labels, report.read_log(a.run / "log.jsonl"))
    if a.card:
        card.fill(a.card, result)
    return result


def with_contempt(a, net, model: onnx.ModelProto) -> dict | None:
    """Figures against eight labels, of a net that has them; all other figures are against the seven, as
    `emotiond eval` counts, where contempt is never right."""
    if net.head.out_features == len(data.LABELS):
        return None
    public = data.load(a.data, "public", net.head.out_features)
    return report.figures(metrics.softmax(run_onnx(model, public.images, a.threads)), public.labels)


def summary(result: dict) -> str:
    c, u = result["calibration"], result["uncertain"]
    lines = [f"{result['file']['name']}: {result['file']['bytes']:,} bytes, logits within "
             f"{result['file']['torch_difference']:.1e} of PyTorch's"]
    for name in ("public", "clean"):
        f = result[name]
        lines.append(f"{name:7} {f['accuracy']:.2f} % of {f['n']} ({f['interval'][0]:.1f} to {f['interval'][1]:.1f}), "
                     f"macro-F1 {f['macro_f1']:.4f}, ECE {f['ece']:.4f}")
        lines += [f"  {label:9} n {k['n']:4}  recall {k['recall']:.3f}  precision {k['precision']:.3f}  F1 {k['f1']:.3f}"
                  for label, k in f["per_class"].items()]
    if result["ferplus"]:
        lines.append(f"FER+    {result['ferplus']['accuracy']:.2f} % of {result['ferplus']['n']} (majority, one of the seven)")
    if result["eight"]:
        k = result["eight"]["per_class"]["contempt"]
        lines.append(f"eight labels {result['eight']['accuracy']:.2f} % of {result['eight']['n']}; contempt n {k['n']}, recall "
                     f"{k['recall']:.3f}, precision {k['precision']:.3f}")
    lines.append(f"temperature {c['temperature']} fitted on {c['fitted_on']}; ECE on the other {c['checked_on']}: "
                 f"{c['ece_before']:.4f} before, {c['ece_after']:.4f} after")
    lines.append(f"uncertain below {u['below']}: {u['share']} % of public, right in {u['accuracy_below']} %; "
                 f"the others in {u['accuracy_above']} %")
    return "\n".join(lines)


def main():
    try:
        print(summary(export(parse())))
    except (data.DataError, state.StateError, ExportError, card.CardError) as error:
        sys.exit(f"export: {error}")


if __name__ == "__main__":
    main()
