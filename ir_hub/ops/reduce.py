"""Reducing axes to one element each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ir_hub.ir.dims import maximum, minimum
from ir_hub.ir.types import TensorType
from ir_hub.ops.families import OpenShape, Ranked, SizesSeen, is_symbolic, keeps_type, known_length
from ir_hub.ops.op import Array, Layout, Op, Sizes, op
from ir_hub.ops.shape_rules import axis_of, reduced

_Axes = tuple[int, ...]


def _reduction(body: Callable[[Array, _Axes, bool], Any], symbolic: bool = False) -> Op:
    """An op over `axes`: None and () mean all of them, or none with noop_with_empty_axes.

    The body gets them as numbers from 0, and `keepdims`.
    """

    def over_axes(
        x: Array,
        axes: Sizes | None = None,
        *,
        keepdims: bool = True,
        noop_with_empty_axes: bool = False,
    ) -> Array:
        chosen = axes or (() if noop_with_empty_axes else range(x.ndim))
        numbers = tuple(axis_of(int(axis), x.ndim) for axis in chosen)
        return np.asarray(body(x, numbers, keepdims))

    over_axes.__name__, over_axes.__doc__ = body.__name__, body.__doc__
    declare = op(layout=Layout.AXIS, shape=_reduced_shape, symbolic=symbolic)
    return declare(keeps_type(over_axes))


_reduction_of_sizes = partial(_reduction, symbolic=True)


def _reduced_shape(
    x: Ranked,
    axes: SizesSeen | None = None,
    *,
    keepdims: bool = True,
    noop_with_empty_axes: bool = False,
) -> OpenShape | None:
    rank = len(x.shape)
    if isinstance(axes, TensorType):
        return _reduced_by_unknown_axes(axes, rank, keepdims)
    if not axes:
        return x.shape if noop_with_empty_axes else reduced(x.shape, range(rank), keepdims)
    return reduced(x.shape, [int(axis) for axis in axes], keepdims)


def _reduced_by_unknown_axes(axes: TensorType, rank: int, keepdims: bool) -> OpenShape | None:
    if keepdims:
        return (None,) * rank
    named = known_length(axes)
    return (None,) * (rank - len(named)) if named else None


@_reduction_of_sizes
def reduce_sum(x: Array, axes: _Axes, keepdims: bool) -> Any:
    """The sum; integers wrap."""
    return np.sum(x, axis=axes, keepdims=keepdims, dtype=x.dtype)


@_reduction_of_sizes
def reduce_prod(x: Array, axes: _Axes, keepdims: bool) -> Any:
    """The product; integers wrap."""
    return np.prod(x, axis=axes, keepdims=keepdims, dtype=x.dtype)


@_reduction_of_sizes
def reduce_max(x: Array, axes: _Axes, keepdims: bool) -> Any:
    """The greatest element; of none, the least value that the type has."""
    if is_symbolic(x):
        return _folded(maximum, x, axes, keepdims)
    return np.max(x, axis=axes, keepdims=keepdims, initial=_end(x, low=True))


@_reduction_of_sizes
def reduce_min(x: Array, axes: _Axes, keepdims: bool) -> Any:
    """The least element; of none, the greatest value that the type has."""
    if is_symbolic(x):
        return _folded(minimum, x, axes, keepdims)
    return np.min(x, axis=axes, keepdims=keepdims, initial=_end(x, low=False))


@_reduction
def reduce_mean(x: Array, axes: _Axes, keepdims: bool) -> Any:
    """The mean; of integers, rounded toward zero."""
    return np.mean(x, axis=axes, keepdims=keepdims, dtype=_float_for(x))


@_reduction
def reduce_l1(x: Array, axes: _Axes, keepdims: bool) -> Any:
    """The sum of magnitudes."""
    return np.sum(np.abs(x), axis=axes, keepdims=keepdims, dtype=x.dtype)


@_reduction
def reduce_l2(x: Array, axes: _Axes, keepdims: bool) -> Any:
    """The square root of the sum of squares."""
    wide = x.astype(_float_for(x))
    return np.sqrt(np.sum(wide * wide, axis=axes, keepdims=keepdims))


@_reduction
def reduce_sum_square(x: Array, axes: _Axes, keepdims: bool) -> Any:
    """The sum of squares; integers wrap."""
    return np.sum(x * x, axis=axes, keepdims=keepdims, dtype=x.dtype)


@_reduction
def reduce_log_sum(x: Array, axes: _Axes, keepdims: bool) -> Any:
    """The logarithm of the sum."""
    return np.log(np.sum(x, axis=axes, keepdims=keepdims, dtype=_float_for(x)))


@_reduction
def reduce_log_sum_exp(x: Array, axes: _Axes, keepdims: bool) -> Any:
    """The logarithm of the sum of exp(x)."""
    wide = x.astype(_float_for(x))
    top = np.max(wide, axis=axes, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, np.zeros((), wide.dtype))
    total = np.sum(np.exp(wide - top), axis=axes, keepdims=keepdims)
    return np.log(total) + top.reshape(np.shape(total))


def _float_for(x: Array) -> np.dtype[Any]:
    """The type to compute in: an integer's result is rounded only at the end."""
    return np.dtype(np.float64) if x.dtype.kind in "iub" else x.dtype


def _end(x: Array, low: bool) -> Any:
    """The least or greatest value that the type has."""
    if x.dtype == np.bool_:
        return not low
    if x.dtype.kind in "iu":
        return np.iinfo(x.dtype).min if low else np.iinfo(x.dtype).max
    return -np.inf if low else np.inf


def _folded(function: Callable[..., Any], x: Array, axes: _Axes, keepdims: bool) -> Array:
    """The function of all sizes along some axes."""
    last = tuple(range(-len(axes), 0))
    found = np.empty([n for axis, n in enumerate(x.shape) if axis not in axes], object)
    rows = np.moveaxis(x, axes, last).reshape(*found.shape, -1)
    for place in np.ndindex(found.shape):
        found[place] = function(*rows[place])
    kept = [1 if axis in axes else size for axis, size in enumerate(x.shape)]
    return found.reshape(kept) if keepdims else found
