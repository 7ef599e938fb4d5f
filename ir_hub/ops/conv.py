"""Convolutions over any number of spatial axes."""

from __future__ import annotations

import math

import numpy as np

from ir_hub.ir.dims import Dim
from ir_hub.ir.types import DType, Shape
from ir_hub.ops.axes_string import arranged, orders, transposed
from ir_hub.ops.families import OpenShape, Ranked, SizesSeen, known_length, product
from ir_hub.ops.op import Array, Layout, Sizes, op
from ir_hub.ops.precision import keeps_float_type
from ir_hub.ops.windows import (
    Pads,
    check_steps,
    cut,
    extent,
    overlapped,
    padded,
    window_counts,
    windows,
)


def _conv_shape(
    x: Ranked,
    weight: Ranked,
    *_: Ranked | None,
    strides: tuple[int, ...],
    pads: Pads,
    dilations: tuple[int, ...],
    groups: int = 1,
    axes: str = "NC*,OI*->NC*",
) -> Shape:
    x_order, weight_order, result_order = orders(axes)
    batch, channels, *sizes = arranged(x.shape, x_order, "NC*")
    outputs, inputs, *kernel = arranged(weight.shape, weight_order, "OI*")
    _check_channels(channels, inputs * groups, outputs, groups)
    counts = window_counts(tuple(sizes), tuple(kernel), strides, pads, dilations)
    return arranged((batch, outputs, *counts), "NC*", result_order)


def _check_channels(channels: Dim, expected: Dim, divided: Dim, groups: int) -> None:
    if isinstance(channels, int) and isinstance(expected, int) and channels != expected:
        raise ValueError(f"{channels} channels, but the weight is for {expected}")
    if groups < 1:
        raise ValueError(f"{groups} groups")
    if isinstance(divided, int) and divided % groups:
        raise ValueError(f"{divided} channels don't divide into {groups} groups")


@op(layout=Layout.AXES_STRING, shape=_conv_shape)
@keeps_float_type
def conv(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    strides: tuple[int, ...],
    pads: Pads,
    dilations: tuple[int, ...],
    groups: int = 1,
    axes: str = "NC*,OI*->NC*",
) -> Array:
    """Cross-correlates x with the weight; `pads` has (begin, end) for each spatial axis.

    The weight's axis I holds the channels of one group; the bias has one element for each of O.
    """
    x_order, weight_order, result_order = orders(axes)
    x = transposed(x, x_order, "NC*")
    weight = transposed(weight, weight_order, "OI*")
    y = _correlated(padded(x, pads), weight, strides, dilations, groups)
    if bias is not None:
        y = y + bias.reshape(-1, *(1,) * (y.ndim - 2))
    return transposed(y, "NC*", result_order)


def _correlated(
    x: Array,
    weight: Array,
    strides: tuple[int, ...],
    dilations: tuple[int, ...],
    groups: int,
) -> Array:
    """One matrix product for each image and group, over all windows at once."""
    outputs, inputs, *kernel = weight.shape
    spatial, n = len(kernel), x.shape[0]
    counts = window_counts(x.shape[2:], tuple(kernel), strides, ((0, 0),) * spatial, dilations)
    known = tuple(int(count) for count in counts)
    view = windows(x, kernel, strides, dilations, known)
    kernel_first = (0, 1, *range(2 + spatial, 2 + 2 * spatial), *range(2, 2 + spatial))
    columns = view.transpose(kernel_first).reshape(
        n, groups, inputs * math.prod(kernel), math.prod(known)
    )
    rows = weight.reshape(groups, outputs // groups, inputs * math.prod(kernel))
    return np.matmul(rows, columns).reshape(n, outputs, *known)


@op(layout=Layout.AXES_STRING, shape=_conv_shape, dtypes=(DType.INT32,))
def conv_integer(
    x: Array,
    weight: Array,
    x_zero_point: Array | None = None,
    weight_zero_point: Array | None = None,
    *,
    strides: tuple[int, ...],
    pads: Pads,
    dilations: tuple[int, ...],
    groups: int = 1,
    axes: str = "NC*,OI*->NC*",
) -> Array:
    """Convolution of 8-bit integers less their zero points, in int32; the padding is zero points.

    The weight's zero point may have one element for each of its axis O.
    """
    x_order, weight_order, result_order = orders(axes)
    x = centred(transposed(x, x_order, "NC*"), x_zero_point)
    weight = centred(transposed(weight, weight_order, "OI*"), weight_zero_point)
    y = _correlated(padded(x, pads), weight, strides, dilations, groups)
    return transposed(as_int32(y), "NC*", result_order)


def centred(array: Array, zero_point: Array | None) -> Array:
    """Integers less their zero point, one for all or one for each row of the first axis.

    As float64: products of 8-bit integers are exact there, and much faster than in integers.
    """
    wide = array.astype(np.float64)
    if zero_point is None:
        return wide
    point = zero_point.astype(np.float64)
    return wide - (point.reshape(-1, *(1,) * (array.ndim - 1)) if point.size > 1 else point.sum())


def as_int32(sums: Array) -> Array:
    """Whole float64 numbers as int32, wrapped around as int32 arithmetic would."""
    return sums.astype(np.int64).astype(np.int32)


def _check_cut(pads: Pads) -> None:
    if any(cut < 0 for pad in pads for cut in pad):
        raise ValueError(f"conv_transpose pads {pads}: more room is output_padding's to give")


def _conv_transpose_shape(
    x: Ranked,
    weight: Ranked,
    *_: Ranked | None,
    strides: tuple[int, ...],
    pads: Pads,
    dilations: tuple[int, ...],
    output_padding: tuple[int, ...],
    groups: int = 1,
    axes: str = "NC*,IO*->NC*",
) -> Shape:
    _check_cut(pads)
    check_steps(strides, dilations)
    x_order, weight_order, result_order = orders(axes)
    batch, channels, *sizes = arranged(x.shape, x_order, "NC*")
    inputs, outputs, *kernel = arranged(weight.shape, weight_order, "IO*")
    _check_channels(channels, inputs, inputs, groups)
    each = zip(sizes, kernel, strides, pads, dilations, output_padding, strict=True)
    spread = (
        stride * (size - 1) + extra + extent(width, dilation) - begin - end
        for size, width, stride, (begin, end), dilation, extra in each
    )
    return arranged((batch, outputs * groups, *spread), "NC*", result_order)


@op(layout=Layout.AXES_STRING, shape=_conv_transpose_shape)
@keeps_float_type
def conv_transpose(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    strides: tuple[int, ...],
    pads: Pads,
    dilations: tuple[int, ...],
    output_padding: tuple[int, ...],
    groups: int = 1,
    axes: str = "NC*,IO*->NC*",
) -> Array:
    """The gradient of a convolution as an op: every element of x adds a scaled kernel to y.

    `pads` is cut off the result, `output_padding` added at its ends. The weight's axis O holds the
    channels of one group.
    """
    _check_cut(pads)
    x_order, weight_order, result_order = orders(axes)
    x = transposed(x, x_order, "NC*")
    weight = transposed(weight, weight_order, "IO*")
    kernel = weight.shape[2:]
    pieces = _pieces(x, weight, groups)
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilations, strict=True)]
    sizes = [
        stride * (size - 1) + extra + width
        for size, stride, extra, width in zip(
            x.shape[2:], strides, output_padding, reach, strict=True
        )
    ]
    y = cut(overlapped(pieces, sizes, kernel, strides, dilations), pads)
    if bias is not None:
        y = y + bias.reshape(-1, *(1,) * len(kernel))
    return transposed(y, "NC*", result_order)


def _pieces(x: Array, weight: Array, groups: int) -> Array:
    """What each element of x adds, by offset in the kernel: (N, O, *kernel, *spatial of x)."""
    n, channels, *sizes = x.shape
    outputs, kernel = weight.shape[1], weight.shape[2:]
    rows = weight.reshape(groups, channels // groups, outputs * math.prod(kernel))
    columns = x.reshape(n, groups, channels // groups, math.prod(sizes))
    found = np.matmul(rows.swapaxes(1, 2), columns)
    return found.reshape(n, groups * outputs, *kernel, *sizes)


def _col2im_shape(
    x: Ranked, image_shape: SizesSeen, block_shape: SizesSeen, **_: object
) -> OpenShape | None:
    if not isinstance(image_shape, tuple):
        sizes = known_length(image_shape)
        return None if sizes is None else (x.shape[0], None, *sizes)
    if not isinstance(block_shape, tuple):
        return x.shape[0], None, *image_shape
    return x.shape[0], x.shape[1] // product(block_shape), *image_shape


@op(shape=_col2im_shape)
@keeps_float_type
def col2im(
    x: Array,
    image_shape: Sizes,
    block_shape: Sizes,
    *,
    strides: tuple[int, ...],
    pads: Pads,
    dilations: tuple[int, ...],
) -> Array:
    """Adds columns x (N, C * block, blocks) into an image (N, C, *image_shape), where sliding
    windows of `block_shape` would have read them."""
    counts = window_counts(image_shape, block_shape, strides, pads, dilations)
    pieces = x.reshape(x.shape[0], -1, *block_shape, *counts)
    sizes = [size + sum(pad) for size, pad in zip(image_shape, pads, strict=True)]
    return cut(overlapped(pieces, sizes, block_shape, strides, dilations), pads)
