"""The original idea as it was built: VGG19 of Keras's applications with seven outputs, on TensorFlow.

    python keras/vgg19.py --data DIR --out vgg19-keras.onnx [--weights FILE] [--pictures N] [--epochs N]

With a weights file (Keras's notop .h5) its layers are locked while the new outputs learn, then unlocked;
without one all layers start from random weights and learn at once. The trained net is written with the
same contract as the shipped file, operator by operator, and checked against Keras's own answers.
"""
import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# Behind the installed packages: this folder's name is also Keras's.
sys.path.append(str(Path(__file__).resolve().parents[1]))

import keras
import numpy as np
import onnx
import tensorflow

from emotion import baseline, card, contract, data, preprocess, publish

SIDE = data.SIDE
SUBSET_SEED = 19


def parse(arguments=None):
    p = argparse.ArgumentParser(prog="python keras/vgg19.py", description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--weights", type=Path, help="vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5")
    p.add_argument("--pictures", type=int, help="train on this many, drawn once by a fixed seed")
    p.add_argument("--locked-epochs", type=int, default=10)
    p.add_argument("--epochs", type=int, default=40, help="of the stage in which all layers learn")
    p.add_argument("--rate", type=float, default=1e-4)
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--seed", type=int, default=1)
    publish.add_arguments(p)
    return p.parse_args(arguments)


def build(weights: Path | None) -> tuple[keras.Model, keras.Model]:
    """The net, input [N,48,48,1] (normalised luma) to logits [N,7], and its trunk, which can be locked."""
    if weights is not None and not weights.is_file():
        raise baseline.WeightsError(f"{weights}: no such file.\n{baseline.WHERE}")
    try:
        trunk = keras.applications.VGG19(weights=weights and str(weights), include_top=False, input_shape=(SIDE, SIDE, 3))
    except (OSError, ValueError, KeyError) as error:
        raise baseline.WeightsError(f"{weights}: not a weights file of Keras's VGG19 ({error}).\n{baseline.WHERE}") from error
    if weights is None:
        # Keras's own start shrinks what passes sixteen ReLUs to nothing.
        for layer in convolutions(trunk):
            layer.kernel.assign(keras.initializers.HeNormal()(layer.kernel.shape))
    means, deviations = (np.array(values, np.float64) for values in baseline.KERAS)
    colour = keras.layers.Conv2D(3, 1, name="colour", trainable=False)
    luma = keras.Input((SIDE, SIDE, 1))
    pixels = colour(luma)
    if weights is None:
        # From random weights there are no colours to match: inputs of about -2 to 2 suit them.
        colour.set_weights([np.ones((1, 1, 1, 3), np.float32), np.zeros(3, np.float32)])
    else:
        colour.set_weights([(1 / (preprocess.SCALE * deviations)).reshape(1, 1, 1, 3).astype(np.float32),
                            ((preprocess.MEAN - means) / deviations).astype(np.float32)])
    features = keras.layers.Flatten()(trunk(pixels))
    logits = keras.layers.Dense(len(data.LABELS), name="head")(keras.layers.Dropout(0.5)(features))
    return keras.Model(luma, logits), trunk


def convolutions(trunk: keras.Model) -> list:
    return [layer for layer in trunk.layers if isinstance(layer, keras.layers.Conv2D)]


def graph(net: keras.Model, trunk: keras.Model) -> onnx.ModelProto:
    """Keras has kernels as [h,w,I,O] and dense weights as [I,O]; its maps end as one pixel, so flattening them needs
    no reordering."""
    b = contract.Builder()
    x = "input"
    for layer in [net.get_layer("colour"), *trunk.layers]:
        if isinstance(layer, keras.layers.Conv2D):
            kernel, bias = layer.get_weights()
            x = b.conv(x, layer.name, kernel.transpose(3, 2, 0, 1), bias)
            if layer.name != "colour":
                x = b.add("Relu", [x], f"{layer.name}.relu")
        elif isinstance(layer, keras.layers.MaxPooling2D):
            x = b.add("MaxPool", [x], layer.name, kernel_shape=[2, 2], strides=[2, 2])
    weight, bias = net.get_layer("head").get_weights()
    b.linear(b.add("Flatten", [x], "features", axis=1), "head", weight.T, bias, "logits")
    return b.finish("vgg19-keras", len(data.LABELS))


def predict(net: keras.Model, images: np.ndarray) -> np.ndarray:
    """images [N,48,48] uint8; logits [N,7]."""
    return net.predict(preprocess.normalise(images[..., None].astype(np.float32)), batch_size=64, verbose=0)


def fit(net: keras.Model, split: data.Split, epochs: int, rate: float, a):
    """Mirror, roll, shift and scale as in the other trainings; the rate falls by half a cosine."""
    turn = keras.Sequential([keras.layers.RandomFlip("horizontal", seed=a.seed),
                             keras.layers.RandomRotation(15 / 360, "nearest", seed=a.seed),
                             keras.layers.RandomTranslation(1 / 16, 1 / 16, "nearest", seed=a.seed),
                             keras.layers.RandomZoom(0.15, fill_mode="nearest", seed=a.seed)])
    x = preprocess.normalise(split.images[..., None].astype(np.float32)).astype(np.float32)
    steps = max(1, len(split) // a.batch)
    pictures = tensorflow.data.Dataset.from_tensor_slices((x, np.eye(len(data.LABELS), dtype=np.float32)[split.labels])) \
        .shuffle(len(split), seed=a.seed).batch(a.batch, drop_remainder=len(split) >= a.batch) \
        .map(lambda images, labels: (turn(images, training=True), labels))
    net.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps * max(epochs, 1))),
                keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1))
    net.fit(pictures, epochs=epochs, verbose=2)


def train(a) -> dict:
    """Returns the report of the written file."""
    keras.utils.set_random_seed(a.seed)
    net, trunk = build(a.weights)
    split = data.load(a.data, "train")
    split = split.take(data.usable(split))
    if a.pictures and a.pictures < len(split):
        chosen = np.random.Generator(np.random.PCG64(SUBSET_SEED)).permutation(len(split))[:a.pictures]
        split = split.take(np.sort(chosen))
    begun = time.monotonic()
    stages = []
    if a.weights:
        trunk.trainable = False
        # As in the torch variant: features of tens and hundreds.
        fit(net, split, a.locked_epochs, 10 * a.rate, a)
        stages.append(f"locked {a.locked_epochs} epochs")
        trunk.trainable = True
    fit(net, split, a.epochs, a.rate, a)
    stages.append(f"unlocked {a.epochs} epochs")
    minutes = round((time.monotonic() - begun) / 60, 1)

    notes = {"net": "vgg19-keras", "images": len(split), "pictures": a.pictures or "all", "stages": "; ".join(stages),
             "minutes": minutes, "epochs": a.epochs, "steps": a.epochs * max(1, len(split) // a.batch),
             "keras": keras.__version__, "tensorflow": tensorflow.__version__}
    if a.weights:
        notes["notice"] = baseline.LICENCE
    plain = argparse.Namespace(**{**vars(a), "card": None, "reports": None})
    result = publish.publish(graph(net, trunk), notes, plain, lambda images: predict(net, images), [])
    row = {"kind": "vgg19-keras", "stage": "unlocked", "epochs": a.epochs, "steps": notes["steps"], "minutes": minutes,
           "accuracy": result["public"]["accuracy"], "clean": result["clean"]["accuracy"],
           "macro_f1": result["public"]["macro_f1"], "pictures": notes["pictures"]}
    if a.reports:
        baseline.keep(a.reports, [row], a.card)
    return result


def main():
    a = parse()
    # Before anything is computed: later TensorFlow refuses.
    tensorflow.config.threading.set_intra_op_parallelism_threads(a.threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(a.threads)
    try:
        print(publish.summary(train(a)))
    except (data.DataError, contract.ExportError, card.CardError, baseline.WeightsError) as error:
        sys.exit(f"vgg19-keras: {error}")


if __name__ == "__main__":
    main()
