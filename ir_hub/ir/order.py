"""Says what is wrong when a node reads what no node before it defines: a cycle, for instance."""

from __future__ import annotations

from collections.abc import Sequence

from ir_hub.ir.graph import Graph, Node, Value
from ir_hub.ir.text import node_label


def order_problem(value: Value, path: Sequence[tuple[Graph, Node | None]]) -> str:
    """Why `value` can't be read where it is. `path` is each graph around that place, the model's
    first, with the node that reads it, or the node whose body it is read in."""
    for graph, reader in reversed(path):
        makers = {result: node for node in graph.nodes for result in node.results}
        if value in makers and reader is not None:
            cycle = _chain(makers[value], reader, makers)
            if cycle:
                return f"which depends on it: {' -> '.join(map(node_label, cycle))}"
            return f"which is computed later, by {node_label(makers[value])}"
    return "which nothing defines"


def _chain(last: Node, first: Node, makers: dict[Value, Node]) -> list[Node]:
    """The nodes from `first` through those that read its results to `last`, and `first` again;
    empty if `last` doesn't depend on it."""
    reader: dict[Node, Node | None] = {last: None}
    pending = [last]
    while pending and first not in reader:
        node = pending.pop()
        for value in node.reads():
            maker = makers.get(value)
            if maker is not None and maker not in reader:
                reader[maker] = node
                pending.append(maker)
    chain: list[Node] = []
    step = first if first in reader else None
    while step is not None:
        chain.append(step)
        step = reader[step]
    return [*chain, first] if chain else []
