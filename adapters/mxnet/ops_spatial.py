"""Convolutions and pools as Gluon code."""

from __future__ import annotations

from typing import Any

from adapters.mxnet.dialect import mxnet
from adapters.mxnet.gluon import in_order, is_computed, is_vector, known
from ir_hub.codegen.draft import plain
from ir_hub.codegen.spelling import Expr, Layer
from ir_hub.ir.graph import Node, Value
from ir_hub.sdk.operands import only, rank_of

Pads = tuple[tuple[int, int], ...]

_CONV = {"strides": 1, "padding": 0, "output_padding": 0, "dilation": 1, "groups": 1,
         "use_bias": True}  # fmt: skip


@mxnet.write("conv")
def _(node: Node) -> Layer:
    in_order(node)
    count, (out, inner, *kernel) = _count(node), node.weight.shape
    even = all(a == b for a, b in node.pads)
    kwargs = {
        "channels": out,
        "kernel_size": plain(kernel),
        "strides": plain(node.strides),
        "padding": plain([a for a, _ in node.pads]) if even else 0,
        "dilation": plain(node.dilations),
        "groups": node.groups,
        "use_bias": node.bias is not None,
        "in_channels": inner * node.groups,
    }
    call = "" if even else f"{{layer}}({padded('{0}', node.pads, 0)})"
    return Layer(f"nn.Conv{count}D", [node.x], kwargs, _CONV, _weights(node, out), 2, call)


@mxnet.write("conv_transpose")
def _(node: Node) -> Layer:
    in_order(node)
    count, (inner, out, *kernel) = _count(node), node.weight.shape
    common = [min(pair) for pair in node.pads]
    kwargs = {
        "channels": out * node.groups,
        "kernel_size": plain(kernel),
        "strides": plain(node.strides),
        "padding": plain(common),
        "output_padding": plain(node.output_padding),
        "dilation": plain(node.dilations),
        "groups": node.groups,
        "use_bias": node.bias is not None,
        "in_channels": inner,
    }
    small = all(a < s for a, s in zip(node.output_padding, node.strides, strict=True))
    only(small, "its output padding isn't smaller than its stride")
    call = "{layer}({0})"
    for axis, (pair, least) in enumerate(zip(node.pads, common, strict=True), 2):
        begin, end = pair[0] - least, pair[1] - least
        if begin or end:
            call = f"F.slice_axis({call}, axis={axis}, begin={begin}, end={-end or None})"
    call = "" if call == "{layer}({0})" else call
    params = _weights(node, out * node.groups)
    return Layer(f"nn.Conv{count}DTranspose", [node.x], kwargs, _CONV, params, 2, call)


def _count(node: Node) -> int:
    """The number of spatial axes, of a convolution whose weights a layer can have."""
    only(node.weight.is_constant, "its weight isn't a constant")
    is_computed(node.x, node.weight, node.bias)
    count = len(node.strides)
    only(1 <= count <= 3, f"MXNet has no convolution of {count} axes")
    return count


def _weights(node: Node, out: int) -> dict[str, Value]:
    only(is_vector(node.bias, out), "its bias isn't a constant vector")
    found = {"weight": node.weight}
    return found if node.bias is None else {**found, "bias": node.bias}


def padded(text: str, pads: Pads, value: float) -> str:
    """Code that pads spatial axes; MXNet does so for two and three of them only."""
    given = f", constant_value={value}" if value else ""
    widths = (0, 0, 0, 0, *((0, 0) * (2 - len(pads))), *(width for pair in pads for width in pair))
    if len(pads) > 1:
        return f'F.pad({text}, mode="constant", pad_width={widths!r}{given})'
    wide = f"F.expand_dims({text}, axis=2)"
    return f'F.squeeze(F.pad({wide}, mode="constant", pad_width={widths!r}{given}), axis=2)'


@mxnet.write("max_pool", "avg_pool")
def _(node: Node) -> Layer:
    in_order(node)
    count = len(node.kernel)
    only(1 <= count <= 3, f"MXNet has no pooling of {count} axes")
    only(set(node.dilations) == {1}, "MXNet has no pooling with gaps")
    is_max = node.op == "max_pool"
    only(node.x.dtype is not None and node.x.dtype.is_float, "MXNet pools floats only")
    even = all(a == b < k for (a, b), k in zip(node.pads, node.kernel, strict=True))
    kwargs: dict[str, Any] = {
        "pool_size": plain(node.kernel),
        "strides": plain(node.strides),
        "padding": plain([a for a, _ in node.pads]) if even else 0,
        "ceil_mode": node.ceil_mode,
    }
    defaults = {"strides": plain(node.kernel), "padding": 0, "ceil_mode": False,
                "count_include_pad": True}  # fmt: skip
    call = ""
    if not even:
        only(not node.ceil_mode, "its padding differs from side to side, and it rounds up")
        lowest = -3.0e38 if is_max else 0
        call = f"{{layer}}({padded('{0}', node.pads, lowest)})"
        if not (is_max or node.count_include_pad):  # the part of each window that isn't padding
            call += f" / {{layer}}({padded('F.ones_like({0})', node.pads, 0)})"
    if node.ceil_mode:
        _check_full(node)
    if not is_max:
        whole = not even or not any(map(any, node.pads))
        kwargs["count_include_pad"] = node.count_include_pad or whole
    ctor = f"nn.{'Max' if is_max else 'Avg'}Pool{count}D"
    return Layer(ctor, [node.x], kwargs, defaults, positional=1, call=call)


def _check_full(node: Node) -> None:
    """MXNet keeps a last window that lies in the padding alone; ours drops it."""
    shape = node.x.shape or ()
    for place, ((pad, _), k, stride) in enumerate(
        zip(node.pads, node.kernel, node.strides, strict=True), 2
    ):
        if stride <= k - pad:
            continue
        size = shape[place] if place < len(shape) else None
        known(isinstance(size, int), "with a stride this wide its windows depend on the size")
        last = -(-(size + 2 * pad - k) // stride) * stride - pad
        only(last < size, "MXNet has a window more, in the padding alone")


@mxnet.write("global_avg_pool", "global_max_pool")
def _(node: Node) -> Layer | Expr:
    in_order(node)
    count = rank_of(node.x) - 2
    kind = "Avg" if node.op == "global_avg_pool" else "Max"
    if 1 <= count <= 3:
        return Layer(f"nn.Global{kind}Pool{count}D", [node.x])
    function = "mean" if kind == "Avg" else "max"
    axes = tuple(range(2, count + 2))
    return Expr(f"F.{function}({{0}}, axis={{axes}}, keepdims=True)", [node.x], {"axes": axes})
