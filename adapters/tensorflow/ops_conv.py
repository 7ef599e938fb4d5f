"""Convolutions: layers where the weights are constants, functions where they aren't."""

from __future__ import annotations

from typing import Any

from adapters.tensorflow.dialect import tensorflow
from adapters.tensorflow.padding import crop_of, padding_of
from ir_hub.codegen.derived import derived
from ir_hub.codegen.draft import Draft, plain
from ir_hub.codegen.spelling import Expr, Layer
from ir_hub.ir.graph import Node, Value
from ir_hub.ir.types import DType
from ir_hub.sdk.operands import only

_DEFAULTS = {
    "strides": 1,
    "padding": "valid",
    "dilation_rate": 1,
    "groups": 1,
    "use_bias": True,
    "depth_multiplier": 1,
    "output_padding": None,
}


@tensorflow.write("conv")
def _(node: Node) -> Layer | Expr:
    spatial = _spatial(node)
    only(
        max(node.strides) == 1 or max(node.dilations) == 1,
        "it has strides and dilations, of which Keras has only one at a time",
    )
    if not _is_layer(node):
        return _function(node, padding_of(node))
    *kernel, inputs, outputs = node.weight.shape
    depthwise = inputs == 1 and node.groups > 1 and spatial < 3 and _square(node.strides)
    kwargs = {
        **({} if depthwise else {"filters": outputs}),
        "kernel_size": plain(tuple(kernel)),
        "strides": plain(node.strides),
        "padding": padding_of(node),
        "dilation_rate": plain(node.dilations),
        "use_bias": node.bias is not None,
    }
    if depthwise:
        multiplier = outputs // node.groups
        kwargs["depth_multiplier"] = multiplier
        shape = (*kernel, node.groups, multiplier)
        params = {"kernel": derived(node.weight, shape, lambda a: a.reshape(shape)), **_bias(node)}
        ctor = f"layers.DepthwiseConv{spatial}D"
        return Layer(ctor, [node.x], kwargs, _DEFAULTS, params, 1)
    kwargs["groups"] = node.groups
    params = {"kernel": node.weight, **_bias(node)}
    return Layer(f"layers.Conv{spatial}D", [node.x], kwargs, _DEFAULTS, params, 2)


@tensorflow.write("conv_transpose")
def _(node: Node) -> Layer:
    spatial = _spatial(node)
    only(node.groups == 1, "it has groups, which Keras' transposed convolutions don't")
    only(max(node.dilations) == 1, "it has dilations")
    same, crop = crop_of(node)
    only(crop == ((0, 0),) * spatial, "its padding isn't split off")
    padding = "same" if same else "valid"
    # Keras' own function loses its padding when it is saved.
    only(_is_layer(node), "its weights aren't constants in float32")
    *kernel, outputs, _ = node.weight.shape
    kwargs = {
        "filters": outputs,
        "kernel_size": plain(tuple(kernel)),
        "strides": plain(node.strides),
        "padding": padding,
        "use_bias": node.bias is not None,
    }
    params = {"kernel": node.weight, **_bias(node)}
    return Layer(f"layers.Conv{spatial}DTranspose", [node.x], kwargs, _DEFAULTS, params, 2)


def _spatial(node: Node) -> int:
    count = len(node.strides)
    only(1 <= count <= 3, f"Keras has no convolution of {count} axes")
    return count


def _square(strides: tuple[int, ...]) -> bool:
    """Whether TensorFlow's depthwise kernels, which have one stride, can run it."""
    return len(set(strides)) == 1


def _is_layer(node: Node) -> bool:
    """Whether its weights are constants, of the shapes and the type that a layer has."""
    outputs = node.weight.shape[-1 if node.op == "conv" else -2] if node.weight.shape else None
    floats = node.x.dtype is DType.FLOAT32
    if not node.weight.is_constant or not floats:
        return False
    return node.bias is None or (node.bias.is_constant and node.bias.shape == (outputs,))


def _bias(node: Node) -> dict[str, Value]:
    return {} if node.bias is None else {"bias": node.bias}


def _function(node: Node, padding: str) -> Expr:
    draft = Draft()
    name, weight = "conv", draft.tensor(node.weight)
    if node.groups > 1:
        *kernel, inputs, outputs = node.weight.shape
        known = all(isinstance(size, int) for size in (*kernel, outputs))
        only(inputs == 1 and known and len(kernel) < 3, "its weight isn't a constant, in groups")
        shape = (*kernel, node.groups, outputs // node.groups)
        name, weight = "depthwise_conv", f"ops.reshape({weight}, {draft.literal(shape, 'shape')})"
        only(_square(node.strides), "it is depthwise, and its strides differ")
    text = f"ops.{name}({draft.tensor(node.x)}, {weight}"
    given: dict[str, Any] = {
        "strides": plain(node.strides),
        "padding": padding,
        "dilation_rate": plain(node.dilations),
    }
    for key, value in given.items():
        if value != _DEFAULTS[key]:
            text += f", {key}={draft.literal(value, key)}"
    text += ")"
    if node.bias is None:
        return draft.done(text)
    return draft.done(f"{text} + {draft.tensor(node.bias)}")
