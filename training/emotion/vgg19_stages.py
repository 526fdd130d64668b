"""The original idea, stage by stage: VGG19 with new output layers, first over a locked trunk, then unlocked.

    python -m emotion.vgg19_stages --kind imagenet --weights FILE --data DIR --run RUN --out vgg19.onnx
    python -m emotion.vgg19_stages --kind scratch  ...   # no other task before: all layers on FER2013 at once
    python -m emotion.vgg19_stages --kind ferplus  ...   # the trunk first learns FER+'s votes, here

Every stage is a run of its own below RUN (`1-votes`, `2-locked`, `3-unlocked`) and resumes as runs do. The
last stage's averaged weights are exported with the same contract as the shipped file. The settings
are for a GPU or a patient CPU (900 MMAC a crop); --pictures, --epochs and --locked-epochs make it short, and
what they were stands in the file.
"""
import argparse
import sys
from pathlib import Path

import numpy as np

from . import baseline, card, contract, data, graph, nets, publish, report, state, train, vgg19

KINDS = ("imagenet", "scratch", "ferplus")
NAMES = {"imagenet": "vgg19", "scratch": "vgg19-scratch", "ferplus": "vgg19-ferplus"}
SUBSET_SEED = 19


def parse(arguments=None):
    p = argparse.ArgumentParser(prog="python -m emotion.vgg19_stages", description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--kind", choices=KINDS, required=True)
    p.add_argument("--weights", type=Path, help="torchvision's .pth or Keras's notop .h5, for --kind imagenet")
    p.add_argument("--run", type=Path, required=True)
    p.add_argument("--pictures", type=int, help="train on this many, drawn once by a fixed seed")
    p.add_argument("--epochs", type=int, default=40, help="of each stage in which all layers learn")
    p.add_argument("--locked-epochs", type=int, default=10)
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--rate", type=float, default=0.02, help="of a trunk that starts from random weights")
    p.add_argument("--tuning-rate", type=float, default=0.004, help="of a trunk that knows something already")
    p.add_argument("--small-until", type=float, default=0.5, help="share of a stage on crops of 36 px")
    p.add_argument("--averaging", type=float, default=0.998)
    p.add_argument("--seed", type=int, default=1)
    publish.add_arguments(p)
    return p.parse_args(arguments)


def stages(a) -> list[dict]:
    """What each stage changes of the training's settings. `start`: the stage before, whose trunk goes on."""
    whole = {"epochs": a.epochs, "rate": a.rate, "lock": False}
    locked = {"folder": "2-locked", "epochs": a.locked_epochs, "rate": 0.05, "lock": True, "small_until": 0.0, "new_heads": True}
    unlocked = {**whole, "folder": "3-unlocked", "rate": a.tuning_rate, "start": "2-locked"}
    if a.kind == "scratch":
        return [{**whole, "folder": "3-unlocked"}]
    if a.kind == "imagenet":
        # Without batch norms the 512 features are tens and hundreds: the outputs need smaller steps.
        return [{**locked, "weights": a.weights, "rate": 0.002}, {**unlocked, "rate": a.tuning_rate / 2}]
    # The label head learns the votes alone: no FER2013 label has a part in the trunk that is then locked.
    votes = {**whole, "folder": "1-votes", "vote_share": 1.0, "votes": 0.0, "smoothing": 0.0, "balance": "none"}
    return [votes, {**locked, "start": "1-votes"}, unlocked]


class StageTrainer(train.Trainer):
    """A Trainer of VGG19 on a part of the pictures, with a trunk that is loaded or locked."""

    def __init__(self, a, split: data.Split):
        if a.pictures and a.pictures < len(split):
            chosen = np.random.Generator(np.random.PCG64(SUBSET_SEED)).permutation(len(split))[:a.pictures]
            split = split.take(np.sort(chosen))
        super().__init__(a, split)
        if a.weights:
            vgg19.load_imagenet(self.run.net, a.weights)
        if a.new_heads:
            self.run.net.new_heads()
        if a.lock:
            self.run.net.lock()
        self.run.averaged.load_state_dict(self.run.net.state_dict())


def settings(a, stage: dict) -> argparse.Namespace:
    chosen = train.parse(["--data", str(a.data), "--out", str(a.run / stage["folder"]), "--batch", str(a.batch),
                          "--threads", str(a.threads), "--small-until", str(a.small_until),
                          "--averaging", str(a.averaging), "--seed", str(a.seed)])
    chosen.net = "vgg19" if a.kind == "imagenet" else "vgg19-bn"
    chosen.pictures, chosen.weights, chosen.new_heads, chosen.lock = a.pictures, None, False, False
    for key, value in stage.items():
        setattr(chosen, key, value)
    if chosen.start:
        chosen.start = a.run / chosen.start
    del chosen.folder
    return chosen


def run(a) -> list[dict]:
    """The reports of the stages on FER2013, the last of them of the written file."""
    if a.kind == "imagenet" and (a.weights is None or not a.weights.is_file()):
        vgg19.load_imagenet(None, a.weights)  # says where to get it, before any work
    plan = stages(a)
    for stage in plan:
        train.train(settings(a, stage), trainer_type=StageTrainer)
    rows = []
    for stage in plan:
        folder = a.run / stage["folder"]
        saved = state.read(folder / "state.pt")
        log = report.read_log(folder / "log.jsonl")
        judged = [line for line in log if "public" in line][-1]
        rows.append({"kind": NAMES[a.kind], "stage": stage["folder"][2:], "epochs": saved["epoch"], "steps": saved["steps"],
                     "minutes": round(saved["used"] / 60, 1), "accuracy": judged["public"], "clean": judged["clean"],
                     "macro_f1": judged["macro_f1"]})
    net = state.averaged_net(saved)
    notes = {"net": NAMES[a.kind], "macs": nets.count_macs(net), "pictures": a.pictures or "all",
             "stages": "; ".join(f"{row['stage']} {row['epochs']} epochs" for row in rows),
             "minutes": round(sum(row["minutes"] for row in rows), 1), "epochs": sum(row["epochs"] for row in rows),
             "steps": sum(row["steps"] for row in rows)}
    if a.kind == "imagenet":
        notes["notice"] = baseline.LICENCE
    without_card = argparse.Namespace(**{**vars(a), "card": None, "reports": None})
    result = publish.publish(graph.build(net, NAMES[a.kind]), notes, without_card, lambda images: train.predict(net, images), log)
    final = {**rows[-1], "accuracy": result["public"]["accuracy"], "clean": result["clean"]["accuracy"],
             "macro_f1": result["public"]["macro_f1"], "ferplus": (result["ferplus"] or {}).get("accuracy"),
             "parameters": result["training"]["parameters"], "macs": notes["macs"], "pictures": notes["pictures"]}
    rows[-1] = final
    if a.reports:
        baseline.keep(a.reports, rows, a.card)
    print(publish.summary(result))
    return rows


def main():
    try:
        run(parse())
    except (data.DataError, state.StateError, contract.ExportError, card.CardError, baseline.WeightsError) as error:
        sys.exit(f"vgg19: {error}")
    except KeyboardInterrupt:
        sys.exit("vgg19: interrupted; the same command goes on after the last finished epoch")


if __name__ == "__main__":
    main()
