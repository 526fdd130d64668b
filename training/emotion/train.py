"""Trains an emotion net; resumes at the last finished epoch.

    python -m emotion.train --data DIR --out RUN [--net r64] [--epochs 60 | --minutes 120]

With --minutes the learning rate follows the share of the time that is used up instead of the
epochs, so that a run on a machine of unknown speed ends where it should, annealed.
"""
import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from . import data, metrics, nets
from .augment import Strength, augment


def parse():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True)
    p.add_argument("--out", required=True, type=Path)
    p.add_argument("--net", default="r64", choices=nets.NETS)
    p.add_argument("--epochs", type=int, default=60)
    p.add_argument("--minutes", type=float, help="end after this time instead of after --epochs")
    p.add_argument("--batch", type=int, default=96)
    p.add_argument("--rate", type=float, default=0.08)
    p.add_argument("--decay", type=float, default=5e-4)
    p.add_argument("--smoothing", type=float, default=0.1)
    p.add_argument("--votes", type=float, default=0.5, help="weight of the FER+ head's loss")
    p.add_argument("--rare", type=float, default=0.25, help="class weights: (mean count / count) ** this")
    p.add_argument("--averaging", type=float, default=0.998, help="decay of the averaged weights")
    p.add_argument("--small-until", type=float, default=0.0, help="share of the run on crops of 36 px")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--threads", type=int, default=0)
    return p.parse_args()


def host_has_bf16() -> bool:
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def predict(net, images, device, batch=512) -> np.ndarray:
    net.eval()
    out = []
    with torch.no_grad():
        for i in range(0, len(images), batch):
            x = torch.from_numpy(images[i:i + batch]).to(device).float()[:, None]
            out.append(net((x / 255 - 0.5) / 0.25).float().cpu())
    return torch.cat(out).numpy()


def main():
    a = parse()
    a.out.mkdir(parents=True, exist_ok=True)
    if a.threads:
        torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    reduced = device == "cuda" or host_has_bf16()

    train = data.load(a.data, "train")
    train = train.take(data.usable_rows(train))
    public = data.load(a.data, "public")
    folder = Path(a.data)
    leaked = folder / "public_dups_of_train.txt"
    clean = np.ones(len(public), bool)
    if leaked.is_file():
        clean[np.loadtxt(leaked, int)] = False
    images = torch.from_numpy(train.images)
    labels = torch.from_numpy(train.labels.astype(np.int64))
    votes = None if train.votes is None else torch.from_numpy(train.distribution())
    counts = torch.bincount(labels, minlength=7).float()
    weights = (counts.mean() / counts) ** a.rare

    net = nets.make(a.net).to(device, memory_format=torch.channels_last)
    averaged = nets.make(a.net).to(device)
    averaged.load_state_dict(net.state_dict())
    decayed = [p for p in net.parameters() if p.ndim > 1]
    plain = [p for p in net.parameters() if p.ndim <= 1]
    optimiser = torch.optim.SGD([{"params": decayed, "weight_decay": a.decay}, {"params": plain, "weight_decay": 0}],
                                lr=a.rate, momentum=0.9, nesterov=True)
    state = a.out / "state.pt"
    epoch, used, steps = 0, 0.0, 0
    if state.is_file():
        saved = torch.load(state, map_location=device, weights_only=True)
        net.load_state_dict(saved["net"])
        averaged.load_state_dict(saved["averaged"])
        optimiser.load_state_dict(saved["optimiser"])
        epoch, used, steps = saved["epoch"], saved["used"], saved["steps"]
        print(f"resumed after epoch {epoch}", flush=True)
    else:
        print(json.dumps({"net": a.net, "macs": nets.count_macs(net.to("cpu")), "images": len(images),
                          "parameters": sum(p.numel() for p in net.parameters()), "bf16": reduced,
                          "settings": {k: str(v) for k, v in vars(a).items() if k not in ("data", "out")}}), flush=True)
        net.to(device, memory_format=torch.channels_last)

    per_epoch = len(images) // a.batch
    started = time.monotonic() - used

    def progress():
        if a.minutes:
            return (time.monotonic() - started) / (60 * a.minutes)
        return steps / (per_epoch * a.epochs)

    while progress() < 1:
        random = torch.Generator().manual_seed(a.seed * 100003 + epoch)
        torch.manual_seed(a.seed * 7919 + epoch)
        order = torch.randperm(len(images), generator=random)
        net.train()
        losses = []
        for i in range(per_epoch):
            done = min(progress(), 1.0)
            warm = min(1.0, steps / per_epoch)
            rate = a.rate * warm * (0.5 + 0.5 * math.cos(math.pi * done)) + 1e-5
            for group in optimiser.param_groups:
                group["lr"] = rate
            rows = order[i * a.batch:(i + 1) * a.batch]
            x = images[rows].float()[:, None]
            if done < a.small_until:
                x = F.interpolate(x, size=(36, 36), mode="bilinear", antialias=True, align_corners=False)
            x = (augment(x, random, Strength()) / 255 - 0.5) / 0.25
            x = x.to(device, memory_format=torch.channels_last)
            with torch.autocast(device, torch.bfloat16, enabled=reduced):
                logits, vote_logits = net.both_heads(x)
            loss = F.cross_entropy(logits.float(), labels[rows].to(device), weights.to(device), label_smoothing=a.smoothing)
            if votes is not None and a.votes > 0:
                loss = loss + a.votes * F.cross_entropy(vote_logits.float(), votes[rows].to(device))
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            steps += 1
            keep = min(a.averaging, (1 + steps) / (10 + steps))
            with torch.no_grad():
                for mean, now in zip(averaged.state_dict().values(), net.state_dict().values()):
                    if mean.is_floating_point():
                        mean.lerp_(now, 1 - keep)
                    else:
                        mean.copy_(now)
            losses.append(loss.item())
        epoch += 1
        used = time.monotonic() - started
        line = {"epoch": epoch, "minutes": round(used / 60, 1), "rate": round(rate, 5), "loss": round(float(np.mean(losses)), 4)}
        if epoch % 2 == 0 or progress() >= 1:
            p = metrics.softmax(predict(averaged, public.images, device))
            table = metrics.confusion(public.labels, p.argmax(1), 7)
            line.update(public=round(100 * float((p.argmax(1) == public.labels).mean()), 2),
                        clean=round(100 * float((p.argmax(1) == public.labels)[clean].mean()), 2),
                        macro_f1=round(metrics.macro_f1(table), 4),
                        ece=round(metrics.expected_calibration_error(p, public.labels), 4))
        print(json.dumps(line), flush=True)
        with open(a.out / "log.jsonl", "a") as log:
            log.write(json.dumps(line) + "\n")
        part = state.with_suffix(".part")
        torch.save({"net": net.state_dict(), "averaged": averaged.state_dict(), "optimiser": optimiser.state_dict(),
                    "epoch": epoch, "used": used, "steps": steps, "name": a.net}, part)
        part.replace(state)


if __name__ == "__main__":
    main()
