"""Trains an emotion net; resumes at the last finished epoch. arguments.py says how it is called.

RUN holds settings.json (of the run's start), log.jsonl (a line an epoch) and state.pt.
"""
import json
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from . import data, metrics, nets, supervision
from .arguments import parse
from .augment import Strength, augment
from .preprocess import normalise
from .state import Run, StateError


def host_has_bf16() -> bool:
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def training_split(source, exclude, classes: int = 7) -> data.Split:
    """Train without pictures of one grey value, without non-faces, and without the listed rows."""
    whole = data.load(source, "train", classes)
    keep = data.usable(whole)
    if not keep.all():
        print(f"{source}: {(~keep).sum()} of {len(keep)} training pictures left out: one grey value, or no face by FER+'s votes",
              file=sys.stderr, flush=True)
    for file in exclude:
        keep &= ~data.listed(whole, file if file.is_file() else Path(source) / file)
    train = whole.take(keep)
    missing = [name for name, count in zip(train.names(), train.counts()) if count == 0]
    if missing:
        print(f"{source}: no training picture of {', '.join(missing)}; the net will not know them", file=sys.stderr)
    return train


class Trainer:
    """One run: its pictures on the device, its nets, and how far it is."""

    def __init__(self, a, train: data.Split):
        self.a = a
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        # On a CPU without bf16 instructions reduced precision is several times slower than float32.
        self.reduced = self.device == "cuda" or host_has_bf16()
        if len(train) < a.batch:
            raise data.DataError(f"{a.data}: {len(train)} usable training pictures are less than a batch of {a.batch}")
        self.images = torch.from_numpy(train.images).to(self.device)
        self.labels = torch.from_numpy(train.labels.astype(np.int64)).to(self.device)
        self.votes = None
        if train.votes is not None and a.votes > 0:
            self.votes = torch.from_numpy(train.distribution()).to(self.device)
        teacher = supervision.read_teacher(a.teacher, train) if a.teacher else None
        self.targets = supervision.targets(train, a.smoothing, a.vote_share, teacher, a.teacher_share).to(self.device)
        self.balance = supervision.Balance(a.balance, a.rare, train.counts(), self.labels)
        self.strength = Strength().scaled(a.augment)
        torch.manual_seed(a.seed)
        self.run = Run(a.net, self.device, a.rate, a.decay, a.branch, a.classes)
        if a.start:
            self.run.start_from(a.start / "state.pt")
        self.per_epoch = len(train) // a.batch
        self.started = time.monotonic()

    def resume(self, file: Path):
        self.run.load(file)
        self.started = time.monotonic() - self.run.used

    def progress(self) -> float:
        """Share of the run that is done."""
        if self.a.minutes:
            return (time.monotonic() - self.started) / (60 * self.a.minutes)
        return self.run.steps / (self.per_epoch * self.a.epochs)

    def rate(self, done: float) -> float:
        """One epoch of warming up, then half a cosine."""
        warm = min(1.0, self.run.steps / self.per_epoch)
        return self.a.rate * warm * (0.5 + 0.5 * math.cos(math.pi * min(done, 1.0))) + 1e-5

    def epoch(self) -> dict:
        """One epoch, or what is left of the time. Its random numbers depend on the seed and on its
        number alone, which is what makes a resumed run equal."""
        a, run = self.a, self.run
        random = torch.Generator(self.device).manual_seed(a.seed * 100003 + run.epoch)
        torch.manual_seed(a.seed * 7919 + run.epoch)  # dropout
        order = self.balance.order(len(self.images), random)
        run.net.train()
        losses, rate = [], 0.0
        for i in range(self.per_epoch):
            done = self.progress()
            if a.minutes and done >= 1 and losses:
                break
            rate = self.rate(done)
            losses.append(self.step(order[i * a.batch:(i + 1) * a.batch], rate, done < a.small_until, random))
        run.epoch += 1
        run.used = time.monotonic() - self.started
        loss = float(torch.stack(losses).mean())
        if not math.isfinite(loss):
            raise StateError(f"epoch {run.epoch}: the loss is {loss}; start again with a lower --rate (now {a.rate})")
        return {"epoch": run.epoch, "minutes": round(run.used / 60, 1), "rate": round(rate, 5), "loss": round(loss, 4)}

    def step(self, rows, rate: float, small: bool, random) -> torch.Tensor:
        """One batch; its loss, left on the device."""
        x = self.images[rows].float()[:, None]
        if small:
            x = F.interpolate(x, size=(36, 36), mode="bilinear", antialias=True, align_corners=False)
        x = normalise(augment(x, random, self.strength))
        target, votes = self.targets[rows], None if self.votes is None else self.votes[rows]
        if self.a.mixup:
            x, target, votes = self.mix(x, target, votes)
        x = x.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device, torch.bfloat16, enabled=self.reduced):
            logits, vote_logits = self.run.net.both_heads(x)
        loss = self.balance.loss(logits.float(), target)
        if votes is not None:
            loss = loss + self.a.votes * F.cross_entropy(vote_logits.float(), votes)
        self.run.descend(loss, rate, self.a.averaging)
        return loss.detach()

    def mix(self, x, target, votes):
        """Each crop with its neighbour in the batch, by one share for the batch (drawn by torch's own
        generator, which the epoch has seeded)."""
        share = float(torch.distributions.Beta(self.a.mixup, self.a.mixup).sample())
        blend = lambda t: t if t is None else share * t + (1 - share) * t.roll(1, 0)
        return blend(x), blend(target), blend(votes)


def predict(net, images: np.ndarray, device="cpu", batch=512) -> np.ndarray:
    """images [N,48,48] uint8; logits [N,C]."""
    net.eval()
    out = []
    with torch.no_grad():
        for i in range(0, len(images), batch):
            x = torch.from_numpy(images[i:i + batch]).to(device).float()[:, None]
            out.append(net(normalise(x)).float().cpu())
    return torch.cat(out).numpy()


def judge(net, public: data.Split, clean: np.ndarray, device) -> dict:
    p = metrics.softmax(predict(net, public.images, device))
    table = metrics.confusion(public.labels, p.argmax(1), public.classes)
    right = p.argmax(1) == public.labels
    return {"public": round(100 * float(right.mean()), 2), "clean": round(100 * float(right[clean].mean()), 2),
            "macro_f1": round(metrics.macro_f1(table), 4),
            "ece": round(metrics.expected_calibration_error(p, public.labels), 4)}


def describe(trainer: Trainer) -> dict:
    a, net = trainer.a, nets.make(trainer.a.net)
    unlisted = ("data", "out", "stop_after", "threads", "judge_every")
    settings = {key: value.name if isinstance(value, Path) else value for key, value in vars(a).items() if key not in unlisted}
    settings["exclude"] = [file.name for file in a.exclude]
    return {"net": a.net, "macs": nets.count_macs(net), "parameters": sum(p.numel() for p in net.parameters()),
            "images": len(trainer.images), "votes": trainer.votes is not None, "device": trainer.device,
            "bf16": trainer.reduced, "torch": torch.__version__,
            "settings": settings}


def forget_after(log: Path, epoch: int):
    """Drops the lines of epochs that the saved state does not have: they are trained again."""
    lines = log.read_text().splitlines() if log.is_file() else []
    kept = [line for line in lines if json.loads(line)["epoch"] <= epoch]
    if len(kept) != len(lines):
        log.write_text("".join(line + "\n" for line in kept))


def tell_changes(settings: Path, now: dict):
    """Says which settings differ from those that the run was started with; they hold from here on."""
    if not settings.is_file():
        return
    started = json.loads(settings.read_text())
    then = started["settings"]
    # A setting that is newer than the run is not named: what its default does is what was done before.
    changed = [f"{key} {then[key]} -> {value}" for key, value in now["settings"].items() if then.get(key, value) != value]
    if started.get("images") != now["images"]:
        changed.append(f"training pictures {started.get('images')} -> {now['images']} (other data? then give another --out)")
    if changed:
        print(f"{settings}: this call differs in {', '.join(changed)}", file=sys.stderr, flush=True)


def train(a, watch=None, trainer_type=None):
    """`watch` is called with each epoch's line of the log, after the state is saved; it may raise."""
    if a.threads:
        torch.set_num_threads(a.threads)
    trainer = (trainer_type or Trainer)(a, training_split(a.data, a.exclude, a.classes))
    public = data.load(a.data, "public", a.classes)
    clean = data.clean_public(a.data, public)
    a.out.mkdir(parents=True, exist_ok=True)
    state, log, settings = (a.out / name for name in ("state.pt", "log.jsonl", "settings.json"))
    if state.is_file():
        trainer.resume(state)
        forget_after(log, trainer.run.epoch)
        tell_changes(settings, describe(trainer))
        print(f"{a.out}: goes on after epoch {trainer.run.epoch}", flush=True)
    else:
        settings.write_text(json.dumps(describe(trainer), indent=1) + "\n")
        forget_after(log, 0)
        print(json.dumps(describe(trainer)), flush=True)

    first = trainer.run.epoch
    while trainer.progress() < 1 and (a.stop_after is None or trainer.run.epoch - first < a.stop_after):
        line = trainer.epoch()
        if line["epoch"] % a.judge_every == 0 or trainer.progress() >= 1:
            line.update(judge(trainer.run.averaged, public, clean, trainer.device))
        print(json.dumps(line), flush=True)
        with open(log, "a") as stream:
            stream.write(json.dumps(line) + "\n")
        trainer.run.save(state)
        if watch:
            watch(line)


def main():
    try:
        train(parse())
    except (data.DataError, StateError) as error:
        sys.exit(f"train: {error}")
    except KeyboardInterrupt:
        sys.exit("train: interrupted; the same command goes on after the last finished epoch")


if __name__ == "__main__":
    main()
