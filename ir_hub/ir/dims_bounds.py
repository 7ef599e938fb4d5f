"""Intervals of symbolic sizes: what is known of each symbol, and what follows for an expression."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ir_hub.ir.dims_expr import Dim
    from ir_hub.ir.dims_poly import Atom

End = int | float  # a float is only ever -inf or inf: finite ends stay exact
Interval = tuple[End, End]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
MAX_NAME = 200


def check_symbol_name(name: str) -> None:
    """Raise ValueError unless `name` can name a symbol."""
    if len(name) > MAX_NAME or not _NAME.fullmatch(name):
        raise ValueError(
            f"{name[:MAX_NAME]!r} cannot name a size: use a letter or underscore, then letters,"
            f" digits, underscores and dots, at most {MAX_NAME} characters"
        )


@dataclass(frozen=True, slots=True)
class Symbol:
    """What the source promised of a size: min <= size <= max, a multiple of `multiple_of`.

    `max` None is no limit. Raises ValueError when no size can keep the promise.
    """

    name: str
    min: int = 0
    max: int | None = None
    multiple_of: int = 1

    def __post_init__(self) -> None:
        check_symbol_name(self.name)
        if self.min < 0 or self.multiple_of < 1:
            raise ValueError(f"{self}: a size needs min >= 0 and multiple_of >= 1")
        if self.interval[0] > self.interval[1]:
            raise ValueError(f"{self}: no size satisfies these limits")

    @property
    def interval(self) -> Interval:
        """The smallest and the largest multiple of `multiple_of` within min..max."""
        step = self.multiple_of
        low = -(-self.min // step) * step
        return low, inf if self.max is None else self.max // step * step


def interval(dim: Dim, symbols: Mapping[str, Symbol]) -> Interval:
    """Ends that enclose every value of `dim`; symbols not in `symbols` are 0..inf."""
    if isinstance(dim, int):
        return dim, dim
    low: End = 0
    high: End = 0
    for monomial, coefficient in dim.terms:
        term: Interval = (coefficient, coefficient)
        for atom in monomial:
            term = _multiply(term, _atom_interval(atom, symbols))
        low, high = low + term[0], high + term[1]
    return low, high


def _atom_interval(atom: Atom, symbols: Mapping[str, Symbol]) -> Interval:
    if atom.op == "symbol":
        known = symbols.get(str(atom))
        return known.interval if known is not None else (0, inf)
    parts = [interval(arg, symbols) for arg in atom.args]
    if atom.op == "//":
        return _floordiv(*parts)
    if atom.op == "%":
        return _mod(*parts)
    pick: Callable[..., End] = min if atom.op == "min" else max
    return pick(low for low, _ in parts), pick(high for _, high in parts)


def _multiply(a: Interval, b: Interval) -> Interval:
    corners = [_product(x, y) for x in a for y in b]
    return min(corners), max(corners)


def _product(x: End, y: End) -> End:
    if x == 0 or y == 0:  # 0 * inf is 0 here: the end is approached, never reached
        return 0
    if isinstance(x, float) or isinstance(y, float):
        return inf if (x > 0) == (y > 0) else -inf
    return x * y


def _floordiv(a: Interval, b: Interval) -> Interval:
    low, high = _without_zero(b)
    if low <= 0 <= high:
        largest = max(abs(a[0]), abs(a[1]))
        return -largest, largest
    corners = [_quotient(x, y) for x in a for y in (low, high)]
    return min(corners), max(corners)


def _quotient(x: End, y: End) -> End:
    if isinstance(y, float):
        return 0 if x == 0 or (x > 0) == (y > 0) else -1
    if isinstance(x, float):
        return inf if (x > 0) == (y > 0) else -inf
    return x // y


def _mod(a: Interval, b: Interval) -> Interval:
    low, high = _without_zero(b)
    if low > 0 and a[0] >= 0:
        return a if a[1] < low else (0, min(a[1], high - 1))
    return min(low + 1, 0), max(high - 1, 0)


def _without_zero(b: Interval) -> Interval:
    """The divisor's interval less a zero end: a division by zero has no value to enclose."""
    return (1 if b[0] == 0 and b[1] > 0 else b[0]), (-1 if b[1] == 0 and b[0] < 0 else b[1])
