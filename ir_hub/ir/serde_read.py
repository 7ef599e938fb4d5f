"""Reads a model from protobuf; whatever is malformed in it is refused with its place."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from ir_hub.ir.dims import Dim, Symbol, parse_dim
from ir_hub.ir.errors import BadIR, VersionSkew
from ir_hub.ir.graph import Argument, Constraint, Graph, Literal, Model, Node, Source, Value
from ir_hub.ir.limits import MAX_GRAPHS, MAX_RANK, MAX_SIZE, MAX_TUPLES
from ir_hub.ir.serde_types import DTYPES
from ir_hub.ir.tensor import Blob, BlobTensor, least_byte_size
from ir_hub.ir.types import DType, TensorType
from irhub.ir.v1 import ir_pb2

OpenBlob = Callable[[Blob], memoryview]
T = TypeVar("T")

_DIGEST = re.compile(r"[0-9a-f]{64}")


def load(proto: ir_pb2.Model, open_blob: OpenBlob, opset: int) -> Model:
    """A model from protobuf. Constants are read only when somebody asks for their elements:
    `open_blob` is called then. Arguments that were left out stay so; see `verify.complete`.

    Raises:
        VersionSkew: the model is written in another version of the op set than `opset`.
        BadIR: the model is malformed; the message says where and why.
    """
    if proto.opset != opset:
        raise VersionSkew(
            f"the model is written in version {proto.opset} of the op set, this is version"
            f" {opset}: convert it again, or use services of one version"
        )
    if not proto.HasField("graph"):
        raise BadIR("the model has no graph")
    reader = _Reader(open_blob)
    return Model(
        graph=reader.graph(proto.graph, 1),
        scopes=_unique("scope", ((scope.path, scope.class_name) for scope in proto.scopes)),
        source=Source(proto.source.framework, proto.source.producer, proto.source.format_version),
        symbols=_unique("symbol", ((s.name, _read_symbol(s)) for s in proto.symbols)),
        constraints=[reader.constraint(c) for c in proto.constraints],
    )


class _Reader:
    def __init__(self, open_blob: OpenBlob) -> None:
        self._open_blob = open_blob
        self._visible: dict[str, Value] = {}
        self._value_names: set[str] = set()
        self._node_names: set[str] = set()
        self._sizes: dict[str, Dim] = {}

    def graph(self, proto: ir_pb2.Graph, depth: int) -> Graph:
        if depth > MAX_GRAPHS:
            raise BadIR(f"bodies are nested over {MAX_GRAPHS} deep")
        outside = len(self._visible)
        graph = Graph([self.define(value) for value in proto.inputs])
        for value in proto.weights:
            self.weight(value)
        for position, node in enumerate(proto.nodes):
            with _at(f"node {node.name!r} ({node.op})" if node.name else f"node {position}"):
                graph.nodes.append(self.node(node, depth))
        with _at("outputs"):
            graph.outputs = [self.find(name) for name in proto.outputs]
        for _ in range(len(self._visible) - outside):
            self._visible.popitem()  # the latest first: what this graph defined
        return graph

    def node(self, proto: ir_pb2.Node, depth: int) -> Node:
        if not proto.name:
            raise BadIR(f"a call of {proto.op!r} has no name")
        if not proto.op:
            raise BadIR("it names no op")
        if proto.name in self._node_names:
            raise BadIR("another node has the same name")
        self._node_names.add(proto.name)
        args: dict[str, Argument] = {}
        for argument in proto.arguments:
            with _at(f"argument {argument.name!r}"):
                if argument.name in args:
                    raise BadIR("it is given twice")
                args[argument.name] = self.argument(argument, depth)
        results = [self.define(value) for value in proto.results]
        return Node(proto.op, args, results, proto.name, proto.scope, tuple(proto.origins))

    def argument(self, proto: ir_pb2.Argument, depth: int) -> Argument:
        kind = proto.WhichOneof("kind")
        if not proto.name:
            raise BadIR("it has no name")
        if kind == "value":
            return self.find(proto.value)
        if kind == "values":
            return tuple(self.find(name) for name in proto.values.names)
        if kind == "literal":
            return self.literal(proto.literal, 0)
        if kind == "body":
            return self.graph(proto.body, depth + 1)
        raise BadIR("it has neither a value nor a literal nor a body")

    def literal(self, proto: ir_pb2.Literal, depth: int) -> Literal:
        kind = proto.WhichOneof("kind")
        if kind is None:
            return None
        if kind == "list_value":
            if depth == MAX_TUPLES:
                raise BadIR(f"lists are nested over {MAX_TUPLES} deep")
            return tuple(self.literal(item, depth + 1) for item in proto.list_value.items)
        if kind == "data_type_value":
            return _read_dtype(proto.data_type_value)
        if kind == "dimension_value":
            return self.expression(proto.dimension_value)
        literal: bool | int | float | str = getattr(proto, kind)
        return literal

    def find(self, name: str) -> Value:
        try:
            return self._visible[name]
        except KeyError:
            hint = " here" if name in self._value_names else ""
            raise BadIR(f"there is no value {name!r}{hint}: define it before it is read") from None

    def define(self, proto: ir_pb2.Value) -> Value:
        with _at(f"value {proto.name!r}"):
            if proto.HasField("data"):
                raise BadIR("it has data, but isn't among the weights of its graph")
            value = Value(proto.name, self.type(proto.type) if proto.HasField("type") else None)
            return self.register(value)

    def weight(self, proto: ir_pb2.Value) -> None:
        with _at(f"weight {proto.name!r}"):
            if not proto.HasField("type"):
                raise BadIR("it has no type")
            type_ = self.type(proto.type)
            data = _read_tensor(proto, type_, self._open_blob)
            self.register(Value(proto.name, type_, data=data))

    def register(self, value: Value) -> Value:
        if not value.name:
            raise BadIR("it has no name")
        if value.name in self._value_names:
            raise BadIR("another value has the same name")
        self._value_names.add(value.name)
        self._visible[value.name] = value
        return value

    def type(self, proto: ir_pb2.TensorType) -> TensorType:
        dtype = _read_dtype(proto.data_type)
        if proto.unknown_rank:
            if proto.shape:
                raise BadIR("its rank is said to be unknown, yet it has a shape")
            return TensorType(dtype)
        if len(proto.shape) > MAX_RANK:
            raise BadIR(f"it has {len(proto.shape)} axes; at most {MAX_RANK}")
        return TensorType(dtype, tuple(self.size(i, d) for i, d in enumerate(proto.shape)))

    def size(self, axis: int, proto: ir_pb2.Dimension) -> Dim:
        kind = proto.WhichOneof("kind")
        if kind is None:
            raise BadIR(f"axis {axis} has neither a size nor an expression")
        size = proto.size if kind == "size" else self.expression(proto.expression)
        if isinstance(size, int) and not 0 <= size <= MAX_SIZE:
            raise BadIR(f"axis {axis} has the size {size}: it must be 0 to {MAX_SIZE}")
        return size

    def expression(self, text: str) -> Dim:
        if text not in self._sizes:
            self._sizes[text] = parse_dim(text)
        return self._sizes[text]

    def constraint(self, proto: ir_pb2.Constraint) -> Constraint:
        with _at(f"a constraint of node {proto.node!r}"):
            return Constraint(self.expression(proto.left), self.expression(proto.right), proto.node)


@contextlib.contextmanager
def _at(place: str) -> Iterator[None]:
    """Puts the place before the message of what is refused within."""
    try:
        yield
    except ValueError as error:
        raise BadIR(f"{place}: {error}") from error


def _read_dtype(number: int) -> DType:
    if number == 0:
        raise BadIR("its element type isn't specified")
    if number not in DTYPES:
        raise BadIR(f"its element type has the number {number}, which is unknown here")
    return DTYPES[number]


def _read_tensor(proto: ir_pb2.Value, type_: TensorType, open_blob: OpenBlob) -> BlobTensor:
    if not proto.data.HasField("blob"):
        raise BadIR("it says no blob that holds its bytes")
    blob = Blob(proto.data.blob.digest, proto.data.blob.size_bytes)
    shape = tuple(size for size in type_.shape or () if isinstance(size, int))
    if not type_.is_static:
        raise BadIR(f"a constant needs a shape of numbers, not {type_}")
    if not _DIGEST.fullmatch(blob.digest) or blob.size < 0:
        raise BadIR(f"{blob.digest!r} of {blob.size} bytes is no SHA-256 digest of a blob")
    permutation = tuple(proto.data.permutation)
    if permutation and sorted(permutation) != list(range(len(shape))):
        raise BadIR(f"{permutation} doesn't permute {len(shape)} axes")
    offset, needed = proto.data.offset, least_byte_size(type_.dtype, shape)
    if offset < 0 or offset + needed > blob.size:
        raise BadIR(
            f"its {needed} bytes at offset {offset} don't fit its blob of {blob.size} bytes"
        )
    stored = list(shape)
    for axis, stored_axis in enumerate(permutation):
        stored[stored_axis] = shape[axis]
    return BlobTensor(blob, offset, type_.dtype, tuple(stored), open_blob, permutation)


def _read_symbol(proto: ir_pb2.Symbol) -> Symbol:
    with _at(f"symbol {proto.name!r}"):
        greatest = proto.max if proto.HasField("max") else None
        return Symbol(proto.name, proto.min, greatest, proto.multiple_of or 1)


def _unique(what: str, items: Iterable[tuple[str, T]]) -> dict[str, T]:
    found: dict[str, T] = {}
    for name, item in items:
        if name in found:
            raise BadIR(f"{what} {name!r} is declared twice")
        found[name] = item
    return found
