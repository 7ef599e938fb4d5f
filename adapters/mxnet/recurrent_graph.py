"""Recurrent layers as Gluon has them: without an axis for directions, without unused states."""

from __future__ import annotations

from ir_hub.ir.graph import Graph, Node, Value

_OPS = ("lstm", "gru", "rnn")
_GLUONS = "gluons"  # the mark of a node whose results are those of Gluon's layer


def is_gluons(node: Node) -> bool:
    """Whether a node's results are those of Gluon's layer: the directions side by side, and the
    states with the direction first."""
    return bool(node.args.get(_GLUONS))


def is_swap(node: Node) -> bool:
    """Whether a node swaps the batch and the directions of a state."""
    return node.op == "transpose" and tuple(node.perm) == (1, 0, 2)


def simplify_recurrent(graph: Graph) -> None:
    """Drops last states that nobody reads, and joins a layer with the ops that make of its results
    what Gluon's layer gives."""
    graph.prune()
    users = graph.users()
    returned = set(graph.outputs)
    dropped: set[Node] = set()
    for node in graph.nodes:
        if node.op not in _OPS:
            continue
        if not any(value in users or value in returned for value in node.results[1:]):
            del node.results[1:]
        found = _conversions(node, users, returned)
        if found is None:
            continue
        node.args[_GLUONS] = True
        for place, chain in enumerate(found):
            dropped.update(chain)
            if chain:
                node.results[place] = chain[-1].result
                chain[-1].result.producer = node
    graph.nodes = [node for node in graph.nodes if node not in dropped]


def _conversions(
    node: Node, users: dict[Value, list[Node]], returned: set[Value]
) -> list[list[Node]] | None:
    """The nodes that make what Gluon's layer gives of each result; None where it isn't so."""
    found = []
    for place, value in enumerate(node.results):
        is_read = value in users or value in returned
        chain = _merging(node, users) if place == 0 else _swapping(node, value, users)
        if is_read and (place == 0 or node.layout) and not chain:
            return None
        if chain and any(v in returned for v in (value, *(part.result for part in chain[:-1]))):
            return None
        found.append(chain)
    return found


def _swapping(node: Node, state: Value, users: dict[Value, list[Node]]) -> list[Node]:
    """The node that puts the directions before the batch."""
    first = _only(state, users) if node.layout else None
    return [first] if first is not None and is_swap(first) else []


def _merging(node: Node, users: dict[Value, list[Node]]) -> list[Node]:
    """The nodes that put the directions of a layer side by side; none where it isn't so."""
    first = _only(node.results[0], users)
    if first is None or node.results[0].shape is None:
        return []
    if node.direction != "bidirectional":
        return [first] if first.op == "squeeze" and first.axes == (2 if node.layout else 1,) else []
    if node.layout:
        chain = [first]
    else:
        second = _only(first.result, users)
        if first.op != "transpose" or first.perm != (0, 2, 1, 3) or second is None:
            return []
        chain = [first, second]
    last = chain[-1].result
    sizes = node.x.shape or ()
    wanted = (sizes[:2], 2 * node.hidden_size) if len(sizes) == 3 else ((), 0)
    fits = chain[-1].op == "reshape" and last.shape is not None and len(last.shape) == 3
    return chain if fits and (last.shape[:2], last.shape[2]) == wanted else []  # type: ignore[index]


def _only(value: Value, users: dict[Value, list[Node]]) -> Node | None:
    """The one node that reads a value, once."""
    found = users.get(value, [])
    return found[0] if len(found) == 1 else None
