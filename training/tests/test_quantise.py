"""int8 and bf16: that codes mean what they say, that onnxruntime computes the integers, that figures are kept."""
import json

import numpy as np
import onnx
from onnx import numpy_helper
import onnxruntime
import pytest
import torch
import torch.nn.functional as F

from emotion import card, contract, data, export, finetune, graph, nets, preprocess, qdq, quantise, ranges, simulate, train
from emotion.ranges import Codes


@pytest.fixture(scope="module")
def model():
    """The tiny net with weights and batch norms that matter."""
    torch.manual_seed(3)
    net = nets.make("tiny")
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            for values, low, high in ((module.weight, 0.5, 1.5), (module.bias, -0.3, 0.3),
                                      (module.running_mean, -0.3, 0.3), (module.running_var, 0.3, 1)):
                torch.nn.init.uniform_(values, low, high)
    return graph.build(net.eval(), "tiny")


@pytest.fixture(scope="module")
def crops():
    return np.random.Generator(np.random.PCG64(4)).integers(0, 256, (24, 48, 48), dtype=np.uint8)


def with_codes(model, crops, method="max", head=False, sums=True):
    seen = ranges.observe(model, qdq.activations(model, True, True), crops, 1)
    return {name: seen[name].codes(method) for name in qdq.activations(model, head, sums)}


def unoptimised(model, crops):
    """Every operator as ONNX defines it, in float32 between the codes."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    return session.run(None, {"input": preprocess.normalise(crops[:, None].astype(np.float32)).astype(np.float32)})[0]


@pytest.mark.parametrize("head", [False, True])
@pytest.mark.parametrize("sums", [False, True])
def test_the_optimised_integers_answer_as_the_graph_is_written(model, crops, head, sums):
    quantised = qdq.build(model, with_codes(model, crops, head=head, sums=sums))
    fast, plain = contract.run_onnx(quantised, crops, 1), unoptimised(quantised, crops)
    step = np.abs(plain).max() / 255
    assert np.abs(fast - plain).max() < 3 * step
    exact = contract.run_onnx(model, crops, 1)
    assert 0 < np.abs(fast - exact).max() < 0.1 * np.abs(exact).max()


def test_a_convolution_is_the_sum_of_integer_products(crops):
    """One layer at the extremes that saturate 16-bit sums of pairs, against whole numbers."""
    random = np.random.Generator(np.random.PCG64(5))
    signs = np.where(random.random((8, 16, 3, 3)) < 0.5, -1, 1)
    weight = (signs * random.uniform(0.9, 1, signs.shape)).astype(np.float32)
    bias = random.normal(0, 20, 8).astype(np.float32)
    b = contract.Builder()
    x = b.add("Relu", [b.conv("input", "first", np.ones((16, 1, 3, 3), np.float32), np.full(16, 25, np.float32))], "first.relu")
    x = b.conv(x, "second", weight, bias)
    x = b.add("Flatten", [b.add("GlobalAveragePool", [b.add("Relu", [x], "second.relu")], "pool")], "features", axis=1)
    b.linear(x, "head", np.eye(7, 8, dtype=np.float32), np.zeros(7, np.float32), "logits")
    made = b.finish("layer", 7)
    codes = with_codes(made, crops)
    quantised = qdq.build(made, codes)
    stored = {t.name: numpy_helper.to_array(t) for t in quantised.graph.initializer}

    def integers(q, zero, name):
        """int64 sums of the layer's codes."""
        centred = torch.from_numpy(q - zero).double()
        return F.conv2d(centred, torch.tensor(stored[f"{name}.weight"]).double(),
                        torch.tensor(stored[f"{name}.bias"]).double(), padding=1).numpy()

    def rounded(values, of):
        return np.clip(np.rint(values / codes[of].scale) + codes[of].zero, 0, 255)

    x = preprocess.normalise(crops[:, None].astype(np.float64))
    q = rounded(x, "input")
    sums = integers(q, codes["input"].zero, "first")
    q = rounded(np.maximum(sums * stored["first.bias.scale"].reshape(1, -1, 1, 1), 0), "first.relu")
    assert q.max() == 255
    sums = integers(q, codes["first.relu"].zero, "second")
    assert np.abs(sums).max() > 2 ** 15
    q = rounded(np.maximum(sums * stored["second.bias.scale"].reshape(1, -1, 1, 1), 0), "second.relu")
    expected = (q * codes["second.relu"].scale).mean((2, 3))[:, :7]
    # A value on the border of two codes may fall to either, which the mean over 48 x 48 pixels divides.
    assert np.abs(contract.run_onnx(quantised, crops, 1) - expected).max() < 0.02 * codes["second.relu"].scale


@pytest.mark.parametrize("bits", [8, 7, 4])
def test_weight_codes_are_the_nearest_and_use_the_whole_range(bits):
    weight = np.random.Generator(np.random.PCG64(6)).normal(0, 1, (5, 4, 3, 3)).astype(np.float32)
    weight[2] = 0
    codes, scale = qdq.weight_codes(weight, bits)
    most = 2 ** (bits - 1) - 1
    assert codes.dtype == np.int8 and np.abs(codes).reshape(5, -1).max(1).tolist() == [most, most, 0, most, most]
    assert np.abs(codes * scale.reshape(-1, 1, 1, 1) - weight).max() <= scale.max() / 2 * 1.0001


def test_a_channel_without_weight_keeps_its_bias(model, crops):
    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    for tensor in bare.graph.initializer:
        if tensor.name == "stem.0.weight":
            values = numpy_helper.to_array(tensor).copy()
            values[1] *= 1e-30
            tensor.raw_data = values.tobytes()
    quantised = qdq.build(bare, with_codes(bare, crops))
    stored = {t.name: numpy_helper.to_array(t) for t in quantised.graph.initializer}
    floats = {t.name: numpy_helper.to_array(t) for t in bare.graph.initializer}
    found = stored["stem.0.bias"].astype(np.float64) * stored["stem.0.bias.scale"]
    assert np.allclose(found, floats["stem.0.bias"], rtol=1e-3, atol=1e-3)
    assert np.isfinite(contract.run_onnx(quantised, crops, 1)).all()


def test_all_256_grey_values_keep_their_order():
    codes = Codes.covering(-2, 2)
    greys = preprocess.normalise(np.arange(256, dtype=np.float32)).astype(np.float32)
    coded = np.rint(greys / codes.scale) + codes.zero
    assert coded.min() >= 0 and coded.max() <= 255 and len(np.unique(coded)) >= 254 and (np.diff(coded) >= 0).all()
    assert Codes.covering(0.5, 5.1) == Codes(float(np.float32(5.1 / 255)), 0)


def test_ranges_are_those_of_the_values():
    random = np.random.Generator(np.random.PCG64(7))
    values = np.abs(random.normal(0, 1, 10 ** 6))
    values[0] = 100
    counts = np.histogram(values, ranges.BINS, (0.0, 100.0))[0]
    seen = ranges.Seen(0.0, 100.0, counts)
    assert seen.codes("max").scale * 255 == pytest.approx(100, rel=1e-6)
    assert seen.codes("99.9").scale * 255 == pytest.approx(np.quantile(values, 0.999), abs=0.02)
    # By mean square the one value at 100 must not cost the others their resolution, and need not be lost entirely.
    def error(codes):
        return ((codes.rounded(values) - values) ** 2).mean()
    assert error(seen.codes("mse")) <= min(error(seen.codes(method)) for method in ("max", "99.9"))


def test_observed_extremes_are_onnxruntimes(model, crops):
    names = qdq.activations(model, True, True)
    seen = ranges.observe(model, names, crops, 1)
    assert seen["input"].low == pytest.approx(-2) and seen["input"].high == pytest.approx(2)
    assert all(item.counts.sum() > 0 and item.low <= item.high for item in seen.values())
    summed = {name for name in names if name.endswith((".second", ".shortcut"))}
    assert {name for name in names if seen[name].low < 0} == {"input"} | summed


def test_torch_simulates_the_file(model, crops):
    exact = contract.run_onnx(model, crops, 1)
    assert np.abs(simulate.predict(simulate.Simulation(model), crops) - exact).max() < 1e-4
    rounded = simulate.predict(simulate.Simulation(model, simulate.bf16), crops)
    assert 0 < np.abs(rounded - exact).max() < 0.05 * np.abs(exact).max()
    codes = with_codes(model, crops)
    coded = simulate.predict(finetune.quantised_simulation(model, codes, 8), crops)
    assert np.abs(coded - unoptimised(qdq.build(model, codes), crops)).max() < 0.02 * np.abs(exact).max()


def test_bf16_rounds_operands_to_nearest_even():
    values = torch.tensor([1.0, 1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -8 + 2 ** -20])
    assert simulate.bf16("x", values).tolist() == [1.0, 1.0, 1 + 2 ** -6, 1 + 2 ** -7]


def test_fine_tuning_brings_coarse_weights_nearer_to_the_float_net(model):
    images = np.random.Generator(np.random.PCG64(8)).integers(0, 256, (128, 48, 48), dtype=np.uint8)
    codes = with_codes(model, images[:32])
    exact = contract.run_onnx(model, images, 1)

    def distance(weights):
        coded = contract.run_onnx(qdq.build(weights, codes, 3), images, 1)
        p, q = (torch.log_softmax(torch.from_numpy(x), 1) for x in (exact, coded))
        return float(F.kl_div(q, p, reduction="batchmean", log_target=True))

    moved = finetune.finetune(model, codes, 3, images, steps=40, batch=32, rate=1e-3)
    assert distance(moved) < 0.7 * distance(model)
    assert {n.name for n in moved.graph.node} == {n.name for n in model.graph.node}


@pytest.fixture
def exported(arrays, tmp_path):
    train.train(train.parse(["--data", str(arrays), "--out", str(tmp_path / "run"), "--net", "tiny", "--epochs", "2",
                             "--batch", "28", "--threads", "1"]))
    out = tmp_path / "files" / "emotion.onnx"
    export.export(export.parse(["--data", str(arrays), "--run", str(tmp_path / "run"), "--out", str(out),
                                "--reports", str(out.parent), "--threads", "1"]))
    return out


def arguments(arrays, model, *more):
    return quantise.parse(["--data", str(arrays), "--model", str(model), "--threads", "1", "--pictures", "40", *map(str, more)])


def test_both_files_carry_the_figures_and_the_float_weights_stay(arrays, exported, tmp_path):
    before = onnx.load(exported)
    text = "".join(f"{card.begin(block)}\n{card.end(block)}\n" for block in ("figures", "formats"))
    (tmp_path / "card.md").write_text(text)
    told = exported.parent / "report.json"
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "report.json").write_text(told.read_text())
    report = quantise.quantise(arguments(arrays, exported, "--reports", tmp_path / "reports", "--card", tmp_path / "card.md"))
    after, small = onnx.load(exported), onnx.load(exported.with_name("emotion-int8.onnx"))
    assert after.graph == before.graph
    public = data.load(arrays, "public")
    for found in (contract.metadata(after), contract.metadata(small)):
        assert found["int8.file"] == "emotion-int8.onnx"
        for key, name in (("f32", "float32"), ("bf16", "bf16"), ("int8", "int8")):
            assert found[f"accuracy.{key}"] == f"{report[name]['accuracy']:.2f};56;public"
    right = contract.run_onnx(small, public.images, 1).argmax(1) == public.labels
    assert report["int8"]["accuracy"] == round(100 * right.mean(), 2)
    assert contract.metadata(small)["weights.sha256"] == contract.weights_sha256(small) != contract.weights_sha256(after)
    assert contract.metadata(small)["int8.from"] == contract.weights_sha256(after)
    assert contract.metadata(small)["temperature"] == contract.metadata(after)["temperature"]
    assert all(tensor.raw_data for tensor in small.graph.initializer)
    assert "QuantizeLinear" in {node.op_type for node in small.graph.node}
    assert json.loads((tmp_path / "reports" / "int8.json").read_text())["method"] == report["method"]
    told = json.loads((tmp_path / "reports" / "report.json").read_text())["file"]
    assert told["bytes"] == exported.stat().st_size > 0
    text = (tmp_path / "card.md").read_text()
    assert "**int8**" in text and f"{told['bytes']:,} bytes" in text
    again = exported.with_name("emotion-int8.onnx").read_bytes()
    quantise.quantise(arguments(arrays, exported))
    assert again == exported.with_name("emotion-int8.onnx").read_bytes()


def test_a_loss_above_the_limit_is_fine_tuned(arrays, exported, monkeypatch):
    monkeypatch.setattr(quantise, "MOST_LOSS", -1000.0)
    called = []

    def fake(model, codes, bits, images, steps):
        called.append((len(images), steps))
        return model

    monkeypatch.setattr(finetune, "finetune", fake)
    report = quantise.quantise(arguments(arrays, exported, "--finetune", 7))
    assert called == [(140, 7)] and report["finetuned_steps"] == 7


def test_the_method_nearest_to_float_is_taken_within_the_limit():
    class Judge:
        def loss(self, row):
            return row["loss"]
    rows = [{"loss": -0.2, "same_answer": 98.0}, {"loss": 0.1, "same_answer": 99.0}, {"loss": 0.4, "same_answer": 99.9}]
    assert quantise.choose(rows, Judge()) is rows[1]
    assert quantise.choose([dict(row, loss=row["loss"] + 1) for row in rows], Judge())["loss"] == 0.8


def test_files_that_cannot_be_quantised_are_named(arrays, exported, model):
    with pytest.raises(qdq.QuantiseError, match="cannot be read as ONNX"):
        quantise.quantise(arguments(arrays, exported.with_name("none.onnx")))
    with pytest.raises(qdq.QuantiseError, match="another file in the folder"):
        quantise.quantise(arguments(arrays, exported, "--out", exported))
    onnx.save(model, exported.with_name("bare.onnx"))
    with pytest.raises(qdq.QuantiseError, match="lacks the metadata"):
        quantise.quantise(arguments(arrays, exported.with_name("bare.onnx")))
    quantise.quantise(arguments(arrays, exported))
    with pytest.raises(qdq.QuantiseError, match="is quantised already"):
        quantise.quantise(arguments(arrays, exported.with_name("emotion-int8.onnx")))
    odd = contract.Builder()
    odd.add("Sigmoid", [odd.add("Flatten", ["input"], "flat", axis=1)], "logits")
    with pytest.raises(simulate.SimulationError, match="operator Sigmoid is not simulated"):
        simulate.predict(simulate.Simulation(odd.finish("odd", 2304)), np.zeros((1, 48, 48), np.uint8))
