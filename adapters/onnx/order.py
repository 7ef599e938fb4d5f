"""The order of a graph's nodes: converters append nodes at its end that others before them read,
and ONNX Runtime, which sorts them, runs such files."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence

import onnx


def in_order(nodes: Sequence[onnx.NodeProto]) -> list[onnx.NodeProto]:
    """The nodes with each behind those whose results it reads, and else as they are. Those of a
    cycle, and what reads them, come last."""
    makers = {name: place for place, node in enumerate(nodes) for name in node.output if name}
    needs = [{makers[name] for name in set(_reads(node)) & makers.keys()} for node in nodes]
    if all(max(needed, default=-1) < place for place, needed in enumerate(needs)):
        return list(nodes)
    users: list[list[int]] = [[] for _ in nodes]
    for place, needed in enumerate(needs):
        for maker in needed:
            users[maker].append(place)
    waiting = [len(needed) for needed in needs]
    ready = [place for place, count in enumerate(waiting) if not count]
    ordered: list[int] = []
    while ready:
        place = heapq.heappop(ready)
        ordered.append(place)
        for user in users[place]:
            waiting[user] -= 1
            if not waiting[user]:
                heapq.heappush(ready, user)
    stuck = (place for place, count in enumerate(waiting) if count)
    return [nodes[place] for place in (*ordered, *stuck)]


def _reads(node: onnx.NodeProto) -> Iterator[str]:
    """What a node reads, and what its bodies take from around them."""
    yield from node.input
    for attribute in node.attribute:
        for body in (attribute.g, *attribute.graphs):
            own = {value.name for value in (*body.input, *body.initializer)}
            own.update(name for inner in body.node for name in inner.output)
            read = {value.name for value in body.output}
            read.update(name for inner in body.node for name in _reads(inner))
            yield from read - own
