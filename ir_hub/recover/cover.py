"""Pairs the factors of a product, or the terms of a sum, with those of a rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from ir_hub.ir.graph import Value
from ir_hub.recover.algebra import Flat, Part, closest
from ir_hub.recover.domains import Bound
from ir_hub.recover.forms import Form
from ir_hub.recover.pattern import Var

REST = "the factors left over"  # the key of what a partial match left: values and their powers

Items = tuple[tuple[Any, float], ...]


class Matching(Protocol):
    """What this needs of the matcher."""

    def match(self, p: Any, v: Value, s: Bound) -> Iterator[Bound]:
        """Every way in which a pattern is a value."""

    def scaled(self, p: Any, v: Value, scale: int, s: Bound) -> Iterator[Bound]:
        """Every way in which a pattern is a value times `scale`."""

    def bind_literal(self, p: Var, have: Any, s: Bound) -> Iterator[Bound]:
        """Binds a number, if the parameter's domain has it."""

    def close(self, a: float, b: float) -> bool:
        """Whether two numbers are the same but for rounding."""

    def missed(self, s: Bound, reason: str) -> None:
        """Notes why an attempt went no further."""


@dataclass
class Cover:
    """One attempt: `form` is the rule's side, `flat` the value's. `partial`: factors may be left
    over. `root` is the value that is being replaced; no parameter stands for it."""

    matching: Matching
    form: Form
    flat: Flat
    is_sum: bool
    partial: bool
    root: Value

    def match(
        self, items: Items, left: dict[Value, float], number: float, s: Bound
    ) -> Iterator[Bound]:
        """Every way to pair these items of the form with what is left of the value."""
        if not items:
            yield from self._numbers(left, number, s)
            return
        (p, power), rest = items[0], items[1:]
        for value, own in left.items():
            if own == power:
                found = self.matching.match(p, value, s)
            elif self.is_sum and own == -power and not isinstance(p, Var):
                found = self.matching.scaled(p, value, -1, s)
            else:
                continue
            after = {v: k for v, k in left.items() if v is not value}
            for bound in found:
                yield from self.match(rest, after, number, bound)
        if isinstance(p, Var):
            for part in self.flat.parts:
                remaining = self._without(part, left) if part.exponent == power else None
                if remaining is not None and part.value is not self.root:
                    for bound in self.matching.match(p, part.value, s):
                        yield from self.match(rest, remaining, self._undone(part, number), bound)

    def _without(self, part: Part, left: dict[Value, float]) -> dict[Value, float] | None:
        """What is left once a whole part is taken; None when some of it is gone already."""
        remaining = dict(left)
        for value, own in part.items.items():
            rest = remaining.get(value, 0) - part.exponent * own
            if value not in remaining or rest * remaining[value] < 0:
                return None
            remaining[value] = rest
        return {value: own for value, own in remaining.items() if own}

    def _undone(self, part: Part, number: float) -> float:
        if self.is_sum:
            return number - part.exponent * part.number
        return float(number / part.number**part.exponent)

    def _numbers(self, left: dict[Value, float], number: float, s: Bound) -> Iterator[Bound]:
        """Ends an attempt: the number of the value is that of the form, or gives a parameter."""
        unbound = [p for p in self.form.numbers if p not in s]
        if left:
            if not self.partial or unbound or any(abs(own) != 1 for own in left.values()):
                self.matching.missed(s, f"{', '.join(map(repr, left))} left over")
                return
            s = {**s, REST: tuple(left.items())}
        known = self._known(s)
        if not unbound:
            if self.matching.close(known, number):
                yield s
            else:
                self.matching.missed(s, f"the number is {number:.9g}, not {known:.9g}")
        elif len(unbound) == 1:
            value = self._solved(self.form.numbers[unbound[0]], known, number)
            if value is not None:
                value = closest(value, self.root.dtype)
                yield from self.matching.bind_literal(unbound[0], value, s)

    def _known(self, s: Bound) -> float:
        """The form's number, with the parameters that are bound."""
        known = self.form.number
        for p, power in self.form.numbers.items():
            if p in s:
                known = known + power * s[p] if self.is_sum else known * s[p] ** power
        return known

    def _solved(self, power: float, known: float, number: float) -> float | None:
        if self.is_sum:
            return (number - known) / power
        if known == 0 or number == 0 or (number / known < 0 and abs(power) != 1):
            return None
        return float((number / known) ** (1 / power))
