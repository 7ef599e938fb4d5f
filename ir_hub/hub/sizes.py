"""Sizes for the inputs of a comparison: what the symbols may be, and what models like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum

from ir_hub.ir.dims import Dim, Expr, Symbol, evaluate, symbols_of
from ir_hub.ir.graph import Model

Sizes = Mapping[str, int]

MOST_TRIALS = 10


class Role(Enum):
    """What a symbol most likely counts, which only decides what is tried first."""

    BATCH = "batch"
    SPATIAL = "spatial"
    LENGTH = "length"


# What to try, best first: a batch, two sizes of an image, a length. Height and width differ, so
# that mixing them up shows; networks with fixed position tables need the square ones.
_FIRST = (
    (1, (64, 96), 16),
    (1, (224, 224), 32),
    (1, (48, 320), 128),
    (1, (128, 160), 8),
    (1, (256, 256), 512),
    (1, (320, 320), 1),
    (1, (32, 32), 16000),
    (2, (512, 512), 64),
)
_SECOND = ((2, (96, 64), 11), (1, (160, 256), 24))


def trials(model: Model, taken: Sequence[Sizes], fixed: Sizes) -> list[Sizes]:
    """Values of the inputs' symbols to try, best first, that weren't taken in an earlier run; those
    that are fixed are what they are. One empty entry when all sizes are known; none when there are
    no others.

    After a run with some sizes these are all others at once, then one other at a time: which
    sizes a model really leaves open, only its runtime knows.
    """
    roles = _roles(model)
    if not roles:
        return [] if taken else [{}]
    found = [_values(model, roles, row, fixed) for row in (_SECOND if taken else _FIRST)]
    if taken:
        others = list(found)
        found += [{**taken[0], name: other[name]} for name in roles for other in others]
    unique = {tuple(sorted(sizes.items())): sizes for sizes in found}
    fitting = [s for s in unique.values() if s not in taken and _is_possible(model, s)]
    return fitting[:MOST_TRIALS]


def _roles(model: Model) -> dict[str, Role]:
    """The inputs' symbols, in order of appearance."""
    roles: dict[str, Role] = {}
    for value in model.graph.inputs:
        for axis, size in enumerate(value.shape or ()):
            for name in sorted(symbols_of(size)):
                roles.setdefault(name, _role(axis, len(value.shape or ())))
    return roles


def _role(axis: int, rank: int) -> Role:
    if axis == 0 and rank > 1:
        return Role.BATCH
    return Role.SPATIAL if rank >= 4 else Role.LENGTH


def _values(
    model: Model, roles: Mapping[str, Role], row: tuple[int, tuple[int, int], int], fixed: Sizes
) -> Sizes:
    batch, spatial, length = row
    sizes: dict[str, int] = {}
    seen = 0
    for name, role in roles.items():
        wanted = {Role.BATCH: batch, Role.LENGTH: length}.get(role, spatial[seen % 2])
        seen += role is Role.SPATIAL
        sizes[name] = fixed.get(name, _nearest(wanted, model.symbols.get(name, Symbol(name))))
    for constraint in model.constraints:
        for one, other in (
            (constraint.left, constraint.right),
            (constraint.right, constraint.left),
        ):
            name = str(one)
            is_free = isinstance(one, Expr) and name in sizes and name not in fixed
            if is_free and symbols_of(other) <= sizes.keys():
                sizes[name] = _evaluated(other, sizes, sizes[name])
                break
    return sizes


def _nearest(wanted: int, symbol: Symbol) -> int:
    """The size nearest to the wanted one that the symbol may have."""
    step = symbol.multiple_of
    low, high = symbol.interval
    return int(min(max(round(wanted / step) * step, low, step), high))


def _evaluated(dim: Dim, sizes: Sizes, otherwise: int) -> int:
    try:
        return evaluate(dim, sizes)
    except (ValueError, ZeroDivisionError):
        return otherwise


def _is_possible(model: Model, sizes: Sizes) -> bool:
    """Whether every symbol, constraint and input shape is what was promised."""
    for name, size in sizes.items():
        symbol = model.symbols.get(name, Symbol(name))
        low, high = symbol.interval
        if not low <= size <= high or size % symbol.multiple_of:
            return False
    try:
        shapes = [evaluate(s, sizes) for v in model.graph.inputs for s in v.shape or ()]
        return min(shapes, default=0) >= 0 and all(_hold(model, sizes))
    except ZeroDivisionError:
        return False


def _hold(model: Model, sizes: Sizes) -> Iterator[bool]:
    for constraint in model.constraints:
        if (symbols_of(constraint.left) | symbols_of(constraint.right)) <= sizes.keys():
            yield evaluate(constraint.left, sizes) == evaluate(constraint.right, sizes)
