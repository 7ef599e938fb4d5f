"""The polynomials that symbolic sizes are made of: integer coefficients over opaque atoms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import gcd
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ir_hub.ir.dims_expr import Dim

MAX_SIZE = 256  # terms and factors, nested ones included
MAX_DEPTH = 32  # of // % min max within one another
MAX_BITS = 128  # of a coefficient


class ExpressionTooLarge(ValueError):
    """A symbolic size grew past what any real model needs."""


class Atom(str):
    """What a polynomial doesn't look into: a symbol, or a call of // % min max.

    Its canonical text is its identity, so hashing, equality and order are those of `str`.
    """

    __slots__ = ("args", "depth", "op", "size")
    op: str
    args: tuple[Dim, ...]
    size: int
    depth: int

    def __new__(cls, text: str, op: str, args: tuple[Dim, ...] = ()) -> Atom:
        atom = super().__new__(cls, text)
        nested = [arg for arg in args if not isinstance(arg, int)]
        atom.op = op
        atom.args = args
        atom.size = 1 + sum(arg.size for arg in nested)
        atom.depth = max((arg.depth for arg in nested), default=0) + (op != "symbol")
        return atom

    def __reduce__(self) -> tuple[object, ...]:
        return Atom, (str(self), self.op, self.args)


Monomial = tuple[Atom, ...]  # sorted; a square repeats its atom; () is the constant term
Term = tuple[Monomial, int]
Terms = tuple[Term, ...]  # sorted, one a monomial, no zero coefficient


def sorted_terms(coefficients: Mapping[Monomial, int]) -> Terms:
    """The terms with these coefficients, without the zero ones."""
    return tuple(sorted(term for term in coefficients.items() if term[1]))


def measure(terms: Terms) -> tuple[int, int]:
    """The size and the nesting depth; raises ExpressionTooLarge above the limits."""
    size, depth = 0, 0
    for monomial, coefficient in terms:
        size += sum(atom.size for atom in monomial) or 1
        for atom in monomial:
            depth = max(depth, atom.depth)
        if coefficient.bit_length() > MAX_BITS:
            raise ExpressionTooLarge(f"a symbolic size has a factor of over {MAX_BITS} bits")
    if size > MAX_SIZE or depth > MAX_DEPTH:
        raise ExpressionTooLarge(
            f"a symbolic size has {size} terms nested {depth} deep;"
            f" the limits are {MAX_SIZE} and {MAX_DEPTH}"
        )
    return size, depth


def scale(terms: Terms, factor: int) -> Terms:
    """The terms times a non-zero integer."""
    return tuple((monomial, coefficient * factor) for monomial, coefficient in terms)


def add(a: Terms, b: Terms) -> Terms:
    """The sum of two polynomials."""
    total = dict(a)
    for monomial, coefficient in b:
        total[monomial] = total.get(monomial, 0) + coefficient
    return sorted_terms(total)


def multiply(a: Terms, b: Terms) -> Terms:
    """The product of two polynomials; ExpressionTooLarge when it has too many terms."""
    if len(a) * len(b) > MAX_SIZE:
        raise ExpressionTooLarge(
            f"multiplying symbolic sizes of {len(a)} and {len(b)} terms gives over {MAX_SIZE}"
        )
    total: dict[Monomial, int] = {}
    for left, x in a:
        for right, y in b:
            monomial = tuple(sorted(left + right))
            total[monomial] = total.get(monomial, 0) + x * y
    return sorted_terms(total)


def divide(a: Terms, b: Terms) -> Terms | None:
    """The polynomial q with q * b == a, or None; b isn't zero."""
    atoms = sorted({atom for monomial, _ in (*a, *b) for atom in monomial})

    def rank(monomial: Monomial) -> list[int]:  # an order that multiplication preserves
        return [monomial.count(atom) for atom in atoms]

    lead, lead_coefficient = max(b, key=lambda term: rank(term[0]))
    rest, quotient = dict(a), dict[Monomial, int]()
    while rest:
        top = max(rest, key=rank)
        step = _without(top, lead)
        factor, remainder = divmod(rest[top], lead_coefficient)
        if step is None or remainder:
            return None
        if len(quotient) == MAX_SIZE or len(rest) > MAX_SIZE:
            raise ExpressionTooLarge(f"a quotient of symbolic sizes has over {MAX_SIZE} terms")
        quotient[step] = factor
        rest = dict(add(tuple(rest.items()), multiply(b, ((step, -factor),))))
    return sorted_terms(quotient)


def _without(monomial: Monomial, factors: Monomial) -> Monomial | None:
    left = list(monomial)
    for atom in factors:
        if atom not in left:
            return None
        left.remove(atom)
    return tuple(left)


def content(terms: Iterable[Term]) -> int:
    """The greatest common divisor of the coefficients, 0 without any."""
    return gcd(*(coefficient for _, coefficient in terms))
