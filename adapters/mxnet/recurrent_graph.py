"""Recurrent layers as Gluon has them: without an axis for directions, without unused states."""

from __future__ import annotations

from ir_hub.ir.graph import Graph, Node, Value

_OPS = ("lstm", "gru", "rnn")


def simplify_recurrent(graph: Graph) -> None:
    """Drops last states that nobody reads, and joins a layer with the ops that do away with the
    axis of its directions: its result then has three axes."""
    graph.prune()
    users = graph.users()
    returned = set(graph.outputs)
    dropped: set[Node] = set()
    for node in graph.nodes:
        if node.op not in _OPS or any(v in users or v in returned for v in node.results[1:]):
            continue
        del node.results[1:]
        chain = _merging(node, users)
        if chain and not any(each.result in returned for each in (node, *chain[:-1])):
            dropped.update(chain)
            node.results = [chain[-1].result]
            node.result.producer = node
    graph.nodes = [node for node in graph.nodes if node not in dropped]


def _merging(node: Node, users: dict[Value, list[Node]]) -> list[Node]:
    """The nodes that put the directions of a layer side by side; none where it isn't so."""
    first = _only(node, users)
    if first is None or node.result.shape is None:
        return []
    if node.direction != "bidirectional":
        return [first] if first.op == "squeeze" and first.axes == (2 if node.layout else 1,) else []
    if node.layout:
        chain = [first]
    else:
        second = _only(first, users)
        if first.op != "transpose" or first.perm != (0, 2, 1, 3) or second is None:
            return []
        chain = [first, second]
    last = chain[-1].result
    sizes = node.x.shape or ()
    wanted = (sizes[:2], 2 * node.hidden_size) if len(sizes) == 3 else ((), 0)
    fits = chain[-1].op == "reshape" and last.shape is not None and len(last.shape) == 3
    return chain if fits and (last.shape[:2], last.shape[2]) == wanted else []  # type: ignore[index]


def _only(node: Node, users: dict[Value, list[Node]]) -> Node | None:
    """The one node that reads a node's one result."""
    found = users.get(node.result, [])
    return found[0] if len(found) == 1 else None
