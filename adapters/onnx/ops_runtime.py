"""ONNX Runtime's own ops, which its optimiser puts in the place of several of ONNX's."""

from __future__ import annotations

from typing import Any

from adapters.onnx.dialect import only, rank_of, table
from adapters.onnx.windows import kernel_of, window_literals
from ir_hub.ir.graph import Value
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import Call, Unsupported

# The activations that are fused, and their parameters in the order that FusedConv has them in.
_ACTIVATIONS = {
    "Relu": ("relu",),
    "Tanh": ("tanh",),
    "Sigmoid": ("sigmoid",),
    "Softplus": ("softplus",),
    "Softsign": ("softsign",),
    "LeakyRelu": ("leaky_relu", "alpha"),
    "Elu": ("elu", "alpha"),
    "ThresholdedRelu": ("thresholded_relu", "alpha"),
    "HardSigmoid": ("hard_sigmoid", "alpha", "beta"),
    "Selu": ("selu", "alpha", "gamma"),
    "Clip": ("clip", "min", "max"),
}


def _activated(x: Value, call: Call, b: Builder) -> Any:
    """What the fused activation makes of x, if there is one."""
    name = call.attrs.get("activation", "")
    if not name:
        return x
    if name not in _ACTIVATIONS:
        raise Unsupported(f"{call.type} with the activation {name}")
    op, *names = _ACTIVATIONS[name]
    numbers = call.attrs.get("activation_params")
    if numbers is None:
        numbers = [call.attrs.get(f"activation_{name}") for name in names]
    if len(numbers) != len(names) or None in numbers:
        raise Unsupported(f"{call.type} with the activation {name} of parameters {numbers}")
    if op == "clip":
        return b.clip(x, *(b.constant(number, x.dtype) for number in numbers))
    return b.call(op, x, **dict(zip(names, numbers, strict=True)))


@table.read("com.microsoft::FusedConv")
def fused_conv(call: Call, b: Builder) -> Any:
    window = ("auto_pad", "dilations", "kernel_shape", "pads", "strides", "group")
    only(call, *window, "activation", "activation_params")
    literals = window_literals(call, kernel_of(call, call.inputs[1]))
    y = b.conv(*call.inputs[:3], **literals, groups=call.attrs.get("group", 1))
    added = call.input(3)
    return _activated(y if added is None else b.add(y, added), call, b)


@table.read("com.microsoft::FusedGemm")
def fused_gemm(call: Call, b: Builder) -> Any:
    numbers = ("activation_alpha", "activation_beta", "activation_gamma")
    only(call, "alpha", "beta", "transA", "transB", "activation", *numbers)
    y = b.gemm(
        *call.inputs,
        alpha=call.attrs.get("alpha", 1.0),
        beta=call.attrs.get("beta", 1.0),
        trans_a=bool(call.attrs.get("transA", 0)),
        trans_b=bool(call.attrs.get("transB", 0)),
    )
    return _activated(y, call, b)


@table.read("com.microsoft::FusedMatMul", "com.microsoft::TransposeMatMul")
def fused_matmul(call: Call, b: Builder) -> Any:
    only(call, "alpha", "transA", "transB", "transBatchA", "transBatchB")
    if call.attrs.get("transBatchA") or call.attrs.get("transBatchB"):
        raise Unsupported(f"{call.type} that moves the axes of the batch")
    x, y = (
        _transposed(operand, call, b) if call.attrs.get(name) else operand
        for operand, name in zip(call.inputs, ("transA", "transB"), strict=True)
    )
    product, alpha = b.matmul(x, y), call.attrs.get("alpha", 1.0)
    return product if alpha == 1.0 else b.mul(product, b.constant(alpha, product.dtype))


def _transposed(value: Value | None, call: Call, b: Builder) -> Any:
    rank = rank_of(value, f"an operand of {call.type}")
    if rank < 2:
        raise Unsupported(f"{call.type} that transposes a vector")
    return b.transpose(value, perm=(*range(rank - 2), rank - 1, rank - 2))


@table.read("com.microsoft::Gelu")
def gelu(call: Call, b: Builder) -> Any:
    only(call)
    return b.gelu(call.inputs[0])


@table.read("com.microsoft::FastGelu")
def fast_gelu(call: Call, b: Builder) -> Any:
    only(call)
    x, bias = call.inputs[0], call.input(1)
    return b.gelu(x if bias is None else b.add(x, bias), approximate="tanh")


@table.read("com.microsoft::QuickGelu")
def quick_gelu(call: Call, b: Builder) -> Any:
    only(call, "alpha")
    alpha = call.attrs.get("alpha", 1.702)
    return b.silu(call.inputs[0]) if alpha == 1.0 else b.swish(call.inputs[0], alpha=alpha)


@table.read("com.microsoft::BiasGelu")
def bias_gelu(call: Call, b: Builder) -> Any:
    only(call)
    return b.gelu(b.add(*call.inputs))


@table.read("SimplifiedLayerNormalization")
def simplified_layer_norm(call: Call, b: Builder) -> Any:
    """ONNX Runtime's name for RMSNormalization, among ONNX's own ops."""
    only(call, "axis", "epsilon", "stash_type")
    if call.wants(1):
        raise Unsupported("SimplifiedLayerNormalization that returns its statistics")
    axis, eps = call.attrs.get("axis", -1), call.attrs.get("epsilon", 1e-5)
    return b.rms_norm(*call.inputs, axis=axis, eps=eps)


@table.read(
    "com.microsoft::SkipLayerNormalization", "com.microsoft::SkipSimplifiedLayerNormalization"
)
def skip_layer_norm(call: Call, b: Builder) -> Any:
    """An addition and a normalisation."""
    only(call, "epsilon")
    if call.wants(1) or call.wants(2):
        raise Unsupported(f"{call.type} that returns its statistics")
    simplified = "Simplified" in call.type
    x, skip, weight = call.inputs[:3]
    beta, bias = (None, call.input(3)) if simplified else (call.input(3), call.input(4))
    total = b.add(x, skip) if bias is None else b.add(b.add(x, skip), bias)
    eps = call.attrs.get("epsilon", 1e-12)
    if simplified:
        y = b.rms_norm(total, weight, eps=eps)
    else:
        y = b.layer_norm(total, weight, beta, eps=eps)
    return (y, None, None, total)


@table.read("com.microsoft::DynamicQuantizeMatMul")
def dynamic_quantize_matmul(call: Call, b: Builder) -> Any:
    only(call)
    a, weight, weight_scale, weight_zero, bias = (call.input(index) for index in range(5))
    a, scale, zero = b.dynamic_quantize_linear(a)
    return _scaled(b.matmul_integer(a, weight, zero, weight_zero), scale, weight_scale, bias, b)


@table.read("com.microsoft::MatMulIntegerToFloat")
def matmul_integer_to_float(call: Call, b: Builder) -> Any:
    only(call)
    a, weight, scale, weight_scale, zero, weight_zero, bias = map(call.input, range(7))
    return _scaled(b.matmul_integer(a, weight, zero, weight_zero), scale, weight_scale, bias, b)


def _scaled(
    product: Value, scale: Value | None, weight_scale: Value | None, bias: Value | None, b: Builder
) -> Any:
    assert scale is not None
    scales = b.mul(scale, weight_scale)
    y = b.mul(b.cast(product, to=scale.dtype), scales)
    return y if bias is None else b.add(y, bias)
