"""What a model's outputs come from, as far as it says how precise they can be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ir_hub.ir.graph import Graph, Node, Value
from ir_hub.ir.types import DType
from ir_hub.ops.catalogue import PASSING
from ir_hub.sdk.tolerance import op_tolerance

_HALVES = (DType.FLOAT16, DType.BFLOAT16)


@dataclass(frozen=True)
class Origin:
    """The op that computed an output's elements, and the half precision, if any, that they or what
    they were computed from went through: a cast doesn't bring back what that has lost."""

    op: str = ""
    half: DType | None = None


def origins(graph: Graph) -> list[Origin]:
    """The origin of each output."""
    halves: dict[Value, DType] = {}
    for node in graph.nodes:
        seen = [halves[value] for value in node.reads() if value in halves]
        coarsest = max([*seen, *_half_results(node)], key=op_tolerance, default=None)
        if coarsest is not None:
            halves.update((result, coarsest) for result in node.results)
    return [Origin(op_of_elements(value), halves.get(value)) for value in graph.outputs]


def _half_results(node: Node) -> Iterator[DType]:
    nodes = [node, *(inner for body in node.bodies() for inner in body.walk())]
    results = (result for each in nodes for result in each.results)
    return (result.dtype for result in results if result.dtype in _HALVES)


def op_of_elements(value: Value) -> str:
    """The op that computed what a value's elements are, or the mean of; empty for a choice whose
    branches differ in that."""
    while (node := value.producer) is not None:
        if node.op == "if":
            place = node.results.index(value)
            ops = {op_of_elements(branch.outputs[place]) for branch in node.bodies()}
            return ops.pop() if len(ops) == 1 else ""
        if node.op not in PASSING and node.op != "reduce_mean":
            return str(node.op)
        value = node.x
    return ""
