"""Writes a model of the IR as an ONNX model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper

from adapters.onnx.initializers import write_model
from adapters.onnx.node_proto import (
    attribute_protos,
    check_type,
    formal_types,
    leave_out,
    type_proto,
)
from adapters.onnx.ops import table
from adapters.onnx.scopes import metadata_for
from adapters.onnx.sizes import SizeNodes
from ir_hub import __version__
from ir_hub.ir.graph import Graph, Model, Node, Value, constant
from ir_hub.ir.types import DType
from ir_hub.sdk.adapter import Emitted, Progress
from ir_hub.sdk.dialect import Unsupported
from ir_hub.sdk.errors import Problem, UnsupportedNodes

FILE = "model.onnx"


def save(model: Model, opset: int, folder: Path, progress: Progress) -> Emitted:
    """Writes model.onnx into a folder, and model.onnx.data when it would exceed 2 GiB.

    Raises:
        UnsupportedNodes: some nodes can't be written; every one of them is listed.
    """
    writer = ModelWriter(model, opset)
    proto = writer.model()
    weights = [(name, value.data) for value, name in writer.constants.items()]
    files = write_model(proto, weights, folder / FILE, progress)  # type: ignore[arg-type]
    names = {value.name: name for value, name in writer.constants.items()}
    return Emitted([path.name for path in files], weight_names=names)


class ModelWriter:
    """What all graphs of one model share: names, constants, problems."""

    def __init__(self, model: Model, opset: int) -> None:
        self.source = model
        self.opset = opset
        self.constants: dict[Value, str] = {}
        self.problems: list[Problem] = []
        self.used = _read_values(model.graph)
        self._names: dict[Value, str] = {}
        self._taken: set[str] = set()

    def model(self) -> onnx.ModelProto:
        """The model without its initializers.

        Raises:
            UnsupportedNodes: some nodes can't be written; every one of them is listed.
        """
        graph = self.source.graph
        for value in (*graph.inputs, *dict.fromkeys(graph.outputs)):
            self.name(value)  # those that people know come first
        proto = Emitter(self, graph, "main").proto()
        if self.problems:
            raise UnsupportedNodes(f"ONNX opset {self.opset}", self.problems)
        imports = [helper.make_opsetid("", self.opset)]
        return helper.make_model(
            proto,
            opset_imports=imports,
            ir_version=helper.find_min_ir_version_for(imports),
            producer_name="irhub",
            producer_version=__version__,
        )

    def name(self, value: Value) -> str:
        """The name of a value, the same each time; a constant becomes an initializer."""
        if value not in self._names:
            self._names[value] = self.unique(value.name)
            if value.is_constant:
                self.constants[value] = self._names[value]
        return self._names[value]

    def unique(self, hint: str) -> str:
        """A name that no other value or node has."""
        hint = "".join(c if c.isprintable() else "_" for c in hint)[:200] or "value"
        name, number = hint, 0
        while name in self._taken:
            number += 1
            name = f"{hint}_{number}"
        self._taken.add(name)
        return name


class Emitter:
    """Writes one graph; what the write rules of the op tables get."""

    def __init__(
        self, writer: ModelWriter, graph: Graph, name: str, outer: Emitter | None = None
    ) -> None:
        self.opset = writer.opset
        self._writer = writer
        self._graph = graph
        self._name = name
        self._nodes: list[onnx.NodeProto] = []
        self._current: Node | None = None
        symbols = writer.source.symbols
        around = outer._sizes if outer else None
        self._sizes: SizeNodes = SizeNodes(self._size_node, symbols, around)

    def proto(self) -> onnx.GraphProto:
        """The graph, without initializers."""
        for value in self._graph.inputs:
            self._sizes.learn(value)
        for node in self._graph.nodes:
            self._current = node
            try:
                self._write(node)
            except Unsupported as error:
                origin = f"{node.name or node.result.name} ({node.op})"
                self._writer.problems.append(Problem(origin, str(error)))
            for result in node.results:
                self._sizes.learn(result)
        self._current = None
        outputs = [] if self._writer.problems else self._outputs()
        inputs = [self._info(value, self._writer.name(value)) for value in self._graph.inputs]
        return helper.make_graph(self._nodes, self._name, inputs, outputs)

    def node(
        self,
        type_: str,
        tensors: Sequence[Any],
        attributes: Mapping[str, Any] | None = None,
        count: int = 1,
    ) -> list[str]:
        """Appends a node; returns the names of its results.

        A tensor is a Value, the name of a result, a vector of sizes, or None: left out.
        Attributes that are None or have the schema's default are left out.
        """
        schema = onnx.defs.get_schema(type_, self.opset)
        inputs = [self._operand(tensor, schema, i) for i, tensor in enumerate(tensors)]
        while inputs and not inputs[-1]:
            inputs.pop()
        if len(inputs) > schema.max_input:
            raise Unsupported(f"{type_} with {len(inputs)} operands needs a newer opset")
        scope = self._current.scope if self._current else ""
        path = "/".join(["", *scope.split("."), type_] if scope else ["", type_])
        proto = onnx.NodeProto(
            op_type=type_,
            name=self._writer.unique(path),
            input=inputs,
            output=[self._writer.unique(f"{path}_result") for _ in range(count)],
            attribute=attribute_protos(schema, attributes or {}),
        )
        if scope:
            for key, text in metadata_for(scope, type_, self._writer.source.scopes).items():
                proto.metadata_props.add(key=key, value=text)
        self._nodes.append(proto)
        return list(proto.output)

    def body(self, graph: Graph) -> onnx.GraphProto:
        """A graph that is an attribute."""
        return Emitter(self._writer, graph, self._writer.unique("body"), self).proto()

    def scalar(self, number: float, dtype: DType | None) -> Value:
        """A constant of rank 0."""
        return constant(self.array(number, dtype), "scalar")

    def floats(self, numbers: Iterable[float]) -> Value:
        """A vector of float32."""
        return constant(np.array(tuple(numbers), np.float32), "scales")

    def array(self, numbers: Any, dtype: DType | None) -> np.ndarray:
        """An array of a known type; Unsupported when it isn't known."""
        if dtype is None:
            raise Unsupported("the type of its operand isn't known")
        return np.asarray(numbers, dtype.numpy)

    def single(self, sizes: Any, dtype: DType = DType.INT64) -> Any:
        """The one size that a vector of sizes holds, as a scalar of an integer type."""
        if sizes is None:
            return None
        if isinstance(sizes, tuple) and isinstance(sizes[0], int):
            return self.scalar(sizes[0], dtype)
        (one,) = self.node("Reshape", [sizes, constant(np.zeros(0, np.int64), "no_axes")])
        return self.node("Cast", [one], {"to": dtype})[0]

    def ones(self, shape: Sequence[Any] | None, dtype: DType | None) -> Value:
        """A constant of ones; Unsupported where the shape isn't known."""
        if shape is None or not all(isinstance(size, int) for size in shape):
            raise Unsupported("a weight of ones for axes of unknown size")
        return constant(np.broadcast_to(self.array(1, dtype), tuple(shape)), "ones")

    def _write(self, node: Node) -> None:
        first = len(self._nodes)
        table.check_axes(node)
        names = _rule(node.op, self.opset)(node, self)
        results = dict(zip(names, node.results, strict=True))
        wanted = {name: self._writer.name(result) for name, result in results.items()}
        unused = {wanted[name] for name, r in results.items() if r not in self._writer.used}
        for proto in self._nodes[first:]:
            schema = onnx.defs.get_schema(proto.op_type, self.opset)
            for i, name in enumerate(proto.output):
                if name in results:
                    check_type(results[name], formal_types(schema.outputs, i), schema)
            proto.input[:] = [wanted.get(name, name) for name in proto.input]
            proto.output[:] = [wanted.get(name, name) for name in proto.output]
            leave_out(proto, unused, schema)

    def _outputs(self) -> list[onnx.ValueInfoProto]:
        """The outputs; what isn't a result of this graph, or twice among them, passes through an
        identity."""
        computed = {name for proto in self._nodes for name in proto.output}
        infos = []
        for value in self._graph.outputs:
            name = self._writer.name(value)
            if name not in computed:
                (name,) = self.node("Identity", [value])
            computed.discard(name)
            infos.append(self._info(value, name))
        return infos

    def _operand(self, tensor: Any, schema: Any, index: int) -> str:
        if tensor is None:
            return ""
        if isinstance(tensor, tuple | list):
            tensor = self._sizes.vector(tensor)
        if isinstance(tensor, str):
            return tensor
        allowed = formal_types(schema.inputs, index)
        if allowed == {"tensor(int64)"} and tensor.dtype not in (DType.INT64, None):
            return self.node("Cast", [tensor], {"to": DType.INT64})[0]
        check_type(tensor, allowed, schema)
        return self._writer.name(tensor)

    def _size_node(
        self, type_: str, tensors: Sequence[Value | str], attributes: Mapping[str, object]
    ) -> str:
        return self.node(type_, tensors, attributes)[0]

    def _info(self, value: Value, name: str) -> onnx.ValueInfoProto:
        info = onnx.ValueInfoProto(name=name)
        if value.type is not None:
            info.type.CopyFrom(type_proto(value.type))
        return info


def _rule(op: str, opset: int) -> Any:
    """The write rule of an op; Unsupported says which opset would have it, if any has."""
    versions = table.writes.get(op, {})
    if versions and min(versions) > opset:
        raise Unsupported(f"{op} needs the option opset={min(versions)} or newer")
    return table.writer(op, opset)


def _read_values(graph: Graph) -> set[Value]:
    """Every value that some node reads or some graph returns."""
    graphs = [graph, *(body for node in graph.walk() for body in node.bodies())]
    read = {value for node in graph.walk() for _, value in node.operands()}
    return read.union(*(each.outputs for each in graphs))
