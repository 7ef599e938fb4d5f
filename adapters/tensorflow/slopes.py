"""PReLU layers: which axes share a slope."""

from __future__ import annotations

from ir_hub.codegen.derived import derived
from ir_hub.codegen.spelling import Layer
from ir_hub.ir.graph import Node
from ir_hub.ir.types import DType


def prelu_layer(node: Node) -> Layer | None:
    """The layer, if its slopes are constants, along each axis one for each element or for all."""
    x, slope = node.x.shape, node.slope.shape
    if not node.slope.is_constant or x is None or node.x.dtype is not DType.FLOAT32:
        return None
    if len(x) < 2 or len(slope) > len(x):
        return None
    spread = (1,) * (len(x) - len(slope)) + tuple(slope)
    sizes = zip(spread[1:], x[1:], strict=True)
    if spread[0] != 1 or any(s not in (1, size) for s, size in sizes):
        return None
    shared = tuple(axis for axis in range(1, len(x)) if spread[axis] == 1)
    inner = spread[1:]
    alpha = derived(node.slope, inner, lambda array: array.reshape(inner))
    kwargs = {"shared_axes": shared or None}
    return Layer("layers.PReLU", [node.x], kwargs, {"shared_axes": None}, {"alpha": alpha})
