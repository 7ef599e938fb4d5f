"""Repeating to the size of the batch, which functional Keras only has in another tensor."""

from __future__ import annotations

from ir_hub.ir.dims import Dim
from ir_hub.ir.graph import Graph, Node, Value


def find_carriers(graph: Graph) -> None:
    """Gives each `expand` to a size that only the run knows a tensor of that size, as `like`."""
    at: dict[Dim, tuple[Value, int]] = {}
    _see(at, graph.inputs)
    for node in graph.nodes:
        if node.op == "expand":
            axis = spread_axis(node)
            size = None if axis is None else (node.result.shape or ())[axis]
            if size in at:
                node.args["like"], node.args["like_axis"] = at[size]
        _see(at, node.results)


def _see(at: dict[Dim, tuple[Value, int]], values: list[Value]) -> None:
    for value in values:
        for axis, size in enumerate(value.shape or ()):
            if not isinstance(size, int):
                at.setdefault(size, (value, axis))


def spread_axis(node: Node) -> int | None:
    """The axis along which a tensor is repeated to a size that only the run knows, if there is one
    such axis, and nothing else changes."""
    old, new = node.x.shape, node.result.shape
    if old is None or new is None:
        return None
    spread = (1,) * (len(new) - len(old)) + tuple(old)
    open_axes = [a for a, size in enumerate(new) if not isinstance(size, int) and spread[a] == 1]
    others = all(spread[a] == size for a, size in enumerate(new) if a not in open_axes)
    return open_axes[0] if len(open_axes) == 1 and others else None
