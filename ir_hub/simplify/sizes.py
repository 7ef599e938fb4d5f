"""The values of symbols, found by comparing declared shapes with those of arrays."""

from __future__ import annotations

from ir_hub.ir.dims import Dim, Expr, evaluate, solve, substitute, symbols_of
from ir_hub.ir.graph import Literal
from ir_hub.ir.types import Shape


class Sizes:
    """What each symbol is, as far as it is known by now."""

    def __init__(self, known: dict[str, int] | None = None) -> None:
        self.known = dict(known or {})
        self._open: list[tuple[Dim, int]] = []  # sizes of which more than one symbol isn't known

    def inner(self) -> Sizes:
        """What a body knows: all that is known around it; what it learns stays in it."""
        return Sizes(self.known)

    def bind(self, declared: Shape, actual: tuple[int, ...]) -> bool:
        """Learns from an array's shape; whether it can have the declared one."""
        if len(declared) != len(actual):
            return False
        return all(
            want == have if isinstance(want, int) else self._bind(want, have)
            for want, have in zip(declared, actual, strict=True)
        )

    def value(self, literal: Literal) -> Literal:
        """A literal with its sizes computed; KeyError for a symbol that isn't known."""
        if isinstance(literal, Expr):
            return evaluate(literal, self.known)
        if isinstance(literal, tuple):
            return tuple(self.value(item) for item in literal)
        return literal

    def shape(self, declared: Shape) -> tuple[int, ...] | None:
        """A declared shape as numbers; None when a symbol isn't known yet."""
        if any(symbols_of(size) - self.known.keys() for size in declared):
            return None
        return tuple(evaluate(size, self.known) for size in declared)

    def _bind(self, declared: Dim, actual: int) -> bool:
        rest = substitute(declared, self.known)
        if isinstance(rest, int):
            return rest == actual
        found = solve(rest, actual)
        if found is None:
            self._open.append((rest, actual))
            return True
        name, size = found
        self.known[name] = size
        waiting = [item for item in self._open if name in symbols_of(item[0])]
        self._open = [item for item in self._open if name not in symbols_of(item[0])]
        return all(self._bind(*item) for item in waiting)
