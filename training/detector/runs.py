"""What detector.train leaves in a run's folder, read with care: it may be missing, cut off or another program's."""
import pickle
from pathlib import Path

import torch

from . import data, nets

# What torch raises over a file that is damaged, or whose content is not a run's.
DAMAGED = (RuntimeError, EOFError, ValueError, KeyError, TypeError, AttributeError, OSError, pickle.UnpicklingError)


def read_state(run: Path) -> dict:
    """state.pt as it was saved; tensors and plain values only, no code of the file is run."""
    file = Path(run) / "state.pt"
    if not file.is_file():
        raise data.DataError(f"{file}: no such file; --run is a folder that detector.train has written")
    try:
        saved = torch.load(file, map_location="cpu", weights_only=True)
        saved["name"], saved["averaged"], saved["epoch"], saved["used"]
    except DAMAGED as error:
        raise data.DataError(f"{file}: damaged, or no run of detector.train ({_short(error)}); train again into another folder") from error
    if saved["name"] not in nets.NETS:
        raise data.DataError(f"{file}: holds net {saved['name']!r}, which this version does not know ({', '.join(nets.NETS)})")
    return saved


def load_weights(net: torch.nn.Module, weights: dict, run: Path):
    try:
        net.load_state_dict(weights)
    except DAMAGED as error:
        raise data.DataError(f"{Path(run) / 'state.pt'}: the weights are not this net's ({_short(error)})") from error


def read_net(run: Path) -> tuple[nets.FaceNet, dict]:
    """The averaged net, ready to be asked, and the state that it comes from."""
    saved = read_state(run)
    net = nets.make(saved["name"]).eval()
    load_weights(net, saved["averaged"], run)
    return net, saved


def _short(error) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:120]
