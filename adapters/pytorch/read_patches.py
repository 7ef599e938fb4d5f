"""Reads PyTorch's sliding windows: their elements side by side, or added up again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from adapters.pytorch.aten import aten
from adapters.pytorch.reshaping import Ints, batched, moved, spread
from ir_hub.ir.graph import Value
from ir_hub.ops.build import Builder
from ir_hub.ops.windows import window_counts
from ir_hub.sdk.dialect import Unsupported
from ir_hub.sdk.operands import axis_of, rank_of, shape_of


@aten("im2col.default")
def im2col(
    b: Builder, x: Value, kernel_size: Ints, dilation: Ints, padding: Ints, stride: Ints
) -> Any:
    kernel, dilations, pads, strides = (
        spread(item, 2) for item in (kernel_size, dilation, padding, stride)
    )
    return batched(b, x, 2, lambda x: _columns(b, x, kernel, dilations, pads, strides))


def _columns(
    b: Builder,
    x: Value,
    kernel: Sequence[int],
    dilations: Sequence[int],
    pads: Sequence[int],
    strides: Sequence[int],
) -> Any:
    """The windows of an image (N, C, H, W) as (N, C * elements, windows)."""
    batch, channels = shape_of(x)[:2]
    if any(pads):
        x = b.pad(x, (*pads, *pads), None, (2, 3))
    windows = 1
    for axis, size, dilation, stride in zip((2, 4), kernel, dilations, strides, strict=True):
        places = _windows(x, axis, size, dilation, stride)
        windows *= len(places)
        x = b.gather(x, b.constant(places.T, name="places"), axis=axis)
    x = b.transpose(x, perm=(0, 1, 2, 4, 3, 5))
    return b.reshape(x, (batch, channels * kernel[0] * kernel[1], windows))


@aten("col2im.default")
def col2im(
    b: Builder,
    x: Value,
    output_size: Sequence[int],
    kernel_size: Ints,
    dilation: Ints,
    padding: Ints,
    stride: Ints,
) -> Any:
    literals = {
        "strides": spread(stride, 2),
        "pads": tuple((p, p) for p in spread(padding, 2)),
        "dilations": spread(dilation, 2),
    }
    sizes = tuple(output_size), spread(kernel_size, 2)
    return batched(b, x, 1, lambda x: b.col2im(x, *sizes, **literals))


@aten("unfold.default")
def unfold(b: Builder, x: Value, dimension: int, size: int, step: int) -> Any:
    """Windows along one axis; what is within them becomes the last axis."""
    axis = axis_of(x, dimension)
    places = _windows(x, axis, size, 1, step)
    x = b.gather(x, b.constant(places, name="places"), axis=axis)
    order = [other for other in range(rank_of(x)) if other != axis + 1]
    return moved(b, x, [*order, axis + 1])


def _windows(x: Value, axis: int, size: int, dilation: int, stride: int) -> Any:
    """Where the elements of each window lie along an axis: windows x elements."""
    whole = shape_of(x)[axis]
    if not isinstance(whole, int):
        raise Unsupported("windows over an axis of an open size")
    (count,) = window_counts((whole,), (size,), (stride,), ((0, 0),), (dilation,))
    return stride * np.arange(int(count))[:, None] + dilation * np.arange(size)
