"""Reductions, searching, picking, sequences."""

from __future__ import annotations

from typing import Any

import numpy as np

from adapters.mxnet.dialect import Reading, reads
from adapters.mxnet.read_linear import whole
from ir_hub.ir.graph import Value
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder

_REDUCTIONS = {"sum": "reduce_sum", "sum_axis": "reduce_sum", "mean": "reduce_mean",
               "max": "reduce_max", "max_axis": "reduce_max", "min": "reduce_min",
               "min_axis": "reduce_min", "prod": "reduce_prod"}  # fmt: skip


@reads(*_REDUCTIONS)
def _(node: Reading, b: Builder) -> Any:
    return _reduced(node, _REDUCTIONS[node.type], b)


@reads("norm")
def _(node: Reading, b: Builder) -> Any:
    order = node.integer("ord", 2)
    node.only(order in (1, 2), f"ord={order}")
    node.only(node.text("out_dtype") in ("", "float32"), "it changes the type")
    return _reduced(node, f"reduce_l{order}", b)


def _reduced(node: Reading, op: str, b: Builder) -> Any:
    """A reduction; where it leaves no axis MXNet's result has one of size 1."""
    rank = node.rank()
    axes = tuple(axis % rank for axis in node.integers("axis"))
    keep = node.flag("keepdims")
    if node.flag("exclude"):
        axes = tuple(axis for axis in range(rank) if axis not in axes)
    axes = axes or tuple(range(rank))
    if len(axes) == rank and not keep:
        return b.reshape(b.call(op, node.x, axes, keepdims=True), (1,))
    return b.call(op, node.x, axes, keepdims=keep)


@reads("argmax", "argmin")
def _(node: Reading, b: Builder) -> Any:
    """MXNet gives places as floats."""
    axis, keep = node.integer("axis", None), node.flag("keepdims")
    node.only(axis is not None, "over all axes")
    op = "arg_max" if node.type == "argmax" else "arg_min"
    found = b.call(op, node.x, axis=axis % node.rank(), keepdims=keep)
    found = b.reshape(found, (1,)) if not keep and node.rank() == 1 else found
    return b.cast(found, to=DType.FLOAT32)


@reads("argmax_channel")
def _(node: Reading, b: Builder) -> Any:
    return b.cast(b.arg_max(node.x, axis=1, keepdims=False), to=DType.FLOAT32)


@reads("topk")
def _(node: Reading, b: Builder) -> Any:
    axis, k, kind = node.axis("axis", -1), node.integer("k", 1), node.text("ret_typ", "indices")
    dtype, ascend = node.dtype("dtype", DType.FLOAT32), node.flag("is_ascend")
    node.only(kind in ("indices", "value", "both"), f"ret_typ={kind!r}")
    values, indices = b.top_k(node.x, (k,), axis=axis, largest=not ascend)
    places = b.cast(indices, to=dtype)
    return {"indices": places, "value": values, "both": (values, places)}[kind]


@reads("cumsum", "_np_cumsum")
def _(node: Reading, b: Builder) -> Any:
    axis = node.integer("axis", None)
    node.only(axis is not None and node.dtype("dtype") in (None, node.x.dtype), "over all axes")
    return b.cum_sum(node.x, b.constant(axis, DType.INT64))


@reads("take")
def _(node: Reading, b: Builder) -> Any:
    axis, mode = node.axis("axis", 0), node.text("mode", "clip")
    size = node.shape()[axis]
    indices = whole(node.operand(1), b)
    if mode == "clip" and not _within(indices, size):
        node.only(isinstance(size, int), "it clips places to an open size")
        low, high = b.constant(0, indices.dtype), b.constant(size - 1, indices.dtype)  # type: ignore[operator]
        indices = b.clip(indices, low, high)
    if mode == "wrap" and not _within(indices, size):
        node.only(isinstance(size, int), "it wraps places around an open size")
        indices = b.mod(indices, b.constant(size, indices.dtype))
    node.only(mode in ("clip", "wrap", "raise"), f"mode={mode!r}")
    return b.gather(node.x, indices, axis=axis)


def _within(indices: Value, size: Any) -> bool:
    if not indices.is_constant or not isinstance(size, int):
        return False
    places = indices.array()
    return bool(places.size == 0 or (places.min() >= 0 and places.max() < size))


@reads("gather_nd")
def _(node: Reading, b: Builder) -> Any:
    """MXNet has the parts of a place along the first axis, ours along the last."""
    rank = node.rank(1)
    return b.gather_nd(node.x, b.transpose(whole(node.operand(1), b), perm=(*range(1, rank), 0)))


@reads("one_hot")
def _(node: Reading, b: Builder) -> Any:
    on, off = node.number("on_value", 1.0), node.number("off_value", 0.0)
    dtype = node.dtype("dtype", DType.FLOAT32)
    return b.one_hot(whole(node.x, b), (node.integer("depth"),), b.constant([off, on], dtype))


@reads("pick")
def _(node: Reading, b: Builder) -> Any:
    axis, keep, mode = node.axis("axis", -1), node.flag("keepdims"), node.text("mode", "clip")
    size, indices = node.shape()[axis], whole(node.operand(1), b)
    node.only(isinstance(size, int), "it picks from an open size")
    node.only(mode in ("clip", "wrap"), f"mode={mode!r}")
    if len(indices.shape or ()) < node.rank():
        indices = b.unsqueeze(indices, (axis,))
    if mode == "wrap":
        places = b.mod(indices, b.constant(size, indices.dtype))
    else:
        low, high = b.constant(0, indices.dtype), b.constant(size - 1, indices.dtype)  # type: ignore[operator]
        places = b.clip(indices, low, high)
    found = b.gather_elements(node.x, places, axis=axis)
    return found if keep else b.squeeze(found, (axis,))


@reads("SequenceMask")
def _(node: Reading, b: Builder) -> Any:
    value, axis = node.number("value", 0.0), node.integer("axis", 0)
    if not node.flag("use_sequence_length"):
        return b.identity(node.x)
    node.only(axis in (0, 1), f"axis={axis}")
    time, rank, lengths = node.shape()[axis], node.rank(), node.operand(1)
    node.only(isinstance(time, int), "the number of steps isn't known")
    assert isinstance(time, int)
    places = b.constant(
        np.arange(time).reshape((time, 1) if axis == 0 else (1, time)), lengths.dtype
    )
    inside = b.less(places, b.unsqueeze(lengths, (axis,)))
    mask = b.unsqueeze(inside, tuple(range(2, rank))) if rank > 2 else inside
    return b.where(mask, node.x, b.constant(value, node.x.dtype))


@reads("SequenceLast")
def _(node: Reading, b: Builder) -> Any:
    axis = node.integer("axis", 0)
    if not node.flag("use_sequence_length"):
        return b.squeeze(b.slice(node.x, (-1,), (2**31 - 1,), (axis,)), (axis,))
    node.only(axis in (0, 1), f"axis={axis}")
    rank = node.rank()
    last = b.sub(whole(node.operand(1), b), 1)
    places = b.unsqueeze(last, tuple(a for a in range(rank) if a != 1 - axis))
    shape = tuple(1 if a == axis else size for a, size in enumerate(node.shape()))
    return b.squeeze(b.gather_elements(node.x, b.expand(places, shape), axis=axis), (axis,))


@reads("SequenceReverse")
def _(node: Reading, b: Builder) -> Any:
    node.only(node.integer("axis", 0) == 0, "another axis than the first")
    if not node.flag("use_sequence_length"):
        return b.reverse(node.x, axes=(0,))
    lengths = whole(node.operand(1), b)
    lengths = lengths if lengths.dtype is DType.INT64 else b.cast(lengths, to=DType.INT64)
    return b.reverse_sequence(node.x, lengths, time_axis=0, batch_axis=1)
