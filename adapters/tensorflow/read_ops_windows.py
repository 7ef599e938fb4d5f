"""Reads the ops of Keras that convolve, pool and normalise, as nodes of a functional model."""

from __future__ import annotations

from typing import Any

from adapters.tensorflow.read_ops import OpCall, reads
from adapters.tensorflow.read_spatial import pads_of
from ir_hub.ir.graph import Value
from ir_hub.sdk.dialect import Unsupported


def _setting(op: OpCall, name: str, count: int, default: Any) -> tuple[int, ...]:
    """A setting for each spatial axis."""
    found = op.get(name)
    found = default if found is None else found
    return tuple(found) if isinstance(found, tuple) else (int(found),) * count


def _order(op: OpCall) -> str:
    return "NC*" if op.get("data_format") == "channels_first" else "N*C"


def _pads(op: OpCall, x: Value, kernel: Any, strides: Any, dilations: Any) -> Any:
    sizes = (x.shape or ())[2:] if _order(op) == "NC*" else (x.shape or ())[1:-1]
    return pads_of(op.get("padding", "valid"), sizes, kernel, strides, dilations)


@reads("Conv", "DepthwiseConv")
def _(op: OpCall) -> Value:
    x, weight = op.tensors(2)
    *kernel, inputs, outputs = weight.shape or ()
    count, order, groups = len(kernel), _order(op), 1
    strides = _setting(op, "strides", count, 1)
    dilations = _setting(op, "dilation_rate", count, 1)
    channels = (x.shape or ())[1 if order == "NC*" else -1]
    if op.type == "DepthwiseConv":
        groups = inputs
        weight = op.b.reshape(weight, (*kernel, 1, inputs * outputs))
    elif channels != inputs:
        raise Unsupported("it has groups")
    pads = _pads(op, x, kernel, strides, dilations)
    return op.b.conv(  # type: ignore[no-any-return]
        x, weight, strides=strides, pads=pads, dilations=dilations, groups=groups,
        axes=f"{order},*IO->{order}",
    )  # fmt: skip


@reads("AveragePool", "MaxPool")
def _(op: OpCall) -> Value:
    x = op.x
    count = len(x.shape or ()) - 2
    kernel = _setting(op, "pool_size", count, None)
    strides, ones = _setting(op, "strides", count, kernel), (1,) * count
    pads, order = _pads(op, x, kernel, strides, ones), _order(op)
    name = "max_pool" if op.type == "MaxPool" else "avg_pool"
    return op.b.call(  # type: ignore[no-any-return]
        name, x, kernel=kernel, strides=strides, pads=pads, dilations=ones, axes=f"{order}->{order}"
    )


@reads("BatchNorm")
def _(op: OpCall) -> Value:
    given = dict(zip(("x", "mean", "variance", "offset", "scale"), op.args, strict=False))
    given |= op.kwargs
    x, b = given["x"], op.b
    size, axis = given["mean"].shape, op.get("axis")
    mean, variance = (op.tensor(given[name], x.dtype) for name in ("mean", "variance"))
    filled = {"offset": 0.0, "scale": 1.0}
    offset, scale = (
        b.expand(b.constant([other], x.dtype), size)
        if given.get(name) is None
        else op.tensor(given[name], x.dtype)
        for name, other in filled.items()
    )
    eps = float(op.get("epsilon", 1e-3))
    return b.batch_norm(x, scale, offset, mean, variance, eps=eps, axis=axis)  # type: ignore[no-any-return]
