"""Judges an ONNX model on PublicTest and writes it with its metadata, report and card.

Every figure is measured by onnxruntime on the written bytes, in a single pass, without test-time
averaging. Needs no torch: nets of other frameworks go the same way.
"""
import dataclasses
from pathlib import Path
from typing import Callable

import numpy as np
import onnx

from . import calibrate, card, contract, data, metrics, report
from .contract import ExportError


def add_arguments(p):
    """What `publish` wants to find in `a`."""
    p.add_argument("--data", required=True, help="as for training; its public split is used")
    p.add_argument("--out", required=True, type=Path)
    p.add_argument("--reports", type=Path, help="folder for report.json and pictures")
    p.add_argument("--card", type=Path, help="model card whose marked block is rewritten")
    p.add_argument("--overwrite", action="store_true", help="also replace a file that was measured better")
    p.add_argument("--threads", type=int, default=2)


def refuse_worse(out: Path, accuracy: float, n: int):
    """A file that was measured better, or on other pictures, is not replaced unasked."""
    if not out.is_file():
        return
    try:
        there = contract.metadata(onnx.load(out)).get("accuracy.f32", "")
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


def publish(model: onnx.ModelProto, notes: dict, a, reference: Callable[[np.ndarray], np.ndarray], log: list[dict]) -> dict:
    """Returns the report. `reference` gives the logits of the net that the model was written from, for crops
    [N,48,48] uint8; nothing is written unless the model gives the same. `log`: lines of log.jsonl."""
    public = data.load(a.data, "public")
    clean = data.clean_public(a.data, public)
    logits = contract.run_onnx(model, public.images, a.threads)
    sample = np.linspace(0, len(public) - 1, min(64, len(public)), dtype=int)
    difference = contract.require_equal(reference(public.images[sample]), logits[sample])
    calibration = calibrate.calibrate(logits, public.labels, clean)
    p = metrics.softmax(logits, calibration.temperature)
    on_all = report.figures(p, public.labels)
    if not a.overwrite:
        refuse_worse(a.out, on_all["accuracy"], on_all["n"])

    notes = {**notes, "parameters": sum(len(tensor.raw_data) // 4 for tensor in model.graph.initializer)}
    sha256 = contract.weights_sha256(model)
    contract.set_metadata(model, contract.entries(logits.shape[1], on_all, calibration, notes, sha256))
    size = contract.write(model, a.out)

    result = {
        "file": {"name": a.out.name, "bytes": size, "weights.sha256": sha256, "difference": difference},
        "training": notes, "calibration": dataclasses.asdict(calibration),
        "public": on_all, "clean": report.figures(p[clean], public.labels[clean]),
        "ferplus": report.against_votes(p, public), "eight": with_contempt(a, logits),
        "uncertain": report.uncertainty(p, public.labels, calibration.uncertain_below),
        "uncertain_clean": report.uncertainty(p[clean], public.labels[clean], calibration.uncertain_below)}
    if a.reports:
        report.write(a.reports, result, p, public.labels, log)
    if a.card:
        card.fill(a.card, "figures", card.figures(result))
    return result


def with_contempt(a, logits: np.ndarray) -> dict | None:
    """Figures against eight labels, of a net that has them; all other figures are against the seven, as
    `emotiond eval` counts, where contempt is never right."""
    if logits.shape[1] == len(data.LABELS):
        return None
    return report.figures(metrics.softmax(logits), data.load(a.data, "public", logits.shape[1]).labels)


def summary(result: dict) -> str:
    c, u = result["calibration"], result["uncertain"]
    lines = [f"{result['file']['name']}: {result['file']['bytes']:,} bytes, logits within "
             f"{result['file']['difference']:.1e} of the net's"]
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
