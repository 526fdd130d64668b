"""What the VGG19 baselines share, those trained with torch and those with Keras: layers, colours, licence,
where ImageNet's weights are, and the card's table. Needs neither of the two.
"""
import json
from pathlib import Path

from . import card

# Width of each convolution; None: 2x2 pooling.
LAYOUT = (64, 64, None, 128, 128, None, 256, 256, 256, 256, None, 512, 512, 512, 512, None, 512, 512, 512, 512, None)
WIDTHS = tuple(width for width in LAYOUT if width)

# Of each kind of file: mean and deviation of the three inputs in grey values, in the file's order of colours.
TORCHVISION = ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
KERAS = ((103.939, 116.779, 123.68), (1.0, 1.0, 1.0))  # of Caffe's: blue first, not scaled

LICENCE = ("VGG19 ImageNet weights: Visual Geometry Group, University of Oxford (K. Simonyan, A. Zisserman), "
           "CC BY 4.0, https://creativecommons.org/licenses/by/4.0/; changed: outputs replaced, trained further")
WHERE = ("""ImageNet weights of VGG19 are not in this project. Two files fit:
  torchvision: https://download.pytorch.org/models/vgg19-dcbb9e9d.pth
  Keras:       https://storage.googleapis.com/tensorflow/keras-applications/vgg19/vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5
then: make -C training vgg19 WEIGHTS=FILE. Without ImageNet: make -C training vgg19-scratch, or vgg19-ferplus.
The weights are the Visual Geometry Group's (University of Oxford), CC BY 4.0: name them where you pass a model on.""")


class WeightsError(Exception):
    """A weights file that is not there or not VGG19's, and the way out."""


def keep(reports: Path, rows: list[dict], card_file: Path | None):
    """vgg19.json holds the rows of all kinds that were run; a kind that is run again replaces its own."""
    reports.mkdir(parents=True, exist_ok=True)
    file = reports / "vgg19.json"
    others = [row for row in (json.loads(file.read_text()) if file.is_file() else []) if row["kind"] != rows[0]["kind"]]
    everything = others + rows
    file.write_text(json.dumps(everything, indent=1) + "\n")
    if card_file:
        card.fill(card_file, "vgg19", markdown(everything))


def markdown(rows: list[dict]) -> str:
    last = {row["kind"]: row for row in rows}
    return card.table(
        ("net", "stage", "pictures", "epochs", "minutes", "PublicTest", "clean", "macro-F1"),
        [(f"`{row['kind']}`", row["stage"], last[row["kind"]].get("pictures", ""), row["epochs"], row["minutes"],
          f"{row['accuracy']:.2f} %", f"{row['clean']:.2f} %", f"{row['macro_f1']:.3f}") for row in rows])
