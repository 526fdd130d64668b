"""Writes a trained run as the ONNX file that emotiond loads, judges that file, and reports.

    python -m emotion.export --data DIR --run RUN --out emotion.onnx [--blend A] [--reports DIR] [--card FILE]

The averaged weights are exported: the label head, or with --blend A its mixture with the head on
FER+'s votes, (1 - A) * label + A * votes, which is one linear layer again.
"""
import argparse
import json
import sys
from pathlib import Path

import torch

from . import blend, card, data, graph, nets, publish, report, state
from .contract import ExportError
from .train import predict


def parse(arguments=None):
    p = argparse.ArgumentParser(prog="python -m emotion.export", description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--run", required=True, type=Path, help="folder with state.pt")
    p.add_argument("--blend", type=float, default=0.0, help="share of the FER+ head in the logits, 0 to 1")
    publish.add_arguments(p)
    return p.parse_args(arguments)


def training_notes(run: Path, saved: dict, net: nets.EmotionNet) -> dict:
    """What is known of the training: from the state, and from settings.json where the run has one."""
    notes = {"net": saved["name"], "macs": nets.count_macs(net),
             "epochs": saved["epoch"], "steps": saved["steps"], "minutes": round(saved["used"] / 60, 1)}
    file = run / "settings.json"
    if file.is_file():
        try:
            written = json.loads(file.read_text())
            notes.update({key: written[key] for key in ("images", "votes", "device", "bf16", "torch", "settings")
                          if key in written})
        except (OSError, ValueError, TypeError) as error:
            raise ExportError(f"{file}: cannot be read ({error}); repair or remove it") from error
    return notes


def export(a) -> dict:
    """Returns the report."""
    torch.set_num_threads(a.threads)
    saved = state.read(a.run / "state.pt")
    net = blend.fold(state.averaged_net(saved), a.blend)
    notes = training_notes(a.run, saved, net)
    if a.blend:
        notes["blend"] = a.blend
    return publish.publish(graph.build(net, saved["name"]), notes, a, lambda images: predict(net, images),
                           report.read_log(a.run / "log.jsonl"))


def main():
    try:
        print(publish.summary(export(parse())))
    except (data.DataError, state.StateError, ExportError, card.CardError, blend.BlendError) as error:
        sys.exit(f"export: {error}")


if __name__ == "__main__":
    main()
