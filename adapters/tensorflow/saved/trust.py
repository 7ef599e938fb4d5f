"""Refuses graphs that do more than compute: those that TensorFlow would read or write files for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from tensorflow.core.framework import graph_pb2, node_def_pb2
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow.python.framework import op_def_registry

from ir_hub.sdk.errors import BadModel

# Ops that have a state, but one that ends with the model.
_HARMLESS = re.compile(
    r"(Stateful)?PartitionedCall|While|If|Case|Placeholder|Assert|DisableCopyOnRead"
    r"|VarHandleOp|VarIsInitializedOp|VariableShape|ReadVariableOp|Resource(Gather|Scatter).*"
    r"|Assign.*VariableOp|(Stateful)?Random.*|.*TruncatedNormal.*|Multinomial"
)
_FILES = re.compile(r"File|Save|Restore|Checkpoint|Record|Py|Dataset|Summary|Librar|Reader|Events")


def refuse_saved(meta: meta_graph_pb2.MetaGraphDef) -> None:
    """Nothing if a SavedModel's functions only compute. Those that nothing but its saver calls may
    save and restore: they aren't run.

    Raises:
        BadModel: they do more, or it has none, as TensorFlow 1 wrote it.
    """
    if not meta.HasField("object_graph_def"):
        raise BadModel(
            "the SavedModel is TensorFlow 1's: load it, and save it with tf.saved_model.save"
        )
    functions = {each.signature.name: each for each in meta.graph_def.library.function}
    called = set(meta.object_graph_def.concrete_functions)
    called |= set(_called(chain.from_iterable(each.node_def for each in functions.values())))
    saver = {meta.saver_def.save_tensor_name.partition(":")[0], meta.saver_def.restore_op_name}
    called |= set(_called(node for node in meta.graph_def.node if node.name not in saver))
    for name, function in functions.items():
        if name in called:
            _refuse(function.node_def)


def refuse_graph(graph: graph_pb2.GraphDef) -> None:
    """Nothing if a graph and its functions only compute.

    Raises:
        BadModel: they do more.
    """
    _refuse(chain(graph.node, *(each.node_def for each in graph.library.function)))


def _refuse(nodes: Iterable[node_def_pb2.NodeDef]) -> None:
    for node in nodes:
        definition = op_def_registry.get(node.op)
        stateful = definition is not None and definition.is_stateful
        harmless = not stateful or _HARMLESS.fullmatch(node.op)
        if not harmless or _FILES.search(node.op):
            raise BadModel(
                f"the node {node.name} ({node.op}) may do more than compute, such as read files: "
                "save the model without it"
            )


def _called(nodes: Iterable[node_def_pb2.NodeDef]) -> Iterator[str]:
    """The functions that nodes name in their attributes."""
    for node in nodes:
        for attribute in node.attr.values():
            yield attribute.func.name
            yield from (each.name for each in attribute.list.func)
