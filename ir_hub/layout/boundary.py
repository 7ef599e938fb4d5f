"""The inputs and outputs of a graph: in the order that was written, or in the target's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ir_hub.ir.graph import Graph, Node, Value
from ir_hub.layout.held import Held
from ir_hub.layout.permutations import Perm, inverse
from ir_hub.ops.shape_rules import axis_of


def restore_outputs(graph: Graph, held: Held) -> None:
    """Has the outputs be what was written: each a value of its own, with the name it had."""
    held.begin("")
    for place, value in enumerate(graph.outputs):
        found = held.get(value)
        if found is value or value.is_constant:
            continue
        if found in graph.inputs or found in graph.outputs or found.is_constant:
            held.add("identity", {"x": found}, value, "")
        else:
            found.name = value.name
            graph.outputs[place] = found


@dataclass(frozen=True)
class Boundary:
    """How the axes of a graph's inputs and outputs were changed, in their order: as `transpose`
    would have to change them; empty where nothing was."""

    inputs: tuple[Perm, ...]
    outputs: tuple[Perm, ...]


def native_boundary(graph: Graph) -> Boundary:
    """Takes away the transposes that do nothing but turn an input or an output: those that would
    be transposed at once are then what the transpose gives."""
    users = graph.users()
    inputs = tuple(_turn_input(graph, users, place) for place in range(len(graph.inputs)))
    outputs = tuple(_turn_output(graph, users, place) for place in range(len(graph.outputs)))
    graph.prune()
    return Boundary(inputs, outputs)


def _turn_input(graph: Graph, users: Mapping[Value, Sequence[Node]], place: int) -> Perm:
    value = graph.inputs[place]
    readers = users.get(value, [])
    if len(readers) != 1 or readers[0].op != "transpose" or value in graph.outputs:
        return ()
    turned = readers[0].result
    if turned in graph.outputs:
        return ()
    graph.nodes.remove(readers[0])
    turned.producer = None
    turned.name = value.name
    graph.inputs[place] = turned
    return _perm_of(readers[0])


def _turn_output(graph: Graph, users: Mapping[Value, Sequence[Node]], place: int) -> Perm:
    value = graph.outputs[place]
    last = value.producer
    if last is None or not _only_turns(last, graph) or value in users:
        return ()
    have = last.x
    have.name = value.name
    graph.outputs[place] = have
    return inverse(_perm_of(last))


def _perm_of(node: Node) -> Perm:
    return tuple(axis_of(axis, len(node.perm)) for axis in node.perm)


def _only_turns(node: Node, graph: Graph) -> bool:
    """Whether a node is a transpose of what may be an output itself."""
    if node.op != "transpose" or node.x.is_constant:
        return False
    return node.x not in graph.inputs and node.x not in graph.outputs
