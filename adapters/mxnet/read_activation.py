"""Activation functions."""

from __future__ import annotations

from typing import Any

from adapters.mxnet.dialect import Reading, reads, reshaped
from ir_hub.ir.graph import Value
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import TRAINS_WITHOUT

_ACTIVATIONS = {
    "relu": "relu", "sigmoid": "sigmoid", "tanh": "tanh", "softrelu": "softplus",
    "softsign": "softsign", "mish": "mish",
}  # fmt: skip


@reads("Activation", "CuDNNActivation")
def _(node: Reading, b: Builder) -> Any:
    kind = node.text("act_type")
    if kind == "log_sigmoid":
        return b.neg(b.softplus(b.neg(node.x)))
    node.only(kind in _ACTIVATIONS, f"act_type={kind!r}")
    return b.call(_ACTIVATIONS[kind], node.x)


@reads("relu", "sigmoid", "tanh", "softsign", "mish")
def _(node: Reading, b: Builder) -> Any:
    return b.call(node.type, node.x)


@reads("log_sigmoid")
def _(node: Reading, b: Builder) -> Any:
    return b.neg(b.softplus(b.neg(node.x)))


@reads("hard_sigmoid")
def _(node: Reading, b: Builder) -> Any:
    alpha, beta = node.number("alpha", 0.2), node.number("beta", 0.5)
    return b.hard_sigmoid(node.x, alpha=alpha, beta=beta)


@reads("LeakyReLU")
def _(node: Reading, b: Builder) -> Any:
    kind, slope = node.text("act_type", "leaky"), node.number("slope", 0.25)
    low, high = node.number("lower_bound", 0.125), node.number("upper_bound", 0.334)
    if kind == "leaky":
        return b.leaky_relu(node.x, alpha=slope)
    if kind == "elu":
        return b.elu(node.x, alpha=slope)
    if kind in ("selu", "gelu"):
        return b.call(kind, node.x)
    if kind == "rrelu":  # random while training, its mean at inference
        return b.leaky_relu(node.x, alpha=(low + high) / 2)
    node.only(kind == "prelu", f"act_type={kind!r}")
    return b.prelu(node.x, _along_channels(node.operand(1), node.rank(), b))


def _along_channels(slope: Value, rank: int, b: Builder) -> Value:
    """A slope for each channel, or one for all, in a shape that broadcasts to the data's."""
    count = (slope.shape or (1,))[0]
    if len(slope.shape or ()) != 1 or rank < 2 or count == 1:
        return slope
    shape = (count, *(1,) * (rank - 2))
    return reshaped(slope, shape) if slope.is_constant else b.reshape(slope, shape)  # type: ignore[arg-type]


@reads("softmax", "log_softmax", "softmin", "SoftmaxActivation", "Softmax", "SoftmaxOutput")
def _(node: Reading, b: Builder) -> Any:
    if node.type in ("SoftmaxActivation", "Softmax", "SoftmaxOutput"):
        return _output(node, b)
    node.only(not node.flag("use_length"), "it has lengths")
    node.only(node.dtype("dtype") in (None, node.x.dtype), "it changes the type")
    axis, temperature = node.integer("axis", -1), node.number("temperature", 1.0)
    x = b.neg(node.x) if node.type == "softmin" else node.x
    x = x if temperature == 1 else b.div(x, temperature)
    return b.call("log_softmax" if node.type == "log_softmax" else "softmax", x, axis=axis)


def _output(node: Reading, b: Builder) -> Any:
    """A softmax that is a loss while training, of a matrix or over an axis that it says."""
    for name in ("grad_scale", "ignore_label", "smooth_alpha"):
        node.number(name)
    for name in ("use_ignore", "out_grad"):
        node.flag(name)
    node.text("normalization")
    channels = node.flag("multi_output") or node.text("mode", "instance") == "channel"
    if node.flag("preserve_shape"):
        return b.softmax(node.x, axis=-1)
    if not channels:
        axes = node.rank()
        node.only(axes == 2, f"MXNet's own kernels differ in what it is of {axes} axes")
    return b.softmax(node.x, axis=1)


@reads("LogisticRegressionOutput")
def _(node: Reading, b: Builder) -> Any:
    node.number("grad_scale")
    return b.sigmoid(node.x)


@reads("Dropout")
def _(node: Reading, b: Builder) -> Any:
    mode = node.text("mode", "training")
    node.only(mode == "training", f"mode={mode!r} drops elements at inference too")
    rate = node.number("p", 0.5)
    if not node.integers("axes"):
        return b.dropout(node.x, rate=rate)
    b.note(TRAINS_WITHOUT)  # it drops whole slices, where a dropout drops elements
    return b.identity(node.x)
