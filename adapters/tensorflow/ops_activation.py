"""Activation functions: layers, or expressions where Keras has no such layer."""

from __future__ import annotations

import math

from adapters.tensorflow.dialect import rows, tensorflow
from ir_hub.codegen.draft import expression
from ir_hub.codegen.spelling import Expr, Layer
from ir_hub.ir.graph import Node
from ir_hub.ir.types import DType
from ir_hub.sdk.operands import only

_SELU = 1.6732632423543772, 1.0507009873554805
# Keras' hard_sigmoid is relu6(x + 3) / 6.
_HARD_SIGMOID = 1 / 6, 0.5

_NAMED = {
    "relu6": "relu6",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "silu": "silu",
    "hard_swish": "hard_swish",
    "mish": "mish",
    "softsign": "softsign",
}


def _named(node: Node, name: str) -> Layer | Expr:
    """The activation of that name. Layers of Keras compute in float32 alone."""
    if node.x.dtype is not DType.FLOAT32:
        if name == "mish":
            return Expr("{0} * ops.tanh(ops.softplus({0}))", [node.x])
        return Expr(f"ops.{name}({{0}})", [node.x])
    return Layer("layers.Activation", [node.x], {"activation": name}, positional=1)


for _op, _name in _NAMED.items():
    tensorflow.write(_op)(lambda node, name=_name: _named(node, name))


@tensorflow.write("relu")
def _(node: Node) -> Layer | Expr:
    if node.x.dtype is not DType.FLOAT32:
        return Expr("ops.relu({0})", [node.x])
    return Layer("layers.ReLU", [node.x])


@tensorflow.write("softmax")
def _(node: Node) -> Layer | Expr:
    if node.x.dtype is not DType.FLOAT32:
        return expression("ops.softmax({0}, axis={axis})")(node)
    return Layer("layers.Softmax", [node.x], {"axis": node.axis}, {"axis": -1})


rows({"log_softmax": "ops.log_softmax({0}, axis={axis})"})


@tensorflow.write("leaky_relu")
def _(node: Node) -> Layer | Expr:
    if node.x.dtype is not DType.FLOAT32 or node.alpha < 0:
        return Expr("ops.where({0} > 0, {0}, {alpha} * {0})", [node.x], {"alpha": node.alpha})
    return Layer("layers.LeakyReLU", [node.x], {"negative_slope": node.alpha}, positional=1)


@tensorflow.write("elu")
def _(node: Node) -> Layer | Expr:
    if node.x.dtype is not DType.FLOAT32:
        return expression("ops.elu({0}, alpha={alpha})")(node)
    return Layer("layers.ELU", [node.x], {"alpha": node.alpha}, {"alpha": 1.0})


@tensorflow.write("celu")
def _(node: Node) -> Expr:
    return expression("ops.celu({0}, alpha={alpha})")(node)


@tensorflow.write("selu")
def _(node: Node) -> Layer | Expr:
    pairs = zip((node.alpha, node.gamma), _SELU, strict=True)
    if all(math.isclose(a, b, rel_tol=1e-7) for a, b in pairs) and node.x.dtype is DType.FLOAT32:
        return _named(node, "selu")
    literals = {"gamma": node.gamma, "alpha": node.alpha}
    return Expr("{gamma} * ops.elu({0}, alpha={alpha})", [node.x], literals)


@tensorflow.write("gelu")
def _(node: Node) -> Layer | Expr:
    if node.approximate == "none":
        if node.x.dtype is DType.FLOAT32:
            return _named(node, "gelu")
        # Keras' own is exact to float32 only.
        text = "0.5 * {0} * (1 + ops.erf({0} * {root}))"
        return Expr(text, [node.x], {"root": math.sqrt(0.5)})
    approximate = node.approximate == "tanh"
    return Expr("ops.gelu({0}, approximate={approximate})", [node.x], {"approximate": approximate})


@tensorflow.write("swish")
def _(node: Node) -> Layer | Expr:
    if node.alpha == 1:
        return _named(node, "silu")
    text = "{0} * ops.sigmoid({alpha} * {0})"
    return Expr(text, [node.x], {"alpha": node.alpha})


@tensorflow.write("softplus")
def _(node: Node) -> Layer | Expr:
    if node.beta == 1:
        return _named(node, "softplus")
    text = "ops.softplus({beta} * {0}) / {beta}"
    return Expr(text, [node.x], {"beta": node.beta})


@tensorflow.write("hard_sigmoid")
def _(node: Node) -> Layer | Expr:
    pairs = zip((node.alpha, node.beta), _HARD_SIGMOID, strict=True)
    if all(math.isclose(a, b, rel_tol=1e-6) for a, b in pairs) and node.x.dtype is DType.FLOAT32:
        return _named(node, "hard_sigmoid")
    literals = {"alpha": node.alpha, "beta": node.beta}
    return Expr("ops.clip({alpha} * {0} + {beta}, 0, 1)", [node.x], literals)


rows({"thresholded_relu": "ops.where({0} > {alpha}, {0}, 0.0)"})


@tensorflow.write("shrink")
def _(node: Node) -> Expr:
    only(node.x.dtype is not None and node.x.dtype.is_float, "shrink of integers")
    inner = "ops.where({0} > {threshold}, {0} - {bias}, 0.0)"
    literals = {"threshold": node.threshold, "bias": node.bias}
    text = f"ops.where({{0}} < -({{threshold}}), {{0}} + {{bias}}, {inner})"
    return Expr(text, [node.x], literals)


@tensorflow.write("hardmax")
def _(node: Node) -> Expr:
    only(node.x.shape is not None, "the rank of its input isn't known")
    size = node.x.shape[node.axis]
    only(isinstance(size, int), "the size of its axis isn't known")
    literals = {"axis": node.axis, "size": size, "dtype": node.x.dtype}
    text = "ops.one_hot(ops.argmax({0}, axis={axis}), {size}, axis={axis}, dtype={dtype})"
    literals["axis"] = node.axis % len(node.x.shape)
    if literals["axis"] == len(node.x.shape) - 1:
        literals["axis"] = -1
    return Expr(text, [node.x], literals)


@tensorflow.write("prelu")
def _(node: Node) -> Layer | Expr:
    from adapters.tensorflow.slopes import prelu_layer

    found = prelu_layer(node)
    if found is not None:
        return found
    return expression("ops.where({0} < 0, {0} * {1}, {0})", numbers="1")(node)


@tensorflow.write("dropout")
def _(node: Node) -> Layer:
    return Layer("layers.Dropout", [node.x], {"rate": node.rate}, positional=1)
