"""Reductions, searching, sorting, accumulating."""

from __future__ import annotations

from typing import Any

from adapters.pytorch.dialect import HALVES, Draft, pytorch
from ir_hub.codegen.spelling import Expr
from ir_hub.ir.graph import Node, Value
from ir_hub.ir.types import DType
from ir_hub.sdk.operands import only, rank_of

_FLOATING = {  # what is computed in floats; integers are, in float64, and then lose the fraction
    "reduce_mean": "{x}.mean({dims})",
    "reduce_l2": "torch.linalg.vector_norm({x}, dim={dims})",
    "reduce_log_sum": "{x}.sum({dims}).log()",
    "reduce_log_sum_exp": "{x}.logsumexp({dims})",
}
_EXACT = {  # {dtype}: what keeps integers as narrow as they are
    "reduce_sum": "{x}.sum({dims}{dtype})",
    "reduce_l1": "{x}.abs().sum({dims}{dtype})",
    "reduce_sum_square": "{x}.square().sum({dims}{dtype})",
    "reduce_max": "{x}.amax({dims})",
    "reduce_min": "{x}.amin({dims})",
}


@pytorch.write(*_FLOATING, *_EXACT)
def _(node: Node) -> Expr:
    if _keeps_all(node):
        return _unreduced(node)
    draft = Draft()
    x = draft.tensor(node.x)
    empty = _empty(node, draft)
    if empty is not None:
        return empty
    dims = _dims(node, draft)
    dtype = node.x.dtype
    only(dtype is not None, "the type of its elements isn't known")
    if node.op in ("reduce_l1", "reduce_sum_square") and dtype in HALVES:
        text = _filled(_EXACT[node.op], f"{x}.float()", dims, "")
        return draft.done(f"{text}.to({draft.literal(dtype, 'dtype')})")
    if node.op in _EXACT:
        narrow = f", dtype={draft.literal(dtype, 'dtype')}" if "{dtype}" in _EXACT[node.op] else ""
        text = _filled(_EXACT[node.op], x, dims, narrow if dtype.is_integer else "")
        return draft.done(text)
    if dtype.is_float and (node.op == "reduce_mean" or dtype not in HALVES):
        return draft.done(_filled(_FLOATING[node.op], x, dims, ""))
    wide = "float" if dtype.is_float else "double"
    text = _filled(_FLOATING[node.op], f"{x}.{wide}()", dims, "")
    return draft.done(f"{text}.to({draft.literal(dtype, 'dtype')})")


def _filled(template: str, x: str, dims: str, dtype: str) -> str:
    text = template.replace("{x}", x).replace("{dims}", dims).replace("{dtype}", dtype)
    return text.replace("(, ", "(")


def _dims(node: Node, draft: Draft) -> str:
    """The axes and keepdim, as arguments."""
    keep = ", keepdim=True" if node.keepdims else ""
    if isinstance(node.axes, Value) and not node.axes.is_constant and node.axes.shape != (0,):
        only(not node.noop_with_empty_axes, "whether it reduces anything, only the run knows")
        return f"{draft.sizes(node.axes)}{keep}"
    axes = _known_axes(node)
    return f"{draft.literal(axes if len(axes) != 1 else axes[0], 'axes')}{keep}"


def _known_axes(node: Node) -> tuple[int, ...]:
    axes = node.axes
    if isinstance(axes, Value):
        axes = tuple(map(int, axes.array().reshape(-1))) if axes.is_constant else ()
    return axes or tuple(range(rank_of(node.x)))


def _keeps_all(node: Node) -> bool:
    """Whether no axis is reduced."""
    none = node.axes in (None, ()) or (isinstance(node.axes, Value) and node.axes.shape == (0,))
    return bool(none and node.noop_with_empty_axes) or node.x.shape == ()


def _unreduced(node: Node) -> Expr:
    """What is left of a reduction of each element alone."""
    texts = {
        "reduce_l1": "{0}.abs()",
        "reduce_l2": "{0}.abs()",
        "reduce_sum_square": "{0}.square()",
        "reduce_log_sum": "{0}.log()",
    }
    exact = node.x.dtype is not None and (node.x.dtype.is_float or node.op != "reduce_log_sum")
    only(exact, "the logarithm of integers")
    return Expr(texts.get(node.op, "{0}"), [node.x])


def _empty(node: Node, draft: Draft) -> Expr | None:
    """The greatest or least of no elements."""
    shape, target = node.x.shape, node.result.shape
    if node.op not in ("reduce_max", "reduce_min") or shape is None or 0 not in shape:
        return None
    only(target is not None, "the rank of its result isn't known")
    dtype = node.x.dtype
    low = node.op == "reduce_max"
    fill: Any = float("-inf" if low else "inf")
    if dtype is DType.BOOL:
        fill = not low
    elif dtype.is_integer:
        bounds = f"torch.iinfo({draft.literal(dtype, 'dtype')}).{'min' if low else 'max'}"
        return draft.done(f"{draft.tensor(node.x)}.new_full({draft.sizes(target)}, {bounds})")
    text = f"{draft.tensor(node.x)}.new_full({draft.sizes(target)}, {draft.literal(fill)})"
    return draft.done(text)


@pytorch.write("reduce_prod")
def _(node: Node) -> Expr:
    if _keeps_all(node):
        return _unreduced(node)
    draft = Draft()
    text, dtype = draft.tensor(node.x), ""
    after = ""
    if node.x.dtype in HALVES:
        text, after = f"{text}.float()", f".to({draft.literal(node.x.dtype, 'dtype')})"
    if node.x.dtype is not None and node.x.dtype.is_integer:
        dtype = f", dtype={draft.literal(node.x.dtype, 'dtype')}"
    keep = ", keepdim=True" if node.keepdims else ""
    if isinstance(node.axes, Value) and not node.axes.is_constant and node.axes.shape != (0,):
        only(not node.noop_with_empty_axes, "whether it reduces anything, only the run knows")
        return draft.done(f"_prod({text}, {draft.sizes(node.axes)}{keep}{dtype}){after}")
    rank = rank_of(node.x)
    for axis in sorted((axis % rank for axis in _known_axes(node)), reverse=True):
        text += f".prod({draft.literal(axis, 'axis')}{keep}{dtype})"
    return draft.done(text + after)


@pytorch.write("arg_max", "arg_min")
def _(node: Node) -> Expr:
    draft = Draft()
    x, axis = draft.tensor(node.x), draft.literal(node.axis, "axis")
    method = node.op.replace("_", "")
    keep = ", keepdim=True" if node.keepdims else ""
    if not node.select_last_index:
        return draft.done(f"{x}.{method}({axis}{keep})")
    text = f"{x}.shape[{axis}] - 1 - {x}.flip({axis}).{method}({axis}{keep})"
    return draft.done(text)


@pytorch.write("cum_sum", "cum_prod")
def _(node: Node) -> Expr:
    draft = Draft()
    text, axis = draft.tensor(node.x), draft.number(node.axis)
    method = node.op.replace("_", "")
    dtype = ""
    if node.x.dtype is not None and node.x.dtype.is_integer:
        dtype = f", dtype={draft.literal(node.x.dtype, 'dtype')}"
    turned = f".flip({axis})" if node.reverse else ""
    text += turned
    if node.exclusive:
        text = f"_shifted({text}, {axis}, {0 if node.op == 'cum_sum' else 1})"
    return draft.done(f"{text}.{method}({axis}{dtype}){turned}")


@pytorch.write("top_k")
def _(node: Node) -> Expr:
    draft = Draft()
    x = draft.tensor(node.x)
    k = draft.literal(node.k[0], "k") if isinstance(node.k, tuple) else draft.number(node.k)
    return draft.done(f"_top_k({x}, {k}, {draft.literal(node.axis, 'axis')}, {bool(node.largest)})")


@pytorch.write("unique")
def _(node: Node) -> Expr:
    literals = {"axis": node.axis, "sorted": node.sorted}
    return Expr("_unique({0}, {axis}, {sorted})", [node.x], literals)


@pytorch.write("non_zero")
def _(node: Node) -> Expr:
    return Expr("{0}.nonzero().T", [node.x])
