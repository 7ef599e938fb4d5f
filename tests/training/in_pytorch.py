"""PyTorch's side of the training tests, run in its environment.

python -m tests.training.in_pytorch write FOLDER NET...      networks, as sources
python -m tests.training.in_pytorch step FOLDER...        a step of generated code, as JSON
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tests.training.files import (
    GRADIENTS,
    WEIGHTS,
    Errors,
    Step,
    Taken,
    counted_once,
    generated,
    run,
    telling,
)
from tests.training.nets_pytorch import NETS, given

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def write(name: str, place: Path) -> None:
    """Write a network with its weights, and with what a step gives in their place."""
    rng = np.random.default_rng(5)
    make, _ = NETS[name]
    net, after = make().eval(), make().eval()
    state = {k: v for k, v in net.state_dict().items() if v.is_floating_point()}
    _assign(net, {k: torch.from_numpy(telling(k, v.shape, rng)) for k, v in state.items()})
    x = given(name, rng)
    direction = rng.standard_normal(net(x).shape).astype(np.float32)
    step = Step(x.numpy(), direction, rates(net))
    step.save(place)
    _export(net, x, place / f"{WEIGHTS}.pt2")
    taken = take(net, step)
    arrays = {**taken.gradients, **taken.statistics}
    _assign(after, {k: torch.from_numpy(v) for k, v in arrays.items()})
    _export(after, x, place / f"{GRADIENTS}.pt2")


def step_of(folder: Path) -> Errors:
    """What a step of the code that a conversion wrote has against what it should have."""
    step = Step.load(folder)
    net, after = (
        generated(folder / name).load(folder / name / "model.safetensors")
        for name in (WEIGHTS, GRADIENTS)
    )
    assert rates(net) == step.dropouts, "its dropouts are others"
    expected = {k: v.numpy() for k, v in after.state_dict().items() if v.is_floating_point()}
    return take(net, step).errors(expected)


def rates(net: nn.Module) -> list[float]:
    """The rates of the dropout layers."""
    return [module.p for module in net.modules() if isinstance(module, nn.Dropout)]


def take(net: nn.Module, step: Step) -> Taken:
    """The gradients of a step without dropout, and the statistics after it."""
    net.train()
    seen: dict[nn.Module, int] = {}
    for module in net.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0
        if isinstance(module, _NORMS):
            module.register_forward_hook(lambda norm, x, _: seen.update({norm: _size(x[0])}))
    before = {key: value.clone() for key, value in net.named_buffers()}
    (net(torch.from_numpy(step.x)) * torch.from_numpy(step.direction)).sum().backward()
    statistics = {}
    for name, module in net.named_modules():
        if isinstance(module, _NORMS):
            mean, var = f"{name}.running_mean", f"{name}.running_var"
            statistics[mean] = module.running_mean.numpy()
            statistics[var] = _biased(module, before[var], seen[module]).numpy()
    gradients = {key: p.grad.numpy() for key, p in net.named_parameters()}
    return Taken(counted_once(gradients, _doubled(net)), statistics)


def _doubled(net: nn.Module) -> Iterator[tuple[str, str]]:
    """The biases that LSTMs add."""
    for name, module in net.named_modules():
        for key, _ in module.named_parameters(name) if isinstance(module, nn.LSTM) else ():
            if ".bias_ih" in key:
                yield key, key.replace(".bias_ih", ".bias_hh")


def _size(x: Tensor) -> int:
    """The elements of a channel."""
    return x.numel() // x.shape[1]


def _biased(norm: Any, before: Tensor, size: int) -> Tensor:
    """The running variance that the other frameworks have after a step: PyTorch's is updated by
    the unbiased one of the batch, theirs by the biased one."""
    kept = (1 - norm.momentum) * before
    return kept + (norm.running_var - kept) * (size - 1) / size


def _assign(net: nn.Module, state: dict[str, Tensor]) -> None:
    net.load_state_dict(state, strict=False)


def _export(net: nn.Module, x: Tensor, file: Path) -> None:
    batch = {0: torch.export.Dim("batch")}
    torch.export.save(torch.export.export(net, (x,), dynamic_shapes=(batch,)), file)


if __name__ == "__main__":
    run(write, step_of)
