"""Spells ops that a target lacks with simpler ones."""

from __future__ import annotations

from collections.abc import Collection

from ir_hub.ir.graph import Graph, Model, Node, Value
from ir_hub.ops.catalogue import OPS
from ir_hub.ops.op import Kind
from ir_hub.ops.trace import Tracer
from ir_hub.simplify.shapes import fresh_symbols


def lower(model: Model, written: Collection[str]) -> Model:
    """Replaces every op that isn't in `written`, and has a spelling, by its spelling. What has
    none stays, for the target to list as unsupported."""
    tracer = Tracer()
    symbols = fresh_symbols(model)
    tracer.fresh = lambda: next(symbols)  # type: ignore[method-assign]
    _lower(model.graph, frozenset(written), tracer)
    return model


def _lower(graph: Graph, written: frozenset[str], tracer: Tracer) -> None:
    replaced: dict[Value, Value] = {}
    kept: list[Node] = []
    pending = list(reversed(graph.nodes))
    while pending:
        node = pending.pop()
        node.substitute(replaced)
        for body in node.bodies():
            _lower(body, written, tracer)
        if node.op in written or node.op not in OPS or OPS[node.op].spelling is None:
            kept.append(node)
            continue
        returned = [replaced.get(value, value) for value in graph.outputs]
        spelled = _spell(node, tracer, replaced, returned)
        if spelled is None:
            kept.append(node)
        else:
            pending.extend(reversed(spelled))
    graph.nodes = kept
    graph.outputs = [replaced.get(value, value) for value in graph.outputs]


def _spell(
    node: Node, tracer: Tracer, replaced: dict[Value, Value], returned: Collection[Value]
) -> list[Node] | None:
    """The nodes that compute what `node` does, None if it has no spelling; its results are noted as
    replaced. Those that are returned are made anew where the spelling passes something on, and so
    keep their names."""
    op = OPS[node.op]
    assert op.spelling is not None
    tracer.graph = Graph()
    tensors = [tracer.term(node.args[p.name]) for p in op.params.values() if p.kind in _TENSORS]
    literals = {p.name: node.args[p.name] for p in op.params.values() if p.kind not in _TENSORS}
    with tracer.within(node.scope, node.origins):
        found = op.spelling(tracer, *tensors, **literals)
        if found is None:
            return None
        terms = found if isinstance(found, tuple | list) else (found,)
        named: set[Value] = set()
        for old, term in zip(node.results, terms, strict=True):
            new = term.value
            made = new.producer in tracer.graph.nodes and new not in named
            if old in returned and not made:
                new, made = tracer.identity(term).value, True
            if made:
                new.name, new.type = old.name, old.type or new.type
                named.add(new)
            # What stood for another result already, being in that one's spelling.
            replaced.update({first: new for first, last in replaced.items() if last is old})
            replaced[old] = new
    return tracer.graph.nodes


_TENSORS = (Kind.TENSOR, Kind.TENSORS, Kind.SIZES)
