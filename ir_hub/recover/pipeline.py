"""All rules on all graphs of a model, until nothing changes; and why a rule almost applied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ir_hub.ir.graph import Graph, Model, Node
from ir_hub.recover.algebra import Algebra
from ir_hub.recover.forms import Forms
from ir_hub.recover.index import Index
from ir_hub.recover.pattern import ARITHMETIC, Rule, calls
from ir_hub.recover.rewrite import VIEWS, EquationRewrite, Rewrite, apply
from ir_hub.recover.rules import REWRITES, RULES

NEAR = 0.7  # of what a rule asks for, how much an attempt must have found to be a near miss
AT_LEAST = 4  # parts that it must have found: parts of small rules are everywhere


def recover(model: Model) -> tuple[Model, Counter[str]]:
    """Recovers what the source spelled out, in the model itself.

    Returns the model, and how many nodes of each op it has now because of that; arithmetic and
    what only moves elements is not counted.
    """
    equations = [EquationRewrite(rule) for rule in _by_demand(RULES)]
    early = [equation for equation in equations if not equation.rule.late]
    late = [equation for equation in equations if equation.rule.late]
    made: list[Node] = []
    for graph in _graphs(model.graph):
        made += [*_applied(graph, early), *_applied(graph, late)]
    kept = set(model.graph.walk())
    ordinary = ARITHMETIC | VIEWS
    return model, Counter(n.op for n in made if n in kept and n.op not in ordinary)


def clean(model: Model) -> Model:
    """Drops and merges what only moves elements about, in the model itself."""
    for graph in _graphs(model.graph):
        _applied(graph, [])
    return model


def explain(model: Model) -> list[tuple[str, Node, str]]:
    """Where a rule almost applied: the rule, the node that would have been replaced, why not."""
    equations = [EquationRewrite(rule, explain=True) for rule in _by_demand(RULES)]
    return [miss for each in equations for g in _graphs(model.graph) for miss in _missed(each, g)]


def _missed(equation: EquationRewrite, graph: Graph) -> Iterator[tuple[str, Node, str]]:
    """The near misses of one rule; of an expression only the outermost, its parts miss too."""
    index = Index(graph)
    algebra = Algebra(index)
    asked = len(Forms(equation.rule.left).units(equation.rule.left))
    told: set[Node] = set()
    for node in reversed(graph.nodes):
        if node.op not in equation.roots or len(node.results) != 1:
            continue
        refused = equation.find(node, algebra)
        progress, miss = equation.matcher.miss
        if isinstance(refused, str) and (refused or progress >= max(AT_LEAST, NEAR * asked)):
            if told.isdisjoint(index.users.get(node.result, ())):
                yield equation.name, node, refused or miss
            told.add(node)


def _applied(graph: Graph, equations: list[EquationRewrite]) -> list[Node]:
    """The nodes that the rewrites made."""
    rewrites: list[Rewrite] = [*REWRITES, *equations]
    return [node for _, found in apply(graph, rewrites) for node in found.nodes]


def _by_demand(rules: list[Rule]) -> list[Rule]:
    """The rules, those first that ask for more: a part of a layer norm is an RMS norm. Among
    equals, a slope is rather a number than a tensor."""

    def demand(rule: Rule) -> tuple[int, int]:
        return -len(calls(rule.left)), sum(not p.is_number for p in rule.params)

    return sorted(rules, key=demand)


def _graphs(graph: Graph) -> Iterator[Graph]:
    """A graph and the bodies in it, inner ones first."""
    for node in graph.nodes:
        for body in node.bodies():
            yield from _graphs(body)
    yield graph
