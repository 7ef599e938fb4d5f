"""Activation functions."""

from __future__ import annotations

import math
from typing import Any

from adapters.pytorch.dialect import Draft, module, pytorch
from ir_hub.codegen.derived import derived
from ir_hub.codegen.draft import expression
from ir_hub.codegen.spelling import Expr, Layer
from ir_hub.ir.dims import Dim
from ir_hub.ir.graph import Node
from ir_hub.ir.types import DType
from ir_hub.sdk.operands import only

_SELU = 1.6732632423543772, 1.0507009873554805

for op, (ctor, function) in {
    "relu": ("nn.ReLU", "F.relu({0})"),
    "relu6": ("nn.ReLU6", "F.relu6({0})"),
    "sigmoid": ("nn.Sigmoid", "{0}.sigmoid()"),
    "tanh": ("nn.Tanh", "{0}.tanh()"),
    "silu": ("nn.SiLU", "F.silu({0})"),
    "mish": ("nn.Mish", "F.mish({0})"),
    "softsign": ("nn.Softsign", "F.softsign({0})"),
}.items():
    pytorch.write(op)(module(ctor, function))

for op, name in {"softmax": "Softmax", "log_softmax": "LogSoftmax"}.items():
    pytorch.write(op)(module(f"nn.{name}", f"F.{op}({{0}}, dim={{axis}})", dim="axis"))


def _by_alpha(ctor: str, function: str, keyword: str, default: float) -> Any:
    """A rule for an activation with the literal `alpha`."""

    def rule(node: Node) -> Layer:
        given = "" if node.alpha == default else ", {alpha}"
        literals = {"alpha": node.alpha} if given else {}
        called = Expr(f"F.{function}({{0}}{given})", [node.x], literals)
        kwargs = {keyword: node.alpha}
        return Layer(f"nn.{ctor}", [node.x], kwargs, {keyword: default}, positional=1,
                     function=called)  # fmt: skip

    return rule


pytorch.write("leaky_relu")(_by_alpha("LeakyReLU", "leaky_relu", "negative_slope", 0.01))
pytorch.write("elu")(_by_alpha("ELU", "elu", "alpha", 1.0))
pytorch.write("celu")(_by_alpha("CELU", "celu", "alpha", 1.0))


@pytorch.write("hard_swish")
def _(node: Node) -> Layer:
    return Layer("nn.Hardswish", [node.x])


@pytorch.write("gelu")
def _(node: Node) -> Layer:
    approximate = {"approximate": node.approximate}
    text = "F.gelu({0})" if node.approximate == "none" else 'F.gelu({0}, approximate="tanh")'
    function = Expr(text, [node.x])
    return Layer("nn.GELU", [node.x], approximate, {"approximate": "none"}, function=function)


@pytorch.write("selu")
def _(node: Node) -> Layer | Expr:
    pairs = zip((node.alpha, node.gamma), _SELU, strict=True)
    close = 1e-15 if node.x.dtype is DType.FLOAT64 else 1e-7
    if all(math.isclose(a, b, rel_tol=close) for a, b in pairs):
        return Layer("nn.SELU", [node.x], function=Expr("F.selu({0})", [node.x]))
    literals = {"gamma": node.gamma, "alpha": node.alpha}
    return Expr("{gamma} * F.elu({0}, {alpha})", [node.x], literals)


@pytorch.write("swish")
def _(node: Node) -> Layer | Expr:
    if node.alpha == 1:
        return Layer("nn.SiLU", [node.x], function=Expr("F.silu({0})", [node.x]))
    text = "{0} * ({alpha} * {0}).sigmoid()"
    return Expr(text, [node.x], {"alpha": node.alpha})


@pytorch.write("softplus")
def _(node: Node) -> Layer:
    kwargs = {"beta": node.beta}
    given = "" if node.beta == 1 else ", {beta}"
    if node.x.dtype is DType.FLOAT64:  # the linear part begins where float64 can't tell
        kwargs["threshold"], given = 40, ", {beta}, threshold=40"
    used = kwargs if "{beta}" in given else {}
    function = Expr(f"F.softplus({{0}}{given})", [node.x], {"beta": node.beta} if used else {})
    return Layer("nn.Softplus", [node.x], kwargs, {"beta": 1.0}, function=function)


@pytorch.write("hard_sigmoid")
def _(node: Node) -> Layer | Expr:
    if math.isclose(node.alpha, 1 / 6, rel_tol=1e-6) and node.beta == 0.5:
        return Layer("nn.Hardsigmoid", [node.x], function=Expr("F.hardsigmoid({0})", [node.x]))
    literals = {"alpha": node.alpha, "beta": node.beta}
    return Expr("({alpha} * {0} + {beta}).clamp(0, 1)", [node.x], literals)


@pytorch.write("thresholded_relu")
def _(node: Node) -> Expr:
    return expression("torch.where({0} > {alpha}, {0}, 0.0)")(node)


@pytorch.write("shrink")
def _(node: Node) -> Expr:
    only(node.x.dtype is not None and node.x.dtype.is_float, "shrink of integers")
    if node.threshold >= 0 and node.bias in (0, node.threshold):
        kind = "hard" if node.bias == 0 else "soft"
        return expression(f"F.{kind}shrink({{0}}, {{threshold}})")(node)
    literals = {"threshold": node.threshold, "low": -node.threshold, "bias": node.bias}
    upper = "torch.where({0} > {threshold}, {0} - {bias}, 0.0)"
    return Expr(f"torch.where({{0}} < {{low}}, {{0}} + {{bias}}, {upper})", [node.x], literals)


@pytorch.write("hardmax")
def _(node: Node) -> Expr:
    text = "torch.zeros_like({0}).scatter({axis}, {0}.argmax({axis}, keepdim=True), 1)"
    return expression(text)(node)


@pytorch.write("prelu")
def _(node: Node) -> Layer | Expr:
    count = _channels(node)
    if count is None:
        draft = Draft()
        x, slope = draft.tensor(node.x), draft.scalar(node.slope)
        return draft.done(f"torch.where({x} < 0, {slope} * {x}, {x})")
    weight = node.slope
    if weight.shape != (count,):
        weight = derived(weight, (count,), lambda array: array.reshape(-1))
    kwargs, default = {"num_parameters": count}, {"num_parameters": 1}
    return Layer("nn.PReLU", [node.x], kwargs, default, {"weight": weight}, positional=1)


def _channels(node: Node) -> int | None:
    """How many slopes there are, if each is one of a channel of x or the only one."""
    x, slope = node.x.shape, node.slope.shape
    if not node.slope.is_constant or x is None or len(slope) > len(x):
        return None
    spread: list[Dim] = [1] * (len(x) - len(slope)) + list(slope)
    if math.prod(slope) == 1:
        return 1
    alone = len(x) >= 2 and all(size == 1 for axis, size in enumerate(spread) if axis != 1)
    return spread[1] if alone and isinstance(spread[1], int) else None


@pytorch.write("dropout")
def _(node: Node) -> Layer:
    return Layer("nn.Dropout", [node.x], {"p": node.rate}, {"p": 0.5}, positional=1)
