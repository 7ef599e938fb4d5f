"""What shape rules share: broadcasting, reducing, sliding windows; over sizes with symbols."""

from __future__ import annotations

from collections.abc import Sequence

from ir_hub.ir.dims import Dim, maximum
from ir_hub.ir.types import Shape, TensorType


def broadcast(*shapes: Shape) -> Shape:
    """NumPy's broadcasting. Two sizes that aren't provably equal give the greater one: that is
    right whenever the op runs at all, but for a size of 0 against 1.

    Raises:
        ValueError: two known sizes differ, and neither is 1.
    """
    rank = max((len(shape) for shape in shapes), default=0)
    padded = [(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes]
    return tuple(_common(sizes, shapes) for sizes in zip(*padded, strict=True))


def _common(sizes: Sequence[Dim], shapes: Sequence[Shape]) -> Dim:
    known = {size for size in sizes if isinstance(size, int) and size != 1}
    if len(known) > 1:
        listed = " and ".join(f"[{', '.join(map(str, shape))}]" for shape in shapes)
        raise ValueError(f"shapes {listed} don't broadcast")
    if known:
        return known.pop()
    symbolic = list(dict.fromkeys(size for size in sizes if not isinstance(size, int)))
    return maximum(*symbolic) if symbolic else 1


def axis_of(axis: int, rank: int) -> int:
    """An axis counted from the front; ValueError when there is none such."""
    if not -rank <= axis < rank:
        raise ValueError(f"axis {axis} of a tensor of rank {rank}")
    return axis % rank


def reduced(shape: Shape, axes: Sequence[int], keepdims: bool) -> Shape:
    """A shape without, or with sizes 1 for, some of its axes."""
    gone = {axis_of(axis, len(shape)) for axis in axes}
    if keepdims:
        return tuple(1 if axis in gone else size for axis, size in enumerate(shape))
    return tuple(size for axis, size in enumerate(shape) if axis not in gone)


def broadcast_rule(*operands: TensorType | None, **_: object) -> Shape:
    """The shape rule of elementwise ops: the operands broadcast."""
    return broadcast(*(t.shape for t in operands if t is not None and t.shape is not None))


def same_rule(x: TensorType, *_: object, **__: object) -> Shape | None:
    """The shape rule of ops that keep the first operand's shape."""
    return x.shape
