"""Targets, imbalance, teachers and warm starts."""
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from emotion import data, metrics, nets, state, supervision, teach, train


@pytest.fixture
def split(arrays):
    return data.load(arrays, "train")


def teacher_of(split, seed=1):
    return np.random.Generator(np.random.PCG64(seed)).dirichlet(np.ones(7), len(split)).astype(np.float32)


@pytest.mark.parametrize("smoothing, vote_share, teacher_share", [(0, 0, 0), (0.1, 0.3, 0), (0.1, 0, 0.4), (0.2, 0.3, 0.5)])
def test_targets_are_the_written_mixture(split, smoothing, vote_share, teacher_share):
    teacher = teacher_of(split)
    found = supervision.targets(split, smoothing, vote_share, teacher, teacher_share).double().numpy()
    assert np.abs(found.sum(1) - 1).max() < 1e-6
    for row in (0, 5, 139):
        label = (1 - smoothing) * np.eye(7)[split.labels[row]] + smoothing / 7
        # FER+'s columns: neutral, happiness, surprise, sadness, anger, disgust, fear.
        votes = split.votes[row, [4, 5, 6, 1, 3, 2, 0]].astype(float)
        expected = (1 - vote_share - teacher_share) * label + vote_share * votes / votes.sum() + teacher_share * teacher[row]
        assert np.abs(found[row] - expected).max() < 1e-6


def test_a_picture_without_votes_gives_its_share_back_to_the_label(split):
    split.votes[3] = 0
    split.votes[3, 7] = 10  # all for contempt
    split.votes[4] = 0
    found = supervision.targets(split, 0.0, 0.6, None, 0.5).numpy()
    for row in (3, 4):
        assert found[row].tolist() == np.eye(7)[split.labels[row]].tolist()
    assert found[5].max() < 1


def test_targets_by_votes_want_votes(split):
    split.votes = None
    assert supervision.targets(split, 0.1, 0.0, None, 0.5).shape == (140, 7)
    with pytest.raises(data.DataError, match="no FER\\+ votes"):
        supervision.targets(split, 0.1, 0.5, None, 0.5)


COUNTS = np.array([40, 4, 41, 72, 48, 32, 50])


def balance(kind, power=0.5):
    labels = torch.from_numpy(np.repeat(np.arange(7), COUNTS))
    return supervision.Balance(kind, power, COUNTS, labels), labels


def test_weights_are_powers_of_rarity_with_mean_one():
    made, labels = balance("weights")
    assert float(made.weights[labels].mean()) == pytest.approx(1, abs=1e-5)
    assert float(made.weights[1] / made.weights[0]) == pytest.approx(np.sqrt(40 / 4), rel=1e-5)
    logits, target = torch.randn(5, 7), torch.softmax(torch.randn(5, 7), 1)
    expected = -(target * torch.log_softmax(logits, 1) * made.weights).sum(1).mean()
    assert torch.allclose(made.loss(logits, target), expected, atol=1e-6)


def test_oversampling_draws_rare_pictures_more_often():
    made, labels = balance("oversample", 1.0)
    random = torch.Generator().manual_seed(1)
    drawn = torch.cat([labels[made.order(len(labels), random)] for _ in range(60)])
    shares = torch.bincount(drawn, minlength=7).double() / len(drawn)
    assert (shares - 1 / 7).abs().max() < 0.02
    assert made.weights is None and made.offset is None


def test_balanced_softmax_adds_the_logarithm_of_the_counts():
    made, _ = balance("softmax", 1.0)
    logits, target = torch.randn(6, 7), F.one_hot(torch.arange(6), 7).float()
    e = torch.exp(logits.double()) * torch.from_numpy(COUNTS)
    expected = -torch.log((e / e.sum(1, keepdim=True))[range(6), range(6)]).mean()
    assert float(made.loss(logits, target)) == pytest.approx(float(expected), rel=1e-5)


def test_without_a_balance_an_epoch_is_every_picture_once():
    made, labels = balance("none")
    assert sorted(made.order(len(labels), torch.Generator().manual_seed(2)).tolist()) == list(range(len(labels)))
    logits, target = torch.randn(5, 7), torch.softmax(torch.randn(5, 7), 1)
    assert torch.equal(made.loss(logits, target), F.cross_entropy(logits, target))


@pytest.fixture
def run(arrays, tmp_path):
    train.train(train.parse(["--data", str(arrays), "--out", str(tmp_path / "run"), "--net", "tiny", "--epochs", "2",
                             "--batch", "28", "--threads", "1"]))
    return tmp_path / "run"


def test_a_teacher_says_the_mean_over_nets_and_mirror_images(arrays, run, split, tmp_path):
    other = tmp_path / "other"
    train.train(train.parse(["--data", str(arrays), "--out", str(other), "--net", "tiny", "--epochs", "1", "--batch", "28",
                             "--threads", "1", "--seed", "5"]))
    out = tmp_path / "teacher.npy"
    teach.teach(teach.parse(["--data", str(arrays), "--run", str(run), "--run", str(other), "--out", str(out),
                             "--temperature", "2", "--threads", "1"]))
    said = []
    for folder in (run, other):
        net = state.averaged_net(state.read(folder / "state.pt"))
        for images in (split.images, split.images[:, :, ::-1].copy()):
            said.append(metrics.softmax(train.predict(net, images), 2.0))
    stored = np.load(out)
    assert stored.dtype == np.float16 and np.abs(stored - np.mean(said, 0)).max() < 1e-3
    found = supervision.read_teacher(out, split)
    assert np.abs(found.sum(1) - 1).max() < 1e-6 and np.abs(found - stored).max() < 1e-3
    part = split.take(np.array([7, 70, 139]))
    assert np.array_equal(supervision.read_teacher(out, part), found[[7, 70, 139]])


def test_a_run_learns_from_its_teacher(arrays, split, tmp_path):
    np.save(tmp_path / "teacher.npy", teacher_of(split))
    given = ["--data", str(arrays), "--net", "tiny", "--epochs", "1", "--batch", "28", "--threads", "1"]
    trainer = train.Trainer(train.parse([*given, "--out", str(tmp_path / "a"), "--teacher", str(tmp_path / "teacher.npy"),
                                         "--teacher-share", "1"]), split)
    assert np.abs(trainer.targets.numpy() - teacher_of(split)).max() < 1e-6


def test_teachers_that_do_not_fit_are_named(split, tmp_path):
    file = tmp_path / "teacher.npy"
    with pytest.raises(data.DataError, match="emotion.teach writes them"):
        supervision.read_teacher(file, split)
    for answers, match in ((np.ones((139, 7)), "do not fit 140 rows of 7 classes"), (np.ones((140, 6)), "do not fit"),
                           (np.full((140, 7), np.nan), "lacks answers")):
        np.save(file, answers)
        with pytest.raises(data.DataError, match=match):
            supervision.read_teacher(file, split)


def test_the_averaged_net_is_the_averaged_weights_ready_to_predict(run):
    saved = state.read(run / "state.pt")
    net = state.averaged_net(saved)
    assert not net.training
    for name, value in net.state_dict().items():
        assert torch.equal(value, saved["averaged"][name])
    assert any(not torch.equal(saved["net"][name], saved["averaged"][name]) for name in saved["net"])
    with pytest.raises(state.StateError, match="'foreign'"):
        state.averaged_net({**saved, "name": "foreign"})


def test_a_warm_start_takes_what_fits_and_leaves_a_new_block_the_identity(tmp_path, monkeypatch):
    longer = {**nets.NETS["tiny"], "blocks": [(16, 2), (32, 2), (32, 1)]}
    monkeypatch.setitem(nets.NETS, "longer", longer)
    torch.manual_seed(6)
    short = state.Run("tiny", "cpu", 0.1, 0)
    with torch.no_grad():
        for value in short.averaged.state_dict().values():
            if value.is_floating_point():
                value.mul_(1.1).add_(0.01)
    short.save(tmp_path / "state.pt")
    run = state.Run("longer", "cpu", 0.1, 0)
    run.start_from(tmp_path / "state.pt")
    x = torch.randn(3, 1, 48, 48)
    expected = short.averaged.eval()(x)
    for net in (run.net, run.averaged):
        assert torch.allclose(net.eval()(x), expected, atol=1e-5)
    assert (run.epoch, run.steps) == (0, 0)


def test_a_warm_start_from_another_kind_of_net_is_refused(tmp_path):
    run = state.Run("tiny", "cpu", 0.1, 0)
    run.save(tmp_path / "state.pt")
    saved = torch.load(tmp_path / "state.pt", weights_only=True)
    saved["averaged"] = {f"other.{name}": value for name, value in saved["averaged"].items()}
    torch.save(saved, tmp_path / "state.pt")
    with pytest.raises(state.StateError, match="only 0 of"):
        run.start_from(tmp_path / "state.pt")


def test_a_started_run_begins_with_the_other_runs_average(arrays, run, tmp_path, split):
    a = train.parse(["--data", str(arrays), "--out", str(tmp_path / "next"), "--net", "tiny", "--batch", "28",
                     "--threads", "1", "--start", str(run)])
    trainer = train.Trainer(a, split)
    expected = state.averaged_net(state.read(run / "state.pt"))
    for name, value in expected.state_dict().items():
        assert torch.equal(trainer.run.averaged.state_dict()[name], value)
        assert torch.equal(trainer.run.net.state_dict()[name], value)


def test_mixup_mixes_pictures_and_targets_by_one_share(arrays, split, tmp_path):
    trainer = train.Trainer(train.parse(["--data", str(arrays), "--out", str(tmp_path), "--net", "tiny", "--batch", "28",
                                         "--threads", "1", "--mixup", "0.4"]), split)
    x, target = torch.randn(4, 1, 8, 8), torch.eye(7)[:4]
    mixed, targets, votes = trainer.mix(x, target, None)
    share = float(targets[0, 0])
    assert votes is None and 0 <= share <= 1
    assert torch.allclose(mixed, share * x + (1 - share) * x[[3, 0, 1, 2]], atol=1e-6)
    assert torch.allclose(targets, share * target + (1 - share) * target[[3, 0, 1, 2]], atol=1e-6)
