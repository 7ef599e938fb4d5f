"""ONNX's convolutions and pools."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adapters.onnx.dialect import only, rank_of, table
from adapters.onnx.windows import (
    Pads,
    flat_pads,
    kernel_of,
    paired,
    split_total,
    window_literals,
)
from ir_hub.ir.graph import Node
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import Call, Unsupported

_WINDOW = ("auto_pad", "dilations", "kernel_shape", "pads", "strides")


@table.read("Conv")
def conv(call: Call, b: Builder) -> Any:
    only(call, *_WINDOW, "group")
    literals = window_literals(call, kernel_of(call, call.inputs[1]))
    return b.conv(*call.inputs, **literals, groups=call.attrs.get("group", 1))


@table.read("ConvInteger", since=10)
def conv_integer(call: Call, b: Builder) -> Any:
    only(call, *_WINDOW, "group")
    literals = window_literals(call, kernel_of(call, call.inputs[1]))
    return b.conv_integer(*call.inputs, **literals, groups=call.attrs.get("group", 1))


@table.write("conv")
def write_conv(node: Node, emitter: Any) -> Any:
    tensors = [node.x, node.weight, node.bias]
    return emitter.node("Conv", tensors, _conv_attributes(node))


@table.write("conv_integer", since=10)
def write_conv_integer(node: Node, emitter: Any) -> Any:
    tensors = [node.x, node.weight, node.x_zero_point, node.weight_zero_point]
    return emitter.node("ConvInteger", tensors, _conv_attributes(node))


def _conv_attributes(node: Node) -> dict[str, Any]:
    kernel = node.weight.shape and node.weight.shape[2:]
    known = kernel and all(isinstance(size, int) for size in kernel)
    return {"kernel_shape": kernel if known else None, "group": node.groups, **_sliding(node)}


def _sliding(node: Node) -> dict[str, Any]:
    found = {"strides": node.strides, "pads": flat_pads(node.pads)}
    return {**found, "dilations": node.dilations} if "dilations" in node.args else found


@table.read("ConvTranspose")
def conv_transpose(call: Call, b: Builder) -> Any:
    only(call, *_WINDOW, "group", "output_padding", "output_shape")
    kernel = kernel_of(call, call.inputs[1])
    count = len(kernel)
    strides = call.attrs.get("strides") or (1,) * count
    dilations = call.attrs.get("dilations") or (1,) * count
    output_padding = tuple(call.attrs.get("output_padding") or (0,) * count)
    extents = [d * (k - 1) + 1 for d, k in zip(dilations, kernel, strict=True)]
    pads, output_padding = _transposed_pads(call, extents, strides, output_padding)
    return b.conv_transpose(
        *call.inputs,
        strides=tuple(strides),
        pads=pads,
        dilations=tuple(dilations),
        output_padding=output_padding,
        groups=call.attrs.get("group", 1),
    )


def _transposed_pads(
    call: Call, extents: Sequence[int], strides: Sequence[int], output_padding: tuple[int, ...]
) -> tuple[Pads, tuple[int, ...]]:
    """The padding, and the padding of the result, that give the result its size: ONNX's rules."""
    rule = call.attrs.get("auto_pad", "NOTSET")
    wanted = call.attrs.get("output_shape")
    count = len(extents)
    if wanted is None and rule in ("NOTSET", "VALID"):
        given = call.attrs.get("pads") if rule == "NOTSET" else None
        return paired(given, count), output_padding
    rank_of(call.inputs[0], "the operand of ConvTranspose")
    pads, more = [], []
    for i, size in enumerate(call.inputs[0].shape[2:]):  # type: ignore[union-attr, index]
        target = wanted[-count:][i] if wanted else size * strides[i]
        total = strides[i] * (size - 1) + output_padding[i] + extents[i] - target
        if not isinstance(total, int):
            raise Unsupported(f"ConvTranspose of the size {size} needs the padding {total}")
        pads.append(split_total(max(total, 0), upper=rule == "SAME_UPPER"))
        more.append(output_padding[i] + max(-total, 0))
    return tuple(pads), tuple(more)


@table.write("conv_transpose")
def write_conv_transpose(node: Node, emitter: Any) -> Any:
    attributes = {**_conv_attributes(node), "output_padding": node.output_padding}
    return emitter.node("ConvTranspose", [node.x, node.weight, node.bias], attributes)


@table.read("MaxPool")
def max_pool(call: Call, b: Builder) -> Any:
    only(call, *_WINDOW, "ceil_mode", "storage_order")
    literals = _pool_literals(call)
    if call.wants(1):
        order = call.attrs.get("storage_order", 0)
        return b.max_pool_indices(call.inputs[0], **literals, storage_order=order)
    return b.max_pool(call.inputs[0], **literals)


@table.read("AveragePool")
def avg_pool(call: Call, b: Builder) -> Any:
    only(call, *_WINDOW, "ceil_mode", "count_include_pad")
    counted = bool(call.attrs.get("count_include_pad", 0))
    return b.avg_pool(call.inputs[0], **_pool_literals(call), count_include_pad=counted)


@table.read("LpPool", since=2)
def lp_pool(call: Call, b: Builder) -> Any:
    only(call, *_WINDOW, "ceil_mode", "p")
    return b.lp_pool(call.inputs[0], **_pool_literals(call), p=call.attrs.get("p", 2))


def _pool_literals(call: Call) -> dict[str, Any]:
    kernel = tuple(call.attrs["kernel_shape"])
    ceil_mode = bool(call.attrs.get("ceil_mode", 0))
    return {"kernel": kernel, "ceil_mode": ceil_mode, **window_literals(call, kernel)}


def _pool_attributes(node: Node) -> dict[str, Any]:
    return {"kernel_shape": node.kernel, "ceil_mode": node.ceil_mode, **_sliding(node)}


@table.write("max_pool", since=12)
def write_max_pool(node: Node, emitter: Any) -> Any:
    return emitter.node("MaxPool", [node.x], _pool_attributes(node))


@table.write("max_pool_indices", since=12)
def write_max_pool_indices(node: Node, emitter: Any) -> Any:
    attributes = {**_pool_attributes(node), "storage_order": node.storage_order}
    return emitter.node("MaxPool", [node.x], attributes, 2)


@table.write("avg_pool", since=19)
def write_avg_pool(node: Node, emitter: Any) -> Any:
    attributes = {**_pool_attributes(node), "count_include_pad": node.count_include_pad}
    return emitter.node("AveragePool", [node.x], attributes)


@table.write("lp_pool", since=18)
def write_lp_pool(node: Node, emitter: Any) -> Any:
    return emitter.node("LpPool", [node.x], {**_pool_attributes(node), "p": node.p})


@table.read("GlobalAveragePool", "GlobalMaxPool")
def global_pool(call: Call, b: Builder) -> Any:
    only(call)
    op = {"GlobalAveragePool": "global_avg_pool", "GlobalMaxPool": "global_max_pool"}[call.type]
    return b.call(op, call.inputs[0])


@table.read("GlobalLpPool", since=2)
def global_lp_pool(call: Call, b: Builder) -> Any:
    only(call, "p")
    return b.global_lp_pool(call.inputs[0], p=call.attrs.get("p", 2))


@table.write("global_avg_pool", "global_max_pool")
def write_global_pool(node: Node, emitter: Any) -> Any:
    kind = "GlobalAveragePool" if node.op == "global_avg_pool" else "GlobalMaxPool"
    return emitter.node(kind, [node.x])


@table.write("global_lp_pool")
def write_global_lp_pool(node: Node, emitter: Any) -> Any:
    return emitter.node("GlobalLpPool", [node.x], {"p": node.p})


@table.read("MaxUnpool", since=9)
def max_unpool(call: Call, b: Builder) -> Any:
    only(call, "kernel_shape", "pads", "strides")
    kernel = tuple(call.attrs["kernel_shape"])
    literals = window_literals(call, kernel)
    del literals["dilations"]
    return b.max_unpool(*call.inputs, kernel=kernel, **literals)


@table.write("max_unpool", since=9)
def write_max_unpool(node: Node, emitter: Any) -> Any:
    attributes = {"kernel_shape": node.kernel, **_sliding(node)}
    return emitter.node("MaxUnpool", [node.x, node.indices, node.output_shape], attributes)
