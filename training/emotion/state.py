"""What a training run carries from step to step, and state.pt, which carries it over interruptions."""
from pathlib import Path
import pickle

import torch

from . import nets


class StateError(Exception):
    """A run's state that cannot be used or went wrong, and the way out."""


class Run:
    """A net, the moving average of its weights, the optimiser, and how far they are."""

    def __init__(self, name: str, device: str, rate: float, decay: float, branch: float = 0.0, classes: int = 7):
        self.name = name
        self.net = nets.make(name, classes=classes).to(device, memory_format=torch.channels_last)
        for block in getattr(self.net, "blocks", ()):  # VGG19 has no branches
            torch.nn.init.constant_(block.second[1].weight, branch)
        self.averaged = nets.make(name, classes=classes).to(device, memory_format=torch.channels_last)
        self.averaged.load_state_dict(self.net.state_dict())
        self.epoch, self.used, self.steps = 0, 0.0, 0
        weights = [p for p in self.net.parameters() if p.ndim > 1]
        others = [p for p in self.net.parameters() if p.ndim <= 1]  # biases and batch norm: no decay
        self.optimiser = torch.optim.SGD(
            [{"params": weights, "weight_decay": decay}, {"params": others, "weight_decay": 0}],
            lr=rate, momentum=0.9, nesterov=True)
        # Listed once: state_dict() walks all modules, too dear for every step.
        pairs = list(zip(self.averaged.state_dict().values(), self.net.state_dict().values()))
        self._floats = [list(side) for side in zip(*(p for p in pairs if p[0].is_floating_point()))]
        self._counters = [p for p in pairs if not p[0].is_floating_point()]

    def descend(self, loss: torch.Tensor, rate: float, averaging: float):
        """One step of the optimiser, then one of the average."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self.steps += 1
        self.average(min(averaging, (1 + self.steps) / (10 + self.steps)))  # short memory at the start

    @torch.no_grad()
    def average(self, keep: float):
        means, now = self._floats
        torch._foreach_lerp_(means, now, 1 - keep)
        for mean, counter in self._counters:
            mean.copy_(counter)

    def save(self, file: Path):
        """Whole or not at all: a run may be stopped at any moment."""
        part = file.with_suffix(".part")
        torch.save({"net": self.net.state_dict(), "averaged": self.averaged.state_dict(),
                    "optimiser": self.optimiser.state_dict(), "epoch": self.epoch, "used": self.used,
                    "steps": self.steps, "name": self.name}, part)
        part.replace(file)

    def load(self, file: Path):
        saved = read(file)
        if saved["name"] != self.name:
            raise StateError(f"{file} is of the net '{saved['name']}', not '{self.name}': give another --out")
        try:
            self.net.load_state_dict(saved["net"])
            self.averaged.load_state_dict(saved["averaged"])
            self.optimiser.load_state_dict(saved["optimiser"])
        except (RuntimeError, ValueError) as error:
            raise StateError(f"{file} does not fit the net '{self.name}' as it is now: {error}") from error
        self.epoch, self.used, self.steps = saved["epoch"], saved["used"], saved["steps"]

    def start_from(self, file: Path):
        """The averaged weights of another run, as far as names and shapes are the same; a block that it
        lacks stays as it was made, which is the identity for a residual block."""
        there, here = read(file)["averaged"], self.net.state_dict()
        fitting = {name: value for name, value in there.items() if name in here and here[name].shape == value.shape}
        if len(fitting) < len(there) / 2:
            raise StateError(f"{file}: only {len(fitting)} of {len(there)} tensors fit the net '{self.name}'")
        self.net.load_state_dict({**here, **fitting})
        self.averaged.load_state_dict(self.net.state_dict())


def read(file: Path) -> dict:
    """The saved dictionary, on the CPU."""
    try:
        saved = torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise StateError(f"{file}: no such file; train first") from error
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
        raise StateError(f"{file}: cannot be read ({error}); remove it to start again") from error
    missing = [key for key in ("net", "averaged", "optimiser", "epoch", "used", "steps", "name")
               if not isinstance(saved, dict) or key not in saved]
    if missing:
        raise StateError(f"{file}: lacks {', '.join(missing)}; it is not a state of this training")
    return saved


def averaged_net(saved: dict) -> nets.EmotionNet:
    """The net of what `read` gives, with its averaged weights, ready to predict."""
    try:
        net = nets.make(saved["name"], classes=len(saved["averaged"]["head.bias"]))
    except ValueError as error:
        raise StateError(f"the state is of another net than nets.py has ({error})") from error
    net.load_state_dict(saved["averaged"])
    return net.eval()
