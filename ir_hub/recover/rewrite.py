"""Applies rules to a graph: equations, and rewrites that are functions of one node."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from typing import Any, Protocol

from ir_hub.ir.dims import provably_equal
from ir_hub.ir.graph import Graph, Node, Value
from ir_hub.ir.types import TensorType
from ir_hub.recover.algebra import PRODUCTS, SUMS, Algebra
from ir_hub.recover.cover import REST
from ir_hub.recover.domains import Bound
from ir_hub.recover.forms import is_product, is_sum
from ir_hub.recover.index import Index
from ir_hub.recover.instantiate import Maker, instantiate
from ir_hub.recover.match import Matcher
from ir_hub.recover.pattern import Call, Rule, Var

Instead = Any  # the value to use instead of a node's result; None: the node stays

# What only moves elements about costs nothing to keep for its other users.
VIEWS = frozenset(
    {"transpose", "reshape", "flatten", "squeeze", "unsqueeze", "expand", "cast", "identity"}
)


@dataclass
class Found:
    """What goes in the place of a node: new nodes, the value that is its result, and the nodes of
    the graph that it stands for."""

    nodes: list[Node]
    result: Value
    matched: list[Node]


class Rewrite(Protocol):
    """One way to recover something."""

    name: str
    roots: frozenset[str]  # the ops of the nodes that it may replace
    needs: frozenset[str]  # ops without which a graph has nothing for it

    def find(self, root: Node, algebra: Algebra) -> Found | str:
        """What to put in the place of a node, or why nothing."""


class EquationRewrite:
    """Puts the right side of a rule where its left side is."""

    def __init__(self, rule: Rule, explain: bool = False) -> None:
        self.rule = rule
        self.name = rule.name
        self.roots = _roots(rule.left)
        self.needs = rule.ops
        self.matcher = Matcher(rule, explain)

    def find(self, root: Node, algebra: Algebra) -> Found | str:
        """The right side for the first match that keeps the type and leaves nothing behind."""
        reason = ""
        for bound in self.matcher.matches(root.result, algebra):
            found = self._made(root, bound, algebra.index)
            if isinstance(found, Found):
                return found
            reason = found
        return reason

    def _made(self, root: Node, bound: Bound, index: Index) -> Found | str:
        stops = {v for k, v in bound.items() if isinstance(k, Var) and isinstance(v, Value)}
        stops |= {value for value, _ in bound.get(REST, ())}
        matched = _between(root, stops, index)
        kept = _needed_elsewhere(matched, root, index)
        if kept is not None:
            return f"{kept.result!r} is used elsewhere too"
        builder = Maker(Graph(), prefix=f"{root.result.name}_")
        builder.scope = root.scope
        builder.origins = tuple(dict.fromkeys(o for node in matched for o in node.origins))
        try:
            result = instantiate(self.rule.right, bound, builder, root.result.dtype)
            for value, power in bound.get(REST, ()):
                result = builder.call("mul" if power == 1 else "div", result, value)
        except ValueError as error:
            return str(error)
        if not same_type(result.type, root.result.type):
            return f"it would be {result.type}, not {root.result.type}"
        for node in builder.graph.nodes[-1:]:
            node.name = root.name
        return Found(builder.graph.nodes, result, matched)


@dataclass
class NodeRewrite:
    """A rewrite that a function finds: what turns on sizes and literals, which no equation says."""

    name: str
    roots: frozenset[str]
    function: Callable[[Node, Index, Maker], Instead]
    needs: frozenset[str] = frozenset()
    free: Set[str] = VIEWS  # ops that it may leave to other users, as they cost nothing

    def find(self, root: Node, algebra: Algebra) -> Found | str:
        """What the function makes of a node."""
        builder = Maker(Graph(), prefix=f"{root.result.name}_")
        builder.scope, builder.origins = root.scope, root.origins
        result = self.function(root, algebra.index, builder)
        if result is None or not same_type(result.type, root.result.type):
            return ""
        made = {value for node in builder.graph.nodes for _, value in node.operands()}
        stops = made | {result}
        matched = _between(root, stops, algebra.index)
        if _needed_elsewhere(matched, root, algebra.index, self.free) is not None:
            return ""
        origins = tuple(dict.fromkeys(o for node in matched for o in node.origins))
        for node in builder.graph.nodes:
            node.origins = origins
        for node in builder.graph.nodes[-1:]:
            node.name = root.name
        return Found(builder.graph.nodes, result, matched)


REWRITES: list[NodeRewrite] = []


def rewrite(
    *roots: str, free: Set[str] = frozenset()
) -> Callable[[Callable[[Node, Index, Maker], Instead]], NodeRewrite]:
    """Registers a function of a node, the graph's index and a builder as a rewrite; `free` are ops
    that it may leave to other users, besides views."""

    def make(function: Callable[[Node, Index, Maker], Instead]) -> NodeRewrite:
        found = NodeRewrite(function.__name__, frozenset(roots), function, free=VIEWS | free)
        REWRITES.append(found)
        return REWRITES[-1]

    return make


def same_type(new: TensorType | None, old: TensorType | None) -> bool:
    """Whether two types are provably one."""
    if new is None or old is None:
        return new is old
    if new.dtype is not old.dtype or new.rank != old.rank:
        return False
    sizes = zip(new.shape or (), old.shape or (), strict=True)
    return all(provably_equal(a, b) for a, b in sizes)


def apply(graph: Graph, rewrites: list[Rewrite]) -> Iterator[tuple[str, Found]]:
    """Rewrites a graph until nothing changes; yields what was found, by which rewrite."""
    graph.prune()  # what nobody needs would look like another user
    index = Index(graph)
    algebra = Algebra(index)
    by_root: dict[str, list[Rewrite]] = {}
    for each in rewrites:
        for op in each.roots:
            by_root.setdefault(op, []).append(each)
    version = -1
    while version != index.version:
        version = index.version
        pending = list(index.nodes())[::-1]
        while pending:
            node = pending.pop()
            if node not in index or len(node.results) != 1:
                continue
            for each in by_root.get(node.op, ()):
                if any(not index.ops[op] for op in each.needs):
                    continue
                found = each.find(node, algebra)
                if isinstance(found, str) or not index.can_replace(node, found.nodes, found.result):
                    continue
                index.replace(node, found.nodes, found.result)
                yield each.name, found
                pending.extend(found.nodes[::-1])
                break
    index.finish()


def _roots(left: Call) -> frozenset[str]:
    if is_sum(left):
        return SUMS - {"neg"}
    return PRODUCTS if is_product(left) else frozenset({left.op})


def _between(root: Node, stops: set[Value], index: Index) -> list[Node]:
    """The nodes from the root to where a match ends."""
    found: dict[Node, None] = {root: None}
    pending = [root]
    while pending:
        for _, value in pending.pop().operands():
            node = None if value in stops else index.producer(value)
            if node is not None and node not in found:
                found[node] = None
                pending.append(node)
    return list(found)


def _needed_elsewhere(
    matched: list[Node], root: Node, index: Index, free: Set[str] = VIEWS
) -> Node | None:
    """A matched node that must stay for others, and isn't for free."""
    inside: dict[Any, None] = dict.fromkeys(matched)
    for node in matched:
        if node is root or node.op in free:
            continue
        for result in node.results:
            if result in index.outputs or any(u not in inside for u in index.users.get(result, ())):
                return node
    return None
