"""VGG19: the files of ImageNet weights, the two stages, and the exported graph."""
import json

import h5py
import numpy as np
import onnx
import pytest
import torch
import torch.nn.functional as F

from emotion import baseline, card, contract, data, graph, nets, preprocess, state, train, vgg19, vgg19_stages

BLOCKS = (2, 2, 4, 4, 4)
NARROW = (4, 4, None, 4, 4, None, 4, 4, 4, 4, None, 8, 8, 8, 8, None, 8, 8, 8, 8, None)


@pytest.fixture(scope="module")
def tensors():
    """Random kernels [O,I,3,3] and biases of VGG19's shapes, small enough to keep numbers finite."""
    random = np.random.Generator(np.random.PCG64(10))
    made, width = [], 3
    for outputs in filter(None, vgg19.LAYOUT):
        scale = np.sqrt(2 / (9 * width))
        made.append(((random.standard_normal((outputs, width, 3, 3), np.float32) * scale).astype(np.float32),
                     random.normal(0, 0.1, outputs).astype(np.float32)))
        width = outputs
    return made


@pytest.fixture
def torch_file(tensors, tmp_path):
    """As torchvision's vgg19: 37 numbered features, then the classifier that is dropped."""
    saved, place = {}, 0
    for (kernel, bias), count in zip(tensors, [n for blocks in BLOCKS for n in [0] * (blocks - 1) + [1]]):
        saved[f"features.{place}.weight"], saved[f"features.{place}.bias"] = torch.from_numpy(kernel), torch.from_numpy(bias)
        place += 2 + count
    assert place == 37
    saved["classifier.0.weight"] = torch.zeros(4, 4)
    torch.save(saved, tmp_path / "vgg19.pth")
    return tmp_path / "vgg19.pth"


def keras_file(tensors, file, wrapped=False, names=("{layer}_W_1:0", "{layer}_b_1:0")):
    """As Keras's notop file: a group a layer, kernels [h,w,I,O]; `wrapped`: as model.save_weights nests them."""
    with h5py.File(file, "w") as stored:
        root = stored.create_group("model_weights") if wrapped else stored
        pairs = iter(tensors)
        for block, count in enumerate(BLOCKS, 1):
            for conv in range(1, count + 1):
                layer = f"block{block}_conv{conv}"
                kernel, bias = next(pairs)
                group = root.create_group(layer)
                if wrapped:
                    group = group.create_group(layer)
                group.create_dataset(names[0].format(layer=layer), data=kernel.transpose(2, 3, 1, 0))
                group.create_dataset(names[1].format(layer=layer), data=bias)
            root.create_group(f"block{block}_pool")
    return file


def features(tensors, colours):
    """[N,3,S,S] double through the stack, written out."""
    x, pairs = colours.double(), iter(tensors)
    for count in BLOCKS:
        for _ in range(count):
            kernel, bias = next(pairs)
            x = torch.relu(F.conv2d(x, torch.from_numpy(kernel).double(), torch.from_numpy(bias).double(), padding=1))
        x = F.max_pool2d(x, 2)
    return x.flatten(1)


def crops(count=2):
    return np.random.Generator(np.random.PCG64(11)).integers(0, 256, (count, 48, 48), dtype=np.uint8)


def net_input(images):
    return preprocess.normalise(torch.from_numpy(images).float()[:, None])


def test_torchvisions_file_sees_the_colours_it_was_trained_with(tensors, torch_file):
    net = vgg19.load_imagenet(nets.make("vgg19"), torch_file).eval()
    luma = torch.from_numpy(crops()).double()[:, None].expand(-1, 3, -1, -1) / 255
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    expected = features(tensors, (luma - mean.view(1, 3, 1, 1)) / deviation.view(1, 3, 1, 1))
    with torch.no_grad():
        found = net.features(net_input(crops()))
    assert found.shape == (2, 512) and (found - expected).abs().max() < 1e-3 * expected.abs().max()


@pytest.mark.parametrize("wrapped, names", [(False, ("{layer}_W_1:0", "{layer}_b_1:0")), (True, ("kernel:0", "bias:0"))])
def test_keras_file_sees_caffes_colours(tensors, tmp_path, wrapped, names):
    net = vgg19.load_imagenet(nets.make("vgg19"), keras_file(tensors, tmp_path / "notop.h5", wrapped, names)).eval()
    luma = torch.from_numpy(crops()).double()[:, None].expand(-1, 3, -1, -1)
    expected = features(tensors, luma - torch.tensor([103.939, 116.779, 123.68]).view(1, 3, 1, 1))
    with torch.no_grad():
        found = net.features(net_input(crops()))
    assert (found - expected).abs().max() < 1e-3 * expected.abs().max()


@pytest.mark.parametrize("norm", [False, True])
def test_the_exported_graph_answers_as_the_net(norm):
    torch.manual_seed(12)
    net = vgg19.VGG19(norm)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.8, 1.2)
            torch.nn.init.uniform_(module.running_mean, -0.1, 0.1)
            torch.nn.init.uniform_(module.bias, -0.1, 0.1)
    model = graph.build(net.eval(), "vgg19")
    operators = [node.op_type for node in model.graph.node]
    assert operators.count("Conv") == 17 and operators.count("MaxPool") == 5 and operators.count("Relu") == 16
    with torch.no_grad():
        expected = net(net_input(crops())).numpy()
    assert np.abs(contract.run_onnx(model, crops(), 1) - expected).max() < 1e-4 * max(1, np.abs(expected).max())


def test_all_sixteen_layers_at_their_published_size():
    net = nets.make("vgg19")
    assert len(net.convolutions()) == 16
    assert sum(p.numel() for p in net.trunk.parameters()) == 20_024_384  # of the literature's VGG19 without its top
    assert 0.89e9 < nets.count_macs(net) < 0.91e9


def test_files_that_are_not_vgg19s_are_refused_with_where_to_get_them(tensors, tmp_path):
    net = nets.make("vgg19")
    for file, match in ((None, "ImageNet weights of VGG19 are not in this project"), (tmp_path / "none.pth", "no such file")):
        with pytest.raises(baseline.WeightsError, match=match) as caught:
            vgg19.load_imagenet(net, file)
        assert all(word in str(caught.value) for word in ("vgg19-dcbb9e9d.pth", "kernels_notop.h5", "CC BY 4.0"))
    (tmp_path / "broken.pth").write_bytes(b"PK")
    (tmp_path / "broken.h5").write_bytes(b"no")
    torch.save({"features.0.weight": torch.zeros(1)}, tmp_path / "half.pth")
    wider = [(np.repeat(k, 2, 0), np.repeat(b, 2)) for k, b in tensors[:1]] + tensors[1:]
    keras_file(wider, tmp_path / "wide.h5")
    for name, match in (("broken.pth", "cannot be read as a torch file"), ("broken.h5", "cannot be read as HDF5"),
                        ("half.pth", "lacks features.0.bias and 30 more of VGG19's 32"), ("wide.h5", "convolution 1 is")):
        with pytest.raises(baseline.WeightsError, match=match):
            vgg19.load_imagenet(net, tmp_path / name)


@pytest.fixture
def narrow(monkeypatch):
    """All sixteen layers, few channels."""
    monkeypatch.setattr(vgg19, "LAYOUT", NARROW)


def stages(arrays, folder, kind, *more):
    return vgg19_stages.parse(["--kind", kind, "--data", str(arrays), "--run", str(folder / kind),
                               "--out", str(folder / f"{kind}.onnx"), "--epochs", "1", "--locked-epochs", "2", "--batch", "20", "--pictures", "100", "--threads", "1",
                               "--reports", str(folder / "reports"), *map(str, more)])


def trunk(file):
    return {name: value for name, value in state.read(file / "state.pt")["net"].items() if name.startswith(("trunk", "colour"))}


def test_locked_layers_stay_and_unlocked_ones_learn(arrays, tmp_path, narrow):
    rows = vgg19_stages.run(stages(arrays, tmp_path, "ferplus"))
    assert [row["stage"] for row in rows] == ["votes", "locked", "unlocked"]
    assert {row["kind"] for row in rows} == {"vgg19-ferplus"}
    run = tmp_path / "ferplus"
    averaged = state.read(run / "1-votes" / "state.pt")["averaged"]
    before = {name: value for name, value in averaged.items() if name.startswith("trunk")}
    locked, unlocked = trunk(run / "2-locked"), trunk(run / "3-unlocked")
    assert all(torch.equal(value, locked[name]) for name, value in before.items())
    moved = [name for name in before if not torch.equal(locked[name], unlocked[name])]
    assert {name for name in moved if name.endswith("weight")} == {name for name in before if name.endswith("weight")}
    heads = [state.read(run / stage / "state.pt")["net"]["head.weight"] for stage in ("1-votes", "2-locked", "3-unlocked")]
    assert not torch.equal(heads[0], heads[1]) and not torch.equal(heads[1], heads[2])
    assert json.loads((run / "2-locked" / "settings.json").read_text())["images"] == 100
    found = contract.metadata(onnx.load(tmp_path / "ferplus.onnx"))
    assert found["training.net"] == "vgg19-ferplus" and found["training.pictures"] == "100" and "training.notice" not in found
    assert found["accuracy.f32"].endswith(";56;public")


def test_a_votes_trunk_has_seen_no_label(arrays, tmp_path, narrow):
    a = stages(arrays, tmp_path, "ferplus")
    split = data.load(arrays, "train")
    other = split.take(slice(None))
    other.labels = ((other.labels + 3) % 7).astype(np.uint8)
    settings = vgg19_stages.settings(a, vgg19_stages.stages(a)[0])
    assert torch.equal(vgg19_stages.StageTrainer(settings, split).targets, vgg19_stages.StageTrainer(settings, other).targets)


def test_imagenet_weights_are_locked_then_unlocked_and_named(arrays, tmp_path, narrow):
    width, made = 3, []
    random = np.random.Generator(np.random.PCG64(13))
    for outputs in filter(None, vgg19.LAYOUT):
        kernel = random.normal(0, np.sqrt(2 / 9 / width), (outputs, width, 3, 3))
        made.append((kernel.astype(np.float32), np.zeros(outputs, np.float32)))
        width = outputs
    file = keras_file(made, tmp_path / "notop.h5")
    (tmp_path / "card.md").write_text(f"{card.begin('vgg19')}\n{card.end('vgg19')}\n")
    rows = vgg19_stages.run(stages(arrays, tmp_path, "imagenet", "--weights", file, "--card", tmp_path / "card.md"))
    assert [row["stage"] for row in rows] == ["locked", "unlocked"]
    locked = trunk(tmp_path / "imagenet" / "2-locked")
    assert np.array_equal(locked["trunk.0.weight"].numpy(), made[0][0])
    assert locked["colour.bias"][0] == pytest.approx(127.5 - 103.939, abs=1e-3)
    assert "University of Oxford" in contract.metadata(onnx.load(tmp_path / "imagenet.onnx"))["training.notice"]
    vgg19_stages.run(stages(arrays, tmp_path, "scratch", "--card", tmp_path / "card.md"))
    text = (tmp_path / "card.md").read_text()
    assert text.count("`vgg19`") == 2 and text.count("`vgg19-scratch`") == 1
    with pytest.raises(baseline.WeightsError, match="no such file"):
        vgg19_stages.run(stages(arrays, tmp_path / "other", "imagenet", "--weights", tmp_path / "none.h5"))
    assert not (tmp_path / "other").exists()


def test_finished_stages_are_not_trained_again(arrays, tmp_path, narrow, monkeypatch):
    first = vgg19_stages.run(stages(arrays, tmp_path, "scratch"))
    monkeypatch.setattr(train.Trainer, "step", None)
    assert vgg19_stages.run(stages(arrays, tmp_path, "scratch")) == first
