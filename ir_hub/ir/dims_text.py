"""Symbolic sizes as text: Python-like infix with few parentheses, for people and for code."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ir_hub.ir.dims_expr import Dim
    from ir_hub.ir.dims_poly import Atom, Term

_SUM, _PRODUCT, _PRIMARY = range(3)  # how tightly a piece of text binds
_BARE = (ast.Name, ast.Attribute, ast.Subscript, ast.Call)


def python_code(dim: Dim, names: Mapping[str, str]) -> str:
    """`dim` as Python source, with each symbol replaced by its snippet of (trusted) source.

    Snippets are parenthesised where they need it. KeyError names a symbol without a snippet.
    """
    snippets = {name: _primary(snippet) for name, snippet in names.items()}
    return Printer(snippets, spaced=True).dim(dim)


def _primary(snippet: str) -> str:
    """The snippet, in parentheses unless it binds at least as tightly as a name does."""
    return snippet if isinstance(ast.parse(snippet, mode="eval").body, _BARE) else f"({snippet})"


class Printer:
    """Writes sizes; `names` replaces symbols (None keeps them), `spaced` is PEP 8's `a // b`."""

    def __init__(self, names: Mapping[str, str] | None = None, *, spaced: bool = False) -> None:
        self._names = names
        self._pad = " " if spaced else ""

    def dim(self, dim: Dim) -> str:
        """The whole size."""
        return str(dim) if isinstance(dim, int) else self._sum(dim.terms)

    def call(self, op: str, args: tuple[Dim, ...]) -> str:
        """An atom that isn't a symbol: `a//b`, `a%b`, `min(...)` or `max(...)`."""
        if op in ("min", "max"):
            return f"{op}({', '.join(map(self.dim, args))})"
        left, right = args
        return self._join(op, self._operand(left, left=True), self._operand(right))

    def _sum(self, terms: tuple[Term, ...]) -> str:
        # What is added before what is taken away: "W - H" and "1 - H" rather than "-H + 1".
        ordered = sorted(terms, key=lambda t: (t[1] < 0, not t[0], [a.lstrip("(") for a in t[0]]))
        text, leading = "", True
        for monomial, coefficient in ordered:
            if leading:
                text = self._leading(monomial, coefficient)
            else:
                sign = "-" if coefficient < 0 else "+"
                text += f" {sign} {self._product(monomial, abs(coefficient))}"
            leading = False
        return text

    def _leading(self, monomial: tuple[Atom, ...], coefficient: int) -> str:
        if coefficient > 0:
            return self._product(monomial, coefficient)
        if coefficient == -1 and len(monomial) == 1:  # -a//b would be (-a)//b
            return "-" + self._factor(monomial[0])
        return "-" + self._product(monomial, -coefficient)

    def _product(self, monomial: tuple[Atom, ...], coefficient: int) -> str:
        if coefficient == 1 and len(monomial) == 1:
            return self._atom(monomial[0])
        factors = [] if coefficient == 1 and monomial else [str(coefficient)]
        return self._join("*", *factors, *map(self._factor, monomial))

    def _factor(self, atom: Atom) -> str:
        return f"({self._atom(atom)})" if atom.op in ("//", "%") else self._atom(atom)

    def _atom(self, atom: Atom) -> str:
        if self._names is None:
            return str(atom)
        return self._names[str(atom)] if atom.op == "symbol" else self.call(atom.op, atom.args)

    def _operand(self, dim: Dim, *, left: bool = False) -> str:
        bare = self._binding(dim) >= (_PRODUCT if left else _PRIMARY)
        return self.dim(dim) if bare else f"({self.dim(dim)})"

    def _binding(self, dim: Dim) -> int:
        if isinstance(dim, int):
            return _PRIMARY if dim >= 0 else _SUM
        monomial, coefficient = dim.terms[0]
        if len(dim.terms) > 1 or coefficient < 0:
            return _SUM
        if coefficient > 1 or len(monomial) > 1:
            return _PRODUCT
        return _SUM if monomial[0].op in ("//", "%") else _PRIMARY  # (a//b)//c reads better

    def _join(self, op: str, *parts: str) -> str:
        return f"{self._pad}{op}{self._pad}".join(parts)
