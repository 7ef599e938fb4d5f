"""What depends on no input is computed when the model is written: Keras' graphs begin at inputs."""

from __future__ import annotations

from typing import Any

from ir_hub.ir.dims import Expr
from ir_hub.ir.graph import Argument, Graph, Node, Value, constant
from ir_hub.ir.tensor import byte_size
from ir_hub.ops.catalogue import OPS

LARGEST_BYTES = 1 << 26  # of a result; what is larger is refused by its rule


def compute_idle(graph: Graph) -> None:
    """Replaces nodes whose operands are constants by what they compute, where that is known."""
    replaced: dict[Value, Value] = {}
    for node in graph.nodes:
        node.substitute(replaced)
        if _is_idle(node):
            given = {name: _plain(argument) for name, argument in node.args.items()}
            arrays = OPS[node.op].call(given)
            made = [constant(a, r.name) for a, r in zip(arrays, node.results, strict=True)]
            replaced.update(zip(node.results, made, strict=True))
    graph.outputs = [replaced.get(value, value) for value in graph.outputs]
    graph.prune()


def _is_idle(node: Node) -> bool:
    operands = [value for _, value in node.operands()]
    if not operands or node.op not in OPS or any(True for _ in node.bodies()):
        return False
    known = all(value.is_constant for value in operands) and not any(
        map(_is_open, node.args.values())
    )
    return known and all(_is_small(value) for value in node.results)


def _is_open(argument: Argument) -> bool:
    if isinstance(argument, tuple):
        return any(map(_is_open, argument))
    return isinstance(argument, Expr)


def _is_small(value: Value) -> bool:
    type_ = value.type
    if type_ is None or type_.shape is None or not type_.is_static:
        return False
    return byte_size(type_.dtype, tuple(map(int, type_.shape))) <= LARGEST_BYTES


def _plain(argument: Argument) -> Any:
    """An argument as an op's body takes it."""
    if isinstance(argument, Value):
        return argument.array()
    if isinstance(argument, tuple):
        return tuple(map(_plain, argument))
    return argument
