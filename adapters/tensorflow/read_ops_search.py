"""Reads the ops of Keras that search, count and select, as nodes of a functional model."""

from __future__ import annotations

from typing import Any

import numpy as np

from adapters.tensorflow.dtypes import dtype_named
from adapters.tensorflow.read_ops import OpCall, reads
from ir_hub.ir.graph import Value
from ir_hub.ir.types import DType
from ir_hub.sdk.dialect import Unsupported


def _axis(op: OpCall) -> int:
    axis = op.get("axis")
    if not isinstance(axis, int):
        raise Unsupported("it works on the flattened tensor")
    return axis


@reads("Argmax", "Argmin")
def _(op: OpCall) -> Value:
    name = "arg_max" if op.type == "Argmax" else "arg_min"
    places = op.b.call(name, op.x, axis=_axis(op), keepdims=bool(op.get("keepdims", False)))
    return op.b.cast(places, to=DType.INT32)  # type: ignore[no-any-return]


@reads("TopK")
def _(op: OpCall) -> Any:
    values, places = op.b.top_k(op.x, (int(op.get("k")),), sorted=bool(op.get("sorted", True)))
    return values, op.b.cast(places, to=DType.INT32)


@reads("OneHot")
def _(op: OpCall) -> Value:
    """What is no class is 0 in all of them."""
    x, count, axis = op.x, int(op.get("num_classes")), op.get("axis", -1)
    if op.get("sparse"):
        raise Unsupported("it makes a sparse tensor")
    rank = len(x.shape or ()) + 1
    shape = tuple(count if place == axis % rank else 1 for place in range(rank))
    classes = op.b.constant(np.arange(count).reshape(shape), x.dtype)
    dtype = dtype_named(op.get("dtype") or "float32", "a one-hot encoding")
    return op.b.cast(op.b.equal(op.b.unsqueeze(x, (axis,)), classes), to=dtype)  # type: ignore[no-any-return]


@reads("TakeAlongAxis")
def _(op: OpCall) -> Value:
    x, indices = [*op.args, *op.kwargs.values()][:2]
    if not isinstance(x, Value) or not isinstance(indices, Value):
        raise Unsupported("it is called with other than two tensors")
    axis = _axis(op) % len(x.shape or ())
    pairs = enumerate(zip(x.shape or (), indices.shape or (), strict=True))
    if any(place != axis and a != b for place, (a, b) in pairs):
        raise Unsupported("its indices are repeated along an axis")
    return op.b.gather_elements(x, indices, axis=axis)  # type: ignore[no-any-return]


@reads("Cumsum", "Cumprod")
def _(op: OpCall) -> Value:
    x = op.x
    kept = x.dtype is not None and (x.dtype.is_float or x.dtype in (DType.INT32, DType.INT64))
    if op.get("dtype") is not None or not kept:
        raise Unsupported(f"of {x.dtype}, of which Keras makes another type")
    name = "cum_sum" if op.type == "Cumsum" else "cum_prod"
    return op.b.call(name, x, op.b.constant(np.int64(_axis(op))))  # type: ignore[no-any-return]


@reads("Any", "All")
def _(op: OpCall) -> Value:
    x, axis = op.x, op.get("axis")
    if x.dtype is not DType.BOOL:
        raise Unsupported(f"of {x.dtype}")
    axes = axis if axis is None or isinstance(axis, tuple) else (axis,)
    name = "reduce_max" if op.type == "Any" else "reduce_min"
    return op.b.call(name, x, axes, keepdims=bool(op.get("keepdims", False)))  # type: ignore[no-any-return]


@reads("Triu", "Tril")
def _(op: OpCall) -> Value:
    k = op.b.constant(int(op.get("k", 0)), DType.INT64)
    return op.b.trilu(op.x, k, upper=op.type == "Triu")  # type: ignore[no-any-return]


@reads("Var", "Std")
def _(op: OpCall) -> Value:
    x, axis = op.x, op.get("axis")
    if x.dtype is None or not x.dtype.is_float:
        raise Unsupported(f"of {x.dtype}, of which Keras makes floats")
    axes = axis if axis is None or isinstance(axis, tuple) else (axis,)
    b, keep = op.b, bool(op.get("keepdims", False))
    spread = b.square(b.sub(x, b.reduce_mean(x, axes)))
    variance = b.reduce_mean(spread, axes, keepdims=keep)
    return variance if op.type == "Var" else b.sqrt(variance)  # type: ignore[no-any-return]
