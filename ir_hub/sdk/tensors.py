"""Tensors and types of a request as arrays and types, and back; in the IR's own representation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ir_hub.blobs.store import LocalStore
from ir_hub.ir import serde
from ir_hub.ir.errors import BadIR
from ir_hub.ir.graph import Graph, Model, Value, constant
from ir_hub.ir.tensor import Blob
from ir_hub.ir.types import TensorType
from ir_hub.ops.op import OPSET
from ir_hub.sdk.errors import BadRequest
from irhub.ir.v1 import ir_pb2

Arrays = dict[str, np.ndarray[Any, Any]]


def read_arrays(values: Iterable[ir_pb2.Value], store: LocalStore) -> Arrays:
    """The arrays of values with data, by name; views of their mapped blobs where that can be.

    Raises:
        BadRequest: a value has no data, or data that isn't what its type says.
    """
    graph = ir_pb2.Graph(weights=values)
    graph.outputs.extend(value.name for value in graph.weights)
    try:
        model = serde.load(ir_pb2.Model(graph=graph, opset=OPSET), store.open, OPSET)
        return {value.name: value.array() for value in model.graph.outputs}
    except ValueError as error:
        raise BadRequest(f"an input can't be read: {error}") from error


def write_arrays(
    arrays: Mapping[str, np.ndarray[Any, Any]], store: LocalStore
) -> list[ir_pb2.Value]:
    """Arrays as values with data, which is stored; in their order."""
    model = Model(Graph(outputs=[constant(np.asarray(a), name) for name, a in arrays.items()]))
    return list(serde.dump(model, store.put_bytes, OPSET).graph.weights)


def read_types(types: Mapping[str, ir_pb2.TensorType]) -> dict[str, TensorType]:
    """The types of inputs, by name.

    Raises:
        BadRequest: one of them is malformed.
    """
    values = [ir_pb2.Value(name=name, type=type_) for name, type_ in types.items()]
    proto = ir_pb2.Model(graph=ir_pb2.Graph(inputs=values), opset=OPSET)
    try:
        read = serde.load(proto, _no_blob, OPSET).graph.inputs
    except BadIR as error:
        raise BadRequest(f"the type of an input can't be read: {error}") from error
    return {value.name: value.type for value in read if value.type is not None}


def write_types(types: Mapping[str, TensorType]) -> dict[str, ir_pb2.TensorType]:
    """The types of inputs as protobuf, by name."""
    model = Model(Graph(inputs=[Value(name, type_) for name, type_ in types.items()]))
    written = serde.dump(model, _put_nothing, OPSET).graph.inputs
    return {value.name: value.type for value in written}


def _put_nothing(_: object) -> Blob:
    raise AssertionError("a type has no data")


def _no_blob(_: object) -> memoryview:
    raise BadRequest("an input's type has no data")
