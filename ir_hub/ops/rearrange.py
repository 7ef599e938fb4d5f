"""Moving elements about within their tensor: blocks, groups, reversed and cropped parts."""

from __future__ import annotations

import numpy as np

from ir_hub.ir.dims import Dim
from ir_hub.ir.types import Shape, TensorType
from ir_hub.ops.axes_string import arranged, orders, transposed
from ir_hub.ops.families import OpenShape, Ranked, SizesSeen
from ir_hub.ops.op import Array, Layout, Sizes, op
from ir_hub.ops.shape_rules import axis_of, same_rule


@op(layout=Layout.AXES_STRING)
def space_to_depth(x: Array, *, block: int, mode: str = "DCR", axes: str = "NC*->NC*") -> Array:
    """Each block by block square of an image as channels: the inverse of depth_to_space."""
    x_order, result_order = orders(axes)
    x = transposed(x, x_order, "NC*")
    n, c, h, w = x.shape
    squares = x.reshape(n, c, h // block, block, w // block, block)
    order = (0, 3, 5, 1, 2, 4) if mode == "DCR" else (0, 1, 3, 5, 2, 4)
    y = squares.transpose(order).reshape(n, c * block * block, h // block, w // block)
    return transposed(y, "NC*", result_order)


@space_to_depth.shape
def _(x: Ranked, *, block: int, mode: str, axes: str) -> Shape:
    x_order, result_order = orders(axes)
    n, c, h, w = arranged(x.shape, x_order, "NC*")
    sizes = n, c * (block * block), _parts(h, block, x), _parts(w, block, x)
    return arranged(sizes, "NC*", result_order)


@op(layout=Layout.AXES_STRING)
def depth_to_space(x: Array, *, block: int, mode: str = "DCR", axes: str = "NC*->NC*") -> Array:
    """Channels of an image as block by block squares; a channel's number counts row and column
    within the square before the new channel ("DCR"), or after it ("CRD")."""
    x_order, result_order = orders(axes)
    x = transposed(x, x_order, "NC*")
    n, c, h, w = x.shape
    rest = c // (block * block)
    if mode == "DCR":
        squares = x.reshape(n, block, block, rest, h, w).transpose(0, 3, 4, 1, 5, 2)
    else:
        squares = x.reshape(n, rest, block, block, h, w).transpose(0, 1, 4, 2, 5, 3)
    y = squares.reshape(n, rest, h * block, w * block)
    return transposed(y, "NC*", result_order)


@depth_to_space.shape
def _(x: Ranked, *, block: int, mode: str, axes: str) -> Shape:
    x_order, result_order = orders(axes)
    n, c, h, w = arranged(x.shape, x_order, "NC*")
    sizes = n, _parts(c, block * block, x), h * block, w * block
    return arranged(sizes, "NC*", result_order)


@op(layout=Layout.AXIS)
def channel_shuffle(x: Array, *, groups: int, axis: int = 1) -> Array:
    """The axis cut into groups, and dealt out again: the first of each group, the second, ..."""
    number = axis_of(axis, x.ndim)
    shape = (*x.shape[:number], groups, x.shape[number] // groups, *x.shape[number + 1 :])
    return x.reshape(shape).swapaxes(number, number + 1).reshape(x.shape)


@channel_shuffle.shape
def _(x: Ranked, *, groups: int, axis: int) -> Shape:
    _parts(x.shape[axis_of(axis, len(x.shape))], groups, x)
    return x.shape


@op(layout=Layout.AXIS, shape=same_rule)
def reverse_sequence(x: Array, lengths: Array, *, batch_axis: int = 1, time_axis: int = 0) -> Array:
    """x with the first lengths[b] elements along the time axis from back to front, for each b along
    the batch axis."""
    rows = np.moveaxis(x, (batch_axis, time_axis), (0, 1))
    found = rows.copy()
    for batch, length in enumerate(lengths.tolist()):
        found[batch, :length] = rows[batch, :length][::-1]
    return np.moveaxis(found, (0, 1), (batch_axis, time_axis))


@op(layout=Layout.AXIS)
def center_crop_pad(x: Array, shape: Sizes, *, axes: tuple[int, ...] | None = None) -> Array:
    """x cropped or padded with zeros to the shape along the axes (all by default), evenly on both
    sides; the odd element is cropped from, or added to, the end."""
    numbers = range(x.ndim) if axes is None else [axis_of(axis, x.ndim) for axis in axes]
    for axis, wanted in zip(numbers, shape, strict=True):
        spare = x.shape[axis] - int(wanted)
        places = [slice(None)] * x.ndim
        if spare > 0:
            places[axis] = slice(spare // 2, spare // 2 + wanted)
            x = x[tuple(places)]
        elif spare < 0:
            places[axis] = slice(-spare // 2, -spare // 2 + x.shape[axis])
            grown = np.zeros((*x.shape[:axis], wanted, *x.shape[axis + 1 :]), x.dtype)
            grown[tuple(places)] = x
            x = grown
    return x


@center_crop_pad.shape
def _(x: Ranked, shape: SizesSeen, *, axes: tuple[int, ...] | None) -> OpenShape:
    rank = len(x.shape)
    numbers = range(rank) if axes is None else [axis_of(axis, rank) for axis in axes]
    wanted = [None] * len(numbers) if isinstance(shape, TensorType) else list(shape)
    if len(wanted) != len(numbers):
        raise ValueError(f"center_crop_pad of {len(numbers)} axes to {len(wanted)} sizes")
    sizes: list[Dim | None] = list(x.shape)
    for axis, size in zip(numbers, wanted, strict=True):
        sizes[axis] = size
    return tuple(sizes)


def _parts(size: Dim, count: int, x: Ranked) -> Dim:
    if isinstance(size, int) and size % count:
        raise ValueError(f"an axis of {size} of a tensor of {x.shape} can't be cut by {count}")
    return size // count
