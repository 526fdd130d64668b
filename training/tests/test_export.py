"""The exported file: its contract, that it answers as PyTorch does, and what it refuses."""
import hashlib
import json
from pathlib import Path
import re

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from emotion import calibrate, card, contract, data, export, graph, metrics, nets, report, state, train


@pytest.fixture
def run(arrays, tmp_path):
    """A short run of the tiny net, with batch norm statistics that matter."""
    train.train(train.parse(["--data", str(arrays), "--out", str(tmp_path / "run"), "--net", "tiny", "--epochs", "2",
                             "--batch", "28", "--threads", "1"]))
    return tmp_path / "run"


def arguments(arrays, run, out, *more):
    return export.parse(["--data", str(arrays), "--run", str(run), "--out", str(out), "--threads", "1", *map(str, more)])


def test_the_metadata_is_complete_and_true(arrays, run, tmp_path):
    (arrays / "public_dups_of_train.txt").write_text("0\n1\n")
    result = export.export(arguments(arrays, run, tmp_path / "emotion.onnx"))
    model = onnx.load(tmp_path / "emotion.onnx")
    found = contract.metadata(model)
    fixed = {"emotiond.format": "1", "emotiond.kind": "emotion", "labels": "angry,disgust,fear,happy,sad,surprise,neutral",
             "input.mean": "127.5", "input.scale": "0.01568627450980392", "input.normalise": "none",
             "crop.template": "14.3,18.5,33,18.5,23.6,28.9,16.1,36.5,31.6,36.5",
             "training.net": "tiny", "training.epochs": "2", "training.steps": "10"}
    assert {key: found.get(key) for key in fixed} == fixed
    assert 0.05 < float(found["temperature"]) < 20 and 0 < float(found["uncertain.below"]) < 1
    assert re.fullmatch(r"\d+\.\d\d;56;public", found["accuracy.f32"])
    assert int(found["training.parameters"]) == sum(int(np.prod(t.dims)) for t in model.graph.initializer)
    digest = hashlib.sha256(b"".join(t.raw_data for t in model.graph.initializer)).hexdigest()
    assert found["weights.sha256"] == digest == result["file"]["weights.sha256"]
    assert all(t.raw_data and t.data_type == onnx.TensorProto.FLOAT for t in model.graph.initializer)
    assert str(tmp_path) not in str(found)
    assert (result["public"]["n"], result["clean"]["n"]) == (56, 54)


def test_the_graph_holds_only_what_the_engine_runs(arrays, run, tmp_path):
    export.export(arguments(arrays, run, tmp_path / "emotion.onnx"))
    model = onnx.load(tmp_path / "emotion.onnx")
    assert {n.op_type for n in model.graph.node} == {"Conv", "Relu", "Add", "GlobalAveragePool", "Flatten", "Gemm"}
    assert model.opset_import[0].version >= 13 and len(model.opset_import) == 1
    sizes = [[d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim]
             for v in (model.graph.input[0], model.graph.output[0])]
    assert (model.graph.input[0].name, model.graph.output[0].name) == ("input", "logits")
    assert sizes == [["N", 1, 48, 48], ["N", 7]]


def test_the_averaged_weights_are_exported(arrays, run, tmp_path):
    export.export(arguments(arrays, run, tmp_path / "emotion.onnx"))
    images = data.load(arrays, "public").images
    found = contract.run_onnx(onnx.load(tmp_path / "emotion.onnx"), images, threads=1)
    for part, equal in (("averaged", True), ("net", False)):
        net = nets.make("tiny")
        net.load_state_dict(state.read(run / "state.pt")[part])
        assert np.allclose(train.predict(net, images), found, atol=1e-4) == equal


@pytest.mark.parametrize("name", ["tiny", "r64"])
def test_onnxruntime_gives_the_averaged_nets_logits_for_any_batch(name):
    torch.manual_seed(5)
    net = nets.make(name)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            for values, low, high in ((module.weight, 0.2, 2), (module.bias, -1, 1),
                                      (module.running_mean, -1, 1), (module.running_var, 1e-4, 1e-2)):
                torch.nn.init.uniform_(values, low, high)
    net.eval()
    session = onnxruntime.InferenceSession(graph.build(net, name).SerializeToString())
    for n in (1, 3):
        x = torch.randn(n, 1, 48, 48)
        found = session.run(["logits"], {"input": x.numpy()})[0]
        expected = net(x).detach().numpy()
        assert np.abs(found - expected).max() <= 1e-4 * max(1, np.abs(expected).max())


def test_equal_states_give_equal_files_and_the_reports(arrays, run, tmp_path):
    begin, end = card.begin("figures"), card.end("figures")
    text = f"before\n{begin}\nold\n{end}\nafter\n"
    (tmp_path / "card.md").write_text(text)
    for name in "ab":
        export.export(arguments(arrays, run, tmp_path / name / "emotion.onnx", "--reports", tmp_path / name,
                                "--card", tmp_path / "card.md"))
    for name in ("emotion.onnx", "report.json", "curves.png", "confusion.png", "reliability.png"):
        content = (tmp_path / "a" / name).read_bytes()
        assert content == (tmp_path / "b" / name).read_bytes()
        assert name == "emotion.onnx" or len(content) < 60_000
    filled = (tmp_path / "card.md").read_text()
    assert filled.startswith(f"before\n{begin}\n") and filled.endswith(f"{end}\nafter\n") and "old" not in filled
    accuracy = json.loads((tmp_path / "a" / "report.json").read_text())["public"]["accuracy"]
    assert f"{accuracy:.2f} % of 56" in filled and "| disgust | 8 |" in filled


def test_a_better_file_is_kept_unless_overwriting_is_asked_for(arrays, run, tmp_path):
    out = tmp_path / "emotion.onnx"
    export.export(arguments(arrays, run, out))
    model = onnx.load(out)
    contract.set_metadata(model, {**contract.metadata(model), "accuracy.f32": "99.00;56;public"})
    onnx.save(model, out)
    kept = out.read_bytes()
    with pytest.raises(contract.ExportError, match="has 99.00 % on the same 56 pictures"):
        export.export(arguments(arrays, run, out))
    assert out.read_bytes() == kept
    contract.set_metadata(model, {**contract.metadata(model), "accuracy.f32": "10.00;900;public"})
    onnx.save(model, out)
    with pytest.raises(export.ExportError, match=r"other pictures \(900 of public, here 56\)"):
        export.export(arguments(arrays, run, out))
    export.export(arguments(arrays, run, out, "--overwrite"))
    assert out.read_bytes() != kept
    out.write_bytes(b"no model")
    export.export(arguments(arrays, run, out))


def test_a_file_that_answers_differently_is_not_written(arrays, run, tmp_path, monkeypatch):
    folded = graph.folded
    monkeypatch.setattr(graph, "folded", lambda pair: (folded(pair)[0] * 1.01, folded(pair)[1]))
    with pytest.raises(contract.ExportError, match="differ from the net's"):
        export.export(arguments(arrays, run, tmp_path / "emotion.onnx"))
    assert not list(tmp_path.glob("emotion.onnx*"))
    with pytest.raises(contract.ExportError):
        contract.require_equal(np.zeros((2, 7)), np.full((2, 7), np.nan))


def test_missing_and_foreign_inputs_are_named(arrays, run, tmp_path):
    with pytest.raises(state.StateError, match="train first"):
        export.export(arguments(arrays, tmp_path / "none", tmp_path / "emotion.onnx"))
    (tmp_path / "card.md").write_text("no marks")
    with pytest.raises(card.CardError, match="must stand in it"):
        export.export(arguments(arrays, run, tmp_path / "emotion.onnx", "--card", tmp_path / "card.md"))
    (run / "settings.json").write_text("{")
    with pytest.raises(contract.ExportError, match="settings.json: cannot be read"):
        export.export(arguments(arrays, run, tmp_path / "emotion.onnx"))


def test_a_known_temperature_is_found_again():
    random = np.random.Generator(np.random.PCG64(1))
    logits = random.normal(0, 1.5, (20000, 7))
    labels = np.array([random.choice(7, p=p) for p in metrics.softmax(logits)])
    for scale in (0.5, 1.0, 3.0):
        assert calibrate.fit_temperature(logits * scale, labels) == pytest.approx(scale, rel=0.05)
    result = calibrate.calibrate(logits * 3, labels, np.ones(20000, bool))
    assert result.ece_after < 0.02 < result.ece_before and result.uncertain_below == pytest.approx(0.5, abs=0.03)


def test_the_floor_survives_answers_without_a_crossing():
    confidence = np.linspace(0.3, 0.9, 50)
    for right in (np.ones(50, bool), np.zeros(50, bool)):
        assert 0.29 <= calibrate.even_chance(confidence, right) <= 0.9


def test_metrics_agree_with_hand_counts():
    table = metrics.confusion(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 1]), 3)
    assert table.tolist() == [[1, 1, 0], [0, 1, 0], [0, 1, 0]]
    assert metrics.accuracy(table) == 0.5
    assert metrics.macro_f1(table) == pytest.approx((2 / 3 + 2 / 4 + 0) / 3)
    p = np.array([[0.8, 0.2], [0.8, 0.2], [0.4, 0.6], [0.0, 1.0]])
    assert metrics.expected_calibration_error(p, np.array([0, 1, 1, 1])) == pytest.approx(0.5 * 0.3 + 0.25 * 0.4)
    assert metrics.wilson(0.7, 3589) == pytest.approx((0.6848, 0.7148), abs=2e-4)


def test_a_log_with_a_cut_line_and_a_repeated_epoch_is_read(tmp_path):
    (tmp_path / "log.jsonl").write_text('{"epoch": 1, "loss": 2}\n{"epoch": 2, "loss": 1}\n{"epoch": 2, "loss": 0}\n{"ep')
    assert [e["loss"] for e in report.read_log(tmp_path / "log.jsonl")] == [2, 0]
    assert report.read_log(tmp_path / "none") == []


@pytest.mark.parametrize("block", ["figures", "formats", "blend", "robustness", "vgg19"])
def test_the_projects_card_can_be_filled(block):
    text = (Path(__file__).resolve().parents[2] / "docs" / "models" / "emotion.md").read_text()
    begin, end = card.begin(block), card.end(block)
    assert text.count(begin) == text.count(end) == 1 and text.find(begin) < text.find(end)
