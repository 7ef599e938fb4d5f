"""Says how each node is written; the bodies of branches and loops become modules of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from adapters.pytorch.dialect import STYLE, pytorch
from adapters.pytorch.unsigned import computed
from adapters.pytorch.weights import CODES
from ir_hub.codegen.spelling import Layer, Spelling, Style
from ir_hub.codegen.steps import UnboundSize
from ir_hub.codegen.write import write
from ir_hub.ir.graph import Graph, Model, Node, Value
from ir_hub.sdk.dialect import Unsupported
from ir_hub.sdk.errors import Problem, UnsupportedNodes


@dataclass(frozen=True)
class Body:
    """A body as a module: its class, what it takes after its own inputs, its weights by key."""

    class_name: str
    captures: list[Value]
    params: Mapping[str, Value]


@dataclass
class Bodies:
    """The classes of bodies, written as they are found. `scopes` are the model's."""

    scopes: Mapping[str, str]
    texts: list[str] = field(default_factory=list)
    _taken: set[str] = field(default_factory=set)

    @property
    def style(self) -> Style:
        """The style of what is written next: no class may have the name of one written before."""
        return replace(STYLE, names=STYLE.names | self._taken)

    def write(self, graph: Graph, name: str) -> Body:
        """Writes a body.

        Raises:
            Unsupported: it can't be written.
        """
        captures = graph.captures()
        return_by_nodes(graph)
        inside = Graph([*graph.inputs, *captures], graph.nodes, graph.outputs)
        scopes = {path: class_ for path, class_ in self.scopes.items() if path}
        spellings = spell(inside, self)
        try:
            written = write(Model(inside, scopes), spellings, self.style, name)
        except UnboundSize as error:
            raise Unsupported(f"its body has sizes that no tensor shows: {error}") from error
        self.texts.append(written.code)
        self._taken.update(re.findall(r"^class (\w+)", written.code, re.MULTILINE))
        return Body(written.class_name, captures, written.weights)


def spell(graph: Graph, bodies: Bodies | None = None) -> dict[Node, Spelling]:
    """How each node is written.

    Raises:
        UnsupportedNodes: with each node that can't be, and why.
    """
    bodies = bodies or Bodies({})
    found: dict[Node, Spelling] = {}
    problems: list[Problem] = []
    for node in graph.nodes:
        try:
            found[node] = _spelled(node, bodies)
        except Unsupported as error:
            called = f"{node.name} ({', '.join(node.origins)})" if node.origins else node.name
            problems.append(Problem(called, f"{node.op}: {error}"))
        except UnsupportedNodes as error:  # those of a body
            problems += error.problems
    if problems:
        raise UnsupportedNodes(pytorch.name, problems)
    return found


def _spelled(node: Node, bodies: Bodies) -> Spelling:
    _check_types(node)
    pytorch.check_axes(node)
    rule = pytorch.writer(node.op)
    if any(True for _ in node.bodies()):
        layer: Layer = rule(node, bodies)
        return layer
    return computed(node, rule(node))


def _check_types(node: Node) -> None:
    """Refuses what PyTorch has no elements for."""
    for value in (*(v for _, v in node.operands()), *node.results):
        if value.is_constant and node.op == "dequantize_linear":
            continue  # it is written in a wider type
        if value.dtype is not None and value.dtype not in CODES:
            raise Unsupported(f"PyTorch has no tensors of {value.dtype.value}")


def return_by_nodes(graph: Graph) -> None:
    """Gives every constant among the outputs a node that returns it, for code to be written of."""
    for index, value in enumerate(graph.outputs):
        if value.is_constant:
            result = Value(value.name, value.type)
            graph.nodes.append(Node("identity", {"x": value}, [result], value.name))
            graph.outputs[index] = result
