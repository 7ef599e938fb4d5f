"""Reads PyTorch's ops that take elements by index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from adapters.pytorch.aten import aten
from adapters.pytorch.reshaping import moved
from ir_hub.ir.graph import Value
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.ops.shape_rules import broadcast
from ir_hub.sdk.operands import axis_of, cast, dtype_of, only, rank_of
from ir_hub.sdk.operands import shape_of as sizes_of


@aten("index_select.default")
def index_select(b: Builder, x: Value, dim: int, index: Value) -> Any:
    return b.gather(x, index, axis=axis_of(x, dim))


@aten("gather.default")
def gather(b: Builder, x: Value, dim: int, index: Value, sparse_grad: bool = False) -> Any:
    """The index may be smaller than the tensor along other axes."""
    axis = axis_of(x, dim)
    starts, ends, cut = [], [], []
    for other, (size, wanted) in enumerate(zip(sizes_of(x), sizes_of(index), strict=True)):
        if other != axis and size != wanted:
            starts.append(0)
            ends.append(wanted)
            cut.append(other)
    if cut:
        x = b.slice(x, tuple(starts), tuple(ends), tuple(cut), (1,) * len(cut))
    return b.gather_elements(x, index, axis=axis)


@aten("index.Tensor")
def index(b: Builder, x: Value, indices: Sequence[Value | None]) -> Any:
    axes = [axis for axis, item in enumerate(indices) if item is not None]
    items = [item for item in indices if item is not None]
    only(all(dtype_of(item).is_integer for item in items), "an index by a mask")
    if len(items) == 1:
        return b.gather(x, items[0], axis=axes[0])
    places = places_of(b, items)
    others = [axis for axis in range(rank_of(x)) if axis not in axes]
    found = b.gather_nd(moved(b, x, [*axes, *others]), places)
    together = axes == list(range(axes[0], axes[0] + len(axes)))
    width = rank_of(places) - 1
    if not together or axes[0] == 0:
        return found
    before = list(range(width, width + axes[0]))
    after = list(range(width + axes[0], rank_of(found)))
    return moved(b, found, [*before, *range(width), *after])


def places_of(b: Builder, items: Sequence[Value]) -> Value:
    """Indices of several axes, broadcast, as one tensor with an index of each in its last axis."""
    sizes = broadcast(*map(sizes_of, items))
    rank = len(sizes)
    spread = [b.expand(cast(b, item, DType.INT64), sizes) for item in items]
    found: Value = b.concat(tuple(b.unsqueeze(item, (rank,)) for item in spread), axis=rank)
    return found


@aten("one_hot.default")
def one_hot(b: Builder, x: Value, num_classes: int = -1) -> Any:
    only(num_classes > 0, "one_hot of as many classes as there are")
    return b.one_hot(x, (num_classes,), b.constant(np.array([0, 1], np.int64)), axis=-1)


@aten("nonzero.default")
def nonzero(b: Builder, x: Value) -> Any:
    return b.transpose(b.non_zero(x), perm=(1, 0))


@aten("repeat_interleave.self_int")
def repeat_interleave(
    b: Builder, x: Value, repeats: int, dim: int | None = None, output_size: Any = None
) -> Any:
    if dim is None:
        x, dim = b.reshape(x, (-1,)), 0
    axis, sizes = axis_of(x, dim), sizes_of(x)
    wide = b.unsqueeze(x, (axis + 1,))
    spread = b.expand(wide, (*sizes[: axis + 1], repeats, *sizes[axis + 1 :]))
    return b.reshape(spread, (*sizes[:axis], sizes[axis] * repeats, *sizes[axis + 1 :]))
