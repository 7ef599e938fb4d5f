"""Pooling over windows that PyTorch's own layers don't take."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from adapters.pytorch.functions.pasted import pasted


@pasted
def _windows(
    x: Tensor,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    pads: tuple[tuple[int, int], ...],
    dilation: tuple[int, ...],
    ceil_mode: bool,
    value: float = 0.0,
    beyond: float | None = None,
) -> Tensor:
    """The windows over x (N, C, *), each as the last axis; padding is `value`, and so is what
    sticks out of that, or else `beyond`."""
    inner: list[int] = []
    outer: list[int] = []
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    for size, r, s, (before, after) in zip(x.shape[2:], reach, stride, pads, strict=True):
        room = size + before + after - r
        count = room // s + 1
        if ceil_mode:
            count = min(-(-room // s) + 1, -(-(size + before) // s))
        inner = [before, after, *inner]
        outer = [0, (count - 1) * s + r - size - before - after, *outer]
    x = F.pad(F.pad(x, inner, value=value), outer, value=value if beyond is None else beyond)
    for axis, (r, s, d) in enumerate(zip(reach, stride, dilation, strict=True)):
        x = x.unfold(axis + 2, r, s)[..., ::d]
    return x.flatten(2 + len(kernel))


@pasted
def _max_pool_indices(
    x: Tensor,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    pads: tuple[tuple[int, int], ...],
    dilation: tuple[int, ...],
    ceil_mode: bool,
    lowest: float,
    column_major: bool,
) -> tuple[Tensor, Tensor]:
    """The greatest element of each window, and where in the flattened x it is."""
    sizes = x.shape[2:]
    count = math.prod(sizes)
    places = torch.arange(count, device=x.device)
    places = places.view(sizes[::-1]).permute(*range(len(sizes))[::-1]) if column_major else places
    places = places.view(1, 1, *sizes) if not column_major else places[None, None]
    seen = _windows(x, kernel, stride, pads, dilation, ceil_mode, lowest)
    places = _windows(places, kernel, stride, pads, dilation, ceil_mode)
    best = seen.argmax(-1, keepdim=True)
    found = places.expand_as(seen).gather(-1, best).squeeze(-1)
    planes = torch.arange(x.shape[0] * x.shape[1], device=x.device) * count
    planes = planes.view(*x.shape[:2], *(1,) * len(sizes))
    return seen.gather(-1, best).squeeze(-1), found + planes


@pasted
def _avg_pool(
    x: Tensor,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    pads: tuple[tuple[int, int], ...],
    dilation: tuple[int, ...],
    ceil_mode: bool,
    include_pad: bool,
) -> Tensor:
    """The mean of each window, over what it sees of x, or of x and its padding."""
    ones = x.new_ones(1, 1, *x.shape[2:])
    counted = _windows(ones, kernel, stride, pads, dilation, ceil_mode, float(include_pad), 0.0)
    return _windows(x, kernel, stride, pads, dilation, ceil_mode).sum(-1) / counted.sum(-1)


@pasted
def _max_unpool(
    x: Tensor,
    places: Tensor,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    pads: tuple[tuple[int, int], ...],
    shape: list[int] | None,
) -> Tensor:
    """The elements of x where a pooling found them, in zeros."""
    each = zip(x.shape[2:], kernel, stride, pads, strict=True)
    sizes = (*x.shape[:2], *((n - 1) * s - sum(pad) + k for n, k, s, pad in each))
    y = x.new_zeros(math.prod(sizes)).scatter(0, places.flatten(), x.flatten()).view(sizes)
    if shape is None:
        return y
    missing = [n - had for n, had in zip(shape[::-1], sizes[::-1], strict=True)]
    return F.pad(y, [width for after in missing for width in (0, after)])


@pasted
def _col2im(
    x: Tensor,
    image: list[int],
    block: list[int],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
    pads: tuple[tuple[int, int], ...],
) -> Tensor:
    """Columns (N, C * block, blocks) added into an image where windows would have read them."""
    padded = [size + sum(pad) for size, pad in zip(image, pads, strict=True)]
    places = torch.arange(math.prod(padded), device=x.device).view(1, 1, *padded)
    none = ((0, 0),) * len(image)
    places = _windows(places, tuple(block), stride, none, dilation, False)
    places = places.flatten(0, -2).T.reshape(-1)
    pieces = x.reshape(x.shape[0], -1, math.prod(block) * x.shape[2])
    y = x.new_zeros(*pieces.shape[:2], math.prod(padded)).index_add(2, places, pieces)
    y = y.view(*y.shape[:2], *padded)
    return F.pad(y, [-width for pad in reversed(pads) for width in pad])
