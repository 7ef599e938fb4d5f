"""Reads the ops of Keras that reshape, reorder, join and cut, as nodes of a functional model."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from adapters.tensorflow.dialect import END
from adapters.tensorflow.read_ops import OpCall, reads
from ir_hub.ir.graph import Value
from ir_hub.ir.types import DType
from ir_hub.sdk.dialect import Unsupported


@reads("Transpose")
def _(op: OpCall) -> Value:
    x, axes = op.x, op.get("axes")
    perm = axes if axes is not None else tuple(reversed(range(len(x.shape or ()))))
    return op.b.transpose(x, perm=perm)  # type: ignore[no-any-return]


@reads("Reshape")
def _(op: OpCall) -> Value:
    shape = op.get("newshape")
    if any(size is None for size in shape):
        raise Unsupported("a size of its shape isn't known")
    return op.b.reshape(op.x, shape, allow_zero=0 in shape)  # type: ignore[no-any-return]


@reads("Squeeze", "ExpandDims")
def _(op: OpCall) -> Value:
    axis = op.get("axis")
    axes = axis if axis is None or isinstance(axis, tuple) else (axis,)
    return op.b.call("squeeze" if op.type == "Squeeze" else "unsqueeze", op.x, axes)  # type: ignore[no-any-return]


@reads("Flip")
def _(op: OpCall) -> Value:
    axis = op.get("axis")
    every = tuple(range(len(op.x.shape or ())))
    axes = every if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return op.b.reverse(op.x, axes=axes)  # type: ignore[no-any-return]


@reads("Concatenate")
def _(op: OpCall) -> Value:
    values = op.args[0] if op.args else op.kwargs["xs"]
    types = [item.dtype for item in values if isinstance(item, Value)]
    xs = [op.tensor(item, types[0]) for item in values]
    if len(set(types)) > 1:
        raise Unsupported("it joins tensors of several types")
    return op.b.concat(tuple(xs), axis=op.get("axis", -1))  # type: ignore[no-any-return]


@reads("Split")
def _(op: OpCall) -> Any:
    x, axis, parts = op.x, op.get("axis", 0), op.get("indices_or_sections")
    if isinstance(parts, int):
        return op.b.split(x, None, axis=axis, count=parts)
    size = (x.shape or ())[axis]
    if not isinstance(size, int):
        raise Unsupported("the size of its axis isn't known")
    bounds = (0, *parts, size)
    sizes = tuple(end - begin for begin, end in itertools.pairwise(bounds))
    return op.b.split(x, sizes, axis=axis, count=len(sizes))


@reads("GetItem")
def _(op: OpCall) -> Value:
    x, key = op.args[0], op.args[1] if len(op.args) > 1 else op.kwargs["key"]
    keys = key if isinstance(key, tuple) else (key,)
    keys = keys[:-1] if keys and keys[-1] is ... else keys
    if any(not isinstance(item, slice | int) for item in keys):
        raise Unsupported("its index is other than numbers and ranges")
    cuts = [
        (axis, item)
        for axis, item in enumerate(keys)
        if isinstance(item, slice) and item != slice(None)
    ]
    y = x
    if cuts:
        steps = tuple(1 if cut.step is None else cut.step for _, cut in cuts)
        starts = tuple(_bound(c.start, s, 0, -1) for (_, c), s in zip(cuts, steps, strict=True))
        ends = tuple(_bound(c.stop, s, END, -END) for (_, c), s in zip(cuts, steps, strict=True))
        y = op.b.slice(x, starts, ends, tuple(axis for axis, _ in cuts), steps)
    taken = [axis for axis, item in enumerate(keys) if isinstance(item, int)]
    for axis in reversed(taken):
        y = op.b.gather(y, op.b.constant(np.int64(keys[axis])), axis=axis)
    return y


def _bound(given: Any, step: int, ahead: int, back: int) -> int:
    if given is None:
        return ahead if step > 0 else back
    return int(given)


@reads("Take")
def _(op: OpCall) -> Value:
    axis = op.get("axis")
    x, indices = [*op.args, *op.kwargs.values()][:2]
    if axis is None:
        raise Unsupported("it takes elements of the flattened tensor")
    indices = op.tensor(indices, DType.INT64) if not isinstance(indices, Value) else indices
    like = indices.dtype if not isinstance(x, Value) else x.dtype
    x = x if isinstance(x, Value) else op.b.constant(np.asarray(x))
    assert like is not None
    return op.b.gather(x, indices, axis=axis)  # type: ignore[no-any-return]


@reads("Pad")
def _(op: OpCall) -> Value:
    widths, mode = op.get("pad_width"), op.get("mode", "constant")
    if mode not in ("constant", "reflect"):
        raise Unsupported(f"its mode is {mode}")
    flat = (*(begin for begin, _ in widths), *(end for _, end in widths))
    value = op.get("constant_values")
    given = None if value is None else op.tensor(value, op.x.dtype)
    return op.b.pad(op.x, flat, given, mode=mode)  # type: ignore[no-any-return]


@reads("Tile")
def _(op: OpCall) -> Value:
    return op.b.tile(op.x, op.get("repeats"))  # type: ignore[no-any-return]


@reads("Repeat")
def _(op: OpCall) -> Value:
    """Each item several times in a row."""
    shape, repeats, axis = op.x.shape, op.get("repeats"), op.get("axis")
    if shape is None or not isinstance(repeats, int) or axis is None:
        raise Unsupported("it repeats items of the flattened tensor, or some more than others")
    axis %= len(shape)
    ones = (1,) * (axis + 1), (1,) * (len(shape) - axis - 1)
    tiled = op.b.tile(op.b.unsqueeze(op.x, (axis + 1,)), (*ones[0], repeats, *ones[1]))
    sizes = (*shape[:axis], shape[axis] * repeats, *shape[axis + 1 :])
    return op.b.reshape(tiled, sizes)  # type: ignore[no-any-return]


@reads("BroadcastTo")
def _(op: OpCall) -> Value:
    return op.b.expand(op.x, op.get("shape"))  # type: ignore[no-any-return]


@reads("Einsum")
def _(op: OpCall) -> Value:
    equation = op.get("subscripts")
    return op.b.einsum(op.tensors(len(op.args)), equation=equation)  # type: ignore[no-any-return]
