"""Which scopes hold layers that were numbered as they came, flat beside each other: `conv0`,
`batchnorm0`, `conv1`. Such names say nothing of the blocks that the layers were in."""

from __future__ import annotations

import re

from ir_hub.ir.graph import Graph, Node

MANY = 8  # layers that are flat beside each other
_NEARLY = 0.8  # of them

_NUMBERED = re.compile(r"([A-Za-z_]*[A-Za-z])(\d{1,4})")


def flat_rooms(graph: Graph) -> dict[Node, str]:
    """The nodes that may be divided into blocks, each with the scope that these are to be in: all
    nodes of a graph without scopes, else those of layers that only have numbers."""
    if not any(node.scope for node in graph.nodes):
        return dict.fromkeys(graph.nodes, "")
    used = {node.scope for node in graph.walk()}
    around = {scope.rpartition(".")[0] for scope in used if scope}
    layers: dict[str, list[str]] = {}
    for scope in sorted(used - around - {""}):
        room, _, name = scope.rpartition(".")
        layers.setdefault(room, []).append(name)
    rooms = {room for room, names in layers.items() if _are_numbered(names)}
    found: dict[Node, str] = {}
    for node in graph.nodes:
        room = node.scope if node.scope in rooms else node.scope.rpartition(".")[0]
        if room in rooms and (node.scope == room or node.scope not in around):
            found[node] = room
    return found


def _are_numbered(names: list[str]) -> bool:
    """Whether many layers, and nearly all, are called after their kinds and numbers from 0 on."""
    numbers: dict[str, list[int]] = {}
    for name in names:
        match = _NUMBERED.fullmatch(name)
        if match:
            numbers.setdefault(match[1], []).append(int(match[2]))
    from_zero = sum(len(each) for each in numbers.values() if min(each) == 0)
    return from_zero >= MANY and from_zero > _NEARLY * len(names)
