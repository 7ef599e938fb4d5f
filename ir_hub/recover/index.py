"""A graph while it is rewritten: who uses what, kept current, and nodes in order at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from ir_hub.ir.graph import Graph, Node, Value


class Index:
    """A graph that nodes are replaced in; `finish` writes the result back to it."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.users: dict[Value, dict[Node, None]] = {}
        self.outputs = Counter(graph.outputs)
        self.ops: Counter[str] = Counter()
        self.version = 0  # grows with every change: what was worked out before it is stale
        self._alive: set[Node] = set()
        self._instead: dict[Node, list[Node]] = {}  # what was put in the place of a node
        for node in graph.nodes:
            self._add(node)

    def __contains__(self, node: Node) -> bool:
        return node in self._alive

    def producer(self, value: Value) -> Node | None:
        """The node of this graph that makes a value; None for inputs, constants, outer values."""
        node = value.producer
        return node if node is not None and node in self._alive else None

    def is_shared(self, value: Value) -> bool:
        """Whether more than one node needs a value, or the graph returns it."""
        return value in self.outputs or len(self.users.get(value, ())) > 1

    def nodes(self) -> Iterator[Node]:
        """The nodes in topological order."""
        pending = list(reversed(self.graph.nodes))
        while pending:
            node = pending.pop()
            if node in self._instead:
                pending.extend(reversed(self._instead[node]))
            if node in self._alive:
                yield node

    def replace(self, root: Node, nodes: list[Node], result: Value) -> None:
        """Puts `nodes` in the place of a node with one result; `result` is what they make of it.

        The old result lives on: it becomes the result of the node that made `result`. Where
        `nodes` doesn't hold that node, those who used the old one now use the other.
        """
        old = root.result
        self._instead[root] = nodes
        self._remove(root)
        for node in nodes:
            self._add(node)
        if result.producer in nodes:
            self._take_over(result, old)
        else:
            self._redirect(old, result)
        self.sweep([value for _, value in root.operands()])
        self.version += 1

    def can_replace(self, root: Node, nodes: list[Node], result: Value) -> bool:
        """Whether `replace` can: not where an output would become an input or another output."""
        if root.result not in self.outputs or result.producer in nodes:
            return True
        return self.producer(result) is not None and result not in self.outputs

    def sweep(self, values: Iterable[Value]) -> None:
        """Drops the nodes that made these values, and what only they needed, where unused."""
        pending = list(values)
        while pending:
            node = self.producer(pending.pop())
            if node is None or any(self.users.get(r) or r in self.outputs for r in node.results):
                continue
            self._remove(node)
            pending.extend(value for _, value in node.operands())

    def finish(self) -> None:
        """Writes the nodes back to the graph, in topological order."""
        self.graph.nodes = list(self.nodes())

    def _add(self, node: Node) -> None:
        self._alive.add(node)
        self.ops[node.op] += 1
        for value in node.reads():
            self.users.setdefault(value, {})[node] = None

    def _remove(self, node: Node) -> None:
        self._alive.discard(node)
        self.ops[node.op] -= 1
        for value in node.reads():
            self.users.get(value, {}).pop(node, None)

    def _take_over(self, result: Value, old: Value) -> None:
        """The node that makes `result` makes `old` from now on."""
        producer = result.producer
        assert producer is not None
        producer.results = [old if value is result else value for value in producer.results]
        old.producer, old.type = producer, result.type
        self._substitute(result, old)

    def _redirect(self, old: Value, new: Value) -> None:
        if old in self.outputs:
            self._take_over(new, old)
        else:
            self._substitute(old, new)

    def _substitute(self, old: Value, new: Value) -> None:
        for node in list(self.users.pop(old, ())):
            node.substitute({old: new})
            self.users.setdefault(new, {})[node] = None
