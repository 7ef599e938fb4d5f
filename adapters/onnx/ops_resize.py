"""ONNX's Resize in all its versions: which axes it resizes is read off its scales or sizes."""

from __future__ import annotations

from typing import Any

from adapters.onnx.dialect import only, rank_of, table
from ir_hub.ir.graph import Node, Value, constant
from ir_hub.ir.types import DType
from ir_hub.ops.axes_string import orders
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import Call, Unsupported

_COORDINATES = "coordinate_transformation_mode"
_KNOWN = (
    "half_pixel",
    "half_pixel_symmetric",
    "pytorch_half_pixel",
    "align_corners",
    "asymmetric",
    "tf_crop_and_resize",
)
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@table.read("Upsample", since=7)
def upsample_by_attribute(call: Call, b: Builder) -> Any:
    only(call, "mode", "scales")
    return _by_scales(call, tuple(call.attrs["scales"]), b)


@table.read("Upsample", "Resize", since=9)
def upsample(call: Call, b: Builder) -> Any:
    """Upsample, and the first version of Resize, which was Upsample by another name."""
    only(call, "mode")
    scales = call.inputs[1]
    assert scales is not None
    return _by_scales(call, _known(scales) or scales, b)


def _by_scales(call: Call, scales: Any, b: Builder) -> Any:
    x, mode = call.inputs[0], call.attrs.get("mode", "nearest")
    literals = {"mode": mode, "coordinates": "asymmetric", "nearest": "floor"}
    if isinstance(scales, Value):
        return b.resize(x, None, scales, axes="*->*", **literals)
    axes, chosen = _axes_and(scales, rank_of(x, f"the operand of {call.type}"), 1.0)
    return b.resize(x, scale_factors=chosen, axes=axes, **literals)


@table.read("Resize", since=11)
def resize(call: Call, b: Builder) -> Any:
    only(
        call,
        *(_COORDINATES, "mode", "nearest_mode", "cubic_coeff_a", "exclude_outside"),
        *("extrapolation_value", "antialias", "keep_aspect_ratio_policy", "axes"),
    )
    x, roi, scales, sizes = (call.input(index) for index in range(4))
    rank = rank_of(x, "the operand of Resize")
    literals = _literals(call)
    if literals["coordinates"] != "tf_crop_and_resize":
        roi = None
    given = call.attrs.get("axes")
    if given is not None:
        given = tuple(axis % rank for axis in given)
        scales, sizes = (_sorted(v, given, b) for v in (scales, sizes))
        if roi is not None and given != tuple(sorted(given)):
            raise Unsupported(f"Resize of the axes {given} of a region")
        given = tuple(sorted(given))
    if scales is not None and scales.shape != (0,):
        return _scaled(x, scales, roi, given, rank, literals, b)
    if sizes is None:
        raise Unsupported("Resize with neither scales nor sizes")
    return _sized(x, sizes, roi, given, rank, literals, b)


def _sorted(items: Value | None, axes: tuple[int, ...], b: Builder) -> Any:
    """One item for each of the axes, in the order that the axes have in the tensor."""
    order = sorted(range(len(axes)), key=lambda i: axes[i])
    if items is None or items.shape == (0,) or order == list(range(len(axes))):
        return items
    if items.is_constant:
        return constant(items.array()[order])
    return b.gather(items, b.constant(order, DType.INT64))


def _literals(call: Call) -> dict[str, Any]:
    coordinates = call.attrs.get(_COORDINATES, "half_pixel")
    if coordinates not in _KNOWN:
        raise Unsupported(f"Resize with the coordinates {coordinates!r}")
    return {
        "mode": call.attrs.get("mode", "nearest"),
        "coordinates": coordinates,
        "nearest": call.attrs.get("nearest_mode", "round_prefer_floor"),
        "cubic_coeff_a": call.attrs.get("cubic_coeff_a", -0.75),
        "exclude_outside": bool(call.attrs.get("exclude_outside", 0)),
        "extrapolation_value": call.attrs.get("extrapolation_value", 0.0),
        "antialias": bool(call.attrs.get("antialias", 0)),
        "keep_aspect_ratio_policy": call.attrs.get("keep_aspect_ratio_policy", "stretch"),
    }


def _scaled(
    x: Any, scales: Value, roi: Any, given: Any, rank: int, literals: Any, b: Builder
) -> Any:
    factors = _known(scales)
    literals = {**literals, "keep_aspect_ratio_policy": "stretch"}  # it is for sizes only
    if factors is None or roi is not None:
        axes = _axes_of(given or tuple(range(rank)), rank)
        found = {"scale_factors": factors} if factors is not None else {}
        return b.resize(x, None, None if found else scales, roi, axes=axes, **found, **literals)
    everywhere = [1.0] * rank
    for axis, factor in zip(given or range(rank), factors, strict=True):
        everywhere[axis] = factor
    axes, chosen = _axes_and(tuple(everywhere), rank, 1.0)
    return b.resize(x, scale_factors=chosen, axes=axes, **literals)


def _sized(x: Any, sizes: Value, roi: Any, given: Any, rank: int, literals: Any, b: Builder) -> Any:
    wanted = tuple(sizes.array().tolist()) if sizes.is_constant else None
    stretched = literals["keep_aspect_ratio_policy"] == "stretch" and roi is None
    if wanted is not None and stretched:
        everywhere = list(x.shape)
        for axis, size in zip(given or range(rank), wanted, strict=True):
            everywhere[axis] = size
        kept = [a == b for a, b in zip(everywhere, x.shape, strict=True)]
        axes, first, end = _starred(kept)
        return b.resize(x, tuple(everywhere[first:end]), axes=axes, **literals)
    if wanted is None and given is None and stretched and _keeps_two(sizes, x):
        spatial = b.slice(sizes, (2,), (rank,))
        return b.resize(x, spatial, axes="NC*->NC*", **literals)
    axes = _axes_of(given or tuple(range(rank)), rank)
    return b.resize(x, sizes, None, roi, axes=axes, **literals)


def _keeps_two(sizes: Value, x: Value) -> bool:
    """Whether computed sizes begin with x's own first two: Concat(Slice(Shape(x), 0, 2), ...)."""
    concat = sizes.producer
    if concat is None or concat.op != "concat":
        return False
    head = concat.xs[0].producer
    if head is None or head.op != "slice" or (head.starts, head.ends) != ((0,), (2,)):
        return False
    shape = head.x.producer
    return shape is not None and shape.op == "shape_of" and shape.x is x


def _known(scales: Value) -> tuple[float, ...] | None:
    if not scales.is_constant:
        return None
    return tuple(float(str(scale)) for scale in scales.array().reshape(-1))


def _axes_and(items: tuple[Any, ...], rank: int, nothing: Any) -> tuple[str, tuple[Any, ...]]:
    """The axes string of a resize by one item for each axis, and the items that are left."""
    if len(items) != rank:
        raise Unsupported(f"{len(items)} scales for a tensor of rank {rank}")
    axes, first, end = _starred([item == nothing for item in items])
    return axes, items[first:end]


def _starred(kept: list[bool]) -> tuple[str, int, int]:
    """The axes string in which axes that are kept have letters, and which axes `*` stands for."""
    rank = len(kept)
    if rank > 2 and kept[0] and kept[1]:
        return "NC*->NC*", 2, rank
    if rank > 2 and kept[0] and kept[-1]:
        return "N*C->N*C", 1, rank - 1
    return "*->*", 0, rank


def _axes_of(given: tuple[int, ...], rank: int) -> str:
    """The axes string in which `*` stands for exactly the given axes."""
    first, count = given[0], len(given)
    if given != tuple(range(first, first + count)):
        raise Unsupported(f"Resize of the axes {given} in that order")
    if (first, count) == (2, rank - 2):
        return "NC*->NC*"
    order = f"{_LETTERS[:first]}*{_LETTERS[first : rank - count]}"
    return f"{order}->{order}"


@table.write("resize", since=19)
def write_resize(node: Node, emitter: Any) -> Any:
    source, target = orders(node.axes)
    if source != target:
        raise Unsupported(f"resize in the order {node.axes}")
    rank = rank_of(node.x, "the operand of resize")
    first, letters = source.index("*"), len(source) - 1
    resized = tuple(range(first, first + rank - letters))
    scales = node.scales
    if node.scale_factors is not None:
        scales = emitter.floats(node.scale_factors)
    attributes = {
        _COORDINATES: node.coordinates,
        "mode": node.mode,
        "nearest_mode": node.nearest,
        "cubic_coeff_a": node.cubic_coeff_a,
        "exclude_outside": node.exclude_outside,
        "extrapolation_value": node.extrapolation_value,
        "antialias": node.antialias,
        "keep_aspect_ratio_policy": node.keep_aspect_ratio_policy,
        "axes": resized if letters else None,
    }
    return emitter.node("Resize", [node.x, node.roi, scales, node.sizes], attributes)
