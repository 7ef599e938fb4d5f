"""Normalisation that PyTorch has no function for."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from adapters.pytorch.functions.pasted import pasted


@pasted
def _batch_norm_training(
    x: Tensor,
    scale: Tensor,
    bias: Tensor,
    mean: Tensor,
    var: Tensor,
    eps: float,
    momentum: float,
    axis: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """x normalised with its own statistics, and the running ones moved toward these."""
    shape = [-1 if i == axis % x.dim() else 1 for i in range(x.dim())]
    others = [i for i in range(x.dim()) if shape[i] == 1]
    wide = x if x.dtype == torch.float64 else x.float()
    batch_var, batch_mean = torch.var_mean(wide, others, correction=0)
    y = (wide - batch_mean.view(shape)) / (batch_var.view(shape) + eps).sqrt()
    y = (y * scale.view(shape) + bias.view(shape)).to(x.dtype)
    running_mean = (mean * momentum + batch_mean * (1 - momentum)).to(mean.dtype)
    running_var = (var * momentum + batch_var * (1 - momentum)).to(var.dtype)
    return y, running_mean, running_var


@pasted
def _layer_norm(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, axis: int, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Layer norm over the axes from `axis` on; the mean and 1 / the standard deviation."""
    axes = tuple(range(axis % x.dim(), x.dim()))
    wide = x if x.dtype == torch.float64 else x.float()
    var, mean = torch.var_mean(wide, axes, correction=0, keepdim=True)
    inverse = (var + eps).rsqrt()
    y = (wide - mean) * inverse
    y = y if weight is None else y * weight
    y = y if bias is None else y + bias
    return y.to(x.dtype), mean.float(), inverse.float()


@pasted
def _local_response_norm(x: Tensor, size: int, alpha: float, beta: float, k: float) -> Tensor:
    """Local response norm over an even number of channels: (size - 1) // 2 before each one."""
    squares = x.square().movedim(1, -1)
    near = F.pad(squares, ((size - 1) // 2, size // 2)).unfold(-1, size, 1).sum(-1)
    return x / (k + alpha / size * near.movedim(-1, 1)) ** beta
