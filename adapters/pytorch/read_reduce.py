"""Reads PyTorch's sums, means, extremes and orders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adapters.pytorch.aten import Operand, aten
from adapters.pytorch.promotion import as_float
from ir_hub.ir.dims import Dim
from ir_hub.ir.graph import Value
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.sdk.operands import axis_of, cast, dtype_of, only, shape_of

Axes = int | Sequence[int] | None


def axes_of(x: Value, dim: Axes) -> tuple[int, ...]:
    """The axes that are reduced, from the front; none named: all."""
    if dim is None or dim == () or dim == []:
        return tuple(range(len(shape_of(x))))
    return tuple(axis_of(x, d) for d in ((dim,) if isinstance(dim, int) else dim))


def _reduced(b: Builder, op: str, x: Value, dim: Axes, keepdim: bool) -> Any:
    if x.shape == ():
        return x
    return b.call(op, x, axes_of(x, dim), keepdims=keepdim)


def _summed(x: Value, dtype: DType | None) -> DType:
    """The type that elements are summed in."""
    own = dtype_of(x)
    return dtype or (DType.INT64 if own is DType.BOOL or own.is_integer else own)


def _sum(op: str) -> Callable[..., Any]:
    def rule(
        b: Builder,
        x: Value,
        dim: Axes = None,
        keepdim: bool = False,
        dtype: DType | None = None,
    ) -> Any:
        return _reduced(b, op, cast(b, x, _summed(x, dtype)), dim, keepdim)

    return rule


aten("sum.default", "sum.dim_IntList")(_sum("reduce_sum"))
aten("prod.default", "prod.dim_int")(_sum("reduce_prod"))


@aten("mean.default", "mean.dim")
def mean(
    b: Builder, x: Value, dim: Axes = None, keepdim: bool = False, dtype: DType | None = None
) -> Any:
    return _reduced(b, "reduce_mean", cast(b, x, dtype), dim, keepdim)


def _extreme(op: str) -> Callable[..., Any]:
    def rule(b: Builder, x: Value, dim: Axes = None, keepdim: bool = False) -> Any:
        return _reduced(b, op, x, dim, keepdim)

    return rule


aten("amax.default", "max.default")(_extreme("reduce_max"))
aten("amin.default", "min.default")(_extreme("reduce_min"))


def _extreme_at(op: str, place: str) -> Callable[..., Any]:
    def rule(b: Builder, x: Value, dim: int, keepdim: bool = False) -> Any:
        only(x.shape != (), "the extreme of one number along an axis")
        at = b.call(place, x, axis=axis_of(x, dim), keepdims=keepdim)
        return _reduced(b, op, x, dim, keepdim), at

    return rule


aten("max.dim")(_extreme_at("reduce_max", "arg_max"))
aten("min.dim")(_extreme_at("reduce_min", "arg_min"))


def _place(op: str) -> Callable[..., Any]:
    def rule(b: Builder, x: Value, dim: int | None = None, keepdim: bool = False) -> Any:
        if dim is None:
            only(not keepdim, f"{op} of all axes that keeps them")
            return b.call(op, b.reshape(x, (-1,)), axis=0, keepdims=False)
        return b.call(op, x, axis=axis_of(x, dim), keepdims=keepdim)

    return rule


aten("argmax.default")(_place("arg_max"))
aten("argmin.default")(_place("arg_min"))


def _bools(op: str) -> Callable[..., Any]:
    def rule(b: Builder, x: Value, dim: Axes = None, keepdim: bool = False) -> Any:
        numbers = cast(b, cast(b, x, DType.BOOL), DType.INT32)
        return cast(b, _reduced(b, op, numbers, dim, keepdim), DType.BOOL)

    return rule


aten("any.default", "any.dim", "any.dims")(_bools("reduce_max"))
aten("all.default", "all.dim", "all.dims")(_bools("reduce_min"))


def _variance(b: Builder, x: Value, dim: Axes, less: Operand, keepdim: bool) -> tuple[Value, Value]:
    """The variance and the mean, the latter with its axes kept."""
    axes = axes_of(x, dim)
    centre = b.reduce_mean(x, axes, keepdims=True)
    deviation = b.square(b.sub(x, centre))
    if less == 0:
        return b.reduce_mean(deviation, axes, keepdims=keepdim), centre
    count: Dim = 1
    for axis in axes:
        count = count * shape_of(x)[axis]
    only(isinstance(count, int) and not isinstance(less, Value), "a variance of an open size")
    total = b.reduce_sum(deviation, axes, keepdims=keepdim)
    return b.div(total, float(count - less)), centre  # type: ignore[arg-type, operator]


def _corrected(correction: Operand | None, unbiased: bool) -> Operand:
    return int(unbiased) if correction is None else correction


@aten("var.correction", "var.dim", "var.default")
def var(
    b: Builder,
    x: Value,
    dim: Axes = None,
    unbiased: bool = True,
    keepdim: bool = False,
    correction: Operand | None = None,
) -> Any:
    return _variance(b, x, dim, _corrected(correction, unbiased), keepdim)[0]


@aten("std.correction", "std.dim", "std.default")
def std(
    b: Builder,
    x: Value,
    dim: Axes = None,
    unbiased: bool = True,
    keepdim: bool = False,
    correction: Operand | None = None,
) -> Any:
    return b.sqrt(var(b, x, dim, unbiased, keepdim, correction))


@aten("var_mean.correction", "var_mean.dim")
def var_mean(
    b: Builder,
    x: Value,
    dim: Axes = None,
    unbiased: bool = True,
    keepdim: bool = False,
    correction: Operand | None = None,
) -> Any:
    spread, centre = _variance(b, x, dim, _corrected(correction, unbiased), keepdim)
    return spread, centre if keepdim else b.squeeze(centre, axes_of(x, dim))


@aten("logsumexp.default")
def logsumexp(b: Builder, x: Value, dim: Axes, keepdim: bool = False) -> Any:
    return _reduced(b, "reduce_log_sum_exp", as_float(b, x), dim, keepdim)


@aten("norm.ScalarOpt_dim", "norm.Scalar", "linalg_vector_norm.default")
def norm(
    b: Builder,
    x: Value,
    p: float | None = 2,
    ord: float = 2,
    dim: Axes = None,
    keepdim: bool = False,
    dtype: DType | None = None,
) -> Any:
    power = ord if p in (None, 2) else p
    only(power in (1, 2), f"the norm of order {power}")
    return _reduced(b, f"reduce_l{int(power)}", cast(b, x, dtype), dim, keepdim)


def _running(op: str) -> Callable[..., Any]:
    def rule(b: Builder, x: Value, dim: int, dtype: DType | None = None) -> Any:
        return b.call(op, cast(b, x, _summed(x, dtype)), b.constant(np.int64(axis_of(x, dim))))

    return rule


aten("cumsum.default")(_running("cum_sum"))
aten("cumprod.default")(_running("cum_prod"))


@aten("topk.default")
def topk(
    b: Builder, x: Value, k: Dim, dim: int = -1, largest: bool = True, sorted: bool = True
) -> Any:
    return b.top_k(x, (k,), axis=axis_of(x, dim), largest=largest, sorted=sorted)


@aten("sort.default", "sort.stable")
def sort(
    b: Builder, x: Value, dim: int = -1, descending: bool = False, stable: bool | None = None
) -> Any:
    axis = axis_of(x, dim)
    return b.top_k(x, (shape_of(x)[axis],), axis=axis, largest=descending)


@aten("argsort.default", "argsort.stable")
def argsort(
    b: Builder, x: Value, dim: int = -1, descending: bool = False, stable: bool | None = None
) -> Any:
    return sort(b, x, dim, descending)[1]
