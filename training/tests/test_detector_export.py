"""Mining, export, curves and the alignment's geometry."""
import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from detector import alignment, curves, data, export, judge, mine, nets
from detector_data import BOX, add, face, make, scene
from emotion import contract


def saved(folder, name="tiny", seed=1):
    """A run of a random net, its batch norms away from their start."""
    torch.manual_seed(seed)
    net = nets.make(name)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 2)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, std=0.2)
    for head in net.heads:
        torch.nn.init.normal_(head.weight, std=0.3)
    folder.mkdir(exist_ok=True)
    torch.save({"net": net.state_dict(), "averaged": net.state_dict(), "optimiser": {}, "epoch": 7, "used": 90.0, "name": name}, folder / "state.pt")
    return net.eval()


def planted(luma, least=0.05, **_):
    """Finds what is brighter than 150, in whatever copy, with its share of bright pixels as score."""
    bright = luma.numpy() > 150
    if bright.mean() < 0.01:
        return np.zeros(0), np.zeros((0, 4), np.float32), np.zeros((0, 5, 2), np.float32)
    rows, columns = np.nonzero(bright)
    box = np.array([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]], np.float32)
    return np.array([0.8]), box, np.zeros((1, 5, 2), np.float32)


@pytest.mark.parametrize("name", ["tiny", "d100"])
@pytest.mark.parametrize("height, width", [(64, 96), (160, 128)])
def test_the_files_answers_are_the_nets(name, height, width, tmp_path):
    net = saved(tmp_path, name)
    model = export.build(net, name)
    x = np.random.default_rng(2).standard_normal((1, 1, height, width)).astype(np.float32)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    assert [o.name for o in session.get_outputs()] == [f"{part}_{s}" for part in ("cls", "obj", "bbox", "kps") for s in nets.STRIDES]
    found = dict(zip([o.name for o in session.get_outputs()], session.run(None, {"input": x})))
    with torch.no_grad():
        maps = net(torch.from_numpy(x))
    for stride, one in zip(nets.STRIDES, maps):
        rows = one[0].flatten(1).T.numpy()
        for part, low, high in export.PARTS:
            wanted = rows[:, low:high]
            if part in ("cls", "obj"):
                wanted = 1 / (1 + np.exp(-wanted))
            assert found[f"{part}_{stride}"].shape == (1, height * width // stride ** 2, high - low)
            assert np.abs(found[f"{part}_{stride}"][0] - wanted).max() < 1e-4 * max(1, np.abs(wanted).max())
    assert rows.std() > 0.1  # a net that says the same everywhere would prove little


def test_the_file_carries_what_the_engine_asks_for(tmp_path, capsys):
    saved(tmp_path / "run")
    export.main(["--run", str(tmp_path / "run"), "--out", str(tmp_path / "faces.onnx"), "--threshold", "0.62"])
    model = onnx.load(tmp_path / "faces.onnx")
    found = contract.metadata(model)
    assert found == {"emotiond.format": "1", "emotiond.kind": "face-detector", "input.mean": "127.5", "input.scale": "0.015625",
                     "score.threshold": "0.62", "weights.sha256": contract.weights_sha256(model), "training.net": "tiny",
                     "training.epochs": "7", "training.minutes": "1.5"}
    first = (tmp_path / "faces.onnx").read_bytes()
    export.main(["--run", str(tmp_path / "run"), "--out", str(tmp_path / "faces.onnx"), "--threshold", "0.62"])
    assert (tmp_path / "faces.onnx").read_bytes() == first
    assert json.loads(capsys.readouterr().out.split("\n}\n")[0] + "}")["bytes"] == len(first)


def test_the_threshold_keeps_the_promises(tmp_path, monkeypatch, capsys):
    folder = make(tmp_path / "faces")
    scores = {True: 0.9, False: 0.505}

    def find(net, luma, **_):
        has_face = bool((luma > 150).float().mean() > 0.01)
        _, box, points = planted(luma)
        box = box if has_face else np.array([[5, 5, 50, 50]], np.float32)
        return np.array([scores[has_face]]), box, np.zeros((1, 5, 2), np.float32)

    monkeypatch.setattr(judge, "find", find)
    saved(tmp_path / "run")
    export.main(["--data", str(folder), "--run", str(tmp_path / "run"), "--out", str(tmp_path / "faces.onnx")])
    # 0.505 is an alarm in the one negative picture; the next step above it is taken.
    assert contract.metadata(onnx.load(tmp_path / "faces.onnx"))["score.threshold"] == "0.52"
    said = capsys.readouterr()
    figures = json.loads(said.out)["figures"]
    assert figures["recall"] == 1 and figures["precision"] >= export.PRECISION and figures["false_per_100"] <= export.ALARMS
    assert "no threshold" not in said.err
    # A run that cannot keep them does not go over a file that is there.
    scores[False] = 0.95
    before = (tmp_path / "faces.onnx").read_bytes()
    arguments = ["--data", str(folder), "--run", str(tmp_path / "run"), "--out", str(tmp_path / "faces.onnx")]
    with pytest.raises(SystemExit, match="no threshold keeps .* was kept"):
        export.main(arguments)
    assert (tmp_path / "faces.onnx").read_bytes() == before
    export.main([*arguments, "--overwrite"])
    assert "no threshold keeps" in capsys.readouterr().err and (tmp_path / "faces.onnx").read_bytes() != before


def test_a_planted_false_alarm_is_mined(tmp_path, monkeypatch, capsys):
    folder = make(tmp_path / "faces")
    lamp = scene(30, [[60, 10, 20, 20]])
    add(folder, "negatives", lamp)
    # A face that is found, an unlabelled one in a picture that is not complete, an ignored one: none is false.
    add(folder, "made", scene(31, [BOX]), [face(ignore=True)])
    add(folder, "made", lamp, [face([5, 5, 9, 9])], complete=False)
    monkeypatch.setattr(judge, "find", lambda net, luma, least: planted(luma))
    saved(tmp_path / "run")
    mine.main(["--data", str(folder), "--run", str(tmp_path / "run")])
    ((file, box),) = mine.read(tmp_path / "run")
    assert file == "images/negatives/003.png" and np.abs(np.array(box) - [60, 10, 20, 20]).max() < 1
    assert "1 false alarms in 1 pictures" in capsys.readouterr().out
    assert mine.read(tmp_path) == []


@pytest.mark.parametrize("program", [export, mine])
@pytest.mark.parametrize("content", [None, b"half a"])
def test_a_missing_or_damaged_run_is_a_sentence(program, content, tmp_path):
    if content:
        (tmp_path / "state.pt").write_bytes(content)
    more = ["--out", str(tmp_path / "faces.onnx"), "--threshold", "0.5"] if program is export else ["--data", str(tmp_path)]
    with pytest.raises(SystemExit, match=f"{program.__name__.split('.')[1]}: .*state.pt: {'damaged' if content else 'no such file'}"):
        program.main(["--run", str(tmp_path), *more])
    assert not (tmp_path / "faces.onnx").exists()


def test_curves_are_drawn_and_the_log_copied(tmp_path, capsys):
    run = tmp_path / "run"
    run.mkdir()
    losses = {"obj": 2.0, "cls": 1.0, "box": 0.5, "kps": 1.0}
    lines = [{"epoch": n, **{k: v / n for k, v in losses.items()}} for n in (1, 2, 3)]
    lines[2].update(recall=0.9, precision=0.95, ap50=0.8)
    (run / "log.jsonl").write_text("\n".join(map(json.dumps, lines)) + '\n{"epoch": 4, "ob')
    curves.main(["--run", str(run), "--reports", str(tmp_path / "reports")])
    first = (tmp_path / "reports/curves.png").read_bytes()
    assert first[:4] == b"\x89PNG" and (tmp_path / "reports/log.jsonl").read_bytes() == (run / "log.jsonl").read_bytes()
    assert "3 epochs" in capsys.readouterr().out
    curves.main(["--run", str(run), "--reports", str(tmp_path / "reports")])
    assert (tmp_path / "reports/curves.png").read_bytes() == first
    with pytest.raises(SystemExit, match="curves: .*no finished epoch"):
        curves.main(["--run", str(tmp_path / "none"), "--reports", str(tmp_path / "reports")])


@pytest.mark.parametrize("degrees", [-30.0, 0.0, 20.0])
def test_alignment_finds_the_turned_crop_again(degrees):
    template = np.array(alignment.CROP_TEMPLATE)
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre, side, found = alignment.fit((template - 24) * 2.5 @ turn.T + [70, 60], rotates=True)
    assert np.allclose(centre, [70, 60]) and side == pytest.approx(120) and found == pytest.approx(angle)


def test_alignments_crop_is_what_lies_there():
    canvas = np.random.default_rng(1).integers(0, 256, (120, 130), dtype=np.uint8)
    assert np.array_equal(alignment.cut(canvas, (64, 54), 48, 0.0), canvas[30:78, 40:88])
    quarter = alignment.cut(canvas, (64, 54), 48, np.pi / 2)
    assert np.array_equal(quarter, np.rot90(canvas[30:78, 40:88], 1)) or np.array_equal(quarter, np.rot90(canvas[30:78, 40:88], -1))
