"""Axes strings, `NC*,OI*->NC*`: the order of the axes of an op's tensors; `*` is all others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from ir_hub.ir.types import Shape, TensorType
from ir_hub.ops.op import Array

T = TypeVar("T")


def orders(axes: str) -> tuple[str, ...]:
    """The order of each operand, then that of the result: `NC*,OI*->NC*` has three."""
    return tuple(order.strip() for order in axes.replace("->", ",").split(","))


def permutation(source: str, target: str, rank: int) -> tuple[int, ...]:
    """The permutation that brings a tensor of this rank from one order of axes into another.

    Raises:
        ValueError: the orders don't name the same axes, or name more than the tensor has.
    """
    if sorted(source) != sorted(target) or len(set(source)) != len(source):
        raise ValueError(f"axes {source!r} cannot be put in the order {target!r}")
    places = _places(source, rank)
    return tuple(place for letter in target for place in places[letter])


def arranged(items: Sequence[T], source: str, target: str) -> tuple[T, ...]:
    """Sizes, one for each axis, from one order of axes into another."""
    return tuple(items[place] for place in permutation(source, target, len(items)))


def transposed(array: Array, source: str, target: str) -> Array:
    """A view of an array, from one order of axes into another."""
    if source == target:
        return array
    return np.transpose(array, permutation(source, target, array.ndim))


def reordered_rule(x: TensorType, *_: object, axes: str, **__: object) -> Shape | None:
    """The shape rule of ops that keep all sizes, in the order that the result has."""
    return x.shape and arranged(x.shape, *orders(axes))


def _places(order: str, rank: int) -> dict[str, range]:
    spatial = rank - len(order.replace("*", ""))
    if spatial < 0 or ("*" not in order and spatial):
        raise ValueError(f"axes {order!r} don't fit a tensor of rank {rank}")
    places, start = {}, 0
    for letter in order:
        width = spatial if letter == "*" else 1
        places[letter] = range(start, start + width)
        start += width
    return places
