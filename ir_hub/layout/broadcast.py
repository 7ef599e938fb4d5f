"""Operands of elementwise ops, whatever their rank, in the order that the result has."""

from __future__ import annotations

from ir_hub.ir.graph import Value
from ir_hub.layout.held import Held, rank_of, shape_of
from ir_hub.layout.permutations import Perm, trailing


def align_cost(held: Held, value: Value, perm: Perm) -> int:
    """How many elements have to be moved so that a value broadcasts to a result in an order."""
    return held.cost(value, trailing(perm, rank_of(value)))


def aligned(held: Held, value: Value, perm: Perm) -> Value:
    """The value such that it broadcasts to a result that is transposed by `perm`: axes that it
    hadn't are added with size 1 where they are needed, but for the first ones; of a constant that
    has fewer axes than the result the first ones of size 1 go."""
    rank, sizes = rank_of(value), shape_of(value)
    if value.is_constant and all(size == 1 for size in sizes):
        return value
    if rank == len(perm):
        return held.get(value, perm)
    first = len(perm) - rank
    axes = [axis - first if axis >= first else None for axis in perm]
    while axes and (axes[0] is None or (value.is_constant and sizes[axes[0]] == 1)):
        axes.pop(0)
    if value.is_constant:
        return held.constant(value, axes)
    own = held.get(value, trailing(perm, rank))
    new = tuple(place for place, axis in enumerate(axes) if axis is None)
    if not new:
        return own
    shape = tuple(1 if axis is None else sizes[axis] for axis in axes)
    scope = own.producer.scope if own.producer is not None else ""
    return held.add("unsqueeze", {"x": own, "axes": new}, held.like(own, shape), scope)
