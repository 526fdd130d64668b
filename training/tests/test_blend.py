"""The mixture of both heads, and the points that are named on its curve."""
import json

import numpy as np
import onnx
import pytest
import torch

from emotion import blend, card, contract, data, export, nets, preprocess, state, train


@pytest.fixture
def run(arrays, tmp_path):
    train.train(train.parse(["--data", str(arrays), "--out", str(tmp_path / "run"), "--net", "tiny", "--epochs", "2",
                             "--batch", "28", "--threads", "1"]))
    return tmp_path / "run"


@pytest.mark.parametrize("share", [0, 0.3, 1])
def test_one_linear_layer_says_what_the_mixed_heads_say(arrays, run, tmp_path, share):
    out = tmp_path / "emotion.onnx"
    export.export(export.parse(["--data", str(arrays), "--run", str(run), "--out", str(out), "--threads", "1",
                                "--blend", str(share)]))
    public = data.load(arrays, "public")
    net = state.averaged_net(state.read(run / "state.pt"))
    with torch.no_grad():
        label, votes = net.both_heads(preprocess.normalise(torch.from_numpy(public.images).float()[:, None]))
    model = onnx.load(out)
    expected = (1 - share) * label + share * votes[:, :7]
    assert np.abs(contract.run_onnx(model, public.images, 1) - expected.numpy()).max() < 1e-4
    assert [node.op_type for node in model.graph.node].count("Gemm") == 1
    assert float(contract.metadata(model).get("training.blend", 0)) == share
    found = blend.both(net, public.images, batch=10)
    assert np.abs(found[0] - label.numpy()).max() < 1e-4 and np.abs(found[1] - votes[:, :7].numpy()).max() < 1e-4


def test_a_blend_that_means_nothing_is_refused():
    for share in (-0.1, 1.5, float("nan")):
        with pytest.raises(blend.BlendError, match="give a share from 0"):
            blend.fold(nets.make("tiny"), share)
    with pytest.raises(blend.BlendError, match="the vote head has 5 classes"):
        blend.fold(nets.make("tiny", vote_classes=5), 0.5)


def test_the_curve_runs_from_one_head_to_the_other(arrays):
    public = data.load(arrays, "public")
    # The majority of the votes is the label here; move a quarter of the labels away from it.
    public.labels[::4] = (public.labels[::4] + 1) % 7
    majority = public.distribution()[:, :7].argmax(1)
    label, votes = np.eye(7)[public.labels] * 4, np.eye(7)[majority] * 4
    rows = blend.curve(label, votes, public, np.arange(56) % 2 == 0, (0, 0.4, 0.6, 1))
    assert [row["label"] for row in rows] == [100, 100, 75, 75] and [row["ferplus"] for row in rows] == [75, 75, 100, 100]
    assert rows[0]["label_clean"] == 100 and rows[-1]["label_clean"] == 50
    assert rows[0]["macro_f1"] == 1 and rows[0]["ferplus_n"] == 56


def test_the_two_points_follow_their_rules():
    rows = [{"share": s, "label": a, "ferplus": b} for s, a, b in
            ((0, 70, 60), (0.1, 70.1, 61), (0.2, 69.75, 63), (0.3, 69.7, 66), (0.5, 67, 75), (0.75, 64, 76), (1, 60, 80))]
    assert blend.kept(rows)["share"] == 0.2
    assert blend.balanced(rows)["share"] == 0.5
    assert blend.kept([rows[0]]) is blend.balanced([rows[0]]) is rows[0]


def test_the_reports_are_written_and_equal(arrays, run, tmp_path):
    (tmp_path / "card.md").write_text(f"{card.begin('blend')}\n{card.end('blend')}\n")
    for name in "ab":
        result = blend.run(blend.parse(["--data", str(arrays), "--run", str(run), "--reports", str(tmp_path / name),
                                        "--step", "0.25", "--threads", "1", "--card", str(tmp_path / "card.md")]))
    assert [row["share"] for row in result["curve"]] == [0, 0.25, 0.5, 0.75, 1]
    for name in ("blend.json", "blend.png"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert json.loads((tmp_path / "a" / "blend.json").read_text()) == result
    text = (tmp_path / "card.md").read_text()
    assert "(kept)" in text or "(balanced)" in text


def test_a_curve_without_votes_says_what_is_missing(arrays, run, tmp_path):
    (arrays / "public_ferplus.npy").unlink()
    with pytest.raises(data.DataError, match="needs FER\\+ votes for PublicTest"):
        blend.run(blend.parse(["--data", str(arrays), "--run", str(run), "--reports", str(tmp_path), "--threads", "1"]))
