"""Resizing: by F.interpolate where that computes the very same, else by a function of its own."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from adapters.pytorch.dialect import AXES, Draft, pytorch
from ir_hub.codegen.draft import plain
from ir_hub.codegen.spelling import Expr, Layer
from ir_hub.ir.graph import Node
from ir_hub.ir.types import DType
from ir_hub.ops.resize import scale_fraction
from ir_hub.sdk.operands import only, rank_of

_LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}
_COMPUTED = (DType.FLOAT16, DType.BFLOAT16, DType.FLOAT32, DType.FLOAT64)


@pytorch.write("resize")
def _(node: Node) -> Layer | Expr:
    carried = node.axes.partition("->")[0]
    only("->" in node.axes and node.axes.partition("->")[2] == carried, "it moves axes")
    mode = _mode(node)
    if mode is None:
        return _general(node, carried)
    align = {"align_corners": True} if node.coordinates == "align_corners" else {}
    draft = Draft()
    x = draft.tensor(node.x)
    if node.scale_factors is not None:
        kwargs: dict[str, Any] = {"scale_factor": _alike(tuple(map(_number, node.scale_factors)))}
    elif isinstance(node.sizes, tuple):
        kwargs = {"size": node.sizes}
    else:
        kwargs = {}
    if node.mode != "nearest" or mode != "nearest":
        kwargs["mode"] = mode
    kwargs |= align
    given = [f"{name}={draft.literal(item, name)}" for name, item in kwargs.items()]
    if not isinstance(node.sizes, tuple | None):
        given.insert(0, f"size={draft.sizes(node.sizes)}")
    function = draft.done(f"F.interpolate({', '.join([x, *given])})")
    if node.scale_factors is None:
        return function
    return Layer("nn.Upsample", [node.x], kwargs, function=function)


def _mode(node: Node) -> str | None:
    """PyTorch's name of what the node does; None when it has nothing that does the same."""
    spatial = len(node.x.shape or ()) - 2
    simple = node.roi is None and node.scales is None and node.keep_aspect_ratio_policy == "stretch"
    simple = simple and not node.antialias and node.axes == AXES["resize"]
    if not simple or node.exclude_outside or not 1 <= spatial <= 3 or node.x.dtype not in _COMPUTED:
        return None
    if node.mode == "nearest":
        return _nearest(node)
    if not _same_coordinates(node):
        return None
    if node.mode == "linear":
        return _LINEAR[spatial]
    return "bicubic" if spatial == 2 and node.cubic_coeff_a == -0.75 else None


def _nearest(node: Node) -> str | None:
    ratios = _ratios(node)
    if ratios is None:
        return None
    half = node.coordinates in ("half_pixel", "pytorch_half_pixel")
    growing = all(r.denominator == 1 for r in ratios)
    if node.coordinates == "pytorch_half_pixel" and not growing:
        return None
    if node.coordinates == "asymmetric" and node.nearest == "floor":
        return "nearest" if growing or _are_powers(ratios) else None
    # Where each element becomes a whole number of equal ones, its middle says the same as its edge.
    if half and node.nearest.startswith("round") and growing:
        return "nearest"
    # The middle is never halfway between two elements, unless a denominator is even.
    odd = node.nearest == "round_prefer_ceil" or all(r.denominator % 2 for r in ratios)
    exact = node.nearest.startswith("round") and odd and _are_powers(ratios)
    return "nearest-exact" if node.coordinates == "half_pixel" and exact else None


def _same_coordinates(node: Node) -> bool:
    """Whether PyTorch counts places as the node does, with or without align_corners."""
    ratios = _ratios(node)
    if node.coordinates == "half_pixel":
        return True
    if node.coordinates == "pytorch_half_pixel":  # PyTorch itself doesn't treat a size of 1 apart
        return (ratios is not None and all(r >= 2 for r in ratios)) or _results_above_one(node)
    whole = ratios is not None and all(r.denominator == 1 for r in ratios)
    return node.coordinates == "align_corners" and (whole or node.sizes is not None)


def _results_above_one(node: Node) -> bool:
    shape = node.result.shape
    return shape is not None and all(isinstance(size, int) and size > 1 for size in shape[2:])


def _ratios(node: Node) -> list[Fraction] | None:
    """The scales, if they are known."""
    if node.scale_factors is not None:
        return [scale_fraction(factor) for factor in node.scale_factors]
    shape = node.x.shape
    if not isinstance(node.sizes, tuple) or shape is None:
        return None
    pairs = list(zip(node.sizes, shape[2:], strict=True))
    if not all(isinstance(new, int) and isinstance(old, int) for new, old in pairs):
        return None
    return [Fraction(new, old) for new, old in pairs]


def _are_powers(ratios: list[Fraction]) -> bool:
    """Whether their inverses have no rounding in float32: powers of two."""
    parts = (part for ratio in ratios for part in ratio.as_integer_ratio())
    return all(part & (part - 1) == 0 for part in parts)


def _number(factor: float) -> int | float:
    fraction = scale_fraction(factor)
    return int(fraction) if fraction.denominator == 1 else float(fraction)


def _alike(factors: tuple[Any, ...]) -> Any:
    return plain(factors)


def _general(node: Node, carried: str) -> Expr:
    """A call of the function that knows all of it."""
    draft = Draft()
    first, letters = carried.index("*"), len(carried) - 1
    axes = tuple(range(first, first + rank_of(node.x) - letters))
    given = [draft.tensor(node.x), draft.literal(axes, "axes")]
    if node.scale_factors is not None:
        pairs = tuple(scale_fraction(f).as_integer_ratio() for f in node.scale_factors)
        given.append(f"scales={draft.literal(pairs, 'scales')}")
    elif node.scales is not None:
        given.append(f"scales=_fractions({draft.tensor(node.scales)})")
    else:
        given.append(f"sizes={draft.sizes(node.sizes)}")
    if node.roi is not None and node.coordinates == "tf_crop_and_resize":
        given.append(f"window={draft.tensor(node.roi)}.tolist()")
    given += [f"{name}={draft.literal(item, name)}" for name, item in _settings(node).items()]
    return draft.done(f"_resize({', '.join(given)})")


def _settings(node: Node) -> dict[str, Any]:
    """The literals that aren't at the function's own defaults."""
    usual = {
        "mode": "nearest",
        "coordinates": "half_pixel",
        "nearest": "round_prefer_floor",
        "exclude_outside": False,
        "antialias": False,
        "cubic_coeff_a": -0.75,
        "extrapolation_value": 0.0,
        "keep_aspect_ratio_policy": "stretch",
    }
    return {name: node.args[name] for name in usual if node.args[name] != usual[name]}
