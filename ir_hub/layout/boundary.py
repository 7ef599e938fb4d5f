"""The inputs and outputs of a graph: in the order that was written, or in the target's own."""

from __future__ import annotations

from ir_hub.ir.graph import Graph, Node
from ir_hub.layout.held import Held


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


def native_boundary(graph: Graph) -> None:
    """Takes away the transposes that do nothing but turn an input or an output."""
    users = graph.users()
    for place, value in enumerate(graph.inputs):
        readers = users.get(value, [])
        if len(readers) == 1 and readers[0].op == "transpose" and value not in graph.outputs:
            turned = readers[0].result
            if turned in graph.outputs:
                continue
            graph.nodes.remove(readers[0])
            turned.producer = None
            turned.name = value.name
            graph.inputs[place] = turned
    for place, value in enumerate(graph.outputs):
        last = value.producer
        if last is not None and _only_turns(last, graph) and value not in users:
            have = last.x
            have.name = value.name
            graph.outputs[place] = have
    graph.prune()


def _only_turns(node: Node, graph: Graph) -> bool:
    """Whether a node is a transpose of what may be an output itself."""
    if node.op != "transpose" or node.x.is_constant:
        return False
    return node.x not in graph.inputs and node.x not in graph.outputs
