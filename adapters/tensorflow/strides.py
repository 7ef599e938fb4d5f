"""Convolutions with strides and dilations, of which TensorFlow has only one at a time."""

from __future__ import annotations

from adapters.tensorflow.dialect import AXES, END
from ir_hub.ir.graph import Graph, Node
from ir_hub.ops.build import Builder


def split_strides(graph: Graph) -> None:
    """Has such a convolution read every n-th element only, where its dilations are multiples of
    its strides n: then it needs no strides."""
    nodes, graph.nodes = graph.nodes, []
    builder = Builder(graph)
    for node in nodes:
        if _is_splittable(node):
            with builder.within(node.scope.rpartition(".")[0], node.origins):
                _split(node, builder)
        graph.nodes.append(node)


def _is_splittable(node: Node) -> bool:
    if node.op != "conv" or node.axes != AXES["conv"]:
        return False
    both = max(node.strides) > 1 and max(node.dilations) > 1
    whole = not any(d % s for d, s in zip(node.dilations, node.strides, strict=True))
    return both and whole and min(map(min, node.pads)) >= 0


def _split(node: Node, builder: Builder) -> None:
    x, spatial = node.x, len(node.strides)
    begins, ends = ([pair[side] for pair in node.pads] for side in (0, 1))
    if any(map(any, node.pads)):
        x = builder.pad(x, (0, *begins, 0, 0, *ends, 0))
    axes = tuple(range(1, spatial + 1))
    node.args["x"] = builder.slice(x, (0,) * spatial, (END,) * spatial, axes, node.strides)
    node.args["pads"] = ((0, 0),) * spatial
    node.args["dilations"] = tuple(
        d // s for d, s in zip(node.dilations, node.strides, strict=True)
    )
    node.args["strides"] = (1,) * spatial
