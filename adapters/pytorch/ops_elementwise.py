"""Arithmetic, comparisons, types of elements."""

from __future__ import annotations

from adapters.pytorch.dialect import Draft, pytorch, rows
from ir_hub.codegen.draft import expression
from ir_hub.codegen.spelling import Expr
from ir_hub.codegen.steps import is_number
from ir_hub.ir.graph import Node, Value
from ir_hub.ir.types import DType
from ir_hub.sdk.operands import only

_SMALL_FLOATS = {  # the greatest finite numbers of types that casts saturate to
    DType.FLOAT8_E4M3FN: 448,
    DType.FLOAT8_E4M3FNUZ: 240,
    DType.FLOAT8_E5M2: 57344,
    DType.FLOAT8_E5M2FNUZ: 57344,
}

rows(
    {
        "add": "{0} + {1}",
        "sub": "{0} - {1}",
        "mul": "{0} * {1}",
        "floor_div": "{0} // {1}",
        "equal": "{0} == {1}",
        "not_equal": "{0} != {1}",
        "less": "{0} < {1}",
        "less_equal": "{0} <= {1}",
        "greater": "{0} > {1}",
        "greater_equal": "{0} >= {1}",
        "bitwise_and": "{0} & {1}",
        "bitwise_or": "{0} | {1}",
        "bitwise_xor": "{0} ^ {1}",
    },
    numbers="all",
)
rows({"where": "torch.where({0}, {1}, {2})"}, numbers="1 2")
rows(
    {
        "neg": "-{0}",
        "abs": "{0}.abs()",
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
        "sin": "{0}.sin()",
        "cos": "{0}.cos()",
        "tan": "{0}.tan()",
        "asin": "{0}.asin()",
        "acos": "{0}.acos()",
        "atan": "{0}.atan()",
        "sinh": "{0}.sinh()",
        "cosh": "{0}.cosh()",
        "asinh": "{0}.asinh()",
        "acosh": "{0}.acosh()",
        "atanh": "{0}.atanh()",
        "atan2": "torch.atan2({0}, {1})",
        "logical_and": "{0} & {1}",
        "logical_or": "{0} | {1}",
        "logical_xor": "{0} ^ {1}",
        "logical_not": "~{0}",
        "bitwise_not": "~{0}",
        "is_nan": "{0}.isnan()",
        "identity": "{0}",
        "det": "torch.linalg.det({0})",
    }
)


@pytorch.write("sign")
def _(node: Node) -> Expr:
    if node.x.dtype is not None and node.x.dtype.is_float:  # PyTorch's sign of NaN is 0
        return Expr("torch.where({0}.isnan(), {0}, {0}.sign())", [node.x])
    return Expr("{0}.sign()", [node.x])


@pytorch.write("div")
def _(node: Node) -> Expr:
    text = "{0} / {1}"
    if node.result.dtype is not None and node.result.dtype.is_integer:
        text = 'torch.div({0}, {1}, rounding_mode="trunc")'
    return expression(text, numbers="all")(node)


@pytorch.write("mod")
def _(node: Node) -> Expr:
    return expression("torch.fmod({0}, {1})" if node.fmod else "{0} % {1}", numbers="all")(node)


@pytorch.write("pow")
def _(node: Node) -> Expr:
    base, exponent = node.x.dtype, node.y.dtype
    only(base is not None and exponent is not None, "the types of its operands aren't known")
    power = node.y.scalar
    if base == exponent and base.is_float:
        return expression("{0} ** {1}", numbers="all")(node)
    if base.is_float and exponent.is_integer:
        draft = Draft()
        whole = draft.number(node.y) if power is not None else draft.tensor(node.y)
        return draft.done(f"{draft.tensor(node.x)} ** {whole}")
    if base.is_integer and exponent.is_integer:
        if power is not None and power >= 0 and node.y.shape == ():
            draft = Draft()
            return draft.done(f"{draft.tensor(node.x)} ** {draft.number(node.y)}")
        text = "{0} ** {1}" if base == exponent else "({0} ** {1}).to({dtype})"
        return Expr(text, [node.x, node.y], {"dtype": base})
    return Expr("({0}.double() ** {1}).to({dtype})", [node.x, node.y], {"dtype": base})


@pytorch.write("minimum", "maximum")
def _(node: Node) -> Expr:
    side = "max" if node.op == "minimum" else "min"
    for x, limit in ((node.x, node.y), (node.y, node.x)):
        fits = x.shape is not None and len(limit.shape or ()) <= len(x.shape)
        if is_number(limit) and not x.is_constant and fits and x.dtype is not DType.BOOL:
            draft = Draft()
            return draft.done(f"{draft.tensor(x)}.clamp({side}={draft.number(limit)})")
    return Expr(f"torch.{node.op}({{0}}, {{1}})", [node.x, node.y])


@pytorch.write("clip")
def _(node: Node) -> Expr:
    draft, pieces = Draft(), []
    x = draft.tensor(node.x)
    bounds = {name: v for name, v in (("min", node.low), ("max", node.high)) if v is not None}
    plain = all(map(is_number, bounds.values()))
    for name, value in bounds.items():
        pieces.append(f"{name}={draft.number(value) if plain else draft.tensor(value)}")
    return draft.done(f"{x}.clamp({', '.join(pieces)})" if pieces else x)


@pytorch.write("bit_shift")
def _(node: Node) -> Expr:
    return expression("{0} << {1}" if node.direction == "left" else "{0} >> {1}")(node)


@pytorch.write("is_inf")
def _(node: Node) -> Expr:
    if not (node.positive or node.negative):
        return Expr("torch.zeros_like({0}, dtype=torch.bool)", [node.x])
    both = node.positive and node.negative
    return Expr(f"{{0}}.is{'' if both else 'pos' if node.positive else 'neg'}inf()", [node.x])


@pytorch.write("cast")
def _(node: Node) -> Expr:
    text = "{0}.to({to})"
    limit = _SMALL_FLOATS.get(node.to)
    if limit is not None:
        source: Value = node.x
        only(source.dtype is not DType.FLOAT64, "PyTorch rounds it twice, to float32 first")
        if source.dtype in (DType.FLOAT16, DType.BFLOAT16):
            text = "{0}.float().to({to})"
        if node.saturate:
            text = text.replace(".to(", f".clamp(-{limit}, {limit}).to(")
        elif node.to is DType.FLOAT8_E4M3FN:  # it has no infinity, and PyTorch saturates
            text = text.replace(".to(", '.masked_fill({0}.abs() > 464, float("nan")).to(')
    return Expr(text, [node.x], {"to": node.to})


@pytorch.write("bit_cast")
def _(node: Node) -> Expr:
    return Expr("{0}.view({to})", [node.x], {"to": node.to})
