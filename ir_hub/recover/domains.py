"""What a parameter of a rule stands for: said once, checked by the matcher, drawn by the prover.

    "*"            any tensor                      "N C *"      channels at axis 1, then any axes
    "* C"          a tensor whose last axis is C   "N G*K L"    axis 1 is a product of two sizes
    "C"            a vector, as long as other C's  "const C"    a vector that is a constant
    "C 1 1"        literal sizes are themselves    "B? L S"     axis 0 has the size B or 1
    (0.0, 1.0)     a real number within bounds, from a constant or a literal
    "axis of x"    a literal that is an axis of x, counted from the front
    "axes of x"    a literal of several such axes, in order

A name of a size stands for one size throughout a rule. `*` may occur once and is any axes, none
too. Where a constant has more axes than its domain, and they have size 1 and come first, it is
taken without them.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from ir_hub.ir.dims import (
    Dim,
    Expr,
    evaluate,
    parse_dim,
    provably_equal,
    solve,
    substitute,
    symbol,
    symbols_of,
)
from ir_hub.ir.types import Shape

ANY = -1  # in a shape: the size that the others leave
Bound = dict[Any, Any]  # what a match has bound so far: variables, and sizes by their names


@dataclass(frozen=True)
class Axis:
    """The size of an axis, over the names of a rule."""

    size: Dim
    may_be_1: bool = False

    @classmethod
    def of(cls, word: str) -> Axis:
        """A word as an axis; ValueError when it doesn't write a size."""
        return cls(parse_dim(word.removesuffix("?")), word.endswith("?"))

    def draw(self, rng: np.random.Generator, sizes: dict[str, int]) -> int:
        """A size."""
        size = draw_size(self.size, rng, sizes)
        return 1 if self.may_be_1 and rng.integers(2) else size


@dataclass(frozen=True)
class Tensor:
    """A tensor: sizes before the star, sizes after it; without one, `after` is None."""

    before: tuple[Axis, ...]
    after: tuple[Axis, ...] | None
    constant: bool = False

    def fits(self, shape: Shape, bound: Bound) -> Bound | None:
        """What is bound once these axes are; None when the shape isn't one of these."""
        after = self.after or ()
        count = len(self.before) + len(after)
        if len(shape) < count or (self.after is None and len(shape) > count):
            return None
        wanted = (*self.before, *after)
        actual = (*shape[: len(self.before)], *shape[len(shape) - len(after) :])
        for want, size in zip(wanted, actual, strict=True):
            if want.may_be_1 and size == 1:
                continue
            fitted = fit_size(want.size, size, bound)
            if fitted is None:
                return None
            bound = fitted
        return bound

    @property
    def is_any(self) -> bool:
        """Whether nothing is asked of its shape."""
        return not self.before and self.after == ()

    def draw(self, rng: np.random.Generator, sizes: dict[str, int], star: tuple[int, ...]) -> Any:
        """Random elements, of the sizes drawn already and new ones."""
        middle = star if self.after is not None else ()
        dims = [axis.draw(rng, sizes) for axis in self.before]
        last = [axis.draw(rng, sizes) for axis in self.after or ()]
        return rng.normal(0, 2, (*dims, *middle, *last))


@dataclass(frozen=True)
class Number:
    """A real number, the bounds included."""

    low: float
    high: float


@dataclass(frozen=True)
class AxisOf:
    """An axis of the tensor that another parameter stands for."""

    tensor: str


@dataclass(frozen=True)
class AxesOf:
    """Some axes of the tensor that another parameter stands for."""

    tensor: str


Domain = Tensor | Number | AxisOf | AxesOf


def domain_of(words: Any) -> Domain:
    """A parameter's default as a domain; ValueError when it isn't in the language above."""
    if isinstance(words, tuple) and len(words) == 2:
        low, high = words
        return Number(float(low), float(high))
    if not isinstance(words, str):
        raise ValueError(f"{words!r} is not the domain of a parameter")
    if words.startswith("axis of "):
        return AxisOf(words.removeprefix("axis of "))
    if words.startswith("axes of "):
        return AxesOf(words.removeprefix("axes of "))
    constant = words.split()[:1] == ["const"]
    names = words.split()[1 if constant else 0 :]
    if names.count("*") > 1:
        raise ValueError(f"more than one * in {words!r}")
    if "*" not in names:
        return Tensor(tuple(map(Axis.of, names)), None, constant)
    star = names.index("*")
    before, after = names[:star], names[star + 1 :]
    return Tensor(tuple(map(Axis.of, before)), tuple(map(Axis.of, after)), constant)


def fit_size(want: Dim, size: Dim, bound: Bound) -> Bound | None:
    """What is bound once `want`, a size over a rule's names, is `size`; None when it can't be.

    A size with several names that aren't bound is noted, for `sizes_hold` to check at the end.
    """
    if isinstance(want, int):
        return bound if want in (size, ANY) else None
    names = _names(want)
    free = [name for name in names if name not in bound]
    if not free:
        known = substitute(want, {name: bound[name] for name in names})
        return bound if provably_equal(known, size) else None
    if want == symbol(free[0]):
        return {**bound, free[0]: size}
    rest = {name: bound[name] for name in names if name in bound}
    if len(free) > 1 or not all(isinstance(item, int) for item in (size, *rest.values())):
        return {**bound, want: size} if provably_equal(bound.get(want, size), size) else None
    assert isinstance(size, int)
    solved = solve(substitute(want, rest), size)
    return None if solved is None else {**bound, solved[0]: solved[1]}


@functools.lru_cache(1024)
def _names(want: Dim) -> frozenset[str]:
    """The names in a size of a rule; there are few such sizes, and they are asked often."""
    return symbols_of(want)


def sizes_hold(bound: Bound) -> bool:
    """Whether the sizes that were noted are what their names came to."""
    for want, size in bound.items():
        if isinstance(want, Expr):
            names = symbols_of(want)
            if not all(name in bound for name in names):
                return False
            if not provably_equal(substitute(want, {name: bound[name] for name in names}), size):
                return False
    return True


def draw_size(dim: Dim, rng: np.random.Generator, sizes: dict[str, int]) -> int:
    """The value of a size over a rule's names, which are drawn where they aren't yet."""
    for name in sorted(symbols_of(dim)):
        sizes.setdefault(name, int(rng.integers(1, 6)))
    return evaluate(dim, sizes)
