"""Orders of axes as permutations, as `transpose` takes them: axis i is axis perm[i] of before."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ir_hub.ir.types import Shape, TensorType

Perm = tuple[int, ...]


def identity(rank: int) -> Perm:
    """The axes as they are."""
    return tuple(range(rank))


def compose(first: Perm, then: Perm) -> Perm:
    """Transposing by `first`, then by `then`."""
    return tuple(first[axis] for axis in then)


def inverse(perm: Perm) -> Perm:
    """What undoes transposing by `perm`."""
    return tuple(perm.index(axis) for axis in range(len(perm)))


def permuted(shape: Shape, perm: Perm) -> Shape:
    """The sizes after a transpose."""
    return tuple(shape[axis] for axis in perm)


def permuted_type(type_: TensorType | None, perm: Perm) -> TensorType | None:
    """The type after a transpose; of an unknown rank it stays what it is."""
    if type_ is None or type_.shape is None:
        return type_
    return type_.with_shape(permuted(type_.shape, perm))


def without(perm: Perm, axes: Collection[int]) -> Perm:
    """The order of the axes that are left when some are gone (numbered before the transpose)."""
    left = [axis for axis in range(len(perm)) if axis not in axes]
    return tuple(left.index(axis) for axis in perm if axis not in axes)


def moves_nothing(shape: Shape, perm: Perm) -> bool:
    """Whether a transpose only moves axes of size 1, so that the elements keep their order."""
    moved = [axis for axis in perm if shape[axis] != 1]
    return moved == sorted(moved)


def trailing(perm: Perm, rank: int) -> Perm:
    """The order that the last `rank` axes have among themselves."""
    first = len(perm) - rank
    return tuple(axis - first for axis in perm if axis >= first)


def moved_to(axis: int, place: int, rank: int) -> Perm:
    """The order that has one axis in a place, and the others as they were."""
    others: Sequence[int] = [other for other in range(rank) if other != axis]
    return (*others[:place], axis, *others[place:])
