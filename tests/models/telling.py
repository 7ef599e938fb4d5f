"""Parameters that tell: fresh ones hide errors, since zero biases and unit variances do nothing."""

import math

import torch
from torch import nn

MOVES = 1e-2  # how far outputs must move between two inputs, relative to their scale

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.LayerNorm, nn.GroupNorm)


def randomise(model: nn.Module, seed: int = 0) -> None:
    """Give every parameter and running statistic of `model` a random value of a sane size."""
    generator = torch.Generator().manual_seed(seed)
    norms = {id(module.weight) for module in model.modules() if isinstance(module, _NORMS)}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if id(parameter) in norms:
                parameter.copy_(1 + 0.2 * noise)
            elif parameter.ndim < 2 or name.endswith(("token", "embedding")):
                parameter.copy_(0.2 * noise)
            else:
                fan_in = math.prod(parameter.shape[1:])
                parameter.copy_(noise * math.sqrt(2 / fan_in))
        for name, buffer in model.named_buffers():
            if name.endswith("running_mean"):
                buffer.copy_(0.2 * torch.randn(buffer.shape, generator=generator))
            elif name.endswith("running_var"):
                buffer.copy_(0.5 + torch.rand(buffer.shape, generator=generator))


def check_telling(model: nn.Module, shape: tuple[int, ...]) -> None:
    """Raise `AssertionError` unless the output is finite and depends on the input.

    `shape` is that of one input; the model takes one and gives one.
    """
    generator = torch.Generator().manual_seed(1)
    with torch.inference_mode():
        first, second = (model(torch.randn(shape, generator=generator)) for _ in range(2))
    assert torch.isfinite(first).all(), "the parameters give infinite outputs"
    moved = ((first - second).abs().max() / first.abs().max()).item()
    assert moved > MOVES, f"the output moves by {moved:.1e} of its scale: it would tell nothing"
