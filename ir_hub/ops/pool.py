"""Pooling over sliding windows, and over all spatial axes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ir_hub.ir.types import DType, Shape, TensorType
from ir_hub.ops.axes_string import arranged, orders, transposed
from ir_hub.ops.families import OpenShape, Ranked, SizesSeen
from ir_hub.ops.op import Array, Layout, Sizes, op
from ir_hub.ops.precision import keeps_float_type
from ir_hub.ops.trace import Term, Tracer
from ir_hub.ops.windows import Pads, padded, window_counts, windows

Ints = tuple[int, ...]


def _pool_shape(
    x: Ranked,
    *,
    kernel: Ints,
    strides: Ints,
    pads: Pads,
    dilations: Ints,
    ceil_mode: bool = False,
    axes: str = "NC*->NC*",
    **_: object,
) -> Shape:
    x_order, result_order = orders(axes)
    batch, channels, *sizes = arranged(x.shape, x_order, "NC*")
    counts = window_counts(tuple(sizes), kernel, strides, pads, dilations, ceil_mode)
    return arranged((batch, channels, *counts), "NC*", result_order)


def _windows(
    x: Array,
    kernel: Ints,
    strides: Ints,
    pads: Pads,
    dilations: Ints,
    ceil_mode: bool,
    value: Any,
) -> Array:
    """The windows of x as (N, C, *counts, elements); what isn't in x is `value`."""
    counts = window_counts(x.shape[2:], kernel, strides, pads, dilations, ceil_mode)
    known = tuple(int(count) for count in counts)
    view = windows(padded(x, pads, value), kernel, strides, dilations, known, value)
    return view.reshape(*view.shape[: x.ndim], -1)


def _lowest(dtype: np.dtype[Any]) -> Any:
    if dtype == np.bool_:
        return False
    return np.iinfo(dtype).min if dtype.kind in "iu" else -np.inf


@op(layout=Layout.AXES_STRING, shape=_pool_shape)
@keeps_float_type
def max_pool(
    x: Array,
    *,
    kernel: Ints,
    strides: Ints,
    pads: Pads,
    dilations: Ints,
    ceil_mode: bool = False,
    axes: str = "NC*->NC*",
) -> Array:
    """The greatest element of each window; padding never is it."""
    x_order, result_order = orders(axes)
    x = transposed(x, x_order, "NC*")
    seen = _windows(x, kernel, strides, pads, dilations, ceil_mode, _lowest(x.dtype))
    return transposed(seen.max(axis=-1), "NC*", result_order)


def _two_pool_shapes(x: Ranked, **literals: Any) -> list[Shape]:
    return [_pool_shape(x, **literals)] * 2


@op(results=("y", "indices"), dtypes=("x", DType.INT64), shape=_two_pool_shapes)
@keeps_float_type
def max_pool_indices(
    x: Array,
    *,
    kernel: Ints,
    strides: Ints,
    pads: Pads,
    dilations: Ints,
    ceil_mode: bool = False,
    storage_order: int = 0,
) -> tuple[Array, Array]:
    """max_pool of x in the order NC*, and where in the flattened x each greatest element is.

    With `storage_order` 1 the spatial axes are counted in column-major order.
    """
    seen = _windows(x, kernel, strides, pads, dilations, ceil_mode, _lowest(x.dtype))
    best = seen.argmax(axis=-1)
    y = np.take_along_axis(seen, best[..., None], axis=-1)[..., 0]
    inside = np.unravel_index(best, kernel)
    corners = np.indices(y.shape)
    places = [
        corner * stride + offset * dilation - begin
        for corner, stride, offset, dilation, (begin, _) in zip(
            corners[2:], strides, inside, dilations, pads, strict=True
        )
    ]
    sizes = x.shape[2:]
    if storage_order:
        sizes, places = sizes[::-1], places[::-1]
    flat = np.ravel_multi_index(tuple(places), sizes, mode="clip")
    images = corners[0] * x.shape[1] + corners[1]
    return y, (images * math.prod(sizes) + flat).astype(np.int64)


@op(layout=Layout.AXES_STRING, shape=_pool_shape)
@keeps_float_type
def avg_pool(
    x: Array,
    *,
    kernel: Ints,
    strides: Ints,
    pads: Pads,
    dilations: Ints,
    ceil_mode: bool = False,
    count_include_pad: bool = False,
    axes: str = "NC*->NC*",
) -> Array:
    """The mean of each window, over what it sees of x, or of x and its padding.

    What sticks out of the padding too (`ceil_mode`) never counts.
    """
    x_order, result_order = orders(axes)
    x = transposed(x, x_order, "NC*")
    seen = _windows(x, kernel, strides, pads, dilations, ceil_mode, 0)
    ones = padded(np.ones((1, 1, *x.shape[2:]), x.dtype), pads, 1 if count_include_pad else 0)
    counts = window_counts(x.shape[2:], kernel, strides, pads, dilations, ceil_mode)
    known = tuple(int(count) for count in counts)
    counted = windows(ones, kernel, strides, dilations, known).reshape(1, 1, *known, -1)
    return transposed(seen.sum(axis=-1) / counted.sum(axis=-1), "NC*", result_order)


@op(layout=Layout.AXES_STRING, shape=_pool_shape)
@keeps_float_type
def lp_pool(
    x: Array,
    *,
    kernel: Ints,
    strides: Ints,
    pads: Pads,
    dilations: Ints,
    ceil_mode: bool = False,
    p: int = 2,
    axes: str = "NC*->NC*",
) -> Array:
    """The p-norm of each window; padding is 0."""
    x_order, result_order = orders(axes)
    x = transposed(np.abs(x), x_order, "NC*")
    seen = _windows(x, kernel, strides, pads, dilations, ceil_mode, 0)
    return transposed(_p_norm(seen, -1, p), "NC*", result_order)


@lp_pool.spelled
def _(b: Tracer, x: Term, *, kernel: Ints, p: int, ceil_mode: bool, **literals: Any) -> Term | None:
    if ceil_mode:  # a window beyond the padding has a mean of fewer elements
        return None
    powers = b.abs(x) if p == 1 else b.square(x) if p == 2 else b.pow(b.abs(x), float(p))
    mean = b.avg_pool(powers, kernel=kernel, count_include_pad=True, **literals)
    total = mean * math.prod(kernel)
    return total if p == 1 else b.pow(total, 1.0 / p)


def _p_norm(x: Array, axis: int | Ints, p: int, keepdims: bool = False) -> Array:
    total = np.sum(np.abs(x) ** p, axis=axis, keepdims=keepdims)
    return np.asarray(total ** (1.0 / p))


def _global_shape(x: Ranked, *, axes: str = "NC*->NC*", **_: object) -> Shape:
    x_order, result_order = orders(axes)
    batch, channels, *sizes = arranged(x.shape, x_order, "NC*")
    return arranged((batch, channels, *(1 for _ in sizes)), "NC*", result_order)


def _spatial(x: Array) -> Ints:
    return tuple(range(2, x.ndim))


@op(layout=Layout.AXES_STRING, shape=_global_shape)
@keeps_float_type
def global_avg_pool(x: Array, *, axes: str = "NC*->NC*") -> Array:
    """The mean over the spatial axes, which stay with size 1."""
    x_order, result_order = orders(axes)
    x = transposed(x, x_order, "NC*")
    return transposed(x.mean(axis=_spatial(x), keepdims=True), "NC*", result_order)


@op(layout=Layout.AXES_STRING, shape=_global_shape)
@keeps_float_type
def global_max_pool(x: Array, *, axes: str = "NC*->NC*") -> Array:
    """The greatest element over the spatial axes, which stay with size 1."""
    x_order, result_order = orders(axes)
    x = transposed(x, x_order, "NC*")
    return transposed(x.max(axis=_spatial(x), keepdims=True), "NC*", result_order)


@op(layout=Layout.AXES_STRING, shape=_global_shape)
@keeps_float_type
def global_lp_pool(x: Array, *, p: int = 2, axes: str = "NC*->NC*") -> Array:
    """The p-norm over the spatial axes, which stay with size 1."""
    x_order, result_order = orders(axes)
    x = transposed(x, x_order, "NC*")
    return transposed(_p_norm(x, _spatial(x), p, keepdims=True), "NC*", result_order)


def _unpool_shape(
    x: Ranked,
    _: Ranked,
    output_shape: SizesSeen | None = None,
    *,
    kernel: Ints,
    strides: Ints,
    pads: Pads,
) -> OpenShape:
    if isinstance(output_shape, TensorType):
        return (None,) * len(x.shape)
    return output_shape or _unpooled(x.shape, kernel, strides, pads)


def _unpooled(shape: Shape, kernel: Ints, strides: Ints, pads: Pads) -> Shape:
    each = zip(shape[2:], kernel, strides, pads, strict=True)
    return *shape[:2], *((size - 1) * s - sum(pad) + k for size, k, s, pad in each)


@op(shape=_unpool_shape)
def max_unpool(
    x: Array,
    indices: Array,
    output_shape: Sizes | None = None,
    *,
    kernel: Ints,
    strides: Ints,
    pads: Pads,
) -> Array:
    """Puts the elements of x (NC*) where max_pool_indices found them; zeros elsewhere.

    The indices count in the shape that the other arguments give; a greater `output_shape` leaves
    zeros behind that at the ends of the axes.
    """
    inferred = tuple(int(size) for size in _unpooled(x.shape, kernel, strides, pads))
    y = np.zeros(int(np.prod(inferred)), x.dtype)
    y[indices.reshape(-1)] = x.reshape(-1)
    y = y.reshape(inferred)
    if output_shape is None:
        return y
    missing = [(0, size - had) for size, had in zip(output_shape, inferred, strict=True)]
    return np.pad(y, missing)
