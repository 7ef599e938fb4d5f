"""Sliding windows over the spatial axes of tensors in the order NC*: counts, padding, views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ir_hub.ir.dims import Dim, ceildiv, floordiv, minimum
from ir_hub.ir.types import Shape
from ir_hub.ops.op import Array

Pads = tuple[tuple[int, int], ...]


def extent(kernel: Dim, dilation: int) -> Dim:
    """How far a window reaches, from its first element to its last, both included."""
    return dilation * (kernel - 1) + 1


def window_counts(
    sizes: Shape,
    kernel: Shape,
    strides: Sequence[int],
    pads: Pads,
    dilations: Sequence[int],
    ceil_mode: bool = False,
) -> Shape:
    """How many windows there are along each spatial axis.

    With `ceil_mode` a last window may stick out at the end, but has to start within the input or
    its padding at the beginning.

    Raises:
        ValueError: a window doesn't fit, a step isn't positive, or the arguments disagree on how
            many axes there are.
    """
    check_steps(strides, dilations)
    counts = {len(sizes), len(kernel), len(strides), len(pads), len(dilations)}
    if len(counts) > 1:
        raise ValueError(
            f"{len(sizes)} spatial axes, but kernel {kernel}, strides {tuple(strides)}, "
            f"pads {pads}, dilations {tuple(dilations)}"
        )
    each = zip(sizes, kernel, strides, pads, dilations, strict=True)
    return tuple(_count(*axis, ceil_mode) for axis in each)


def check_steps(strides: Sequence[int], dilations: Sequence[int]) -> None:
    """Nothing if all steps go forward; else ValueError."""
    if min((*strides, *dilations), default=1) < 1:
        raise ValueError(f"strides {tuple(strides)}, dilations {tuple(dilations)}: not positive")


def _count(
    size: Dim, kernel: Dim, stride: int, pads: tuple[int, int], dilation: int, ceil_mode: bool
) -> Dim:
    begin, end = pads
    reach = extent(kernel, dilation)
    room = size + begin + end - reach
    if isinstance(room, int) and room < 0:
        raise ValueError(f"a window over {reach} elements doesn't fit {size} with pads {pads}")
    if not ceil_mode:
        return floordiv(room, stride) + 1
    overhang = reach - end
    if not isinstance(overhang, int) or 0 <= overhang < stride:
        return minimum(ceildiv(room, stride) + 1, ceildiv(size + begin, stride))
    return ceildiv(room, stride) + (1 if overhang > 0 else 0)


def padded(x: Array, pads: Pads, value: Any = 0) -> Array:
    """x with `value` around its spatial axes."""
    if not any(map(any, pads)):
        return x
    return np.pad(x, ((0, 0), (0, 0), *pads), constant_values=value)


def cut(x: Array, pads: Pads) -> Array:
    """x without what `padded` put around it."""
    inner = [slice(begin, size - end) for (begin, end), size in zip(pads, x.shape[2:], strict=True)]
    return x[(slice(None), slice(None), *inner)]


def windows(
    x: Array,
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    counts: Sequence[int],
    outside: Any = 0,
) -> Array:
    """A view (N, C, *counts, *kernel) of an x that is already padded.

    Where the last windows stick out of x, they see `outside`.
    """
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilations, strict=True)]
    needed = [(n - 1) * s + r for n, s, r in zip(counts, strides, reach, strict=True)]
    missing = [max(0, n - size) for n, size in zip(needed, x.shape[2:], strict=True)]
    x = padded(x, tuple((0, m) for m in missing), outside)
    spatial = tuple(range(2, x.ndim))
    view = np.lib.stride_tricks.sliding_window_view(x, tuple(reach), axis=spatial)
    starts = tuple(slice(0, n * s, s) for n, s in zip(counts, strides, strict=True))
    steps = tuple(slice(None, None, d) for d in dilations)
    return view[(slice(None), slice(None), *starts, *steps)]


def overlapped(
    pieces: Array,
    sizes: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
) -> Array:
    """The inverse of `windows`: pieces (N, C, *kernel, *counts) added where the windows lie.

    The result is (N, C, *sizes).
    """
    counts = pieces.shape[2 + len(kernel) :]
    y = np.zeros((*pieces.shape[:2], *sizes), pieces.dtype)
    every = slice(None)
    for offset in np.ndindex(*kernel):
        places = tuple(
            slice(start * dilation, start * dilation + stride * (count - 1) + 1, stride)
            for start, dilation, stride, count in zip(
                offset, dilations, strides, counts, strict=True
            )
        )
        y[(every, every, *places)] += pieces[(every, every, *offset)]
    return y
