"""Literals in one spelling: axes counted from the front, shapes as what they come to."""

from __future__ import annotations

from typing import Any

from ir_hub.ir.graph import Node, Value

_BY_RESULT = frozenset({"reshape", "expand"})  # ops whose `shape` is told by their result's


def literal_of(node: Node, name: str) -> Any:
    """A literal of a node; None where it is known to be absent, the value where it is a tensor."""
    if name == "shape" and node.op in _BY_RESULT:
        return node.result.shape
    if name == "allow_zero":
        return False
    return normal(node, name, node.args.get(name))


def normal(node: Node, name: str, argument: Any) -> Any:
    """A literal for `node`, as it is or as a rule has it, with axes counted from the front."""
    if name not in ("axis", "axes") or isinstance(argument, Value | str):
        return argument
    rank = _rank(node)
    if rank is None:
        return argument
    if isinstance(argument, int):
        return argument % rank if rank else argument
    if node.op.startswith("reduce_") and argument in (None, ()):
        return argument if node.args.get("noop_with_empty_axes") else tuple(range(rank))
    if not isinstance(argument, tuple):
        return argument
    axes = tuple(axis % rank if isinstance(axis, int) and rank else axis for axis in argument)
    return tuple(sorted(axes)) if all(isinstance(axis, int) for axis in axes) else axes


def _rank(node: Node) -> int | None:
    operand = next((value for _, value in node.operands()), None)
    shape = node.result.shape if node.op == "unsqueeze" else operand.shape if operand else None
    return None if shape is None else len(shape)
