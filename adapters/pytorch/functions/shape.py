"""Reshaping, slicing and padding where only the run knows the sizes, or PyTorch has no mode."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from adapters.pytorch.functions.pasted import pasted


@pasted
def _reshape(x: Tensor, shape: Tensor) -> Tensor:
    """x in a shape where 0 stands for the size that x has there."""
    return x.reshape([x.shape[i] if n == 0 else n for i, n in enumerate(shape.tolist())])


@pasted
def _unsqueeze(x: Tensor, axes: list[int]) -> Tensor:
    """x with new axes, at these places of the result."""
    rank = x.dim() + len(axes)
    for axis in sorted(axis % rank for axis in axes):
        x = x.unsqueeze(axis)
    return x


@pasted
def _slice(
    x: Tensor, starts: list[int], ends: list[int], axes: list[int] | None, steps: list[int] | None
) -> Tensor:
    """x from start to end by step along each axis; steps may be negative."""
    for i, (start, end) in enumerate(zip(starts, ends, strict=True)):
        axis = axes[i] if axes else i
        places = range(x.shape[axis])[start : end : steps[i] if steps else 1]
        x = x.index_select(axis, torch.tensor(list(places), dtype=torch.int64, device=x.device))
    return x


@pasted
def _pad_widths(rank: int, pads: list[int], axes: list[int] | None) -> list[int]:
    """Pads, all before and then all after, in the order of F.pad: the last axis first."""
    widths = [0] * (2 * rank)
    axes = list(range(rank)) if axes is None else axes
    for i, axis in enumerate(axes):
        place = 2 * (rank - 1 - axis % rank)
        widths[place : place + 2] = pads[i], pads[i + len(axes)]
    return widths


@pasted
def _pad(x: Tensor, widths: list[int], mode: str) -> Tensor:
    """F.pad of any axes by "reflect", "edge" or "wrap", as often around as it takes."""
    for i in range(len(widths) // 2):
        axis, before, after = x.dim() - 1 - i, widths[2 * i], widths[2 * i + 1]
        if not before and not after:
            continue
        cut = min(before, 0), min(after, 0)
        x = x.narrow(axis, -cut[0], x.shape[axis] + sum(cut))
        size = x.shape[axis]
        places = torch.arange(-max(before, 0), size + max(after, 0), device=x.device)
        if mode == "edge":
            places = places.clamp(0, size - 1)
        elif mode == "wrap":
            places = places % size
        else:
            period = max(2 * (size - 1), 1)
            places = torch.minimum(places % period, -places % period)
        x = x.index_select(axis, places)
    return x


@pasted
def _center_crop_pad(x: Tensor, shape: list[int], axes: list[int]) -> Tensor:
    """x cropped, or padded with zeros, evenly on both sides of each axis."""
    widths = [0] * (2 * x.dim())
    for axis, size in zip(axes, shape, strict=True):
        missing = size - x.shape[axis]
        before = missing // 2 if missing > 0 else -(-missing // 2)
        place = 2 * (x.dim() - 1 - axis)
        widths[place : place + 2] = before, missing - before
    return F.pad(x, widths)


@pasted
def _shifted(x: Tensor, axis: int, first: float) -> Tensor:
    """x moved by one along the axis, with the number first."""
    front = torch.full_like(x.narrow(axis, 0, 1), first)
    return torch.cat((front, x.narrow(axis, 0, x.shape[axis] - 1)), axis)


@pasted
def _prod(
    x: Tensor, axes: list[int], keepdim: bool = False, dtype: torch.dtype | None = None
) -> Tensor:
    """The product over several axes, over all when none are named."""
    for axis in sorted((axis % x.dim() for axis in axes or range(x.dim())), reverse=True):
        x = x.prod(axis, keepdim=keepdim, dtype=dtype)
    return x
