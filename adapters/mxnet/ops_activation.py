"""Activation functions as Gluon code."""

from __future__ import annotations

import math

from adapters.mxnet.dialect import mxnet
from adapters.mxnet.gluon import GluonDraft, is_vector, known, rows, tensors
from ir_hub.codegen.derived import derived
from ir_hub.codegen.spelling import Expr, Layer
from ir_hub.ir.graph import Node
from ir_hub.ir.types import DType
from ir_hub.sdk.operands import only, rank_of

for _op, (_kind, _function) in {
    "relu": ("relu", "F.relu({0})"),
    "sigmoid": ("sigmoid", "F.sigmoid({0})"),
    "tanh": ("tanh", "F.tanh({0})"),
    "softsign": ("softsign", "F.softsign({0})"),
}.items():

    @mxnet.write(_op)
    def _(node: Node, kind: str = _kind, function: str = _function) -> Layer:
        called = Expr(function, [node.x])
        return Layer("nn.Activation", [node.x], {"activation": kind}, {}, {}, 1, function=called)


rows(
    {
        "softmax": "F.softmax({0}, axis={axis})",
        "log_softmax": "F.log_softmax({0}, axis={axis})",
        "relu6": "F.clip({0}, 0, 6)",
        "hard_sigmoid": "F.hard_sigmoid({0}, alpha={alpha}, beta={beta})",
    }
)


@mxnet.write("softplus")
def _(node: Node) -> Expr:
    if node.beta == 1:
        return Expr('F.Activation({0}, act_type="softrelu")', [node.x])
    text = 'F.Activation({beta} * {0}, act_type="softrelu") / {beta}'
    return Expr(text, [node.x], {"beta": node.beta})


@mxnet.write("leaky_relu")
def _(node: Node) -> Layer:
    function = Expr("F.LeakyReLU({0}, slope={alpha})", [node.x], {"alpha": node.alpha})
    return Layer("nn.LeakyReLU", [node.x], {"alpha": node.alpha}, {}, {}, 1, function=function)


@mxnet.write("elu")
def _(node: Node) -> Expr:
    text = 'F.LeakyReLU({0}, act_type="elu", slope={alpha})'
    return Expr(text, [node.x], {"alpha": node.alpha})


@mxnet.write("celu")
def _(node: Node) -> Expr:
    text = '{alpha} * F.LeakyReLU({0} / {alpha}, act_type="elu", slope=1.0)'
    return Expr(text, [node.x], {"alpha": node.alpha})


@mxnet.write("hardmax")
def _(node: Node) -> Expr:
    axis, rank = node.axis % rank_of(node.x), rank_of(node.x)
    only(axis == rank - 1, "its axis isn't the last one")
    depth = (node.x.shape or ())[axis]
    known(isinstance(depth, int), "the size of its axis is open")
    literals = {"axis": axis, "depth": depth, "dtype": node.x.dtype}
    text = "F.one_hot(F.argmax({0}, axis={axis}), depth={depth}, dtype={dtype})"
    return Expr(text, [node.x], literals)


@mxnet.write("selu")
def _(node: Node) -> Expr:
    if math.isclose(node.alpha, 1.6732632423543772, rel_tol=1e-7) and math.isclose(
        node.gamma, 1.0507009873554805, rel_tol=1e-7
    ):
        return Expr('F.LeakyReLU({0}, act_type="selu")', [node.x])
    text = '{gamma} * F.LeakyReLU({0}, act_type="elu", slope={alpha})'
    return Expr(text, [node.x], {"gamma": node.gamma, "alpha": node.alpha})


@mxnet.write("gelu")
def _(node: Node) -> Layer | Expr:
    if node.approximate == "none":
        function = Expr('F.LeakyReLU({0}, act_type="gelu")', [node.x])
        return Layer("nn.GELU", [node.x], function=function)
    inner = "{root} * ({0} + 0.044715 * {0} ** 3)"
    text = f"0.5 * {{0}} * (1.0 + F.tanh({inner}))"
    return Expr(text, [node.x], {"root": math.sqrt(2 / math.pi)})


@mxnet.write("swish")
def _(node: Node) -> Layer | Expr:
    text = "{0} * F.sigmoid({alpha} * {0})"
    return Expr(text, [node.x], {"alpha": node.alpha})


@mxnet.write("hard_swish")
def _(node: Node) -> Expr:
    return Expr("{0} * F.clip({0} / 6.0 + 0.5, 0, 1)", [node.x])


@mxnet.write("thresholded_relu")
def _(node: Node) -> Expr:
    return tensors("{0} * ({0} > {alpha})")(node)  # type: ignore[no-any-return]


@mxnet.write("prelu")
def _(node: Node) -> Layer | Expr:
    x, slope = node.x.shape, node.slope
    count = math.prod(slope.shape or ()) if slope.is_constant else 0
    rank, spread = len(x or ()), len(slope.shape or ())
    channels = x is not None and rank > 1 and x[1] == count and spread <= rank
    alone = (
        channels and (slope.shape or ())[spread - rank + 1 :][:1] == (count,) and spread >= rank - 1
    )
    if node.x.dtype is DType.FLOAT32 and slope.dtype is DType.FLOAT32 and (count == 1 or alone):
        alpha = (
            slope if is_vector(slope, count) else derived(slope, (count,), lambda a: a.reshape(-1))
        )
        kwargs = {"in_channels": count}
        return Layer("nn.PReLU", [node.x], kwargs, {"in_channels": 1}, {"alpha": alpha})
    draft = GluonDraft()
    given, given_slope = draft.tensor(node.x), draft.scalar(slope)
    product = f"{given_slope} * F.minimum({given}, 0)"
    if slope.scalar is None:
        only(rank_of(slope) == rank_of(node.x) or slope.is_constant, "its slopes have fewer axes")
        product = f"F.broadcast_mul(F.minimum({given}, 0), {given_slope})"
    return draft.done(f"F.relu({given}) + {product}")


@mxnet.write("dropout")
def _(node: Node) -> Layer:
    return Layer("nn.Dropout", [node.x], {"rate": node.rate}, {}, {}, 1)


@mxnet.write("silu")
def _(node: Node) -> Layer:
    function = Expr("{0} * F.sigmoid({0})", [node.x])
    return Layer("nn.Swish", [node.x], function=function)


@mxnet.write("mish")
def _(node: Node) -> Expr:
    return Expr('{0} * F.tanh(F.Activation({0}, act_type="softrelu"))', [node.x])
