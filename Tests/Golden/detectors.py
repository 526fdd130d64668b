"""The face detector's smallest net with weights of chance, as training/detector exports it."""
import sys
from pathlib import Path

import torch

sys.path.append(str(Path(__file__).resolve().parents[2] / "training"))
from detector import export, nets  # noqa: E402
from emotion import contract  # noqa: E402


def all_nets():
    torch.manual_seed(11)
    net = nets.make("tiny")
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.normal_(std=0.3)
                module.running_var.uniform_(0.5, 2)
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_(std=0.3)
        for head in net.heads:
            head.weight.normal_(std=0.3)
            head.bias[:2] = 0
    model = export.build(net.eval(), "emotiond-faces-tiny")
    contract.set_metadata(model, {
        "emotiond.format": "1", "emotiond.kind": "face-detector", "input.mean": f"{nets.MEAN:g}",
        "input.scale": f"{nets.SCALE:g}", "score.threshold": "0.60", "weights.sha256": contract.weights_sha256(model)})
    for size in ((64, 96), (32, 32)):
        yield f"detector_tiny_{size[0]}x{size[1]}", model, (2, 1, *size)
