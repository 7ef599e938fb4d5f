"""An opened graph as a source graph: what the SDK reads by the op tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tensorflow.core.framework import node_def_pb2
from tensorflow.python.framework import op_def_registry

from adapters.tensorflow.names import fresh
from adapters.tensorflow.saved.elements import (
    attribute_of,
    constant_of,
    dtype_or_none,
    shape_of,
)
from adapters.tensorflow.saved.frames import (
    READING,
    Frames,
    Place,
    attribute,
    data_inputs,
    types_of,
)
from adapters.tensorflow.saved.model import GraphModel, Port, Signature, choose
from adapters.tensorflow.saved.reading import DTYPES, PREFIX, SHAPES
from adapters.tensorflow.saved.scopes import Scopes
from adapters.tensorflow.walk import UNREADABLE
from ir_hub.ir.dims import Dim, Symbol, symbol
from ir_hub.ir.graph import Source
from ir_hub.ir.tensor import ArrayTensor, Tensor
from ir_hub.ir.types import TensorType
from ir_hub.sdk.errors import BadModel, BadRequest
from ir_hub.sdk.source import SourceGraph, SourceNode, symbol_name

_VARIABLE, _CONSTANT, _INPUT = "VarHandleOp", "Const", "Placeholder"
_MOST_NODES = 1_000_000
_CHANGES = re.compile(r"Assign|Scatter(Add|Sub|Mul|Div|Min|Max|Update|Nd)|ResourceApply")
_RESOURCE = 20  # the number of the type of what stands for a variable or a table


def walk(model: GraphModel, signature: str, inputs: Mapping[str, TensorType]) -> SourceGraph:
    """The model's graph as one of its signatures calls it, the usual one by default; `inputs` are
    types that override the file's own.

    Raises:
        BadModel: the file contradicts itself.
        BadRequest: `inputs` aren't the model's.
    """
    walker = _Walker(model, model.signatures[choose(list(model.signatures), signature)])
    ports = walker.signature.inputs
    types: dict[str, TensorType | None] = {port.name: walker.type(port) for port in ports}
    for name, given in inputs.items():
        port = next((port for port in ports if port.name == name), None)
        if port is None:
            raise BadRequest(f"the model has no input {name}; its inputs are {', '.join(types)}")
        _check_given(port, given)
        types[name] = given
    outputs = walker.outputs()
    scopes = {"": walker.scopes.model} if walker.scopes.model else {}
    return SourceGraph(
        inputs=types,
        constants=walker.constants,
        nodes=[*walker.changes(), *walker.nodes],
        outputs=outputs,
        scopes=scopes,
        symbols=walker.symbols,
        source=Source("tensorflow", model.producer, model.kind),
    )


def _check_given(port: Port, given: TensorType) -> None:
    sizes = zip(port.shape or (), given.shape or (), strict=False)
    fits = given.dtype is port.dtype and (
        port.shape is None
        or given.shape is None
        or (
            len(port.shape) == len(given.shape)
            and all(said is None or said == size for said, size in sizes)
        )
    )
    if not fits:
        shape = "[*]" if port.shape is None else [n or "?" for n in port.shape]
        raise BadRequest(f"the input {port.name} is {port.dtype.value}{shape}, not {given}")


class _Walker:
    def __init__(self, model: GraphModel, signature: Signature) -> None:
        self.model, self.signature = model, signature
        self.frames = Frames(model)
        self.constants: dict[str, Tensor] = {}
        self.symbols: dict[str, Symbol] = {}
        self.nodes: list[SourceNode] = []
        self.names: dict[tuple[tuple[int, str], int], str] = {}
        self.taken = {port.name for port in signature.inputs}
        self.used: dict[tuple[int, str], int] = {}  # by node: how many of its results
        self.reads: dict[str, list[str]] = {}
        self.variables = {node: each.name for node, each in model.variables.items()}
        self.scopes = Scopes({}, {})

    def type(self, port: Port) -> TensorType:
        if port.shape is None:
            return TensorType(port.dtype)
        sizes = (self.size(port.name, axis, size) for axis, size in enumerate(port.shape))
        return TensorType(port.dtype, tuple(sizes))

    def size(self, name: str, axis: int, size: int | None) -> Dim:
        if size is not None:
            return size
        text = "batch" if axis == 0 else symbol_name(f"{name}_{axis}"[:100], ())
        self.symbols.setdefault(text, Symbol(text, 1))
        return symbol(text)

    def outputs(self) -> list[str]:
        """Walks what the outputs need, and gives their names."""
        places = []
        for port in self.signature.inputs:
            place = self.frames.place(self.frames.main, port.tensor)
            self.names[place.key, place.port] = port.name
        for port in self.signature.outputs:
            place = self.frames.place(self.frames.main, port.tensor)
            places.append(place)
            if (place.key, place.port) not in self.names and place.node.op != _VARIABLE:
                self.names[place.key, place.port] = fresh(port.name, self.taken)
        ordered = self.ordered(places)
        paths = (place.frame.path(place.node.name) for place in ordered)
        self.scopes = Scopes(self.variables, self.reads, paths)
        for place in ordered:
            self.node(place)
        return [self.output(*each) for each in zip(self.signature.outputs, places, strict=True)]

    def output(self, port: Port, place: Place) -> str:
        """An output under its own name, also where that value has another one."""
        name = self.name(place)
        if name == port.name:
            return name
        called = fresh(port.name, self.taken)
        self.nodes.append(SourceNode(f"{PREFIX}Identity", (name,), (called,), name=called))
        return called

    def ordered(self, wanted: Iterable[Place]) -> list[Place]:
        """The nodes that some tensors need, each after those that it reads."""
        found: list[Place] = []
        done: dict[tuple[int, str], bool] = {}  # False while what a node reads is walked
        waiting = [(place, False) for place in wanted]
        while waiting:
            place, is_over = waiting.pop()
            self.used[place.key] = max(self.used.get(place.key, 0), place.port + 1)
            if is_over:
                done[place.key] = True
                found.append(place)
            elif place.key not in done:
                done[place.key] = False
                waiting.append((place, True))
                for before in self.read_by(place):
                    self.used[before.key] = max(self.used.get(before.key, 0), before.port + 1)
                    if not done.get(before.key, True):
                        raise BadModel(f"the graph has a cycle at {place.node.name}")
                    waiting.append((before, False))
            if len(done) > _MOST_NODES:
                raise BadModel(f"the model has more than {_MOST_NODES} nodes")
        return found

    def read_by(self, place: Place) -> Iterator[Place]:
        """Where the tensors that a node reads come from."""
        if (place.key, 0) in self.names and place.node.op == _INPUT:
            return
        for tensor in data_inputs(place.node):
            through: list[str] = []
            before = self.frames.place(place.frame, tensor, through)
            if self.is_variable(before):
                own = f"{place.frame.path(place.node.name)}/{READING}"
                self.reads.setdefault(before.node.name, []).extend(through or [own])
            yield before

    def is_variable(self, place: Place) -> bool:
        """Whether a node stands for a variable that the file has."""
        is_one = place.node.op == _VARIABLE and place.frame is self.frames.main
        return is_one and place.node.name in self.variables

    def node(self, place: Place) -> None:
        """Adds a node, constants and variables as what they are."""
        node, path = place.node, place.frame.path(place.node.name)
        if node.op == _INPUT and (place.key, 0) in self.names:
            return
        if node.op == _CONSTANT:
            proto = attribute(node, "value").tensor
            self.constants[self.name(place)] = ArrayTensor(constant_of(proto, f"the node {path}"))
            return
        if self.is_variable(place):
            name = self.names[place.key, 0] = fresh(self.scopes.key(node.name), self.taken)
            self.constants[name] = self.model.variables[node.name].tensor
            return
        inputs = [self.frames.place(place.frame, tensor) for tensor in data_inputs(node)]
        outputs = tuple(
            self.name(Place(place.frame, node, port)) for port in range(self.used[place.key])
        )
        self.nodes.append(
            SourceNode(
                f"{PREFIX}{node.op}",
                tuple(map(self.name, inputs)),
                outputs,
                _attributes(node),
                name=path,
                scope=self.scopes.of(path),
            )
        )

    def name(self, place: Place) -> str:
        """What a tensor is called in the source graph."""
        key = place.key, place.port
        if key not in self.names:
            path = place.frame.path(place.node.name)
            self.names[key] = fresh(f"{path}:{place.port}" if place.port else path, self.taken)
        return self.names[key]

    def changes(self) -> Iterator[SourceNode]:
        """What changes variables while the model runs, which nothing of ours does."""
        for frame in self.frames.all[1:]:
            for node in frame.nodes.values():
                if _CHANGES.search(node.op) and _takes_resource(node):
                    path = frame.path(node.name)
                    reason = {"reason": "it changes a variable, which the next call would see"}
                    yield SourceNode(UNREADABLE, (), (fresh(path, self.taken),), reason, name=path)


def _takes_resource(node: node_def_pb2.NodeDef) -> bool:
    definition = op_def_registry.get(node.op)
    return definition is None or any(arg.type == _RESOURCE for arg in definition.input_arg)


def _attributes(node: node_def_pb2.NodeDef) -> dict[str, Any]:
    """A node's attributes with the op's defaults, and what the file says of its results."""
    definition = op_def_registry.get(node.op)
    declared = list(definition.attr) if definition is not None else []
    protos = {each.name: each.default_value for each in declared if each.HasField("default_value")}
    protos.update((name, value) for name, value in node.attr.items() if not name.startswith("_"))
    found = {name: attribute_of(proto) for name, proto in protos.items()}
    if "_output_shapes" in node.attr:
        found[SHAPES] = tuple(map(shape_of, node.attr["_output_shapes"].list.shape))
    outputs = definition.output_arg if definition is not None else ()
    types = (number for output in outputs for number in types_of(output, node))
    found[DTYPES] = tuple(map(dtype_or_none, types))
    return found
