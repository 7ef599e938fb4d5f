"""Logic with what is always true, or never: masks are begun with it."""

from __future__ import annotations

from ir_hub.ir.graph import Node, Value
from ir_hub.ir.types import DType
from ir_hub.recover.index import Index
from ir_hub.recover.instantiate import Maker
from ir_hub.recover.rewrite import VIEWS, Instead, rewrite, same_type
from ir_hub.recover.triangle import is_counted


@rewrite("logical_and", "logical_or", free={"greater_equal", "less_equal", "positions"})
def neutral_truth(node: Node, index: Index, make: Maker) -> Instead:
    """x and true is x, x or false is x; in the shape that both have together."""
    number = node.op == "logical_and"
    for kept, other in ((node.x, node.y), (node.y, node.x)):
        if truth_of(other, index) is number:
            if same_type(kept.type, node.result.type):
                return kept
            return None if node.result.shape is None else make.expand(kept, node.result.shape)
    return None


def truth_of(value: Value, index: Index) -> bool | None:
    """The one truth that a tensor is full of; None when it isn't."""
    source = index.producer(value)
    while source is not None and source.op in VIEWS:
        value, source = source.x, index.producer(source.x)
    if value.dtype is not DType.BOOL:
        return None
    if source is not None and source.op == "constant_of_shape":
        return bool(source.value)
    if source is not None and source.op in ("greater_equal", "less_equal"):
        sides = (source.x, source.y) if source.op == "greater_equal" else (source.y, source.x)
        return True if _is_not_before_first(*sides, index) else None
    if not value.is_constant:
        return None
    array = value.array()
    return bool(array.all()) if array.all() or not array.any() else None


def _is_not_before_first(position: Value, first: Value, index: Index) -> bool:
    return first.scalar is not None and first.scalar <= 0 and is_counted(position, index)
