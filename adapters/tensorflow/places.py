"""Places of elements, which Keras counts in int32 and the IR in int64."""

from __future__ import annotations

from ir_hub.ir.graph import Graph, Value
from ir_hub.ir.types import DType, TensorType
from ir_hub.ops.build import Builder


def cast_places(graph: Graph) -> None:
    """Has each `top_k` give its places as Keras does, with a cast behind it."""
    nodes, graph.nodes = graph.nodes, []
    builder = Builder(graph)
    for node in nodes:
        graph.nodes.append(node)
        if node.op != "top_k":
            continue
        values, places = node.results
        own = Value(f"{places.name}_int32", TensorType(DType.INT32, places.shape), node)
        node.results = [values, own]
        with builder.within(node.scope.rpartition(".")[0], node.origins):
            cast = builder.append("cast", {"x": own, "to": DType.INT64})
        cast.results, places.producer = [places], cast
    graph.prune()
