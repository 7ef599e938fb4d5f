"""ONNX's quantised ops."""

from __future__ import annotations

from typing import Any

from adapters.onnx.dialect import dtype_of_number, only, table
from adapters.onnx.windows import flat_pads, kernel_of, window_literals
from ir_hub.ir.graph import Node, Value
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import Call, Unsupported

table.same("dynamic_quantize_linear", "DynamicQuantizeLinear", since=11)
table.same("matmul_integer", "MatMulInteger", since=10)
table.same("qlinear_matmul", "QLinearMatMul", since=10)


@table.read("QuantizeLinear", since=10)
def quantize_linear(call: Call, b: Builder) -> Any:
    only(call, "axis", "saturate", "block_size", "output_dtype", "precision")
    zero_point, said = call.input(2), call.attrs.get("output_dtype", 0)
    dtype = dtype_of_number(said) if said else DType.UINT8
    if zero_point is not None:
        dtype = _dtype(zero_point, "the zero point")
    precision = call.attrs.get("precision", 0)
    return b.quantize_linear(
        *call.inputs,
        axis=call.attrs.get("axis", 1),
        block_size=call.attrs.get("block_size", 0),
        output_dtype=dtype,
        saturate=bool(call.attrs.get("saturate", 1)),
        precision=dtype_of_number(precision) if precision else None,
    )


@table.write("quantize_linear", since=21)
def write_quantize_linear(node: Node, emitter: Any) -> Any:
    attributes = {
        "axis": node.axis,
        "block_size": node.block_size,
        "output_dtype": node.output_dtype if node.zero_point is None else None,
        "saturate": node.saturate,
        "precision": node.precision,
    }
    return emitter.node("QuantizeLinear", [node.x, node.scale, node.zero_point], attributes)


@table.read("DequantizeLinear", since=10)
def dequantize_linear(call: Call, b: Builder) -> Any:
    only(call, "axis", "block_size", "output_dtype")
    said = call.attrs.get("output_dtype", 0)
    dtype = dtype_of_number(said) if said else _dtype(call.inputs[1], "the scale")
    return b.dequantize_linear(
        *call.inputs,
        axis=call.attrs.get("axis", 1),
        block_size=call.attrs.get("block_size", 0),
        output_dtype=dtype,
    )


@table.write("dequantize_linear", since=21)
def write_dequantize_linear(node: Node, emitter: Any) -> Any:
    """`output_dtype` came with opset 23; before, the result always had the scale's type."""
    other = node.output_dtype is not node.scale.dtype
    attributes = {
        "axis": node.axis,
        "block_size": node.block_size,
        "output_dtype": node.output_dtype if other else None,
    }
    return emitter.node("DequantizeLinear", [node.x, node.scale, node.zero_point], attributes)


@table.read("QLinearConv", since=10)
def qlinear_conv(call: Call, b: Builder) -> Any:
    only(call, "auto_pad", "dilations", "group", "kernel_shape", "pads", "strides")
    literals = window_literals(call, kernel_of(call, call.inputs[3]))
    return b.qlinear_conv(*call.inputs, **literals, groups=call.attrs.get("group", 1))


@table.write("qlinear_conv", since=10)
def write_qlinear_conv(node: Node, emitter: Any) -> Any:
    tensors = [node.x, node.x_scale, node.x_zero_point]
    tensors += [node.weight, node.weight_scale, node.weight_zero_point]
    tensors += [node.y_scale, node.y_zero_point, node.bias]
    attributes = {
        "strides": node.strides,
        "pads": flat_pads(node.pads),
        "dilations": node.dilations,
        "group": node.groups,
    }
    return emitter.node("QLinearConv", tensors, attributes)


def _dtype(value: Value | None, what: str) -> DType:
    if value is None or value.dtype is None:
        raise Unsupported(f"the type of {what} isn't known")
    return value.dtype
