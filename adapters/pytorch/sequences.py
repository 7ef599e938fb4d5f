"""Recurrent layers of which only the sequence is read: PyTorch gives it as it is wanted."""

from __future__ import annotations

from adapters.pytorch.ops_recurrent import is_layer
from ir_hub.ir.dims import Dim, provably_equal
from ir_hub.ir.graph import Graph, Node

_OPS = ("lstm", "gru", "rnn")


def join_directions(graph: Graph) -> None:
    """Where only the sequence of a recurrent node is read, with its directions side by side, that
    becomes the node's only result, as PyTorch's layers give it. The IR's have an axis for them."""
    users = graph.users()
    for node in [node for node in graph.nodes if node.op in _OPS and is_layer(node)]:
        states = node.results[1:]
        if any(users.get(state) or state in graph.outputs for state in states):
            continue
        views = _joining(node, graph)
        if views:
            node.results = [views[-1].result]
            views[-1].result.producer = node
            graph.nodes = [each for each in graph.nodes if each not in views]


def _joining(node: Node, graph: Graph) -> list[Node]:
    """The nodes that put the directions beside the features, and do nothing else."""
    users = graph.users()
    y, found = node.results[0], []
    wanted = _shape(node)
    while wanted and y not in graph.outputs and len(users.get(y, ())) == 1:
        (view,) = users[y]
        found.append(view)
        y = view.result
        turned = view.op == "transpose" and len(found) == 1 and _turns(view, node)
        if not turned:
            is_joined = view.op in ("reshape", "squeeze") and _same(y.shape, wanted)
            ordered = node.layout or len(found) == 2 or node.weight.shape[0] == 1
            return found if is_joined and ordered else []
    return []


def _turns(view: Node, node: Node) -> bool:
    """Whether a transpose puts the axis of the directions before that of the features."""
    return not node.layout and view.perm == (0, 2, 1, 3)


def _shape(node: Node) -> tuple[Dim, ...]:
    """The shape of the sequence as PyTorch gives it."""
    shape = node.results[0].shape
    if shape is None:
        return ()
    first, second = (shape[0], shape[1]) if node.layout else (shape[0], shape[2])
    return first, second, node.weight.shape[0] * shape[3]


def _same(found: tuple[Dim, ...] | None, wanted: tuple[Dim, ...]) -> bool:
    if found is None or len(found) != len(wanted):
        return False
    return all(provably_equal(a, b) for a, b in zip(found, wanted, strict=True))
