"""Sizes of tensors: integers or expressions over named symbols, what is known and follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ir_hub.ir.dims_bounds import Symbol, interval
from ir_hub.ir.dims_calls import apply, maximum, minimum
from ir_hub.ir.dims_expr import (
    Dim,
    Expr,
    as_dim,
    divide_exactly,
    floordiv,
    mod,
    symbol,
)
from ir_hub.ir.dims_parse import parse_dim
from ir_hub.ir.dims_poly import Atom, ExpressionTooLarge
from ir_hub.ir.dims_text import python_code

__all__ = [
    "Dim",
    "Expr",
    "ExpressionTooLarge",
    "Symbol",
    "bounds",
    "ceildiv",
    "complexity",
    "divide_exactly",
    "evaluate",
    "floordiv",
    "maximum",
    "minimum",
    "mod",
    "parse_dim",
    "provably_equal",
    "provably_positive",
    "python_code",
    "solve",
    "substitute",
    "symbol",
    "symbols_of",
]


def ceildiv(a: Dim, b: Dim) -> Dim:
    """a / b rounded up: -(-a // b). ZeroDivisionError when b is 0."""
    return -floordiv(-as_dim(a), b)


def bounds(dim: Dim, symbols: Mapping[str, Symbol]) -> tuple[int | None, int | None]:
    """Ends that enclose every value of `dim`, None where there is none known.

    The ends hold but needn't be reached. Symbols not in `symbols` are 0..None.
    """
    low, high = interval(*_in_steps(dim, symbols))
    return low if isinstance(low, int) else None, high if isinstance(high, int) else None


def provably_positive(dim: Dim, symbols: Mapping[str, Symbol]) -> bool:
    """Whether `dim` is at least 1 whatever the symbols' values; False when unknown."""
    low, _ = bounds(dim, symbols)
    return low is not None and low >= 1


def provably_equal(a: Dim, b: Dim, symbols: Mapping[str, Symbol] | None = None) -> bool:
    """Whether a == b whatever the symbols' values; False when unknown.

    `symbols` adds what is known of them: H//8*8 is H where H is a multiple of 8.
    """
    if a == b:
        return True
    try:
        difference, known = _in_steps(a - b, symbols or {})
        return interval(_without_mod(difference), known) == (0, 0)
    except ExpressionTooLarge:
        return False


def evaluate(dim: Dim, bindings: Mapping[str, int]) -> int:
    """The size for these values of the symbols.

    Raises KeyError for a symbol without a value, ValueError for a negative value and
    ZeroDivisionError where the expression divides by zero.
    """

    def value(atom: Atom) -> Dim:
        name = str(atom)
        if name not in bindings:
            raise KeyError(f"no value for the symbol {name} of the size {dim}")
        if bindings[name] < 0:
            raise ValueError(f"the symbol {name} is a size: it cannot be {bindings[name]}")
        return int(bindings[name])

    result = _rebuild(dim, value, apply)
    assert isinstance(result, int)  # every symbol has become an integer
    return result


def substitute(dim: Dim, replacements: Mapping[str, Dim]) -> Dim:
    """`dim` with symbols replaced by other sizes, which mustn't be negative."""
    if isinstance(dim, int):
        return dim

    def replaced(atom: Atom) -> Dim:
        return replacements.get(str(atom), Expr((((atom,), 1),)))

    return _rebuild(dim, replaced, apply)


def symbols_of(dim: Dim) -> frozenset[str]:
    """The names of the symbols that `dim` depends on."""
    if isinstance(dim, int):
        return frozenset()
    names: set[str] = set()
    for atom in {atom for monomial, _ in dim.terms for atom in monomial}:
        names.update(*map(symbols_of, atom.args), [str(atom)] if atom.op == "symbol" else [])
    return frozenset(names)


def complexity(dim: Dim) -> int:
    """How many terms and factors `dim` has, nested ones included; 0 for an int."""
    return 0 if isinstance(dim, int) else dim.size


def solve(dim: Dim, size: int) -> tuple[str, int] | None:
    """The symbol and its value where `dim` is k*S + c and equals `size`.

    None when `dim` isn't of that form, or when no size S >= 0 gives exactly `size`.
    """
    if isinstance(dim, int):
        return None
    terms = dict(dim.terms)
    offset = terms.pop((), 0)
    if len(terms) != 1:
        return None
    ((monomial, factor),) = terms.items()
    value, remainder = divmod(size - offset, factor)
    if len(monomial) != 1 or monomial[0].op != "symbol" or remainder or value < 0:
        return None
    return str(monomial[0]), value


def _rebuild(dim: Dim, leaf: Callable[[Atom], Dim], call: Callable[[str, list[Dim]], Dim]) -> Dim:
    """`dim` computed anew, with `leaf` for its symbols and `call` for // % min max."""
    if isinstance(dim, int):
        return dim
    total: Dim = 0
    for monomial, coefficient in dim.terms:
        term: Dim = coefficient
        for atom in monomial:
            if atom.op == "symbol":
                term = term * leaf(atom)
            else:
                term = term * call(atom.op, [_rebuild(arg, leaf, call) for arg in atom.args])
        total = total + term
    return total


def _in_steps(dim: Dim, symbols: Mapping[str, Symbol]) -> tuple[Dim, Mapping[str, Symbol]]:
    """`dim` with every known multiple H of k written as k*H, and what is known of the new H."""
    used = [symbols[name] for name in symbols_of(dim) if name in symbols]
    stepped = {known.name: known for known in used if known.multiple_of > 1}
    if not stepped:
        return dim, symbols
    counted = dict(symbols)
    for name, known in stepped.items():
        step = known.multiple_of
        most = None if known.max is None else known.max // step
        counted[name] = replace(known, min=-(-known.min // step), max=most, multiple_of=1)
    multiples = {name: known.multiple_of * symbol(name) for name, known in stepped.items()}
    try:
        return substitute(dim, multiples), counted
    except ExpressionTooLarge:
        return dim, symbols


def _without_mod(dim: Dim) -> Dim:
    """`dim` with a % b written as a - a//b*b, so that it can cancel against divisions."""

    def call(op: str, args: list[Dim]) -> Dim:
        if op != "%":
            return apply(op, args)
        a, b = args
        return a - floordiv(a, b) * b

    return _rebuild(dim, lambda atom: Expr((((atom,), 1),)), call)
