"""Modules that compute with constants alone, which Gluon has no blocks for: theirs have inputs."""

from __future__ import annotations

from itertools import accumulate

from ir_hub.ir.graph import Graph, Node


def dissolve_idle(graph: Graph) -> None:
    """Moves what depends on no input out of those modules where all else doesn't either."""
    flowing, busy = set(graph.inputs), {""}
    idle: list[Node] = []
    for node in graph.nodes:
        if flowing.isdisjoint(node.reads()):
            idle.append(node)
            continue
        flowing.update(node.results)
        busy.update(accumulate(node.scope.split("."), "{}.{}".format))
    for node in idle:
        while node.scope not in busy:
            node.scope = node.scope.rpartition(".")[0]
