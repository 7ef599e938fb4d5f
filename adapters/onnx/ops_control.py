"""ONNX's branches and loops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adapters.onnx.dialect import only, table
from ir_hub.ir.graph import Node, Value
from ir_hub.ir.types import DType, TensorType
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import Call, Unsupported
from ir_hub.sdk.source import SourceGraph


@table.read("If", since=1)
def if_(call: Call, b: Builder) -> Any:
    only(call, "then_branch", "else_branch")
    branches = {name: call.body(name) for name in ("then_branch", "else_branch")}
    return b.call("if", call.inputs[0], **branches)


@table.write("if")
def write_if(node: Node, emitter: Any) -> Any:
    attributes = {
        "then_branch": emitter.body(node.then_branch),
        "else_branch": emitter.body(node.else_branch),
    }
    return emitter.node("If", [node.condition], attributes, len(node.results))


@table.read("Loop", since=1)
def loop(call: Call, b: Builder) -> Any:
    only(call, "body")
    trip_count, condition, initial = call.input(0), call.input(1), call.inputs[2:]
    _check_present(initial, call)
    counted = [TensorType(DType.INT64, ()), TensorType(DType.BOOL, ())]
    _give_types(call.attrs["body"], [*counted, *(v.type for v in initial if v is not None)])
    return b.call("loop", trip_count, condition, initial, body=call.body("body"))


@table.write("loop")
def write_loop(node: Node, emitter: Any) -> Any:
    tensors = [node.trip_count, node.condition, *node.initial]
    return emitter.node("Loop", tensors, {"body": emitter.body(node.body)}, len(node.results))


@table.read("Scan", since=9)
def scan(call: Call, b: Builder) -> Any:
    directions = ("scan_input_directions", "scan_output_directions")
    only(call, "body", "num_scan_inputs", "scan_input_axes", "scan_output_axes", *directions)
    _check_present(call.inputs, call)
    count = len(call.inputs) - call.attrs["num_scan_inputs"]
    initial, scanned = call.inputs[:count], call.inputs[count:]
    axes = tuple(call.attrs.get("scan_input_axes", ()))
    slices = [_slice_type(v, axes[i] if axes else 0) for i, v in enumerate(scanned)]
    _give_types(call.attrs["body"], [*(v.type for v in initial if v is not None), *slices])
    return b.scan(
        initial,
        scanned,
        body=call.body("body"),
        input_axes=axes,
        input_directions=tuple(call.attrs.get("scan_input_directions", ())),
        output_axes=tuple(call.attrs.get("scan_output_axes", ())),
        output_directions=tuple(call.attrs.get("scan_output_directions", ())),
    )


@table.write("scan", since=9)
def write_scan(node: Node, emitter: Any) -> Any:
    attributes = {
        "body": emitter.body(node.body),
        "num_scan_inputs": len(node.scanned),
        "scan_input_axes": node.input_axes or None,
        "scan_input_directions": node.input_directions or None,
        "scan_output_axes": node.output_axes or None,
        "scan_output_directions": node.output_directions or None,
    }
    tensors = [*node.initial, *node.scanned]
    return emitter.node("Scan", tensors, attributes, len(node.results))


@table.read("irhub::unreadable")
def unreadable(call: Call, b: Builder) -> Any:
    """What the file has beside nodes that can't be read: sparse tensors, inputs not tensors."""
    raise Unsupported(call.attrs["reason"])


@table.read("Constant")
def sparse_constant(call: Call, b: Builder) -> Any:
    """All others were taken as constants when the file was opened."""
    raise Unsupported("a sparse constant; store it as a dense one")


def _check_present(values: Sequence[Value | None], call: Call) -> None:
    if any(value is None for value in values):
        raise Unsupported(f"{call.type} that leaves out a carried value")


def _give_types(body: SourceGraph, types: Sequence[TensorType | None]) -> None:
    """Gives a body's inputs the types that the file left out; their shapes only if the body
    doesn't say another one: a carried value may change its shape."""
    if len(body.inputs) != len(types):
        return  # one is not a tensor: the body's own nodes say so
    for name, given in zip(body.inputs, types, strict=True):
        if body.inputs[name] is None and given is not None:
            body.inputs[name] = given.with_shape(None)


def _slice_type(value: Value | None, axis: int) -> TensorType | None:
    if value is None or value.type is None or value.type.shape is None:
        return value.type if value is not None else None
    shape = list(value.type.shape)
    del shape[axis]
    return value.type.with_shape(tuple(shape))
