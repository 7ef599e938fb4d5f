"""Finding, ranking and accumulating elements along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from ir_hub.ir.dims import Dim
from ir_hub.ir.types import DType, Shape, TensorType
from ir_hub.ops.families import OpenShape, Ranked, SizesSeen, keeps_type, product
from ir_hub.ops.op import Array, Layout, Sizes, op
from ir_hub.ops.precision import widened
from ir_hub.ops.shape_rules import axis_of, reduced, same_rule


def _found_shape(x: Ranked, *, axis: int, keepdims: bool, **_: object) -> Shape:
    return reduced(x.shape, [axis], keepdims)


@op(layout=Layout.AXIS, shape=_found_shape, dtypes=(DType.INT64,))
def arg_max(
    x: Array, *, axis: int = 0, keepdims: bool = True, select_last_index: bool = False
) -> Array:
    """Where the greatest element is along the axis; of equal ones the first, or the last."""
    return _place(np.argmax, x, axis, keepdims, select_last_index)


@op(layout=Layout.AXIS, shape=_found_shape, dtypes=(DType.INT64,))
def arg_min(
    x: Array, *, axis: int = 0, keepdims: bool = True, select_last_index: bool = False
) -> Array:
    """Where the least element is along the axis; of equal ones the first, or the last."""
    return _place(np.argmin, x, axis, keepdims, select_last_index)


@op(shape=same_rule)
@keeps_type
def cum_sum(x: Array, axis: Array, *, exclusive: bool = False, reverse: bool = False) -> Array:
    """The sum of the elements up to each one along the axis, itself included or not (exclusive),
    from the front or from the end (reverse)."""
    return _accumulated(np.add, x, axis, exclusive, reverse)


@op(shape=same_rule)
@keeps_type
def cum_prod(x: Array, axis: Array, *, exclusive: bool = False, reverse: bool = False) -> Array:
    """The product of the elements up to each one, as cum_sum has the sum."""
    return _accumulated(np.multiply, x, axis, exclusive, reverse)


@op(layout=Layout.AXIS, results=("values", "indices"), dtypes=("x", DType.INT64))
def top_k(
    x: Array, k: Sizes, *, axis: int = -1, largest: bool = True, sorted: bool = True
) -> tuple[Array, Array]:
    """The k greatest (or least) elements along the axis, and where they are; the first comes
    first of equal ones. Without `sorted` their order is free."""
    wide = widened(x)
    if largest:  # a stable sort that keeps the first of equals first must see them reversed
        order = np.flip(np.argsort(np.flip(wide, axis), axis=axis, kind="stable"), axis)
        order = x.shape[axis] - 1 - order
    else:
        order = np.argsort(wide, axis=axis, kind="stable")
    if k[0] > x.shape[axis]:
        raise ValueError(f"there are no {k[0]} elements along axis {axis} of {x.shape}")
    indices = np.take(order, np.arange(k[0]), axis=axis).astype(np.int64)
    return np.take_along_axis(x, indices, axis=axis), indices


@top_k.shape
def _(x: Ranked, k: SizesSeen, *, axis: int, **_: object) -> list[OpenShape]:
    number = axis_of(axis, len(x.shape))
    count: Dim | None = None if isinstance(k, TensorType) else k[0]
    size = x.shape[number]
    if isinstance(count, int) and isinstance(size, int) and count > size:
        raise ValueError(f"top_k of {count} elements along an axis of {size}")
    shape = (*x.shape[:number], count, *x.shape[number + 1 :])
    return [shape, shape]


@op(
    results=("y", "indices", "inverse_indices", "counts"),
    dtypes=("x", DType.INT64),
)
def unique(
    x: Array, *, axis: int | None = None, sorted: bool = True
) -> tuple[Array, Array, Array, Array]:
    """The different elements, or slices along the axis, in rising order or in that of their
    first occurrence; where each occurs first; which one each element of x is; how often."""
    wide = widened(x)
    y, first, inverse, counts = np.unique(
        wide, return_index=True, return_inverse=True, return_counts=True, axis=axis
    )
    inverse = inverse.reshape(-1)
    if not sorted:
        order = np.argsort(first, kind="stable")
        y = np.take(y, order, axis=axis or 0)
        first, counts, inverse = first[order], counts[order], np.argsort(order)[inverse]
    numbers = [found.astype(np.int64) for found in (first, inverse, counts)]
    return y.astype(x.dtype), numbers[0], numbers[1], numbers[2]


@unique.shape
def _(x: Ranked, *, axis: int | None, **_: object) -> list[OpenShape]:
    if axis is None:
        y: OpenShape = (None,)
        size = product(x.shape)
    else:
        number = axis_of(axis, len(x.shape))
        y = (*x.shape[:number], None, *x.shape[number + 1 :])
        size = x.shape[number]
    return [y, (None,), (size,), (None,)]


@op(dtypes=(DType.INT64,))
def non_zero(x: Array) -> Array:
    """The places of all elements that aren't zero, in row-major order: one column each."""
    if x.ndim == 0:
        return np.zeros((0, int(bool(x))), np.int64)
    return np.stack(np.nonzero(x)).astype(np.int64)


@non_zero.shape
def _(x: Ranked) -> OpenShape:
    return len(x.shape), None


@op()
@keeps_type
def det(x: Array) -> Array:
    """The determinant of each matrix in the last two axes."""
    return np.asarray(np.linalg.det(x))


@det.shape
def _(x: Ranked) -> Shape:
    *batch, rows, columns = x.shape
    if isinstance(rows, int) and isinstance(columns, int) and rows != columns:
        raise ValueError(f"the determinant of a matrix of {rows} by {columns}")
    return tuple(batch)


def _place(function: Any, x: Array, axis: int, keepdims: bool, last: bool) -> Array:
    wide = np.flip(widened(x), axis) if last else widened(x)
    found = np.asarray(function(wide, axis=axis), np.int64)
    found = x.shape[axis] - 1 - found if last else found
    return np.expand_dims(found, axis) if keepdims else found


def _accumulated(
    function: np.ufunc, x: Array, axis: Array, exclusive: bool, reverse: bool
) -> Array:
    number = axis_of(int(axis.reshape(())), x.ndim)
    rows = np.moveaxis(np.flip(x, number) if reverse else x, number, 0)
    found = function.accumulate(rows, axis=0, dtype=x.dtype)
    if exclusive:
        found = np.concatenate([np.full_like(found[:1], function.identity), found[:-1]])
    found = np.moveaxis(found, 0, number)
    return np.flip(found, number) if reverse else found
