"""Resizing: layers where Keras has them, else a matrix for each axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from adapters.tensorflow.dialect import AXES, tensorflow
from ir_hub.codegen.draft import Draft
from ir_hub.codegen.spelling import Expr, Layer
from ir_hub.ir.graph import Node, constant
from ir_hub.ir.types import DType
from ir_hub.ops.catalogue import OPS
from ir_hub.sdk.operands import only, rank_of

# Ways to find the nearest element that all repeat each element, for a whole scale.
_REPEATS = {
    ("asymmetric", "floor"),
    ("half_pixel", "round_prefer_floor"),
    ("half_pixel", "round_prefer_ceil"),
    ("pytorch_half_pixel", "round_prefer_floor"),
    ("pytorch_half_pixel", "round_prefer_ceil"),
}


@tensorflow.write("resize")
def _(node: Node) -> Layer | Expr:
    only(node.axes == AXES["resize"], f"its axes are {node.axes}")
    rank = rank_of(node.x)
    only(node.roi is None or node.coordinates != "tf_crop_and_resize", "it crops")
    factors = _factors(node)
    if factors and 3 <= rank <= 5 and node.x.dtype is DType.FLOAT32 and _repeats(node):
        size = factors[0] if len(set(factors)) == 1 else factors
        return Layer(
            f"layers.UpSampling{rank - 2}D", [node.x], {"size": size}, {"size": 2}, positional=1
        )
    smooth = node.mode == "linear" and node.coordinates == "half_pixel" and not node.antialias
    if smooth and rank == 4 and node.x.dtype is DType.FLOAT32:
        kwargs: dict[str, Any]
        if factors:
            kwargs = {"size": factors, "interpolation": "bilinear"}
            return Layer("layers.UpSampling2D", [node.x], kwargs, positional=1)
        sizes = node.result.shape[1:-1]
        if all(isinstance(size, int) for size in sizes) and _plain(node, sizes):
            kwargs = dict(zip(("height", "width"), sizes, strict=True))
            return Layer("layers.Resizing", [node.x], kwargs, positional=2)
    return _by_matrices(node)


def _repeats(node: Node) -> bool:
    return node.mode == "nearest" and (node.coordinates, node.nearest) in _REPEATS


def _plain(node: Node, sizes: Any) -> bool:
    """Whether the scale is that of the sizes, as Keras has it."""
    if node.scale_factors is None:
        return _stretches(node)
    old = node.x.shape[1:-1]
    if not all(isinstance(size, int) for size in old):
        return False
    return all(a * f == b for a, b, f in zip(old, sizes, node.scale_factors, strict=True))


def _stretches(node: Node) -> bool:
    return bool(node.keep_aspect_ratio_policy == "stretch")


def _factors(node: Node) -> tuple[int, ...] | None:
    """By how much each spatial axis grows, if by whole numbers."""
    if not _stretches(node):
        return None
    if node.scale_factors is not None:
        found = node.scale_factors
    else:
        old, new = node.x.shape[1:-1], (node.result.shape or ())[1:-1]
        if not new or not all(isinstance(size, int) for size in (*old, *new)):
            return None
        found = tuple(b / a for a, b in zip(old, new, strict=True))
    return tuple(map(int, found)) if all(f == int(f) and f >= 1 for f in found) else None


def _by_matrices(node: Node) -> Expr:
    """Each axis times the matrix that interpolates along it."""
    old, new = node.x.shape[1:-1], (node.result.shape or ())[1:-1]
    known = bool(new) and all(isinstance(size, int) for size in (*old, *new))
    only(known, "only the run knows its sizes")
    only(_stretches(node), "its sizes keep the ratio of its sides")
    only(node.scales is None, "only the run knows its scales")
    only(node.coordinates != "tf_crop_and_resize", "it crops")
    draft = Draft()
    text = draft.tensor(node.x)
    letters = "ijk"[: len(old)]
    for place, letter in enumerate(letters):
        if old[place] == new[place] and not node.scale_factors:
            continue
        matrix = constant(_matrix(node, place, old[place]), "interpolation")
        after = letters.replace(letter, "o")
        equation = f"n{letters}c,o{letter}->n{after}c"
        text = f'ops.einsum("{equation}", {text}, {draft.tensor(matrix)})'
    return draft.done(text)


def _matrix(node: Node, place: int, size: int) -> np.ndarray:
    """What the op makes of each unit vector along one spatial axis: (new size, size)."""
    literals: dict[str, Any] = dict(node.args)
    literals.update(dict.fromkeys(("sizes", "scales", "roi", "scale_factors")))
    new = (node.result.shape or ())[1:-1][place]
    if node.scale_factors is not None:
        literals["scale_factors"] = (node.scale_factors[place],)
    else:
        literals["sizes"] = np.array([new])
    literals["x"] = np.eye(size)[:, :, None]
    (rows,) = OPS["resize"].call(literals)
    dtype = node.x.dtype.numpy if node.x.dtype else np.dtype(np.float32)
    return np.ascontiguousarray(rows[:, :, 0].T).astype(dtype)
