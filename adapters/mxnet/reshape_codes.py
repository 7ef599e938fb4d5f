"""MXNet's codes for shapes: 0 keeps a size, -1 is the rest, -2 copies all that follow, -3 joins two
sizes, -4 splits one; they say a reshape without knowing the sizes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ir_hub.ir.dims import Dim, divide_exactly, floordiv

Shape = tuple[Dim, ...]


class BadCodes(ValueError):
    """The codes don't fit the shape."""


def apply_codes(shape: Sequence[Dim], codes: Sequence[int], reverse: bool = False) -> Shape:
    """What a shape becomes.

    Raises:
        BadCodes: they don't fit it.
    """
    if reverse:
        turned = apply_codes(tuple(shape)[::-1], tuple(codes)[::-1])
        return turned[::-1]
    found, rest = _applied(list(shape), list(codes))
    if rest is None:
        return tuple(found)
    others = _product(found[:rest] + found[rest + 1 :])
    total = _product(shape)
    if isinstance(total, int) and isinstance(others, int) and (others == 0 or total % others):
        raise BadCodes(f"{total} elements have no shape {tuple(codes)}")
    exact = divide_exactly(total, others)
    found[rest] = floordiv(total, others) if exact is None else exact
    return tuple(found)


def _applied(shape: list[Dim], codes: list[int]) -> tuple[list[Dim], int | None]:
    """The sizes, and which of them is the rest."""
    found: list[Dim] = []
    rest: int | None = None
    at = place = 0
    while place < len(codes):
        code = codes[place]
        place += 1
        if code == -2:
            found += shape[at:]
            at = len(shape)
        elif code == -3:
            found.append(_size(shape, at) * _size(shape, at + 1))
            at += 2
        elif code == -4:
            pair = codes[place : place + 2]
            found += _split(_size(shape, at), pair)
            place, at = place + 2, at + 1
        elif code == -1:
            if rest is not None:
                raise BadCodes(f"{tuple(codes)} has two sizes to be found")
            rest = len(found)
            found.append(0)
            at += 1
        elif code >= 0:
            found.append(_size(shape, at) if code == 0 else code)
            at += 1
        else:
            raise BadCodes(f"{code} is no code")
    return found, rest


def _split(size: Dim, pair: list[int]) -> list[Dim]:
    if len(pair) != 2 or pair.count(-1) > 1 or min(pair) < -1 or 0 in pair:
        raise BadCodes(f"{size} can't be split into {pair}")
    if -1 not in pair:
        return list(pair)
    known = max(pair)
    exact = divide_exactly(size, known)
    other = floordiv(size, known) if exact is None else exact
    return [other, known] if pair[0] == -1 else [known, other]


def find_codes(shape: Sequence[Dim], wanted: Sequence[Dim]) -> tuple[int, ...] | None:
    """Codes that make one shape another without naming a size with symbols; None when there are
    none. Sizes that are numbers are written as such."""
    open_sizes = [size for size in wanted if not isinstance(size, int)]
    if not open_sizes and 0 not in wanted:
        return tuple(wanted)  # type: ignore[arg-type]
    for codes in (_by_place(shape, wanted), _aligned(shape, wanted)):
        if codes is not None and _means(shape, codes, wanted):
            return codes
    return None


def _means(shape: Sequence[Dim], codes: tuple[int, ...], wanted: Sequence[Dim]) -> bool:
    """Whether the codes give the wanted sizes; the rest follows from the others."""
    try:
        found = apply_codes(shape, codes)
    except BadCodes:
        return False
    pairs = list(zip(found, wanted, strict=False))
    return len(found) == len(wanted) and sum(a != b for a, b in pairs) <= (-1 in codes)


def _by_place(shape: Sequence[Dim], wanted: Sequence[Dim]) -> tuple[int, ...] | None:
    """Open sizes stay where they are, but for one."""
    codes = []
    for place, size in enumerate(wanted):
        if isinstance(size, int) and size:
            codes.append(size)
        else:
            codes.append(0 if place < len(shape) and shape[place] == size else -1)
    return tuple(codes) if codes.count(-1) <= 1 else None


def _aligned(shape: Sequence[Dim], wanted: Sequence[Dim]) -> tuple[int, ...] | None:
    """Sizes that are kept, joined two by two, or split in two, from the first on."""
    codes: list[int] = []
    at = place = 0
    while place < len(wanted):
        size = wanted[place]
        if at >= len(shape):
            if not isinstance(size, int):
                return None
            codes.append(size)
            place += 1
        elif size == shape[at]:
            codes.append(0)
            at, place = at + 1, place + 1
        elif at + 1 < len(shape) and size == shape[at] * shape[at + 1]:
            codes.append(-3)
            at, place = at + 2, place + 1
        elif place + 1 < len(wanted) and size * wanted[place + 1] == shape[at]:
            pair = [n if isinstance(n, int) else -1 for n in wanted[place : place + 2]]
            if pair == [-1, -1]:
                return None
            codes += [-4, *pair]
            at, place = at + 1, place + 2
        elif isinstance(size, int):
            codes.append(size)
            at, place = at + 1, place + 1
        else:
            codes.append(-1)
            at, place = at + 1, place + 1
    return tuple(codes)


def _size(shape: Sequence[Dim], at: int) -> Dim:
    if at >= len(shape):
        raise BadCodes(f"a code stands for size {at} of {len(shape)}")
    return shape[at]


def _product(sizes: Sequence[Dim]) -> Dim:
    total: Dim = math.prod(size for size in sizes if isinstance(size, int))
    for size in sizes:
        total = total if isinstance(size, int) else total * size
    return total
