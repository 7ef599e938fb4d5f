"""Logic with what is always true, or never: masks are begun with it."""

from __future__ import annotations

from ir_hub.ir.graph import Node, Value
from ir_hub.recover.index import Index
from ir_hub.recover.instantiate import Maker
from ir_hub.recover.rewrite import Instead, rewrite, same_type


@rewrite("logical_and", "logical_or")
def neutral_truth(node: Node, index: Index, make: Maker) -> Instead:
    """x and true is x, x or false is x; in the shape that both have together."""
    number = node.op == "logical_and"
    for kept, other in ((node.x, node.y), (node.y, node.x)):
        if _filling(other, index) is number:
            if same_type(kept.type, node.result.type):
                return kept
            return None if node.result.shape is None else make.expand(kept, node.result.shape)
    return None


def _filling(value: Value, index: Index) -> bool | None:
    """The one truth that a tensor is full of; None when it isn't."""
    source = index.producer(value)
    if source is not None and source.op == "constant_of_shape":
        return bool(source.value)
    return None if value.scalar is None else bool(value.scalar)
