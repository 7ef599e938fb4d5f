"""Opens SavedModels: the graph and its signature as data, its variables where they lie."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from google.protobuf.message import DecodeError
from tensorflow.core.framework import function_pb2, graph_pb2
from tensorflow.core.protobuf import (
    meta_graph_pb2,
    saved_model_pb2,
    saved_object_graph_pb2,
    trackable_object_graph_pb2,
)

from adapters.tensorflow.saved.bundle import Bundle
from adapters.tensorflow.saved.elements import dtype_of, shape_of
from adapters.tensorflow.saved.trust import refuse_saved
from ir_hub.ir.tensor import Tensor
from ir_hub.ir.types import DType
from ir_hub.sdk.adapter import Files, SourceFile
from ir_hub.sdk.errors import BadModel

INDEX = "variables/variables.index"
DEFAULT = "serving_default"
_INIT = "__saved_model_init_op"
_SERVE = "serve"
_VALUE = "VARIABLE_VALUE"
CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})


@dataclass(frozen=True)
class Variable:
    """A variable: what TensorFlow calls it, and where it lies."""

    name: str
    tensor: Tensor


@dataclass(frozen=True)
class Port:
    """An input or output of a model: its name, the tensor of the graph, what the file says."""

    name: str
    tensor: str
    dtype: DType
    shape: tuple[int | None, ...] | None


@dataclass(frozen=True)
class Signature:
    """The inputs and outputs of one way to call a model."""

    inputs: list[Port]
    outputs: list[Port]


@dataclass(frozen=True)
class GraphModel:
    """A graph, the functions that it calls, its signatures, its variables by the names of their
    nodes, and who wrote it."""

    graph: graph_pb2.GraphDef
    functions: Mapping[str, function_pb2.FunctionDef]
    signatures: Mapping[str, Signature]
    variables: Mapping[str, Variable] = field(default_factory=dict)
    producer: str = ""
    kind: str = "saved_model"


def load(files: Files, file: SourceFile) -> GraphModel:
    """The SavedModel of which `file` is the saved_model.pb.

    Raises:
        BadModel: it isn't whole.
    """
    meta = meta_graph(files, file)
    graph = meta.graph_def
    return GraphModel(
        graph=graph,
        functions={each.signature.name: each for each in graph.library.function},
        signatures={
            name: Signature(_ports(each.inputs, "input"), _ports(each.outputs, "output"))
            for name, each in meta.signature_def.items()
            if name != _INIT
        },
        variables=_variables(meta, files, file),
        producer=meta.meta_info_def.tensorflow_version,
    )


def choose(names: list[str], wanted: str) -> str:
    """The signature of that name; if none is named, the usual one, or the only one.

    Raises:
        BadModel: there is no such one, or several.
    """
    known = sorted(name for name in names if name != _INIT)
    if wanted in known:
        return wanted
    if wanted:
        raise BadModel(f"the SavedModel has no signature {wanted!r}: {_listed(known)}")
    if DEFAULT in known or len(known) == 1:
        return DEFAULT if DEFAULT in known else known[0]
    raise BadModel(
        f"the SavedModel has no signature {DEFAULT!r}: {_listed(known)}; "
        "say which one with the option signature, or save the model with one"
    )


def _listed(names: list[str]) -> str:
    return f"it has {', '.join(names[:20])}" if names else "it has none"


def meta_graph(files: Files, file: SourceFile) -> meta_graph_pb2.MetaGraphDef:
    """The graph for serving in a saved_model.pb.

    Raises:
        BadModel: there is none, it isn't whole, or it does more than compute.
    """
    try:
        model = saved_model_pb2.SavedModel.FromString(bytes(files.open_blob(file.blob)))
    except DecodeError as error:
        raise BadModel(f"{file.name} is no SavedModel, or is cut off: {error}") from error
    fit = [graph for graph in model.meta_graphs if _SERVE in graph.meta_info_def.tags]
    if not fit:
        raise BadModel(f"{file.name} has no graph for serving in it: is it cut off?")
    refuse_saved(fit[0])
    return fit[0]


def _ports(found: Mapping[str, Any], what: str) -> list[Port]:
    ports = []
    for name in sorted(found, key=by_number):
        info = found[name]
        if info.WhichOneof("encoding") != "name":
            raise BadModel(f"the {what} {name} of the model is no plain tensor")
        dtype = dtype_of(info.dtype, f"the {what} {name}")
        ports.append(Port(name, info.name, dtype, shape_of(info.tensor_shape)))
    return ports


def by_number(name: str) -> tuple[str, int]:
    """What puts output_2 before output_10."""
    stem = name.rstrip("0123456789")
    return stem, int(name[len(stem) :] or 0)


def _variables(
    meta: meta_graph_pb2.MetaGraphDef, files: Files, file: SourceFile
) -> dict[str, Variable]:
    """The variables by the names of the nodes that stand for them."""
    if not any(node.op == "VarHandleOp" for node in meta.graph_def.node):
        return {}
    name = str(PurePosixPath(file.name).parent / INDEX)
    index = next((f for f in files.files if PurePosixPath(f.name) == PurePosixPath(name)), None)
    if index is None:
        raise BadModel(f"{name} wasn't given: give all files of the model's folder")
    bundle = Bundle(files, index)
    objects = meta.object_graph_def
    keys = _keys(objects, bundle)
    return {
        node: _variable(objects.nodes[number].variable, keys.get(number, ""), bundle)
        for node, number in _captured(meta.graph_def, objects)
    }


def _variable(variable: saved_object_graph_pb2.SavedVariable, key: str, bundle: Bundle) -> Variable:
    if not key:
        raise BadModel(f"the checkpoint doesn't say where the variable {variable.name} lies")
    shape = shape_of(variable.shape)
    if shape is None or None in shape:
        raise BadModel(f"the shape of the variable {variable.name} is open in the file")
    sizes = tuple(size for size in shape if size is not None)
    dtype = dtype_of(variable.dtype, f"the variable {variable.name}")
    return Variable(variable.name, bundle.tensor(key, dtype, sizes))


def _captured(
    graph: graph_pb2.GraphDef, objects: saved_object_graph_pb2.SavedObjectGraph
) -> Iterator[tuple[str, int]]:
    """The nodes that functions are called with beside their inputs, and the variables they are."""
    for node in graph.node:
        bound = (
            objects.concrete_functions.get(node.attr["f"].func.name) if node.op in CALLS else None
        )
        numbers = list(bound.bound_inputs) if bound is not None else []
        given = [name for name in node.input if not name.startswith("^")]
        if len(numbers) > len(given) or any(n >= len(objects.nodes) for n in numbers):
            raise BadModel(f"the call {node.name} has fewer inputs than its function")
        for name, number in zip(given[len(given) - len(numbers) :], numbers, strict=True):
            if objects.nodes[number].WhichOneof("kind") == "variable":
                yield name.partition(":")[0], number


def _keys(objects: saved_object_graph_pb2.SavedObjectGraph, bundle: Bundle) -> dict[int, str]:
    """Under which keys the checkpoint has the objects. It has a graph of its own of them, in which
    they are told by the same ways from the root."""
    try:
        saved = trackable_object_graph_pb2.TrackableObjectGraph.FromString(bundle.objects())
    except DecodeError as error:
        raise BadModel(f"{bundle.index.name}: the objects in it can't be read") from error
    found: dict[int, str] = {}
    seen = {(0, 0)}
    waiting = deque(seen if objects.nodes and saved.nodes else ())
    while waiting:
        ours, theirs = waiting.popleft()
        for attribute in saved.nodes[theirs].attributes:
            if attribute.name == _VALUE and found.setdefault(ours, attribute.checkpoint_key) != (
                attribute.checkpoint_key
            ):
                raise BadModel(f"the checkpoint has two places for the object {ours}")
        children = {child.local_name: child.node_id for child in saved.nodes[theirs].children}
        for child in objects.nodes[ours].children:
            pair = child.node_id, children.get(child.local_name, -1)
            inside = 0 <= pair[0] < len(objects.nodes) and 0 <= pair[1] < len(saved.nodes)
            if inside and pair not in seen:
                seen.add(pair)
                waiting.append(pair)
    return found
