"""The IR as text, for tests, errors and people: one line a node, never an element of a weight."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ir_hub.ir.graph import Argument, Graph, Model, Node, Value
from ir_hub.ir.types import DType


def model_text(model: Model) -> str:
    """A model as text: what it was, its symbols, its graph."""
    source = model.source
    lines = [f"# from {source.framework or 'nowhere'} {source.format_version}".rstrip()]
    for symbol in model.symbols.values():
        upper = "" if symbol.max is None else f" <= {symbol.max}"
        lines.append(f"# {symbol.min} <= {symbol.name}{upper}, a multiple of {symbol.multiple_of}")
    lines += [f"# {c.left} == {c.right} for {c.node}" for c in model.constraints]
    return "\n".join([*lines, graph_text(model.graph)])


def graph_text(graph: Graph, indent: str = "") -> str:
    """A graph as text, its bodies indented."""
    return "\n".join(_graph_lines(graph, indent))


def node_text(node: Node) -> str:
    """A node as one line; bodies are shown by their size."""
    results = ", ".join(_typed(result) for result in node.results)
    arguments = ", ".join(f"{name}={_argument(value)}" for name, value in node.args.items())
    return f"{results} = {node.op}({arguments})"


def node_label(node: Node) -> str:
    """What to call a node in a message: its name or its results', its op, what it was."""
    name = node.name or ", ".join(value.name for value in node.results)
    origin = f", from {node.origins[0]}" if node.origins else ""
    return f"node {name!r} ({node.op}{origin})" if name else f"a node ({node.op}{origin})"


def _graph_lines(graph: Graph, indent: str) -> Iterator[str]:
    yield f"{indent}inputs {', '.join(_typed(value) for value in graph.inputs)}"
    for node in graph.nodes:
        where = f"    # {node.scope}" if node.scope else ""
        yield f"{indent}{node_text(node)}{where}"
        for body in node.bodies():
            yield from _graph_lines(body, indent + "    ")
    yield f"{indent}outputs {', '.join(map(_name, graph.outputs))}"


def _name(value: Value) -> str:
    return f"%{value.name}"


def _typed(value: Value) -> str:
    if value.type is None:
        return f"{_name(value)}:?"
    suffix = "" if value.type.dtype is DType.FLOAT32 else f":{value.type.dtype.value}"
    return f"{value!r}{suffix}"


def _argument(argument: Argument) -> str:
    if isinstance(argument, Value):
        scalar = argument.scalar if argument.shape == () else None
        return _name(argument) if scalar is None else repr(scalar)
    if isinstance(argument, Graph):
        return f"<body of {len(argument.nodes)} nodes>"
    if isinstance(argument, str):
        return json.dumps(argument)
    if isinstance(argument, tuple):
        comma = "," if len(argument) == 1 else ""
        return f"({', '.join(map(_argument, argument))}{comma})"
    return str(argument) if not isinstance(argument, DType) else argument.value
