"""Rules are equations, traced from ordinary Python.

    @rule
    def leaky_relu(x: Sym = "*", alpha: Sym = (0.0, 1.0)) -> Equation:
        return op.maximum(alpha * x, x), op.leaky_relu(x, alpha=alpha)

The left side is what a source may have spelled, in any order, grouping and spelling of its numbers;
the right side is what it meant. A parameter's default says what it stands for (see `domains`); the
matcher checks it and the prover draws from it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ir_hub.ir.dims import symbol
from ir_hub.ops.catalogue import OPS
from ir_hub.ops.op import Kind
from ir_hub.recover.domains import Domain, Number, domain_of

Sym = Any  # a parameter of a rule: its default is a domain, inside it is a pattern
Equation = tuple[Any, Any]


class Pattern:
    """Part of an equation; arithmetic on it makes calls."""

    def __add__(self, other: Any) -> Call:
        return call("add", self, other)

    def __radd__(self, other: Any) -> Call:
        return call("add", other, self)

    def __sub__(self, other: Any) -> Call:
        return call("sub", self, other)

    def __rsub__(self, other: Any) -> Call:
        return call("sub", other, self)

    def __mul__(self, other: Any) -> Call:
        return call("mul", self, other)

    def __rmul__(self, other: Any) -> Call:
        return call("mul", other, self)

    def __truediv__(self, other: Any) -> Call:
        return call("div", self, other)

    def __rtruediv__(self, other: Any) -> Call:
        return call("div", other, self)

    def __pow__(self, other: Any) -> Call:
        return call("pow", self, other)

    def __neg__(self) -> Call:
        return call("neg", self)


@dataclass(eq=False)
class Var(Pattern):
    """What a parameter stands for: a tensor, or a literal."""

    name: str
    domain: Domain

    def __repr__(self) -> str:
        return self.name

    @property
    def is_number(self) -> bool:
        """Whether it stands for a real number."""
        return isinstance(self.domain, Number)


@dataclass(eq=False)
class Call(Pattern):
    """A call of an op, with all its arguments by name."""

    op: str
    args: dict[str, Any]

    def __repr__(self) -> str:
        return f"{self.op}({', '.join(map(repr, self.operands()))})"

    def operands(self) -> Iterator[Any]:
        """The arguments that stand where tensors do: patterns and numbers."""
        for name, param in OPS[self.op].params.items():
            if param.kind is Kind.TENSOR and self.args[name] is not None:
                yield self.args[name]


def call(op: str, *tensors: Any, **named: Any) -> Call:
    """A call as it is written in a rule.

    Raises:
        TypeError: the op has no such argument, or takes any number of tensors.
    """
    if any(param.kind in (Kind.TENSORS, Kind.BODY) for param in OPS[op].params.values()):
        raise TypeError(f"rules cannot be about {op}: it takes any number of tensors, or a body")
    places = [p.name for p in OPS[op].params.values() if p.kind is not Kind.LITERAL]
    if len(tensors) > len(places):
        raise TypeError(f"{op} takes {len(places)} tensors, not {len(tensors)}")
    given = dict(zip(places, tensors, strict=False)) | named
    return Call(op, OPS[op].complete(given))


class _Ops:
    """Every op as a method, for writing rules."""

    def __getattr__(self, name: str) -> Callable[..., Call]:
        if name not in OPS:
            raise AttributeError(f"there is no op {name!r}")
        return lambda *tensors, **named: call(name, *tensors, **named)


op = _Ops()


def sizes(names: str) -> list[Any]:
    """The sizes that the words of domains name, to be written in shapes: `n, c = sizes("N C")`."""
    return [symbol(name) for name in names.split()]


@dataclass(eq=False)
class Rule:
    """An equation. `partial`: its left side may be some factors of a larger product. `late`: it
    waits until no other applies, for its left side is part of what others ask for."""

    name: str
    params: list[Var]
    left: Call
    right: Any
    partial: bool = False
    late: bool = False
    # What its left side needs, but for what may be spelled with other ops.
    ops: frozenset[str] = field(init=False)
    has_numbers: bool = field(init=False)  # it was proved for floats, and holds for them alone

    def __post_init__(self) -> None:
        self.ops = frozenset(c.op for c in calls(self.left)) - ARITHMETIC - COMPARISONS
        operands = [item for each in calls(self.left) for item in each.operands()]
        self.has_numbers = any(isinstance(x, int | float) for x in operands) or any(
            p.is_number for p in self.params
        )

    def __repr__(self) -> str:
        return f"{self.name}: {self.left} = {self.right}"


ARITHMETIC = frozenset(
    {"add", "sub", "mul", "div", "neg", "reciprocal", "pow", "square", "sqrt", "rsqrt"}
)


COMPARISONS = frozenset({"greater", "greater_equal", "less", "less_equal"})


def calls(pattern: Any) -> list[Call]:
    """Every call in a pattern, once each, operands after what uses them."""
    found: dict[Call, None] = {}
    pending = [pattern]
    while pending:
        item = pending.pop()
        if isinstance(item, Call) and item not in found:
            found[item] = None
            pending.extend(item.operands())
    return list(found)


RULES: list[Rule] = []


def trace(function: Callable[..., Equation], *, name: str = "", **kind: bool) -> Rule:
    """A function that returns both sides of an equation, as a rule of a kind (see Rule)."""
    parameters = inspect.signature(function).parameters.values()
    params = [Var(p.name, domain_of(p.default)) for p in parameters]
    left, right = function(*params)
    return Rule(name or function.__name__, params, left, right, **kind)


def rule(function: Callable[..., Equation]) -> Rule:
    """Registers a function that returns both sides of an equation as a rule."""
    return rule_of()(function)


def rule_of(*, name: str = "", **kind: bool) -> Callable[[Callable[..., Equation]], Rule]:
    """Registers rules of a kind (see Rule), or under another name than their function's."""

    def register(function: Callable[..., Equation]) -> Rule:
        RULES.append(trace(function, name=name, **kind))
        return RULES[-1]

    return register
