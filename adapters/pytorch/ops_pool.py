"""Pooling, over windows and over all of an image."""

from __future__ import annotations

from adapters.pytorch.dialect import Draft, pytorch
from adapters.pytorch.ops_conv import flat_pads
from ir_hub.codegen.draft import plain
from ir_hub.codegen.spelling import Expr, Layer
from ir_hub.ir.graph import Node
from ir_hub.ir.types import DType
from ir_hub.sdk.operands import only, rank_of


@pytorch.write("max_pool")
def _(node: Node) -> Layer | Expr:
    fits, call = _fits(node), ""
    if not fits and (node.ceil_mode or not 1 <= len(node.kernel) <= 3):
        draft = Draft()
        return draft.done(f"_windows({_sliding(draft, node)}, {_lowest(node)}).amax(-1)")
    if not fits:
        call = f"{{layer}}(F.pad({{0}}, {flat_pads(node.pads)}, value={_lowest(node)}))"
    kwargs = {
        "kernel_size": plain(node.kernel),
        "stride": plain(node.strides),
        "padding": plain(tuple(a for a, _ in node.pads)) if fits else 0,
        "ceil_mode": node.ceil_mode,
        "dilation": plain(node.dilations),
    }
    defaults = {"stride": plain(node.kernel), "padding": 0, "ceil_mode": False, "dilation": 1}
    ctor = f"nn.MaxPool{len(node.kernel)}d"
    return Layer(ctor, [node.x], kwargs, defaults, positional=1, call=call)


@pytorch.write("avg_pool")
def _(node: Node) -> Layer | Expr:
    fits, call = _fits(node) and set(node.dilations) == {1}, ""
    simple = set(node.dilations) == {1} and node.count_include_pad and not node.ceil_mode
    if not fits and not (simple and 1 <= len(node.kernel) <= 3):
        draft = Draft()
        return draft.done(f"_avg_pool({_sliding(draft, node)}, {bool(node.count_include_pad)})")
    if not fits:
        call = f"{{layer}}(F.pad({{0}}, {flat_pads(node.pads)}))"
    kwargs = {
        "kernel_size": plain(node.kernel),
        "stride": plain(node.strides),
        "padding": plain(tuple(a for a, _ in node.pads)) if fits else 0,
        "ceil_mode": node.ceil_mode,
        "count_include_pad": node.count_include_pad or not any(map(any, node.pads)),
    }
    defaults = {
        "stride": plain(node.kernel), "padding": 0, "ceil_mode": False, "count_include_pad": True,
    }  # fmt: skip
    ctor = f"nn.AvgPool{len(node.kernel)}d"
    return Layer(ctor, [node.x], kwargs, defaults, positional=1, call=call)


@pytorch.write("lp_pool")
def _(node: Node) -> Expr:
    draft = Draft()
    windows = f"_windows({_sliding(draft, node)})"
    return draft.done(f"torch.linalg.vector_norm({windows}, {int(node.p)}, dim=-1)")


@pytorch.write("max_pool_indices")
def _(node: Node) -> Expr:
    draft = Draft()
    given = f"{_sliding(draft, node)}, {_lowest(node)}, {bool(node.storage_order)}"
    return draft.done(f"_max_pool_indices({given})")


@pytorch.write("max_unpool")
def _(node: Node) -> Expr:
    draft = Draft()
    x, places = draft.tensor(node.x), draft.tensor(node.indices)
    names = {"kernel": node.kernel, "stride": node.strides, "pads": node.pads}
    given = ", ".join(draft.literal(item, name) for name, item in names.items())
    shape = "None" if node.output_shape is None else draft.sizes(node.output_shape, "shape")
    return draft.done(f"_max_unpool({x}, {places}, {given}, {shape})")


@pytorch.write("global_avg_pool", "global_max_pool")
def _(node: Node) -> Layer | Expr:
    spatial = rank_of(node.x) - 2
    kind = "Avg" if node.op == "global_avg_pool" else "Max"
    if not 1 <= spatial <= 3:
        method = "mean" if kind == "Avg" else "amax"
        axes = {"axes": tuple(range(2, spatial + 2))}
        return Expr(f"{{0}}.{method}({{axes}}, keepdim=True)", [node.x], axes)
    function = Expr(f"F.adaptive_{kind.lower()}_pool{spatial}d({{0}}, 1)", [node.x])
    ctor = f"nn.Adaptive{kind}Pool{spatial}d"
    return Layer(ctor, [node.x], {"output_size": 1}, positional=1, function=function)


@pytorch.write("global_lp_pool")
def _(node: Node) -> Expr:
    literals = {"p": node.p, "axes": tuple(range(2, rank_of(node.x)))}
    return Expr("torch.linalg.vector_norm({0}, {p}, dim={axes}, keepdim=True)", [node.x], literals)


def _fits(node: Node) -> bool:
    """Whether PyTorch's pooling takes the padding: alike on both sides, half a window at most."""
    each = zip(node.pads, node.kernel, node.dilations, strict=True)
    within = all(a == b and 2 * a <= (k - 1) * d + 1 for (a, b), k, d in each)
    return within and 1 <= len(node.kernel) <= 3


def _lowest(node: Node) -> str:
    """What no maximum is, as code."""
    dtype = node.x.dtype
    only(dtype is not None, "the type of its elements isn't known")
    if dtype.is_float:
        return 'float("-inf")'
    only(dtype in (DType.INT8, DType.UINT8), f"pooling of {dtype.value}")
    return "0" if dtype is DType.UINT8 else "-128"


def _sliding(draft: Draft, node: Node) -> str:
    """What the functions over windows take first, as code."""
    x = draft.tensor(node.x)
    literals = {
        "kernel": node.kernel,
        "stride": node.strides,
        "pads": node.pads,
        "dilation": node.dilations,
    }
    given = ", ".join(draft.literal(item, key) for key, item in literals.items())
    return f"{x}, {given}, {bool(node.ceil_mode)}"
