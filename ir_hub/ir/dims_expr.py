"""Symbolic sizes in canonical form: integer polynomials over symbols and calls."""

from __future__ import annotations

from math import gcd
from numbers import Integral
from typing import NoReturn, Union

from ir_hub.ir.dims_bounds import check_symbol_name, interval
from ir_hub.ir.dims_poly import (
    Atom,
    Monomial,
    Terms,
    add,
    content,
    divide,
    measure,
    multiply,
    scale,
    sorted_terms,
)
from ir_hub.ir.dims_text import Printer


class Expr:
    """A size that depends on symbols, each of them >= 0. Immutable; never a constant.

    Made by `symbol` and arithmetic with ints and other sizes. `==` is equality of canonical
    forms; anything that would need the size's value (bool, int, <) raises TypeError.
    Arithmetic raises ExpressionTooLarge rather than grow without limit.
    """

    __slots__ = ("_hash", "depth", "size", "terms")
    terms: Terms
    size: int
    depth: int
    _hash: int

    def __init__(self, terms: Terms) -> None:
        size, depth = measure(terms)
        store = object.__setattr__
        store(self, "terms", terms)
        store(self, "size", size)
        store(self, "depth", depth)
        store(self, "_hash", hash(terms))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"sizes are immutable: cannot set {name}")

    def __reduce__(self) -> tuple[object, ...]:
        return Expr, (self.terms,)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Expr):
            return self is other or (self._hash == other._hash and self.terms == other.terms)
        return False if isinstance(other, Integral) else NotImplemented

    def __str__(self) -> str:
        return Printer().dim(self)

    __repr__ = __str__  # shapes are tuples, and messages print them

    def __add__(self, other: Dim) -> Dim:
        terms = _terms(other)
        return NotImplemented if terms is None else _dim(add(self.terms, terms))

    __radd__ = __add__

    def __neg__(self) -> Expr:
        return Expr(scale(self.terms, -1))

    def __pos__(self) -> Expr:
        return self

    def __sub__(self, other: Dim) -> Dim:
        terms = _terms(other)
        return NotImplemented if terms is None else _dim(add(self.terms, scale(terms, -1)))

    def __rsub__(self, other: Dim) -> Dim:
        return -self + other

    def __mul__(self, other: Dim) -> Dim:
        terms = _terms(other)
        return NotImplemented if terms is None else _dim(multiply(self.terms, terms))

    __rmul__ = __mul__

    def __floordiv__(self, other: Dim) -> Dim:
        return NotImplemented if (b := _as_dim(other)) is None else floordiv(self, b)

    def __rfloordiv__(self, other: Dim) -> Dim:
        return NotImplemented if (a := _as_dim(other)) is None else floordiv(a, self)

    def __mod__(self, other: Dim) -> Dim:
        return NotImplemented if (b := _as_dim(other)) is None else mod(self, b)

    def __rmod__(self, other: Dim) -> Dim:
        return NotImplemented if (a := _as_dim(other)) is None else mod(a, self)

    def _undecided(self, *_: object) -> NoReturn:
        raise TypeError(
            f"the size {self} is symbolic: it has no value to test, order or convert;"
            " use bounds() or evaluate()"
        )

    __bool__ = __int__ = __lt__ = __le__ = __gt__ = __ge__ = _undecided


Dim = Union[int, Expr]  # noqa: UP007 (evaluated at run time, where annotations are strings)


def symbol(name: str) -> Expr:
    """The size called `name`, which is >= 0."""
    check_symbol_name(name)
    return Expr((((Atom(name, "symbol"),), 1),))


def as_dim(value: object) -> Dim:
    """The size itself, NumPy's integers as Python's (theirs overflow); else TypeError."""
    dim = _as_dim(value)
    if dim is None:
        raise TypeError(f"a size is an int or an expression, not {type(value).__name__}")
    return dim


def floordiv(a: Dim, b: Dim) -> Dim:
    """a // b, rounded down. ZeroDivisionError when b is 0.

    x // x stays as it is unless x is provably positive; see `divide_exactly`.
    """
    a, b = as_dim(a), as_dim(b)
    if isinstance(b, int):
        return a // b if isinstance(a, int) else _floordiv_by_int(a, b)
    a, b, _ = _without_common_factor(a, b)
    inner = sole_call(a, "//")
    low, _ = interval(b, {})
    if inner is not None and low >= 0:  # (x//y)//b is x//(y*b) where b isn't negative
        return floordiv(inner.args[0], inner.args[1] * b)
    if low >= 1:
        quotient = divide_exactly(a, b)
        if quotient is not None:
            return quotient
        if _within(a, b):
            return 0
    return call_of("//", a, b)


def mod(a: Dim, b: Dim) -> Dim:
    """a % b with the sign of b, as Python has it. ZeroDivisionError when b is 0."""
    a, b = as_dim(a), as_dim(b)
    if isinstance(b, int):
        return a % b if isinstance(a, int) else _mod_by_int(a, b)
    a, b, factor = _without_common_factor(a, b)
    if interval(b, {})[0] >= 1:
        if divide_exactly(a, b) is not None:
            return 0
        if _within(a, b):
            return a * factor
    return call_of("%", a, b) * factor


def divide_exactly(a: Dim, b: Dim) -> Dim | None:
    """The polynomial q with q * b == a, or None; (N*C*H, C*H) gives N.

    The caller vouches that b isn't zero: (H, H) gives 1. None for a literal b of 0.
    """
    divisor = _terms_of(as_dim(b))
    quotient = divide(_terms_of(as_dim(a)), divisor) if divisor else None
    return None if quotient is None else _dim(quotient)


def _as_dim(value: object) -> Dim | None:
    if isinstance(value, (int, Expr)):
        return value
    return int(value) if isinstance(value, Integral) else None  # NumPy's integers


def _terms(value: object) -> Terms | None:
    dim = _as_dim(value)
    return None if dim is None else _terms_of(dim)


def _terms_of(dim: Dim) -> Terms:
    if isinstance(dim, Expr):
        return dim.terms
    return (((), int(dim)),) if dim else ()


def _dim(terms: Terms) -> Dim:
    if not terms:
        return 0
    return terms[0][1] if len(terms) == 1 and not terms[0][0] else Expr(terms)


def call_of(op: str, *args: Dim) -> Expr:
    """The call as an atom, as it is: bringing it into canonical form is the caller's part."""
    return Expr((((Atom(Printer().call(op, args), op, args),), 1),))


def sole_call(dim: Dim, op: str) -> Atom | None:
    """The atom, when `dim` is nothing but one call of `op`."""
    if isinstance(dim, Expr) and len(dim.terms) == 1:
        monomial, coefficient = dim.terms[0]
        if coefficient == 1 and len(monomial) == 1 and monomial[0].op == op:
            return monomial[0]
    return None


def _within(a: Dim, b: Expr) -> bool:
    """Whether 0 <= a < b whatever the symbols' values."""
    return interval(a, {})[0] >= 0 and interval(b - a, {})[0] >= 1


def _without_common_factor(a: Dim, b: Expr) -> tuple[Dim, Expr, int]:
    factor = content((*_terms_of(a), *b.terms))
    if factor == 1:
        return a, b, 1
    reduced = tuple((monomial, c // factor) for monomial, c in _terms_of(a))
    return _dim(reduced), Expr(tuple((monomial, c // factor) for monomial, c in b.terms)), factor


def _floordiv_by_int(a: Expr, b: int) -> Dim:
    if b < 0:
        return _floordiv_by_int(-a, -b)
    whole: dict[Monomial, int] = {}
    rest: dict[Monomial, int] = {}
    for monomial, coefficient in a.terms:
        quotient, remainder = divmod(coefficient, b)
        if remainder == 0 or not monomial:
            whole[monomial] = quotient
        if remainder:
            rest[monomial] = coefficient if monomial else remainder
    return _dim(sorted_terms(whole)) + _fraction(rest, b)


def _fraction(rest: dict[Monomial, int], b: int) -> Dim:
    """rest // b, where no coefficient divides by b and the constant is within 0..b-1."""
    constant = rest.pop((), 0)
    if not rest:
        return 0
    factor = gcd(b, *rest.values())
    b, constant = b // factor, constant // factor
    scaled = {monomial: coefficient // factor for monomial, coefficient in rest.items()}
    if all(coefficient < 0 for coefficient in scaled.values()):  # -(-x // b) is (x + b - 1) // b
        flipped = {monomial: -coefficient for monomial, coefficient in scaled.items()}
        return -_fraction({**flipped, (): b - 1 - constant}, b)
    linear = _dim(sorted_terms(scaled))
    inner = sole_call(linear, "//")
    if inner is not None:  # (x//y + c)//b is (x + c*y)//(y*b)
        x, y = inner.args
        if constant == 0 or isinstance(y, int):
            return floordiv(x + y * constant, y * b)
    quotient = _only_quotient(linear + constant, b)
    return call_of("//", linear + constant, b) if quotient is None else quotient


def _only_quotient(a: Dim, b: int) -> int | None:
    """a // b where that is the same for every value a can take."""
    low, high = interval(a, {})
    if isinstance(low, int) and isinstance(high, int) and low // b == high // b:
        return low // b
    return None


def _mod_by_int(a: Expr, b: int) -> Dim:
    if b < 0:
        return -_mod_by_int(-a, -b)
    reduced: dict[Monomial, int] = {}
    for monomial, coefficient in a.terms:
        remainder = coefficient % b
        centred = remainder - b if monomial and 2 * remainder > b else remainder
        reduced[monomial] = centred  # of least magnitude: -H % 8 rather than 7*H % 8
    constant = reduced.pop((), 0)
    linear = _dim(sorted_terms(reduced))
    if isinstance(linear, int):
        return constant
    factor = gcd(b, *reduced.values())
    if factor > 1:
        inner = linear // factor + constant // factor
        return factor * mod(inner, b // factor) + constant % factor
    within = sole_call(linear, "%")
    if within is not None and isinstance(within.args[1], int) and within.args[1] % b == 0:
        return mod(within.args[0] + constant, b)
    rest = linear + constant
    quotient = _only_quotient(rest, b)
    return call_of("%", rest, b) if quotient is None else rest - quotient * b
