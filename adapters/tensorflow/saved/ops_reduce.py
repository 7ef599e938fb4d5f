"""Reads reductions, sums up to each element, and searches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adapters.tensorflow.saved.reading import op
from adapters.tensorflow.saved.sizes import axes_of, int_of, sizes_of
from ir_hub.ir.graph import Value
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.sdk.operands import axis_of, cast, dtype_of, only


def _reduction(ours: str, only_floats: bool = False) -> Callable[..., Any]:
    def rule(b: Builder, x: Value, axes: Value, *, keep_dims: bool) -> Any:
        only(dtype_of(x).is_float or not only_floats, "it is of integers")
        found = axes_of(axes, x)
        return b.call(ours, x, found, keepdims=keep_dims) if found else x

    return rule


for _theirs, _ours in {
    "All": "reduce_min", "Any": "reduce_max", "Max": "reduce_max", "Min": "reduce_min",
    "Prod": "reduce_prod", "Sum": "reduce_sum",
}.items():  # fmt: skip
    op(_theirs)(_reduction(_ours))
op("Mean")(_reduction("reduce_mean", only_floats=True))


@op("EuclideanNorm")
def euclidean_norm(b: Builder, x: Value, axes: Value, *, keep_dims: bool) -> Any:
    found = axes_of(axes, x)
    return b.reduce_l2(x, found, keepdims=keep_dims) if found else b.abs(x)


def _searched(ours: str) -> Callable[..., Any]:
    def rule(b: Builder, x: Value, dimension: Value, *, output_type: DType) -> Any:
        axis = axis_of(x, int_of(dimension, "its axis"))
        return cast(b, b.call(ours, x, axis=axis, keepdims=False), output_type)

    return rule


op("ArgMax")(_searched("arg_max"))
op("ArgMin")(_searched("arg_min"))


@op("TopKV2")
def top_k(b: Builder, x: Value, k: Value, *, sorted: bool, index_type: DType) -> Any:
    values, indices = b.top_k(x, sizes_of(k, "how many it gives"), sorted=sorted)
    return values, cast(b, indices, index_type)


def _accumulated(ours: str) -> Callable[..., Any]:
    def rule(b: Builder, x: Value, axis: Value, *, exclusive: bool, reverse: bool) -> Any:
        number = np.array(axis_of(x, int_of(axis, "its axis")), np.int64)
        return b.call(ours, x, b.constant(number), exclusive=exclusive, reverse=reverse)

    return rule


op("Cumsum")(_accumulated("cum_sum"))
op("Cumprod")(_accumulated("cum_prod"))
