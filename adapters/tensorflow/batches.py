"""Repeating and counting to open sizes, which functional Keras only has in another tensor."""

from __future__ import annotations

from ir_hub.ir.dims import Dim
from ir_hub.ir.graph import Graph, Node, Value


def find_carriers(graph: Graph) -> None:
    """Gives each node that repeats, counts or takes items up to a size that only the run knows a
    tensor of that size, as `like`."""
    at: dict[Dim, tuple[Value, int]] = {}
    _see(at, graph.inputs)
    for node in graph.nodes:
        size = _open_size(node)
        if size in at:
            node.args["like"], node.args["like_axis"] = at[size]
        _see(at, node.results)


def _open_size(node: Node) -> Dim | None:
    """The size that only the run knows, if a node is told one."""
    axis = None
    if node.op == "expand":
        axis = spread_axis(node)
    elif node.op == "positions":
        axis = 0
    elif node.op == "slice":
        axis = first_items(node)
    return None if axis is None else (node.result.shape or ())[axis]


def first_items(node: Node) -> int | None:
    """The axis of which a slice takes the first items, as many as only the run knows."""
    if node.x.shape is None or not isinstance(node.ends, tuple) or len(node.ends) != 1:
        return None
    (end,), steps = node.ends, node.steps or (1,)
    if isinstance(end, int) or node.starts != (0,) or steps != (1,):
        return None
    axis = (0 if node.axes is None else node.axes[0]) % len(node.x.shape)
    return axis if (node.result.shape or ())[axis : axis + 1] == (end,) else None


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
