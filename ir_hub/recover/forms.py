"""The left side of a rule taken apart once, as `algebra` takes values apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ir_hub.recover.algebra import EXPONENTS
from ir_hub.recover.domains import Number, Tensor
from ir_hub.recover.pattern import Call, Var, calls

Items = dict[Any, float]


@dataclass(frozen=True)
class Form:
    """A product or sum of patterns. `numbers` are the real parameters in it, with their powers
    or signs; `items` come in the order in which they are matched best."""

    number: float
    numbers: dict[Var, float]
    items: tuple[tuple[Any, float], ...]
    ops: frozenset[str]  # of the items that are matched as calls


class Forms:
    """The forms of the calls of one pattern. A call that is used more than once there may have
    been written once or each time, so there is a form for either."""

    def __init__(self, root: Call) -> None:
        used = Counter(item for each in calls(root) for item in each.operands())
        self._repeated = {item for item, count in used.items() if count > 1}
        self._products: dict[Any, list[Form]] = {}
        self._sums: dict[Any, list[Form]] = {}

    def products(self, pattern: Any) -> list[Form]:
        """A pattern as products."""
        if pattern not in self._products:
            self._products[pattern] = self._both(self._product, pattern)
        return self._products[pattern]

    def sums(self, pattern: Any) -> list[Form]:
        """A pattern as sums."""
        if pattern not in self._sums:
            self._sums[pattern] = self._both(self._sum, pattern)
        return self._sums[pattern]

    def units(self, pattern: Any) -> set[Any]:
        """What a match of a pattern binds, one by one."""
        found: set[Any] = set()
        pending = [pattern]
        while pending:
            item = pending.pop()
            if item in found or not isinstance(item, Call | Var):
                continue
            found.add(item)
            if is_sum(item):
                pending.extend(part for part, _ in self.sums(item)[0].items)
            elif is_product(item):
                pending.extend(part for part, _ in self.products(item)[0].items)
            elif isinstance(item, Call):
                pending.extend(item.operands())
        return found

    def _both(self, flatten: Callable[..., tuple[float, Items]], pattern: Any) -> list[Form]:
        through, cut = (flatten(pattern, kept, True) for kept in (set(), self._repeated))
        return [_form(*found) for found in ([through] if through == cut else [through, cut])]

    def _product(self, p: Any, kept: set[Any], root: bool = False) -> tuple[float, Items]:
        if isinstance(p, int | float):
            return float(p), {}
        if not is_product(p) or (p in kept and not root):
            return 1.0, {p: 1.0}
        x = p.args["x"]
        if p.op in ("mul", "div"):
            (a, left), (b, right) = self._product(x, kept), self._product(p.args["y"], kept)
            power = 1.0 if p.op == "mul" else -1.0
            return a * b**power, _added(left, right, power)
        if p.op == "neg":
            number, items = self._product(x, kept)
            return -number, items
        power = float(p.args["y"]) if p.op == "pow" else EXPONENTS[p.op]
        if power != int(power):
            return 1.0, {x: power}
        number, items = self._product(x, kept)
        return number**power, {item: own * power for item, own in items.items()}

    def _sum(self, p: Any, kept: set[Any], root: bool = False) -> tuple[float, Items]:
        if isinstance(p, int | float):
            return float(p), {}
        if not is_sum(p) or (p in kept and not root):
            return 0.0, {p: 1.0}
        (a, left), (b, right) = (self._sum(p.args[name], kept) for name in ("x", "y"))
        sign = 1.0 if p.op == "add" else -1.0
        return a + sign * b, _added(left, right, sign)


def is_product(pattern: Any) -> bool:
    """Whether a pattern is matched as a product."""
    if not isinstance(pattern, Call):
        return False
    if pattern.op == "pow":
        return isinstance(pattern.args["y"], int | float)
    return pattern.op in ("mul", "div", "neg") or pattern.op in EXPONENTS


def is_sum(pattern: Any) -> bool:
    """Whether a pattern is matched as a sum."""
    return isinstance(pattern, Call) and pattern.op in ("add", "sub")


def _added(left: Items, right: Items, factor: float) -> Items:
    found = dict(left)
    for item, power in right.items():
        found[item] = found.get(item, 0.0) + factor * power
    return found


def _form(number: float, items: Items) -> Form:
    numbers = {p: power for p, power in items.items() if isinstance(p, Var) and p.is_number}
    rest = [(p, power) for p, power in items.items() if p not in numbers]
    called = [p for p, _ in rest if isinstance(p, Call) and not is_product(p) and not is_sum(p)]
    ordered = tuple(sorted(rest, key=lambda item: -_weight(item[0])))
    return Form(number, numbers, ordered, frozenset(p.op for p in called))


def _weight(pattern: Any) -> int:
    """How much a pattern asks for: what asks most is matched first."""
    if isinstance(pattern, Call):
        return 2 + len(calls(pattern))
    domain = pattern.domain
    return 0 if isinstance(domain, Number) or (isinstance(domain, Tensor) and domain.is_any) else 1
