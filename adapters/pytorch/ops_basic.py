"""Arithmetic, comparisons, activations, reductions: ops that are an expression in PyTorch."""

from __future__ import annotations

from adapters.pytorch.dialect import expression, module, only, pytorch, rank_of, rows
from ir_hub.codegen.spelling import Code, Expr, Layer
from ir_hub.ir.graph import Node

rows(
    {
        "add": "{0} + {1}",
        "sub": "{0} - {1}",
        "mul": "{0} * {1}",
        "pow": "{0} ** {1}",
        "equal": "{0} == {1}",
        "not_equal": "{0} != {1}",
        "less": "{0} < {1}",
        "less_equal": "{0} <= {1}",
        "greater": "{0} > {1}",
        "greater_equal": "{0} >= {1}",
        "where": "torch.where({0}, {1}, {2})",
    },
    numbers="all",
)
rows(
    {
        "neg": "-{0}",
        "abs": "{0}.abs()",
        "sign": "{0}.sign()",
        "reciprocal": "{0}.reciprocal()",
        "sqrt": "{0}.sqrt()",
        "rsqrt": "{0}.rsqrt()",
        "square": "{0}.square()",
        "exp": "{0}.exp()",
        "log": "{0}.log()",
        "log1p": "{0}.log1p()",
        "expm1": "{0}.expm1()",
        "erf": "torch.erf({0})",
        "ceil": "{0}.ceil()",
        "floor": "{0}.floor()",
        "round": "{0}.round()",
        **{
            name: f"torch.{name}({{0}})"
            for name in ("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "asinh")
        },
        "acosh": "torch.acosh({0})",
        "atanh": "torch.atanh({0})",
        "atan2": "torch.atan2({0}, {1})",
        "minimum": "torch.minimum({0}, {1})",
        "maximum": "torch.maximum({0}, {1})",
        "logical_and": "{0} & {1}",
        "logical_or": "{0} | {1}",
        "logical_xor": "{0} ^ {1}",
        "logical_not": "~{0}",
        "bitwise_and": "{0} & {1}",
        "bitwise_or": "{0} | {1}",
        "bitwise_xor": "{0} ^ {1}",
        "bitwise_not": "~{0}",
        "is_nan": "{0}.isnan()",
        "identity": "{0}",
        "cast": "{0}.to({to})",
        "relu6": "F.relu6({0})",
    }
)
for op, (ctor, function) in {
    "relu": ("nn.ReLU", "F.relu({0})"),
    "relu6": ("nn.ReLU6", "F.relu6({0})"),
    "sigmoid": ("nn.Sigmoid", "torch.sigmoid({0})"),
    "tanh": ("nn.Tanh", "torch.tanh({0})"),
    "silu": ("nn.SiLU", "F.silu({0})"),
    "mish": ("nn.Mish", "F.mish({0})"),
    "softsign": ("nn.Softsign", "F.softsign({0})"),
}.items():
    pytorch.writes.pop(op, None)
    pytorch.write(op)(module(ctor, function))


@pytorch.write("div")
def _(node: Node) -> Expr:
    text = "{0} / {1}"
    if node.result.dtype is not None and node.result.dtype.is_integer:
        text = 'torch.div({0}, {1}, rounding_mode="trunc")'
    return expression(text, numbers="all")(node)


@pytorch.write("hard_swish")
def _(node: Node) -> Layer:
    return Layer("nn.Hardswish", [node.x])


@pytorch.write("gelu")
def _(node: Node) -> Layer:
    approximate = {"approximate": node.approximate}
    text = "F.gelu({0})" if node.approximate == "none" else 'F.gelu({0}, approximate="tanh")'
    function = Expr(text, [node.x])
    return Layer("nn.GELU", [node.x], approximate, {"approximate": "none"}, function=function)


@pytorch.write("hard_sigmoid")
def _(node: Node) -> Layer | Expr:
    if abs(node.alpha - 1 / 6) < 1e-6 and node.beta == 0.5:
        return Layer("nn.Hardsigmoid", [node.x], function=Expr("F.hardsigmoid({0})", [node.x]))
    literals = {"alpha": node.alpha, "beta": node.beta}
    return Expr("({alpha} * {0} + {beta}).clamp(0, 1)", [node.x], literals)


@pytorch.write("clip")
def _(node: Node) -> Expr:
    inputs, pieces = [node.x], []
    for name, bound in (("min", node.low), ("max", node.high)):
        if bound is not None:
            pieces.append(f"{name}={{{len(inputs)}}}")
            inputs.append(bound)
    bounds = inputs[1:]
    numbers = frozenset({1, 2}) if all(v.scalar is not None for v in bounds) else frozenset()
    return Expr(f"{{0}}.clamp({', '.join(pieces)})", inputs, numbers=numbers)


for op, name in {"softmax": "Softmax", "log_softmax": "LogSoftmax"}.items():
    pytorch.write(op)(module(f"nn.{name}", f"F.{op}({{0}}, dim={{axis}})", dim="axis"))


@pytorch.write("reduce_mean", "reduce_sum")
def _(node: Node) -> Expr:
    only(node.axes is None or isinstance(node.axes, tuple), "its axes are computed by the model")
    method = node.op.removeprefix("reduce_")
    axes = tuple(node.axes or range(rank_of(node.x)))
    literals = {"axes": axes if len(axes) != 1 else axes[0]}
    keep = ", keepdim=True" if node.keepdims else ""
    return Expr(f"{{0}}.{method}({{axes}}{keep})", [node.x], literals)


@pytorch.write("dropout")
def _(node: Node) -> Layer:
    return Layer("nn.Dropout", [node.x], {"p": node.rate}, {"p": 0.5}, positional=1)


def dtype_code(name: str) -> Code:
    """A torch type as code."""
    return Code(f"torch.{name}")
