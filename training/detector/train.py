"""Trains the face detector; resumes at the last finished epoch.

    python -m detector.train --data DIR [--crops DIR] --out RUN [--net p190] [--epochs 100]

An epoch is --steps batches of composed pictures (compose.py). RUN holds settings.json, log.jsonl and state.pt.
Random numbers depend on the seed and on the epoch's number alone.
"""
import argparse
import json
import math
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
import torch

from . import compose, data, judge, losses, mine, nets, runs


def parse(arguments=None):
    p = argparse.ArgumentParser(prog="python -m detector.train", description=__doc__, fromfile_prefix_chars="@",
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True, type=Path, help="folder with images/ and labels/")
    p.add_argument("--crops", type=Path, help="folder with train_images.npy: 48x48 faces to paste into scenes")
    p.add_argument("--out", required=True, type=Path)
    p.add_argument("--net", default="p190", choices=nets.NETS)
    p.add_argument("--side", type=int, default=320)
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--steps", type=int, default=150, help="batches an epoch")
    p.add_argument("--epochs", type=int, default=100)
    p.add_argument("--minutes", type=float, help="the schedule follows the clock instead of the epochs: not repeatable to the bit")
    p.add_argument("--start", type=Path, help="run whose averaged weights are the start")
    p.add_argument("--stop-after", type=int)
    p.add_argument("--rate", type=float, default=2e-3)
    p.add_argument("--decay", type=float, default=0.02)
    p.add_argument("--averaging", type=float, default=0.999)
    p.add_argument("--judge-every", type=int, default=5)
    p.add_argument("--judged", type=int, default=150, help="validation pictures in training's own judgement; 0: all")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--threads", type=int, default=1)
    a = p.parse_args(arguments)
    if a.side < 64 or a.side % 32:
        p.error("--side: a multiple of 32, 64 or more")
    for name in ("batch", "steps", "judge_every"):
        if getattr(a, name) < 1:
            p.error(f"--{name.replace('_', '-')}: 1 or more")
    return a


class Run:
    def __init__(self, a):
        self.a = a
        torch.manual_seed(a.seed)
        self.net = nets.make(a.net).to(memory_format=torch.channels_last)
        if a.start:
            runs.load_weights(self.net, runs.read_state(a.start)["averaged"], a.start)
        self.averaged = nets.make(a.net)
        self.averaged.load_state_dict(self.net.state_dict())
        weights = [p for p in self.net.parameters() if p.ndim > 1]
        others = [p for p in self.net.parameters() if p.ndim <= 1]
        self.optimiser = torch.optim.AdamW([{"params": weights, "weight_decay": a.decay}, {"params": others, "weight_decay": 0}], lr=a.rate)
        self.epoch, self.used = 0, 0.0

    def save(self, file):
        part = file.with_suffix(".part")
        torch.save({"net": self.net.state_dict(), "averaged": self.averaged.state_dict(), "optimiser": self.optimiser.state_dict(),
                    "epoch": self.epoch, "used": self.used, "name": self.a.net}, part)
        part.replace(file)

    def load(self, run: Path):
        saved = runs.read_state(run)
        if saved["name"] != self.a.net:
            raise data.DataError(f"{run}: holds net {saved['name']}, not {self.a.net}; give another --out")
        try:
            self.net.load_state_dict(saved["net"])
            self.averaged.load_state_dict(saved["averaged"])
            self.optimiser.load_state_dict(saved["optimiser"])
        except runs.DAMAGED as error:
            raise data.DataError(f"{run}/state.pt: not a state of this training ({type(error).__name__}); give another --out") from error
        self.epoch, self.used = saved["epoch"], saved["used"]

    def rate(self, step):
        """Warming up over 300 steps, then half a cosine."""
        return self.a.rate * min(1, (step + 1) / 300) * (0.5 + 0.5 * math.cos(math.pi * self.progress(step))) + 1e-6

    def progress(self, step):
        """0 at the beginning, 1 at the end."""
        if self.a.minutes:
            return min((self.used + time.monotonic() - self.began) / 60 / self.a.minutes, 1)
        return min(step / (self.a.epochs * self.a.steps), 1)

    @property
    def ended(self):
        return self.used / 60 >= self.a.minutes if self.a.minutes else self.epoch >= self.a.epochs

    def train_epoch(self, batches) -> dict:
        a, self.began = self.a, time.monotonic()
        self.net.train()
        sums, waited = {}, 0.0
        for i in range(a.steps):
            begin = time.monotonic()
            samples = batches.get(self.epoch * a.steps + i)
            waited += time.monotonic() - begin
            x = nets.normalise(torch.from_numpy(np.stack([s.luma for s in samples]))).contiguous(memory_format=torch.channels_last)
            loss, parts = losses.loss_of(self.net(x), samples)
            if not math.isfinite(float(loss.detach())):
                raise data.DataError(f"epoch {self.epoch + 1}: the loss is {float(loss.detach())}; start again with a lower --rate (now {a.rate})")
            rate = self.rate(self.epoch * a.steps + i)
            for group in self.optimiser.param_groups:
                group["lr"] = rate
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.net.parameters(), 10.0)
            self.optimiser.step()
            self._average(self.epoch * a.steps + i)
            for name, value in parts.items():
                sums[name] = sums.get(name, 0.0) + value
        self.epoch += 1
        self.used += time.monotonic() - self.began
        return {"epoch": self.epoch, "minutes": round(self.used / 60, 1), "waited": round(waited / 60, 2),
                "rate": round(rate, 6), **{name: round(value / a.steps, 4) for name, value in sums.items()}}

    @torch.no_grad()
    def _average(self, step):
        keep = min(self.a.averaging, (1 + step) / (10 + step))
        for mean, now in zip(self.averaged.state_dict().values(), self.net.state_dict().values()):
            if mean.is_floating_point():
                mean.lerp_(now, 1 - keep)
            else:
                mean.copy_(now)


class Batches:
    """Composes batches in another process, two ahead. Batch number n depends on the seed and on n alone."""

    def __init__(self, composer, a):
        self.seed, self.size, self.ahead = a.seed, a.batch, {}
        # A forked process shares the pictures' memory: the composer is not sent to it.
        # It is forked here and now, before torch has threads: OpenMP promises nothing to a fork that comes later.
        self.pool = ProcessPoolExecutor(1, multiprocessing.get_context("fork"), initializer=_begin, initargs=(composer,))
        self.pool.submit(int).result()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.pool.shutdown(cancel_futures=True)

    def get(self, number):
        for n in (number, number + 1, number + 2):
            if n not in self.ahead:
                self.ahead[n] = self.pool.submit(_compose, self.seed, n, self.size)
        return self.ahead.pop(number).result()


_composer = None  # what the forked process composes with


def _begin(composer):
    global _composer
    _composer = composer
    torch.set_num_threads(1)


def _compose(seed, number, size):
    random = np.random.default_rng([seed, number])
    samples = [_composer.draw(random) for _ in range(size)]
    for sample in samples:
        sample.luma = sample.luma.numpy()  # a tensor would travel by a file of shared memory each
    return samples


def read_crops(folder: Path | None) -> np.ndarray | None:
    if folder is None:
        return None
    file = folder / "train_images.npy"
    try:
        crops = np.load(file, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise data.DataError(f"{file}: cannot be read ({error}); give a folder that holds it, or no --crops") from error
    if crops.ndim != 3 or crops.shape[1:] != (48, 48) or crops.dtype != np.uint8 or not len(crops):
        raise data.DataError(f"{file}: {crops.dtype} of {crops.shape}, not uint8 of N x 48 x 48")
    return crops


def judged(net, pictures) -> dict:
    """What a line of the log says about the averaged net."""
    threshold, figures = judge.best_threshold(lambda luma: judge.find_all(net, luma), pictures, 0.95, 10)
    eye = figures["eye_error"]
    return {"threshold": round(threshold, 2), "recall": round(figures["recall"], 4), "precision": round(figures["precision"], 4),
            "false_per_100": round(figures["false_per_100"], 1), "ap50": round(figures["ap50"], 4),
            "eye": None if eye is None else round(eye, 4), "by_size": {n: round(s["recall"], 3) for n, s in figures["by_size"].items()}}


def train(a):
    a.out.mkdir(parents=True, exist_ok=True)
    pictures = data.load(a.data, "train", without=("dlib_examples",))
    with Batches(compose.Composer(pictures, read_crops(a.crops), a.side, mine.read(a.out)), a) as batches:
        if a.threads:
            torch.set_num_threads(a.threads)
        run = Run(a)
        if (a.out / "state.pt").exists():
            run.load(a.out)
            print(f"{a.out}: goes on after epoch {run.epoch}", flush=True)
        val = data.load(a.data, "val")
        if a.judged:
            val = val[:: max(1, len(val) // a.judged)]
        settings = {"net": a.net, "macs_640x384": nets.count_macs(run.net, 384, 640), "pictures": len(pictures),
                    "parameters": sum(p.numel() for p in run.net.parameters()),
                    **{k: v for k, v in vars(a).items() if k not in ("data", "crops", "out", "start", "stop_after", "threads")}}
        (a.out / "settings.json").write_text(json.dumps(settings, indent=1) + "\n")
        print(json.dumps(settings), flush=True)
        ended = a.stop_after and run.epoch + a.stop_after
        while not run.ended and not (ended and run.epoch >= ended):
            line = run.train_epoch(batches)
            if run.epoch % a.judge_every == 0 or run.ended:
                line.update(judged(run.averaged.eval(), val))
            run.save(a.out / "state.pt")
            with open(a.out / "log.jsonl", "a") as log:
                log.write(json.dumps(line) + "\n")
            print(json.dumps(line), flush=True)


def main(arguments=None):
    a = parse(arguments)
    try:
        train(a)
    except (data.DataError, OSError) as error:
        sys.exit(f"train: {error}")
    except BrokenProcessPool:
        sys.exit("train: the process that composes pictures was ended from outside (memory?); the same command goes on")


if __name__ == "__main__":
    main()
