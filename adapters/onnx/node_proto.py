"""Parts of ONNX nodes, made and checked against the schemas of their ops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import AttributeProto, helper

from adapters.onnx.elements import TO_ONNX
from ir_hub.ir.dims import Expr
from ir_hub.ir.graph import Value
from ir_hub.ir.types import DType, TensorType
from ir_hub.sdk.dialect import Unsupported


def formal_types(parameters: Sequence[Any], index: int) -> set[str]:
    """The types that an operand or a result may have."""
    return set(parameters[min(index, len(parameters) - 1)].types) if parameters else set()


def check_type(value: Value, allowed: set[str], schema: Any) -> None:
    """Raises Unsupported when a value has none of the allowed types."""
    if value.dtype is None:
        return
    name = onnx.TensorProto.DataType.Name(TO_ONNX[value.dtype]).lower()
    if f"tensor({name})" not in allowed:
        raise Unsupported(
            f"{schema.name} of opset {schema.since_version} isn't defined for "
            f"{value.dtype.value}; a newer opset may be"
        )


def leave_out(proto: onnx.NodeProto, unused: set[str], schema: Any) -> None:
    """Leaves out optional results that nobody reads."""
    formal = schema.outputs
    optional = onnx.defs.OpSchema.FormalParameterOption.Optional
    for i, name in enumerate(proto.output):
        if name in unused and i < len(formal) and formal[i].option == optional:
            proto.output[i] = ""
    while proto.output and not proto.output[-1]:
        proto.output.pop()


def attribute_protos(schema: Any, values: Mapping[str, Any]) -> list[AttributeProto]:
    """The attributes that aren't None and not the schema's default.

    Raises:
        Unsupported: this version of the op has no such attribute.
    """
    found = []
    for name, value in values.items():
        if value is None:
            continue
        declared = schema.attributes.get(name)
        if declared is None:
            raise Unsupported(f"{schema.name} of opset {schema.since_version} has no {name}")
        proto = _attribute(name, value, declared.type.value)
        if proto != declared.default_value or declared.required:
            found.append(proto)
    return found


def _attribute(name: str, value: Any, kind: int) -> AttributeProto:
    if isinstance(value, np.ndarray):
        value = onnx.numpy_helper.from_array(value)
    elif isinstance(value, DType):
        value = TO_ONNX[value]
    elif kind == AttributeProto.FLOAT:
        value = float(value)
    elif kind == AttributeProto.INT:
        value = int(_number(value))
    elif kind in (AttributeProto.INTS, AttributeProto.FLOATS):
        value = [_number(item) for item in value]
    return helper.make_attribute(name, value, attr_type=kind)


def _number(value: Any) -> Any:
    if isinstance(value, Expr):
        raise Unsupported(f"an attribute of the size {value}, which only the run knows")
    return value


def type_proto(type_: TensorType) -> onnx.TypeProto:
    """A type; sizes with symbols are written as text."""
    shape = None
    if type_.shape is not None:
        shape = [size if isinstance(size, int) else str(size) for size in type_.shape]
    proto: onnx.TypeProto = helper.make_tensor_type_proto(TO_ONNX[type_.dtype], shape)
    return proto
