"""Writes as one layer what Keras has one layer for: an activation within the layer before it, a
global pool without the axes of size 1."""

from __future__ import annotations

from dataclasses import replace

from ir_hub.codegen.spelling import Layer, Spelling
from ir_hub.ir.graph import Graph, Node, Value

_ACTIVATED = ("layers.Dense", "layers.Conv", "layers.DepthwiseConv")
_POOLS = ("global_avg_pool", "global_max_pool")


def drop_pooled_axes(graph: Graph) -> None:
    """Marks the global pools whose axes of size 1 are dropped at once, and drops them there."""
    users = graph.users()
    outputs = set(graph.outputs)
    dropped: set[Node] = set()
    for node in graph.nodes:
        if node.op not in _POOLS or node.result in outputs:
            continue
        readers = users.get(node.result, [])
        if len(readers) == 1 and _drops(node, readers[0]):
            node.args["keepdims"] = False
            _take_over(node, readers[0])
            dropped.add(readers[0])
    graph.nodes = [node for node in graph.nodes if node not in dropped]


def _drops(pool: Node, reader: Node) -> bool:
    """Whether a node leaves the batch and the channels of what a pool gives, and nothing else."""
    shape, flat = pool.result.shape, reader.results[0].shape
    shapes = reader.op in ("squeeze", "reshape", "flatten") and shape is not None
    return shapes and len(shape) > 2 and flat == (shape[0], shape[-1])


def _take_over(node: Node, reader: Node) -> None:
    node.results = [reader.result]
    reader.result.producer = node
    if reader.scope != node.scope and not node.scope:
        node.scope = reader.scope


def fuse_activations(graph: Graph, spellings: dict[Node, Spelling]) -> None:
    """Writes an activation as a setting of the layer that it follows in one scope."""
    users = graph.users()
    outputs: set[Value] = set(graph.outputs)
    dropped: set[Node] = set()
    for node in graph.nodes:
        if node in dropped:
            continue
        fused = _fused(node, spellings)
        readers = users.get(node.result, [])
        if fused is None or node.result in outputs or len(readers) != 1:
            continue
        reader = readers[0]
        name = _activation(spellings[reader])
        if name is None or reader.scope != node.scope or not node.scope:
            continue
        spellings[node] = replace(fused, kwargs={**fused.kwargs, "activation": name})
        del spellings[reader]
        dropped.add(reader)
        _take_over(node, reader)
    graph.nodes = [node for node in graph.nodes if node not in dropped]


def _fused(node: Node, spellings: dict[Node, Spelling]) -> Layer | None:
    what = spellings[node]
    able = isinstance(what, Layer) and what.ctor.startswith(_ACTIVATED) and not what.call
    return what if able else None  # type: ignore[return-value]


def _activation(what: Spelling) -> str | None:
    """The name of an activation that a layer is; None if it is none."""
    if not isinstance(what, Layer) or what.call:
        return None
    if what.ctor == "layers.ReLU":
        return "relu"
    if what.ctor == "layers.Softmax" and what.kwargs["axis"] == -1:
        return "softmax"
    return what.kwargs["activation"] if what.ctor == "layers.Activation" else None
