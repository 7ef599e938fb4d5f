"""What a matrix that is worked out holds up to its diagonal, and what beyond it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ir_hub.ir.graph import Node, Value
from ir_hub.ops.catalogue import OPS
from ir_hub.ops.op import Kind, Layout
from ir_hub.recover.index import Index

DEEPEST = 8  # ops that a mask is followed through
_GROWING = frozenset({"reshape", "unsqueeze", "identity"})
_ORDERS = frozenset({"less", "less_equal", "greater", "greater_equal"})
Halves = tuple[Any, Any]


def halves_of(value: Value, index: Index, depth: int = DEEPEST) -> Halves | None:
    """The number that is everywhere in the last two axes up to the diagonal, and the one beyond
    it; None where there are others, or where it isn't known. Earlier axes have size 1."""
    if value.shape is None or len(value.shape) < 2 or set(value.shape[:-2]) - {1}:
        return None
    if value.is_constant:
        return _of_array(value.array())
    node = index.producer(value)
    if node is None or depth == 0:
        return None
    if node.op in _GROWING or node.op == "slice":
        kept = node.op != "slice" or _is_corner(node)
        same = node.op == "slice" or node.x.shape[-2:] == value.shape[-2:]
        return halves_of(node.x, index, depth - 1) if kept and same else None
    if node.op == "trilu":
        return _of_cut(node, index)
    if node.op in _ORDERS and all(is_counted(side, index) for side in (node.x, node.y)):
        return _of_order(node)
    return _of_elements(node, index, depth)


def is_counted(value: Value, index: Index) -> bool:
    """Whether a tensor counts from 0 on along its one axis that isn't of size 1."""
    if value.shape is None or sum(size != 1 for size in value.shape) > 1:
        return False
    while (node := index.producer(value)) is not None and node.op in _GROWING:
        value = node.x
    return node is not None and node.op == "positions"


def _of_array(array: np.ndarray) -> Halves | None:
    rows, columns = array.shape[-2:]
    matrix, within = array.reshape(rows, columns), np.tri(rows, columns, dtype=np.bool_)
    if within.all():  # nothing is beyond the diagonal
        return None
    halves = matrix[within][0], matrix[~within][0]
    return halves if (matrix == np.where(within, *halves)).all() else None


def _is_corner(node: Node) -> bool:
    """Whether a slice begins at the first row or column, and takes each."""
    starts, steps = node.starts, node.steps or (1,)
    return isinstance(starts, tuple) and not any(starts) and steps == (1,) * len(steps)


def _of_cut(node: Node, index: Index) -> Halves | None:
    """The triangle of a matrix that is the same everywhere."""
    filled = index.producer(node.x)
    offset = 0 if node.k is None else node.k.scalar
    if filled is None or filled.op != "constant_of_shape" or offset != int(node.upper):
        return None
    return (0, filled.value) if node.upper else (filled.value, 0)


def _of_order(node: Node) -> Halves | None:
    """Columns compared with rows, both counted from 0."""
    sizes = [(1, 1, *side.shape)[-2:] for side in (node.x, node.y)]
    spread = [pair.index(1) if 1 in pair else None for pair in sizes]
    if spread == [0, 1]:
        return {"less_equal": (True, False), "greater": (False, True)}.get(node.op)
    if spread == [1, 0]:
        return {"greater_equal": (True, False), "less": (False, True)}.get(node.op)
    return None


def _of_elements(node: Node, index: Index, depth: int) -> Halves | None:
    """An elementwise op of one such matrix and of numbers does the same to each half."""
    op = OPS.get(node.op)
    if op is None or op.layout is not Layout.ELEMENTWISE or len(node.results) != 1:
        return None
    args: dict[str, Any] = dict(node.args)
    for name, value in node.operands():
        if op.params[name].kind is not Kind.TENSOR or value.dtype is None:
            return None
        whole = (value.shape or ())[-2:] == (node.result.shape or ())[-2:]
        halves = halves_of(value, index, depth - 1) if whole else None
        if value.scalar is not None:
            halves = (value.scalar,) * 2
        if halves is None:
            return None
        args[name] = np.array(halves, value.dtype.numpy)
    with np.errstate(all="ignore"):
        (found,) = op.call(args)
    return found[0], found[1]
