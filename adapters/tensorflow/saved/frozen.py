"""Opens frozen graphs: one GraphDef, in which the variables are constants."""

from __future__ import annotations

from google.protobuf.message import DecodeError
from tensorflow.core.framework import graph_pb2, node_def_pb2
from tensorflow.python.framework import op_def_registry

from adapters.tensorflow.saved.elements import dtype_of, shape_of
from adapters.tensorflow.saved.frames import types_of
from adapters.tensorflow.saved.model import DEFAULT, GraphModel, Port, Signature
from adapters.tensorflow.saved.trust import refuse_graph
from ir_hub.ir.types import DType
from ir_hub.sdk.adapter import Files, SourceFile
from ir_hub.sdk.errors import BadModel

_INPUT = "Placeholder"
_NOT_GIVEN = frozenset({"Assert", "Const", "NoOp", _INPUT})


def load(files: Files, file: SourceFile) -> GraphModel:
    """The graph in a file: its inputs are its placeholders, its outputs what no node reads.

    Raises:
        BadModel: it isn't whole, or isn't one.
    """
    graph = graph_of(bytes(files.open_blob(file.blob)), file.name)
    return GraphModel(
        graph=graph,
        functions={each.signature.name: each for each in graph.library.function},
        signatures={DEFAULT: Signature(inputs_of(graph), outputs_of(graph))},
        producer=f"graph {graph.versions.producer}",
        kind="graph_def",
    )


def graph_of(data: bytes, name: str) -> graph_pb2.GraphDef:
    """A graph from its bytes; BadModel when they aren't one, or it does more than compute."""
    try:
        graph = graph_pb2.GraphDef.FromString(data)
    except DecodeError as error:
        raise BadModel(f"{name} is no graph of TensorFlow's, or is cut off: {error}") from error
    if not graph.node:
        raise BadModel(f"{name} is a graph without a node: is it a file of TensorFlow's?")
    refuse_graph(graph)
    return graph


def inputs_of(graph: graph_pb2.GraphDef) -> list[Port]:
    """The placeholders of a graph."""
    return [
        Port(
            node.name,
            f"{node.name}:0",
            dtype_of(node.attr["dtype"].type, f"the input {node.name}"),
            shape_of(node.attr["shape"].shape) if "shape" in node.attr else None,
        )
        for node in graph.node
        if node.op == _INPUT
    ]


def outputs_of(graph: graph_pb2.GraphDef) -> list[Port]:
    """What no node of a graph reads."""
    read = {name.partition(":")[0].lstrip("^") for node in graph.node for name in node.input}
    last = [node for node in graph.node if node.name not in read and node.op not in _NOT_GIVEN]
    return [Port(node.name, f"{node.name}:0", _type(node), None) for node in last]


def _type(node: node_def_pb2.NodeDef) -> DType:
    """The type of a node's first result."""
    definition = op_def_registry.get(node.op)
    types = types_of(definition.output_arg[0], node) if definition else []
    if not types:
        raise BadModel(f"the graph ends at {node.name} ({node.op}), which gives no tensor")
    return dtype_of(types[0], f"the output {node.name}")
