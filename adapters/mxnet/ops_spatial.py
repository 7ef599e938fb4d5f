"""Convolutions, pools and resizing as Gluon code."""

from __future__ import annotations

from typing import Any

from adapters.mxnet.dialect import mxnet
from adapters.mxnet.gluon import in_order, is_computed, is_vector, layer, only, plain, rank_of
from ir_hub.codegen.spelling import Expr, Layer
from ir_hub.ir.graph import Node, Value

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
    return layer(f"nn.Conv{count}D", node, kwargs, _CONV, _weights(node, out), 2, call)


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
    return layer(f"nn.Conv{count}DTranspose", node, kwargs, _CONV, params, 2, call)


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
        only(
            is_max or node.count_include_pad, "it leaves out padding that differs from side to side"
        )
        lowest = -3.0e38 if is_max else 0
        call = f"{{layer}}({padded('{0}', node.pads, lowest)})"
    if node.ceil_mode:
        _check_full(node)
    if not is_max:
        kwargs["count_include_pad"] = node.count_include_pad or not any(map(any, node.pads))
    ctor = f"nn.{'Max' if is_max else 'Avg'}Pool{count}D"
    return layer(ctor, node, kwargs, defaults, positional=1, call=call)


def _check_full(node: Node) -> None:
    """MXNet keeps a last window that lies in the padding alone; ours drops it."""
    shape = node.x.shape or ()
    for place, ((pad, _), k, stride) in enumerate(
        zip(node.pads, node.kernel, node.strides, strict=True), 2
    ):
        if stride <= k - pad:
            continue
        size = shape[place] if place < len(shape) else None
        only(isinstance(size, int), "with a stride this wide its windows depend on the size")
        last = -(-(size + 2 * pad - k) // stride) * stride - pad
        only(last < size, "MXNet has a window more, in the padding alone")


@mxnet.write("global_avg_pool", "global_max_pool")
def _(node: Node) -> Layer | Expr:
    in_order(node)
    count = rank_of(node.x) - 2
    kind = "Avg" if node.op == "global_avg_pool" else "Max"
    if 1 <= count <= 3:
        return layer(f"nn.Global{kind}Pool{count}D", node)
    function = "mean" if kind == "Avg" else "max"
    axes = tuple(range(2, count + 2))
    return Expr(f"F.{function}({{0}}, axis={{axes}}, keepdims=True)", [node.x], {"axes": axes})


@mxnet.write("resize")
def _(node: Node) -> Expr:
    in_order(node)
    plain_ = node.roi is None and node.scales is None and not node.antialias
    only(plain_ and node.keep_aspect_ratio_policy == "stretch", "MXNet has no such resizing")
    if node.mode == "nearest":
        return _nearest(node)
    only(rank_of(node.x) == 4, "MXNet interpolates images only")
    only(node.mode == "linear", f"MXNet has no {node.mode} resizing")
    corners = node.coordinates == "align_corners"
    sizes = node.result.shape[2:] if node.result.shape is not None else (None, None)
    known = all(isinstance(size, int) for size in (*sizes, *(node.x.shape or ())[2:]))
    only(known, "MXNet resizes to sizes that are known")
    half = node.coordinates == "half_pixel" and _ratio_is_exact(node, sizes)
    only(corners or half, f"MXNet has no resizing with {node.coordinates} coordinates")
    text = "F.contrib.BilinearResize2D({0}, height={height}, width={width}"
    literals = {"height": sizes[0], "width": sizes[1]}
    return Expr(text + (")" if corners else ", align_corners=False)"), [node.x], literals)


def _ratio_is_exact(node: Node, sizes: tuple[Any, ...]) -> bool:
    """Whether the scale is that of the sizes, which is all that MXNet knows."""
    if node.scale_factors is None:
        return True
    pairs = zip(node.scale_factors, node.x.shape[2:], sizes, strict=True)
    return all(factor * old == new for factor, old, new in pairs)


def _nearest(node: Node) -> Expr:
    ratios = _whole_ratios(node)
    simple = node.coordinates == "asymmetric" and node.nearest == "floor"
    middle = node.coordinates.endswith("half_pixel") and node.nearest.startswith("round")
    only(ratios is not None, "MXNet repeats pixels a whole number of times")
    assert ratios is not None
    only(simple or middle, f"MXNet has no {node.nearest} with {node.coordinates} coordinates")
    if len(set(ratios)) == 1 and len(ratios) == 2:
        text = 'F.UpSampling({0}, scale={scale}, sample_type="nearest")'
        return Expr(text, [node.x], {"scale": ratios[0]})
    text = "{0}"
    for axis, ratio in enumerate(ratios, 2):
        text = f"F.repeat({text}, repeats={ratio}, axis={axis})" if ratio > 1 else text
    return Expr(text, [node.x])


def _whole_ratios(node: Node) -> list[int] | None:
    """How many pixels each becomes."""
    if node.scale_factors is not None:
        whole = all(float(f).is_integer() for f in node.scale_factors)
        return [int(f) for f in node.scale_factors] if whole else None
    old, new = (node.x.shape or ())[2:], node.sizes
    if not isinstance(new, tuple) or not all(isinstance(n, int) for n in (*old, *new)):
        return None
    whole = all(b % a == 0 for a, b in zip(old, new, strict=True))
    return [b // a for a, b in zip(old, new, strict=True)] if whole else None
