"""Which order of axes each value is going to be asked for in: what settles a choice of equals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ir_hub.ir.graph import Graph, Node, Value
from ir_hub.layout.axis import operand_names
from ir_hub.layout.native import native_axes
from ir_hub.layout.permutations import Perm, compose, identity
from ir_hub.layout.regroup import RESHAPES, Group, groups, result_order
from ir_hub.ops.axes_string import orders, permutation
from ir_hub.ops.op import OPS, Layout
from ir_hub.ops.shape_rules import axis_of


def wishes(graph: Graph, axes: Mapping[str, str]) -> dict[Value, Perm]:
    """The order that the first op asks for which has one of its own, and that a value gets to
    without being transposed on the way."""
    found: dict[Value, Perm] = {}
    for node in reversed(graph.nodes):
        for value, perm in _asked(node, axes, found):
            found[value] = perm
    return found


def operand_order(node: Node, parts: list[Group], order: Perm) -> Perm | None:
    """The order of the operand whose reshape gives the result in an order."""
    turned = [Group(part.after, part.before) for part in parts]
    return result_order(turned, node.result.shape or (), order, node.x.shape or ())


def _asked(
    node: Node, axes: Mapping[str, str], later: Mapping[Value, Perm]
) -> Iterator[tuple[Value, Perm]]:
    """What a node asks of each of its operands."""
    operands = [value for _, value in node.operands() if value.shape is not None]
    layout = OPS[node.op].layout if node.op in OPS else Layout.BARRIER
    wish = later.get(node.results[0]) if node.results else None
    if node.op == "transpose" and wish is not None:
        perm = tuple(axis_of(axis, len(node.perm)) for axis in node.perm)
        yield node.x, compose(perm, wish)
    elif node.op in RESHAPES and node.x.shape is not None and wish is not None:
        order = operand_order(node, groups(node.x.shape, node.result.shape or ()), wish)
        if order is not None:
            yield node.x, order
    elif layout is Layout.AXES_STRING:
        yield from _native(node, axes)
    elif layout is Layout.BARRIER and node.op not in ("transpose", *RESHAPES):
        yield from ((value, identity(len(value.shape or ()))) for value in operands)
    elif layout is not Layout.BARRIER and wish is not None:
        yield from ((value, wish) for value in operands if len(value.shape or ()) == len(wish))


def _native(node: Node, axes: Mapping[str, str]) -> Iterator[tuple[Value, Perm]]:
    ours, theirs = orders(node.axes), orders(native_axes(node, axes))
    for name, one, other in zip(operand_names(node), ours[:-1], theirs[:-1], strict=False):
        value = node.args[name]
        if isinstance(value, Value) and value.shape is not None:
            try:
                yield value, permutation(one, other, len(value.shape))
            except ValueError:  # other axes than the target's: it will be taken as written
                yield value, identity(len(value.shape))
