"""What a target's table of axes says of a node: the order it runs it in, and whether it is."""

from __future__ import annotations

from collections.abc import Mapping

from ir_hub.ir.graph import Model, Node
from ir_hub.layout.axis import along
from ir_hub.ops.axes_string import orders
from ir_hub.ops.catalogue import OPS
from ir_hub.ops.op import Layout

Axes = Mapping[str, str]


def native_axes(node: Node, axes: Axes) -> str:
    """The target's order for an op that names its axes; where it has none the op's default."""
    native: str = axes.get(node.op, OPS[node.op].params["axes"].default)
    return native


def native_place(node: Node, rank: int, axes: Axes) -> int | None:
    """Where the target needs the one axis that an op of this rank works along: where C is in its
    order. None where it takes any."""
    if node.op not in axes:
        return None
    before, _, behind = orders(axes[node.op])[0].partition("C")
    place = rank - 1 - len(behind) if "*" in before else len(before)
    return place if 0 <= place < rank else None


def foreign_nodes(model: Model, axes: Axes) -> list[Node]:
    """The nodes that the target runs in another order than the model says."""
    return [node for node in model.graph.walk() if node.op in OPS and _is_foreign(node, axes)]


def _is_foreign(node: Node, axes: Axes) -> bool:
    layout = OPS[node.op].layout
    if layout is Layout.AXES_STRING:
        return bool(node.args.get("axes", native_axes(node, axes)) != native_axes(node, axes))
    shape = node.result.shape
    if layout is not Layout.AXIS or shape is None:
        return False
    place = native_place(node, len(shape), axes)
    return place is not None and along(node, len(shape)) not in (None, place)
