"""Taking one item along an axis, or all of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ir_hub.ir.dims import Dim
from ir_hub.ir.graph import Node, Value
from ir_hub.recover.index import Index
from ir_hub.recover.instantiate import Maker
from ir_hub.recover.rewrite import Instead, rewrite
from ir_hub.recover.triangle import is_counted


@rewrite("squeeze")
def one_item(node: Node, index: Index, make: Maker) -> Instead:
    """squeeze(x[i:i+1]) is x[i]."""
    cut = index.producer(node.x)
    if cut is None or cut.op != "slice" or node.x.shape is None:
        return None
    if not all(isinstance(bounds, tuple) for bounds in (cut.starts, cut.ends, node.axes)):
        return None
    rank = len(node.x.shape)
    axes = cut.axes or tuple(range(len(cut.starts)))
    (start, *others), (end, *_) = cut.starts, cut.ends
    if others or (axes[0] - node.axes[0]) % rank or len(node.axes) != 1:
        return None
    whole = isinstance(start, int) and isinstance(end, int)
    if not whole or end - start != 1 or start < 0 or node.x.shape[axes[0] % rank] != 1:
        return None
    return make.gather(cut.x, make.constant(np.int64(start)), axis=axes[0] % rank)


@rewrite("gather_nd")
def all_items(node: Node, index: Index, make: Maker) -> Instead:
    """x[i, j] is x with more axes where i counts the items of its first axis along one axis, and j
    those of its second one along a later axis."""
    if node.batch_dims or node.x.shape is None or node.indices.shape is None:
        return None
    rank, at, own = len(node.indices.shape) - 1, -1, []
    for counted in _counted(node, index):
        at = next((axis for axis in range(at + 1, rank) if axis in counted), rank)
        own.append(at)
    if not own or own[-1] == rank:
        return None
    return make.unsqueeze(node.x, tuple(axis for axis in range(rank) if axis not in own))


def _counted(node: Node, index: Index) -> Iterator[set[int]]:
    """For each number of a place, the axes along which it counts all items of its axis of x, being
    the same along all others."""
    joined, last = index.producer(node.indices), len(node.indices.shape) - 1
    if node.indices.is_constant:
        places = np.moveaxis(node.indices.array(), -1, 0)
        yield from map(_axes_of_array, places, node.x.shape)
        return
    along = joined is not None and joined.op == "concat" and joined.axis in (-1, last)
    parts = joined.xs if joined is not None and along else (node.indices,)
    for part, size in zip(parts, node.x.shape, strict=False):
        yield _axes_of(part, size, index)


def _axes_of_array(numbers: np.ndarray, size: Dim) -> set[int]:
    found = set()
    for axis, count in enumerate(numbers.shape):
        line = np.arange(count).reshape(-1, *(1,) * (numbers.ndim - axis - 1))
        if count == size and (numbers == line).all():
            found.add(axis)
    return found


def _axes_of(part: Value, size: Dim, index: Index) -> set[int]:
    """Those of a tensor that has a last axis of size 1 more."""
    if part.is_constant:
        return _axes_of_array(part.array()[..., 0], size)
    if part.shape is None or part.shape[-1] != 1:
        return set()
    value, shape, grown = part, part.shape[:-1], index.producer(part)
    spread = index.producer(grown.x) if grown is not None and grown.op in _GROWING else None
    if spread is not None and spread.op == "expand" and spread.result.shape == shape:
        value = spread.x
        shape = (1,) * (len(shape) - len(value.shape or ())) + (value.shape or ())
    if [each for each in shape if each != 1] != [size]:
        return set()
    return {shape.index(size)} if is_counted(value, index) else set()


_GROWING = frozenset({"reshape", "unsqueeze"})
