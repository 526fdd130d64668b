"""The Keras variant: `python -m pytest keras` in its own environment. Weights and pictures are random."""
from pathlib import Path
import sys

import h5py
import numpy as np
import onnx
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
import vgg19  # noqa: E402 (after the path)
from emotion import baseline, card, contract, data, preprocess  # noqa: E402


def legacy_file(file: Path, seed: int = 1):
    """As Keras's notop file: groups with the names of their weights in order."""
    random = np.random.Generator(np.random.PCG64(seed))
    stored, width = {}, 3
    with h5py.File(file, "w") as out:
        names = []
        for block, count in enumerate((2, 2, 4, 4, 4), 1):
            for conv in range(1, count + 1):
                layer, outputs = f"block{block}_conv{conv}", baseline.WIDTHS[len(stored)]
                kernel = random.normal(0, np.sqrt(2 / (9 * width)), (3, 3, width, outputs)).astype(np.float32)
                bias = random.normal(0, 0.1, outputs).astype(np.float32)
                group = out.create_group(layer)
                group.create_dataset(f"{layer}_W_1:0", data=kernel)
                group.create_dataset(f"{layer}_b_1:0", data=bias)
                group.attrs["weight_names"] = [f"{layer}_W_1:0".encode(), f"{layer}_b_1:0".encode()]
                names.append(layer.encode())
                stored[layer], width = (kernel, bias), outputs
        out.attrs["layer_names"] = names
        out.attrs["keras_version"], out.attrs["backend"] = b"1.0", b"tensorflow"
    return stored


@pytest.fixture
def arrays(tmp_path):
    folder = tmp_path / "arrays"
    folder.mkdir()
    for split, count in (("train", 14), ("public", 7)):
        random = np.random.Generator(np.random.PCG64(count))
        np.save(folder / f"{split}_images.npy", random.integers(0, 256, (count, 48, 48), dtype=np.uint8))
        np.save(folder / f"{split}_labels.npy", (np.arange(count) % 7).astype(np.uint8))
    return folder


def crops(count=3):
    return np.random.Generator(np.random.PCG64(2)).integers(0, 256, (count, 48, 48), dtype=np.uint8)


def test_a_given_file_fills_the_layers_and_sets_caffes_colours(tmp_path):
    stored = legacy_file(tmp_path / "notop.h5")
    net, trunk = vgg19.build(tmp_path / "notop.h5")
    for layer in vgg19.convolutions(trunk):
        for found, expected in zip(layer.get_weights(), stored[layer.name]):
            assert np.array_equal(found, expected)
    assert len(vgg19.convolutions(trunk)) == 16
    kernel, bias = net.get_layer("colour").get_weights()
    grey = preprocess.normalise(200.0) * kernel.reshape(3) + bias
    assert grey == pytest.approx([200 - 103.939, 200 - 116.779, 200 - 123.68], abs=1e-3)


@pytest.mark.parametrize("given", [False, True])
def test_the_graph_answers_as_keras_does(tmp_path, given):
    if given:
        legacy_file(tmp_path / "notop.h5")
    net, trunk = vgg19.build(tmp_path / "notop.h5" if given else None)
    expected = vgg19.predict(net, crops())
    found = contract.run_onnx(vgg19.graph(net, trunk), crops(), 1)
    assert np.abs(found - expected).max() < 1e-4 * max(1, np.abs(expected).max())


def test_a_file_is_locked_then_unlocked_and_named(arrays, tmp_path):
    stored = legacy_file(tmp_path / "notop.h5")
    (tmp_path / "card.md").write_text(f"{card.begin('vgg19')}\n{card.end('vgg19')}\n")
    given = ["--data", str(arrays), "--weights", str(tmp_path / "notop.h5"), "--batch", "14", "--threads", "1",
             "--reports", str(tmp_path / "r"), "--card", str(tmp_path / "card.md")]
    vgg19.train(vgg19.parse([*given, "--out", str(tmp_path / "a.onnx"), "--locked-epochs", "1", "--epochs", "0"]))
    vgg19.train(vgg19.parse([*given, "--out", str(tmp_path / "b.onnx"), "--locked-epochs", "0", "--epochs", "1"]))
    locked, unlocked = ({t.name: onnx.numpy_helper.to_array(t) for t in onnx.load(tmp_path / f"{name}.onnx").graph.initializer}
                        for name in "ab")
    for layer, (kernel, _) in stored.items():
        assert np.array_equal(locked[f"{layer}.weight"], kernel.transpose(3, 2, 0, 1))
        assert not np.array_equal(unlocked[f"{layer}.weight"], kernel.transpose(3, 2, 0, 1))
    assert np.array_equal(locked["colour.weight"], unlocked["colour.weight"])
    found = contract.metadata(onnx.load(tmp_path / "b.onnx"))
    assert found["labels"] == ",".join(data.LABELS) and "University of Oxford" in found["training.notice"]
    assert "`vgg19-keras`" in (tmp_path / "card.md").read_text()


def test_files_that_do_not_fit_are_refused_with_where_to_get_them(tmp_path):
    (tmp_path / "broken.h5").write_bytes(b"no")
    for name, match in (("none.h5", "no such file"), ("broken.h5", "not a weights file of Keras's VGG19")):
        with pytest.raises(baseline.WeightsError, match=match) as caught:
            vgg19.build(tmp_path / name)
        assert "kernels_notop.h5" in str(caught.value)
