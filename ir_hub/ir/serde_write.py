"""Writes a model as protobuf; the elements of constants go to blobs."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import cast

from ir_hub.ir.dims import Dim, Expr
from ir_hub.ir.errors import BadIR
from ir_hub.ir.graph import Argument, Graph, Literal, Model, Node, Value
from ir_hub.ir.limits import MAX_GRAPHS, MAX_TUPLES
from ir_hub.ir.pack import Place, Put, place_all
from ir_hub.ir.serde_types import NUMBERS
from ir_hub.ir.tensor import Tensor
from ir_hub.ir.text import node_label
from ir_hub.ir.types import DType, TensorType
from ir_hub.ir.unique import unique_names
from irhub.blob.v1 import blob_pb2
from irhub.ir.v1 import ir_pb2


def dump(model: Model, put: Put, opset: int) -> ir_pb2.Model:
    """A model as protobuf.

    Constants that lie in a blob are written by reference and not read; the others are stored by
    `put` first. Values and nodes get unique names: those of inputs and outputs stay as they are
    if they can, and so does whatever else comes first with its name. Arguments that are None are
    left out.

    Raises:
        BadIR: a value is read that nothing defines, or an argument can't be written.
    """
    constants = model.graph.constants()
    places = place_all((v.data for v in constants if v.data is not None), put)
    writer = _Writer(_value_names(model.graph, constants), _node_names(model.graph), places)
    proto = ir_pb2.Model(opset=opset)
    writer.graph(model.graph, proto.graph, 1)
    for value in constants:
        writer.value(value, proto.graph.weights.add())
    proto.scopes.extend(ir_pb2.Scope(path=p, class_name=c) for p, c in model.scopes.items())
    proto.source.framework = model.source.framework
    proto.source.producer = model.source.producer
    proto.source.format_version = model.source.format_version
    for symbol in model.symbols.values():
        proto.symbols.add(
            name=symbol.name, min=symbol.min, max=symbol.max, multiple_of=symbol.multiple_of
        )
    for c in model.constraints:
        proto.constraints.add(left=str(c.left), right=str(c.right), node=c.node)
    return proto


def _value_names(graph: Graph, constants: list[Value]) -> dict[Value, str]:
    made = [v for node in graph.walk() for v in _defined_by(node)]
    defined = dict.fromkeys([*graph.inputs, *made, *constants])
    first = [*graph.inputs, *(value for value in graph.outputs if value in defined)]
    ordered = itertools.chain(first, defined)
    return unique_names((v, v.name or "value") for v in dict.fromkeys(ordered))


def _defined_by(node: Node) -> list[Value]:
    return [*node.results, *(value for body in node.bodies() for value in body.inputs)]


def _node_names(graph: Graph) -> dict[Node, str]:
    return unique_names((node, node.name or node.op) for node in graph.walk())


class _Writer:
    def __init__(
        self,
        values: Mapping[Value, str],
        nodes: Mapping[Node, str],
        places: Mapping[Tensor, Place],
    ) -> None:
        self._values = values
        self._nodes = nodes
        self._places = places

    def graph(self, graph: Graph, proto: ir_pb2.Graph, depth: int) -> None:
        if depth > MAX_GRAPHS:
            raise BadIR(f"bodies are nested over {MAX_GRAPHS} deep: protobuf can't carry that")
        proto.SetInParent()
        for value in graph.inputs:
            if value.is_constant:
                raise BadIR(f"the input {value!r} is a constant: make it one or the other")
            self.value(value, proto.inputs.add())
        for node in graph.nodes:
            try:
                self.node(node, proto.nodes.add(), depth)
            except BadIR as error:
                raise BadIR(f"{node_label(node)}: {error}") from error
        proto.outputs.extend(self.name(value) for value in graph.outputs)

    def value(self, value: Value, proto: ir_pb2.Value) -> None:
        proto.name = self.name(value)
        data = value.data
        if data is not None:
            place = self._places[data]
            proto.data.blob.CopyFrom(
                blob_pb2.Blob(digest=place.blob.digest, size_bytes=place.blob.size)
            )
            proto.data.offset = place.offset
            proto.data.permutation.extend(place.permutation)
            _write_type(TensorType(data.dtype, tuple(data.shape)), proto.type)
        elif value.type is not None:
            _write_type(value.type, proto.type)

    def node(self, node: Node, proto: ir_pb2.Node, depth: int) -> None:
        proto.name = self._nodes[node]
        proto.op = node.op
        proto.scope = node.scope
        proto.origins.extend(node.origins)
        for name, argument in node.args.items():
            if argument is not None:
                self.argument(argument, proto.arguments.add(name=name), depth)
        for result in node.results:
            self.value(result, proto.results.add())

    def argument(self, argument: Argument, proto: ir_pb2.Argument, depth: int) -> None:
        if isinstance(argument, Value):
            proto.value = self.name(argument)
        elif isinstance(argument, Graph):
            self.graph(argument, proto.body, depth + 1)
        elif isinstance(argument, tuple) and any(isinstance(item, Value) for item in argument):
            proto.values.names.extend(self.item_name(proto.name, item) for item in argument)
        else:
            try:
                _write_literal(cast(Literal, argument), proto.literal, 0)
            except ValueError as error:
                raise BadIR(f"{proto.name}: {error}") from error

    def name(self, value: Value) -> str:
        try:
            return self._values[value]
        except KeyError:
            raise BadIR(f"{value!r} is read, but nothing defines it") from None

    def item_name(self, argument: str, item: object) -> str:
        if not isinstance(item, Value):
            raise BadIR(f"{argument} mixes values with {item!r}")
        return self.name(item)


def _write_type(type_: TensorType, proto: ir_pb2.TensorType) -> None:
    proto.data_type = NUMBERS[type_.dtype]
    if type_.shape is None:
        proto.unknown_rank = True
        return
    for size in type_.shape:
        _write_size(size, proto.shape.add())


def _write_size(size: Dim, proto: ir_pb2.Dimension) -> None:
    if isinstance(size, Expr):
        proto.expression = str(size)
    else:
        proto.size = size


def _write_literal(literal: Literal, proto: ir_pb2.Literal, depth: int) -> None:
    """Writes what Python calls by exactly these types; NumPy's scalars are refused but float64,
    which is a float."""
    proto.SetInParent()
    if isinstance(literal, bool):
        proto.bool_value = literal
    elif isinstance(literal, int):
        proto.int_value = literal
    elif isinstance(literal, float):
        proto.float_value = literal
    elif isinstance(literal, str):
        proto.string_value = literal
    elif isinstance(literal, DType):
        proto.data_type_value = NUMBERS[literal]
    elif isinstance(literal, Expr):
        proto.dimension_value = str(literal)
    elif isinstance(literal, tuple):
        if depth == MAX_TUPLES:
            raise ValueError(f"tuples are nested over {MAX_TUPLES} deep")
        proto.list_value.SetInParent()
        for item in literal:
            _write_literal(item, proto.list_value.items.add(), depth + 1)
    elif literal is not None:
        raise ValueError(f"a {type(literal).__name__} is no literal of the IR: {literal!r}")
