"""Parameters that tell: fresh ones hide errors, since zero biases and unit variances do nothing."""

import math

import torch
from torch import nn
from torch.utils._pytree import tree_leaves

from tests.models.outputs import check_outputs

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.LayerNorm, nn.GroupNorm)


def randomise(model: nn.Module, seed: int = 0, gain: float = 2.0) -> None:
    """Give every parameter and running statistic of `model` a random value of a sane size.

    `gain` is the variance that weights give to what they sum up; an activation halves it.
    """
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
                parameter.copy_(noise * math.sqrt(gain / fan_in))
        for name, buffer in model.named_buffers():
            if name.endswith("running_mean"):
                buffer.copy_(0.2 * torch.randn(buffer.shape, generator=generator))
            elif name.endswith("running_var"):
                buffer.copy_(0.5 + torch.rand(buffer.shape, generator=generator))


def check_telling(
    model: nn.Module, one: tuple[torch.Tensor, ...], other: tuple[torch.Tensor, ...]
) -> None:
    """Raise `AssertionError` unless the outputs are finite, and not the same for other inputs."""
    with torch.inference_mode():
        check_outputs(tree_leaves(model(*one)), tree_leaves(model(*other)))
