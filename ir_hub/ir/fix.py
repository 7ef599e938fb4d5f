"""Puts numbers in place of symbols, once it is known what they are."""

from __future__ import annotations

from collections.abc import Mapping

from ir_hub.ir.dims import Expr, substitute
from ir_hub.ir.graph import Argument, Graph, Value


def fix_sizes(graph: Graph, sizes: Mapping[str, int]) -> None:
    """Puts numbers in place of symbols, in all types and literals, those of bodies too."""
    if not sizes:
        return
    _fix_types(graph.inputs, sizes)
    for node in graph.walk():
        _fix_types(node.results, sizes)
        node.args = {name: _fixed(argument, sizes) for name, argument in node.args.items()}
        for body in node.bodies():
            _fix_types(body.inputs, sizes)


def _fix_types(values: list[Value], sizes: Mapping[str, int]) -> None:
    for value in values:
        if value.type is not None and value.shape is not None:
            shape = tuple(substitute(size, sizes) for size in value.shape)
            value.type = value.type.with_shape(shape)


def _fixed(argument: Argument, sizes: Mapping[str, int]) -> Argument:
    if isinstance(argument, Expr):
        return substitute(argument, sizes)
    if isinstance(argument, tuple) and not any(isinstance(item, Value) for item in argument):
        return tuple(_fixed(item, sizes) for item in argument)  # type: ignore[return-value]
    return argument
