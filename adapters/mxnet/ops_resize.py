"""Resizing as Gluon code."""

from __future__ import annotations

from adapters.mxnet.dialect import mxnet
from adapters.mxnet.gluon import in_order, known
from adapters.mxnet.open_sizes import carriers
from ir_hub.codegen.spelling import Expr
from ir_hub.ir.dims import Dim
from ir_hub.ir.graph import Node, Value
from ir_hub.sdk.operands import only, rank_of

_MOST_TIMES = 32  # how often an open size is repeated at most


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
    half = node.coordinates == "half_pixel" and _ratio_is_exact(node)
    only(corners or half, f"MXNet has no resizing with {node.coordinates} coordinates")
    given, more = _new_size(node)
    text = f"F.contrib.BilinearResize2D({{0}}, {given}" + (
        "" if corners else ", align_corners=False"
    )
    return Expr(f"{text})", [node.x, *more])


def _new_size(node: Node) -> tuple[str, list[Value]]:
    """How an image's new size is said, and the operands that this needs."""
    shape, ratios, like = node.result.shape or (), _whole_ratios(node), carriers(node)
    if all(isinstance(size, int) for size in shape[2:]) and shape:
        return f"height={shape[2]}, width={shape[3]}", []
    if ratios is not None:
        return f"scale_height={ratios[0]}, scale_width={ratios[1]}", []
    known(like, "MXNet resizes to a size that is known, or that another image has")
    return '{1}, mode="like"', like


def _ratio_is_exact(node: Node) -> bool:
    """Whether the scale is that of the sizes, which is all that MXNet knows."""
    if node.scale_factors is None or _whole_ratios(node) is not None:
        return True
    sizes = (node.result.shape or ())[2:]
    pairs = list(zip(node.scale_factors, node.x.shape[2:], sizes, strict=True))
    are_known = all(isinstance(size, int) for _, old, new in pairs for size in (old, new))
    known(are_known, "its scale isn't whole")
    return all(factor * old == new for factor, old, new in pairs)


def _nearest(node: Node) -> Expr:
    ratios = _whole_ratios(node)
    simple = node.coordinates == "asymmetric" and node.nearest == "floor"
    middle = node.coordinates.endswith("half_pixel") and node.nearest.startswith("round")
    sizes = (*(node.x.shape or ())[2:], *(node.result.shape or ())[2:])
    are_open = node.scale_factors is None and any(not isinstance(size, int) for size in sizes)
    refuse = known if are_open else only
    refuse(ratios is not None, "MXNet repeats pixels a whole number of times")
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
    if not isinstance(new, tuple):
        return None
    found = [_times(a, b) for a, b in zip(old, new, strict=True)]
    return [ratio for ratio in found if ratio] if all(found) else None


def _times(old: Dim, new: Dim) -> int | None:
    """How often a size is in another one, if that is whole and known."""
    if isinstance(old, int) and isinstance(new, int):
        return new // old if new % old == 0 else None
    return next((ratio for ratio in range(1, _MOST_TIMES + 1) if old * ratio == new), None)
