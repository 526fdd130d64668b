"""Makes the goldens that the engine's tests compare with: models, inputs, and onnxruntime's answers.

  python make_goldens.py models              the small committed ones (torch, onnx, onnxruntime)
  python make_goldens.py DIR --heavy         full-size nets, for EMOTIOND_HEAVY_MODELS=DIR
  python make_goldens.py DIR --keras narrow  Keras exports; needs tensorflow and tf2onnx instead of torch
  python make_goldens.py DIR --keras full

Keras goldens of the small kind are committed in models-keras, so that each folder has its own index.
"""
import argparse
from pathlib import Path

from golden_writer import GoldenWriter


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--heavy", action="store_true")
    kinds.add_argument("--keras", choices=["narrow", "full"])
    options = parser.parse_args()
    writer = GoldenWriter(options.folder)
    if options.keras:
        import keras_nets
        for name, model, shape in keras_nets.exports(options.keras):
            writer.add(name, model, shape, channels_last=True)
    elif options.heavy:
        import nets
        for name, model, shape in nets.full_nets():
            writer.add(name, model, shape)
    else:
        import detectors
        import nets
        import operator_graphs
        for name, model, shape in operator_graphs.all_graphs():
            writer.add(name, model, shape)
        for name, model, shape in nets.small_nets():
            writer.add(name, model, shape)
        for name, model, shape in detectors.all_nets():
            writer.add(name, model, shape)
    writer.finish()


if __name__ == "__main__":
    main()
