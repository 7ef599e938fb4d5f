"""Reading tensors at places between their elements: grids, and convolutions with offsets."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np

from ir_hub.ir.types import Shape
from ir_hub.ops.axes_string import arranged, orders, transposed
from ir_hub.ops.families import OpenShape, Ranked, SizesSeen
from ir_hub.ops.op import Array, Layout, Sizes, op
from ir_hub.ops.precision import keeps_float_type
from ir_hub.ops.resize import cubic
from ir_hub.ops.windows import Pads

Inside = Callable[[Array, int], tuple[Array, Array]]  # places, size -> places inside, counted


def _grid_shape(x: Ranked, grid: Ranked, *, axes: str, **_: object) -> Shape:
    x_order, result_order = orders(axes)
    batch, channels = arranged(x.shape, x_order, "NC*")[:2]
    return arranged((batch, channels, *grid.shape[1:-1]), "NC*", result_order)


@op(layout=Layout.AXES_STRING, shape=_grid_shape)
@keeps_float_type
def grid_sample(
    x: Array,
    grid: Array,
    *,
    mode: str = "linear",
    padding_mode: str = "zeros",
    align_corners: bool = False,
    axes: str = "NC*->NC*",
) -> Array:
    """x at the places of a grid (N, *, axes), which counts from -1 to 1 along each spatial axis
    of x, the last one first.

    With `align_corners` -1 and 1 are the middles of the outermost elements, else their outer edges.
    `mode`: linear, nearest, cubic. `padding_mode`: zeros, border, reflection.
    """
    x_order, result_order = orders(axes)
    x = transposed(x, x_order, "NC*")
    sizes, images = x.shape[2:], x.shape[0]
    places = []
    for axis, size in enumerate(sizes):
        at = grid[..., len(sizes) - 1 - axis].reshape(images, -1)
        at = (at + 1) / 2 * (size - 1) if align_corners else ((at + 1) * size - 1) / 2
        at = np.rint(at) if mode == "nearest" else at
        low, high = (0.0, size - 1.0) if align_corners else (-0.5, size - 0.5)
        outside = (at < low) | (at > high)
        if padding_mode == "border":
            at = np.where(outside, np.clip(at, 0, size - 1), at)
        elif padding_mode == "reflection":
            at = np.where(outside, _reflected(at, low, high), at)
        places.append(at.astype(grid.dtype))
    y = _sampled(x, places, mode, _inside(padding_mode, align_corners))
    return transposed(y.reshape(*x.shape[:2], *grid.shape[1:-1]), "NC*", result_order)


def _reflected(at: Array, low: float, high: float) -> Array:
    """Places mirrored at both ends until they are within."""
    if high == low:
        return np.full_like(at, low)
    turn = np.mod(at - low, 2 * (high - low))
    return low + np.minimum(turn, 2 * (high - low) - turn)


def _inside(padding_mode: str, align_corners: bool) -> Inside:
    """Says which element stands for one outside, and which ones count as 0."""

    def zeros(places: Array, size: int) -> tuple[Array, Array]:
        return np.clip(places, 0, size - 1), (places >= 0) & (places < size)

    def border(places: Array, size: int) -> tuple[Array, Array]:
        return np.clip(places, 0, size - 1), np.ones(places.shape, bool)

    def reflection(places: Array, size: int) -> tuple[Array, Array]:
        low, high = (0.0, size - 1.0) if align_corners else (-0.5, size - 0.5)
        mirrored = _reflected(places.astype(np.float64), low, high)
        return np.clip(mirrored.astype(np.int64), 0, size - 1), np.ones(places.shape, bool)

    modes = {"zeros": zeros, "border": border, "reflection": reflection}
    if padding_mode not in modes:
        raise ValueError(f"no padding {padding_mode!r}; there are {', '.join(modes)}")
    return modes[padding_mode]


def _taps(at: Array, mode: str) -> tuple[Array, Array]:
    """The elements that a place is made of, and their weights; a further last axis for both."""
    base = np.floor(at)
    if mode == "nearest":
        return base.astype(np.int64)[..., None], np.ones((*at.shape, 1), at.dtype)
    offsets = {"linear": np.arange(0, 2), "cubic": np.arange(-1, 3)}.get(mode)
    if offsets is None:
        raise ValueError(f"no mode {mode!r}; there are linear, nearest, cubic")
    distances = offsets.astype(at.dtype) - (at - base)[..., None]
    weights = 1 - np.abs(distances) if mode == "linear" else cubic(distances, -0.75)
    return base.astype(np.int64)[..., None] + offsets, weights.astype(at.dtype)


def _sampled(x: Array, places: Sequence[Array], mode: str, inside: Inside) -> Array:
    """x (N, C, *) at places, one array (N, P) for each axis of *; the result is (N, C, P)."""
    taps = [_taps(at, mode) for at in places]
    total = np.zeros((*x.shape[:2], places[0].shape[1]), x.dtype)
    images = np.arange(x.shape[0])[:, None]
    last = np.moveaxis(x, 1, -1)
    for chosen in itertools.product(*(range(weights.shape[-1]) for _, weights in taps)):
        weight = np.ones(places[0].shape, x.dtype)
        indices = []
        for (elements, weights), tap, size in zip(taps, chosen, x.shape[2:], strict=True):
            index, counted = inside(elements[..., tap], size)
            weight = weight * np.where(counted, weights[..., tap], 0).astype(x.dtype)
            indices.append(index)
        found = last[(images, *indices)]  # (N, P, C)
        total += found.transpose(0, 2, 1) * weight[:, None]
    return total


def _affine_shape(theta: Ranked, size: SizesSeen, **_: object) -> OpenShape | None:
    axes = theta.shape[1]
    if isinstance(size, tuple):
        return theta.shape[0], *size[2:], axes
    return (theta.shape[0], *(None,) * axes, axes) if isinstance(axes, int) else None


@op(shape=_affine_shape)
@keeps_float_type
def affine_grid(theta: Array, size: Sizes, *, align_corners: bool = False) -> Array:
    """The grid that grid_sample reads through affine maps theta (N, axes, axes + 1).

    `size` is that of what it will give: (N, C, *); the grid is (N, *, axes).
    """
    spatial = size[2:]
    lines = [_line(count, align_corners).astype(theta.dtype) for count in spatial]
    mesh = np.meshgrid(*lines, indexing="ij")
    ones = np.ones(spatial, theta.dtype)
    points = np.stack([*mesh[::-1], ones]).reshape(len(spatial) + 1, -1)
    moved = np.matmul(theta, points).swapaxes(1, 2)
    return moved.reshape(theta.shape[0], *spatial, len(spatial))


def _line(count: int, align_corners: bool) -> Array:
    if align_corners:
        return np.linspace(-1, 1, count) if count > 1 else np.zeros(count)
    return (2 * np.arange(count) + 1) / count - 1


def _deform_shape(x: Ranked, weight: Ranked, offset: Ranked, *_: object, **__: object) -> Shape:
    return x.shape[0], weight.shape[0], *offset.shape[2:]


@op(shape=_deform_shape)
@keeps_float_type
def deform_conv(
    x: Array,
    weight: Array,
    offset: Array,
    bias: Array | None = None,
    mask: Array | None = None,
    *,
    strides: tuple[int, ...],
    pads: Pads,
    dilations: tuple[int, ...],
    groups: int = 1,
    offset_groups: int = 1,
) -> Array:
    """A convolution (NC*, OI*) each of whose windows reads x at places moved by offsets, linearly
    between the elements, and 0 outside.

    The offset is (N, offset_groups * kernel * axes, *), the mask, which scales what is read, is
    (N, offset_groups * kernel, *); each offset group is for as many channels.
    """
    outputs, inputs, *kernel = weight.shape
    counts, n, taps = offset.shape[2:], x.shape[0], math.prod(kernel)
    moves = offset.reshape(n, offset_groups, taps, len(kernel), math.prod(counts))
    scales = np.ones((n, offset_groups, taps, math.prod(counts)), x.dtype)
    if mask is not None:
        scales = mask.reshape(scales.shape)
    starts = np.indices(counts).reshape(len(kernel), -1)
    within = np.indices(kernel).reshape(len(kernel), -1)
    columns = []
    for group, channels in enumerate(np.split(x, offset_groups, axis=1)):
        places = []
        for axis, (stride, (begin, _), dilation) in enumerate(
            zip(strides, pads, dilations, strict=True)
        ):
            plain = starts[axis] * stride - begin + within[axis][:, None] * dilation
            places.append((plain.astype(x.dtype) + moves[:, group, :, axis]).reshape(n, -1))
        read = _sampled(channels, places, "linear", _inside("zeros", True))
        read = read.reshape(n, channels.shape[1], taps, -1) * scales[:, group, None]
        columns.append(read)
    matrix = np.concatenate(columns, axis=1).reshape(n, groups, inputs * taps, -1)
    rows = weight.reshape(groups, outputs // groups, inputs * taps)
    y = np.matmul(rows, matrix).reshape(n, outputs, *counts)
    return y if bias is None else y + bias.reshape(-1, *(1,) * len(kernel))
