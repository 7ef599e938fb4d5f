"""Reads the sizes in `.pt2` files, which are written as SymPy spells its own trees, by a small
parser: `Mul(Integer(2), Symbol('s77', positive=True, integer=True))`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import reduce
from operator import add, mul
from typing import NoReturn

from ir_hub.ir.dims import Dim, floordiv, maximum, minimum, mod, parse_dim, symbol

MAX_TEXT = 20_000
MAX_NESTING = 60
HIGHEST_POWER = 8

_TOKEN = re.compile(r"\s*(?:(-?\d+)|([A-Za-z_]\w*)|'([A-Za-z_]\w*)'|([(),=])|(\S))", re.ASCII)
_ANY_NUMBER: Mapping[str, Callable[..., Dim]] = {
    "Add": lambda *dims: reduce(add, dims),
    "Mul": lambda *dims: reduce(mul, dims),
    "Max": maximum,
    "Min": minimum,
}
_TWO: Mapping[str, Callable[[Dim, Dim], Dim]] = {
    "FloorDiv": floordiv,
    "CleanDiv": floordiv,
    "Mod": mod,
    "PythonMod": mod,
}


def parse_size(text: str) -> Dim:
    """The size that a file writes.

    Raises:
        ValueError: it is anything but sums, products, small powers, minima, maxima, divisions
            and remainders of symbols and whole numbers.
    """
    if len(text) > MAX_TEXT:
        raise ValueError(f"the text of a size has {len(text)} characters; at most {MAX_TEXT}")
    if "Symbol(" not in text and "Integer(" not in text:
        return parse_dim(text)
    parser = _Parser(text)
    dim = parser.term(0)
    if parser.next():
        parser.fail("something follows it")
    return dim


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(_TOKEN.finditer(text.strip()))
        self.at = 0

    def next(self) -> str:
        """The token at hand, "" at the end."""
        return self.tokens[self.at][0].strip() if self.at < len(self.tokens) else ""

    def take(self, wanted: str = "") -> str:
        token = self.next()
        if (wanted and token != wanted) or not token or self.tokens[self.at][5]:
            self.fail(f"expected {wanted or 'a term'}, found {token or 'the end'!r}")
        self.at += 1
        return token

    def term(self, depth: int) -> Dim:
        if depth > MAX_NESTING:
            self.fail("it is nested too deeply")
        token = self.take()
        if token.lstrip("-").isdigit():
            return self.number(token)
        if self.next() != "(":
            return symbol(token) if token.isidentifier() else self.fail(f"found {token!r}")
        self.take("(")
        return self.symbol() if token == "Symbol" else self.call(token, depth)

    def symbol(self) -> Dim:
        """A symbol's name, then what SymPy assumes of it, which says nothing new."""
        name = self.take()
        if not name.startswith("'"):
            self.fail("a symbol has no name")
        while self.next() == ",":
            self.take(",")
            self.take()
            self.take("=")
            self.take()
        self.take(")")
        return symbol(name.strip("'"))

    def call(self, function: str, depth: int) -> Dim:
        args = [self.term(depth + 1)]
        while self.next() == ",":
            self.take(",")
            args.append(self.term(depth + 1))
        self.take(")")
        if function == "Integer" and len(args) == 1:
            return args[0]
        if function in _ANY_NUMBER:
            return _ANY_NUMBER[function](*args)
        if function in _TWO and len(args) == 2:
            return self.divided(_TWO[function], *args)
        if function == "Pow" and len(args) == 2:
            return self.power(*args)
        self.fail(f"{function} of {len(args)} terms isn't read")

    def divided(self, divide: Callable[[Dim, Dim], Dim], a: Dim, b: Dim) -> Dim:
        try:
            return divide(a, b)
        except ZeroDivisionError:
            self.fail("it divides by zero")

    def power(self, base: Dim, exponent: Dim) -> Dim:
        if not isinstance(exponent, int) or not 1 <= exponent <= HIGHEST_POWER:
            self.fail(f"the power {exponent} isn't read")
        return reduce(mul, [base] * exponent)

    def number(self, token: str) -> int:
        return int(token) if len(token) <= 20 else self.fail("a number has too many digits")

    def fail(self, problem: str) -> NoReturn:
        raise ValueError(f"cannot read the size {self.text[:200]!r}: {problem}")
