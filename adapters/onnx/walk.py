"""An opened ONNX model as a source graph: what the SDK reads by the op tables."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import onnx
from onnx import AttributeProto

from adapters.onnx.elements import dtype_of
from adapters.onnx.files import opsets, tensor_of, type_name
from adapters.onnx.order import in_order
from adapters.onnx.schemas import check_names, check_node
from adapters.onnx.scopes import metadata_of, scope_of
from ir_hub.ir.dims import Dim, Symbol, symbol
from ir_hub.ir.graph import Source
from ir_hub.ir.tensor import ArrayTensor, Tensor
from ir_hub.ir.types import DType, TensorType
from ir_hub.sdk.adapter import Files
from ir_hub.sdk.errors import BadModel, BadRequest
from ir_hub.sdk.source import SourceGraph, SourceNode, symbol_name

UNREADABLE = "irhub::unreadable"  # stands for what isn't a node but can't be read; says why
_ANY_SIZE = ("", "?", "-1", "*", "None", "unk", "unknown")  # names that exporters give any size
_SHORT = 64  # elements of what isn't a weight
_CONSTANT = onnx.defs.get_schema("Constant", 13)  # the first that has all forms
_VALUES = {
    "value_float": DType.FLOAT32,
    "value_floats": DType.FLOAT32,
    "value_int": DType.INT64,
    "value_ints": DType.INT64,
    "value_string": DType.STRING,
    "value_strings": DType.STRING,
}


def walk(model: onnx.ModelProto, files: Files, inputs: Mapping[str, TensorType]) -> SourceGraph:
    """The model's graph; `inputs` are types that override the file's own.

    Raises:
        BadModel: the file contradicts itself.
        BadRequest: `inputs` names no input of the model.
    """
    walker = _Walker(files, opsets(model))
    graph = walker.graph(model.graph)
    unknown = ", ".join(inputs.keys() - graph.inputs.keys())
    if unknown:
        has = ", ".join(graph.inputs)
        raise BadRequest(f"the model has no input {unknown}; its inputs are {has}")
    graph.inputs.update(inputs)
    untyped = ", ".join(name for name, type_ in graph.inputs.items() if type_ is None)
    if untyped:
        raise BadModel(f"the file doesn't say of which type the input {untyped} is: give its type")
    graph.scopes, graph.symbols = walker.scopes, walker.symbols
    graph.source = Source(
        "onnx",
        f"{model.producer_name} {model.producer_version}".strip(),
        f"opset {walker.versions.get('', 0)}",
    )
    return graph


class _Walker:
    """Walks a model's graphs; collects modules and symbols on the way."""

    def __init__(self, files: Files, versions: Mapping[str, int]) -> None:
        self.files = files
        self.versions = versions
        self.scopes: dict[str, str] = {}
        self.symbols: dict[str, Symbol] = {}
        self.by_param: dict[str, str] = {}

    def graph(self, proto: onnx.GraphProto, outermost: bool = True) -> SourceGraph:
        check_names(proto)
        constants = {
            tensor.name: tensor_of(tensor, self.files, "an initializer")
            for tensor in proto.initializer
        }
        constants.update(
            (node.output[0], value)
            for node in proto.node
            if node.op_type == "Constant" and (value := self.value_of(node)) is not None
        )
        inputs = [value for value in proto.input if value.name not in constants]
        constants.update(_cast_back(proto, constants))
        refused = [*_sparse(proto), *_not_tensors(inputs)]
        return SourceGraph(
            inputs={
                value.name: self.type(value, outermost)
                for value in inputs
                if value.type.WhichOneof("value") in (None, "tensor_type")
            },
            constants=constants,
            nodes=[*refused, *self.nodes(proto, constants)],
            outputs=[value.name for value in proto.output],
            output_types={},
        )

    def nodes(
        self, proto: onnx.GraphProto, constants: Mapping[str, Tensor]
    ) -> Iterator[SourceNode]:
        for node in in_order(proto.node):
            if node.op_type in ("Constant", "Cast") and node.output[0] in constants:
                continue
            domain = "" if node.domain == "ai.onnx" else node.domain
            if domain not in self.versions:
                raise BadModel(
                    f"node {node.name or node.op_type} is of the domain {domain!r}, "
                    "of whose op set the file says no version"
                )
            check_node(node, domain, self.versions[domain])
            yield SourceNode(
                type=type_name(node),
                inputs=tuple(node.input),
                outputs=tuple(node.output),
                attrs={a.name: self.attribute(a, node) for a in node.attribute},
                version=self.versions[domain],
                name=node.name,
                scope=scope_of(node.name, metadata_of(node.metadata_props), self.scopes),
            )

    def attribute(self, proto: AttributeProto, node: onnx.NodeProto) -> Any:
        where = f"the attribute {proto.name} of node {node.name or node.op_type}"
        if proto.type == AttributeProto.TENSOR:
            return tensor_of(proto.t, self.files, where)
        if proto.type == AttributeProto.GRAPH:
            return self.graph(proto.g, outermost=False)
        value = onnx.helper.get_attribute_value(proto)
        if proto.type == AttributeProto.FLOAT:
            return _shortest(value)
        if proto.type == AttributeProto.FLOATS:
            return tuple(map(_shortest, value))
        if isinstance(value, bytes):
            return value.decode("utf-8", "replace")
        if proto.type == AttributeProto.STRINGS:
            return tuple(text.decode("utf-8", "replace") for text in value)
        return tuple(value) if proto.type == AttributeProto.INTS else value

    def value_of(self, node: onnx.NodeProto) -> Tensor | None:
        """What a Constant node holds; None for a sparse one."""
        if len(node.attribute) != 1 or len(node.output) != 1:
            raise BadModel(f"the Constant node {node.name or node.output} needs one value")
        name = node.attribute[0].name
        declared = _CONSTANT.attributes.get(name)
        if declared is None or declared.type.value != node.attribute[0].type:
            raise BadModel(
                f"the Constant node {node.name or node.output} has an attribute {name} of a type "
                "that ONNX doesn't define"
            )
        value = self.attribute(node.attribute[0], node)
        if name == "value":
            return value  # type: ignore[no-any-return]
        if name in _VALUES:
            return ArrayTensor(np.array(value, _VALUES[name].numpy))
        return None

    def type(self, value: onnx.ValueInfoProto, outermost: bool) -> TensorType | None:
        """The type of an input; sizes that the file names or leaves open become symbols."""
        tensor = value.type.tensor_type
        if not tensor.elem_type:
            return None
        dtype = dtype_of(tensor.elem_type, f"the input {value.name!r}")
        if not tensor.HasField("shape"):
            return TensorType(dtype)
        dims = enumerate(tensor.shape.dim)
        return TensorType(
            dtype, tuple(self.dim(d, f"{value.name}_{i}", outermost) for i, d in dims)
        )

    def dim(self, proto: Any, place: str, outermost: bool) -> Dim:
        """A size: equal names are one size, but in bodies, where exporters make them up."""
        kind = proto.WhichOneof("value")
        if kind == "dim_value" and proto.dim_value >= 0:
            return int(proto.dim_value)
        named = outermost and kind == "dim_param" and proto.dim_param not in _ANY_SIZE
        if named and proto.dim_param in self.by_param:
            return symbol(self.by_param[proto.dim_param])
        name = symbol_name((proto.dim_param if named else place)[:100], self.symbols)
        self.symbols[name] = Symbol(name)
        if named:
            self.by_param[proto.dim_param] = name
        return symbol(name)


def _cast_back(
    proto: onnx.GraphProto, constants: Mapping[str, Tensor]
) -> Iterator[tuple[str, Tensor]]:
    """Short constants that converters to half precision store in it, and cast back for the ops
    whose scales, limits and the like can't be: read rules want to see those."""
    for node in proto.node:
        to = [attribute.i for attribute in node.attribute if attribute.name == "to"]
        if node.op_type != "Cast" or to != [onnx.TensorProto.FLOAT] or len(node.input) != 1:
            continue
        half = constants.get(node.input[0])
        if half is not None and half.dtype is DType.FLOAT16 and math.prod(half.shape) <= _SHORT:
            yield node.output[0], ArrayTensor(half.numpy().astype(np.float32))


def _shortest(value: float) -> float:
    """The number with the fewest digits that is the same float32: 1e-05, not 9.99999974e-06."""
    return float(str(np.float32(value)))


def _sparse(proto: onnx.GraphProto) -> Iterator[SourceNode]:
    for tensor in proto.sparse_initializer:
        name = tensor.values.name
        yield SourceNode(
            UNREADABLE,
            (),
            (name,),
            {"reason": "a sparse tensor; store it as a dense one"},
            name=name,
        )


def _not_tensors(inputs: list[onnx.ValueInfoProto]) -> Iterator[SourceNode]:
    for value in inputs:
        kind = value.type.WhichOneof("value")
        if kind not in (None, "tensor_type"):
            reason = f"an input that is a {kind.removesuffix('_type')}, not a tensor"
            yield SourceNode(UNREADABLE, (), (value.name,), {"reason": reason}, name=value.name)
