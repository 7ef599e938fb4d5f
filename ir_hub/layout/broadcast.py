"""Operands of elementwise ops, whatever their rank, in the order that the result has."""

from __future__ import annotations

from ir_hub.ir.graph import Value, constant
from ir_hub.layout.held import Held
from ir_hub.layout.permutations import Perm, trailing


def align_cost(held: Held, value: Value, perm: Perm) -> int:
    """How many elements have to be moved so that a value broadcasts to a result in an order."""
    assert value.shape is not None
    return held.cost(value, trailing(perm, len(value.shape)))


def aligned(held: Held, value: Value, perm: Perm) -> Value:
    """The value such that it broadcasts to a result that is transposed by `perm`: axes that it
    hadn't are added with size 1 where they are needed, but for the first ones."""
    assert value.shape is not None
    rank = len(value.shape)
    if value.is_constant and all(size == 1 for size in value.shape):
        return value
    if rank == len(perm):
        return held.get(value, perm)
    axes: list[int | None] = [axis - (len(perm) - rank) for axis in perm]
    axes = [None if axis is not None and axis < 0 else axis for axis in axes]
    while axes and axes[0] is None:
        axes.pop(0)
    if value.data is not None:
        return value if axes == list(range(rank)) else constant(value.data.with_axes(axes), value.name)
    own = held.get(value, trailing(perm, rank))
    new = tuple(place for place, axis in enumerate(axes) if axis is None)
    if not new:
        return own
    shape = tuple(1 if axis is None else value.shape[axis] for axis in axes)
    scope = own.producer.scope if own.producer is not None else ""
    return held.add("unsqueeze", {"x": own, "axes": new}, held.like(own, shape), scope)
