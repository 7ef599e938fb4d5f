"""Fixes open sizes to numbers that the caller gives, where a framework can't leave them open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ir_hub.ir.dims import Dim, Expr, substitute, symbols_of
from ir_hub.ir.graph import Graph, Model, Value
from ir_hub.ir.types import TensorType
from ir_hub.sdk.adapter import Option
from ir_hub.sdk.errors import BadRequest, Problem

SIZES = Option(
    "emit",
    "sizes",
    "Numbers for open sizes that can't be left open, such as height=224,width=224.",
)


def read_sizes(text: str, model: Model) -> dict[str, int]:
    """Sizes by the names of the model's symbols, from "height=224,width=224".

    Raises:
        BadRequest: it is something else, or names a size that the model's inputs don't have.
    """
    sizes = {}
    shapes = (value.shape or () for value in model.graph.inputs)
    known = {name for shape in shapes for size in shape for name in symbols_of(size)}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, number = (piece.strip() for piece in part.partition("="))
        if not (number.isascii() and number.isdigit() and 0 < int(number[:10]) < 2**31):
            raise _bad(f"{part[:100]!r} isn't a size: write name=number, such as height=224")
        if name not in known:
            has = ", ".join(sorted(known)) or "none"
            raise _bad(f"the inputs have no open size {name[:100]!r}; they have: {has}")
        sizes[name] = int(number)
    return sizes


def _bad(message: str) -> BadRequest:
    return BadRequest(message, [Problem("options.sizes", message)])


def fix_sizes(graph: Graph, sizes: Mapping[str, int]) -> None:
    """Puts numbers in place of symbols, in all types and literals."""
    if not sizes:
        return
    for value in [*graph.inputs, *(result for node in graph.nodes for result in node.results)]:
        if value.type is not None and value.shape is not None:
            shape = tuple(substitute(size, sizes) for size in value.shape)
            value.type = TensorType(value.type.dtype, shape)
    for node in graph.nodes:
        node.args.update({name: _fixed(item, sizes) for name, item in node.args.items()})


def _fixed(argument: Any, sizes: Mapping[str, Dim]) -> Any:
    if isinstance(argument, Expr):
        return substitute(argument, sizes)
    if isinstance(argument, tuple) and not any(isinstance(item, Value) for item in argument):
        return tuple(_fixed(item, sizes) for item in argument)
    return argument
