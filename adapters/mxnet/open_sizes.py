"""Gives nodes that need an open size a tensor that shows it: Gluon code can't ask for shapes."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.mxnet.gluon import only
from ir_hub.ir.dims import Dim
from ir_hub.ir.graph import Graph, Node, Value

_SPREADING = ("expand", "constant_of_shape")
_PREFIX = "shown_"


def show_sizes(graph: Graph) -> None:
    """Adds an operand to each node that spreads over an open size: an input of the graph that has
    this size along an axis."""
    shown: dict[Dim, Value] = {}
    for value in graph.inputs:
        for size in value.shape or ():
            shown.setdefault(size, value)
    for node in graph.nodes:
        if node.op in _SPREADING:
            wanted = [s for s in node.result.shape or () if not isinstance(s, int) and s in shown]
            node.args.update(
                (f"{_PREFIX}{i}", shown[s]) for i, s in enumerate(dict.fromkeys(wanted))
            )


def spread(
    node: Node, text: str, own: tuple[Dim, ...], shape: tuple[Dim, ...], texts: Mapping[Value, str]
) -> str:
    """Code of a tensor of the sizes `own` in a shape with as many axes; `texts` are the node's
    operands as code. Unsupported when no operand shows an open size."""
    numbers = tuple(
        b if isinstance(b, int) and a != b else 0 for a, b in zip(own, shape, strict=True)
    )
    if any(numbers):
        text = f"F.broadcast_to({text}, shape={numbers!r})"
    for axis, (a, b) in enumerate(zip(own, shape, strict=True)):
        if a == b or isinstance(b, int):
            continue
        like = next((v for v in carriers(node) if b in (v.shape or ())), None)
        only(like is not None, f"it spreads over the open size {b}, which no input shows")
        assert like is not None
        assert like.shape is not None
        given = (
            texts[like]
            if like.dtype is node.result.dtype
            else f'{texts[like]}.astype("{node.result.dtype!r}")'
        )
        place = like.shape.index(b)
        text = f"F.broadcast_like({text}, {given}, lhs_axes=({axis},), rhs_axes=({place},))"
    return text


def carriers(node: Node) -> list[Value]:
    """The operands that were added to a node."""
    found = [argument for name, argument in node.args.items() if name.startswith(_PREFIX)]
    return [value for value in found if isinstance(value, Value)]
