"""Writes graphs as ordinary arithmetic: `0.5 * x * (1 + op.erf(x / math.sqrt(2)))`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ir_hub.ir.graph import Value
from ir_hub.ir.types import DType, Shape
from ir_hub.ops.build import Builder


@dataclass(frozen=True, eq=False)
class Term:
    """A value that can be written in arithmetic; Python numbers become constants of its type."""

    value: Value
    tracer: Tracer

    @property
    def shape(self) -> Shape | None:
        """The sizes; None when the rank isn't known."""
        return self.value.shape

    @property
    def dtype(self) -> DType | None:
        """The type of an element."""
        return self.value.dtype

    def __add__(self, other: Any) -> Term:
        return self.tracer.arithmetic("add", self, other)

    def __radd__(self, other: Any) -> Term:
        return self.tracer.arithmetic("add", other, self)

    def __sub__(self, other: Any) -> Term:
        return self.tracer.arithmetic("sub", self, other)

    def __rsub__(self, other: Any) -> Term:
        return self.tracer.arithmetic("sub", other, self)

    def __mul__(self, other: Any) -> Term:
        return self.tracer.arithmetic("mul", self, other)

    def __rmul__(self, other: Any) -> Term:
        return self.tracer.arithmetic("mul", other, self)

    def __truediv__(self, other: Any) -> Term:
        return self.tracer.arithmetic("div", self, other)

    def __rtruediv__(self, other: Any) -> Term:
        return self.tracer.arithmetic("div", other, self)

    def __pow__(self, other: Any) -> Term:
        return self.tracer.arithmetic("pow", self, other)

    def __neg__(self) -> Term:
        return self.tracer.arithmetic("neg", self)


class Tracer(Builder):
    """A builder that takes and gives terms instead of values."""

    def term(self, argument: Any) -> Any:
        """A value, or every value of a tuple, as a term; all else as it is."""
        if isinstance(argument, Value):
            return Term(argument, self)
        if isinstance(argument, tuple) and argument and isinstance(argument[0], Value):
            return tuple(Term(value, self) for value in argument)
        return argument

    def call(self, name: str, *tensors: Any, **named: Any) -> Any:
        """Appends a call of an op; its result, or a tuple of several, as terms."""
        found = super().call(
            name, *map(_value, tensors), **{key: _value(item) for key, item in named.items()}
        )
        return self.term(found)

    def arithmetic(self, op: str, *operands: Any) -> Term:
        """An op of one or two operands, of which at least one is a term."""
        term: Term = self.call(op, *operands)
        return term


def _value(argument: Any) -> Any:
    if isinstance(argument, Term):
        return argument.value
    if isinstance(argument, tuple | list):
        return tuple(map(_value, argument))
    return argument
