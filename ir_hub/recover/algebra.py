"""Arithmetic up to order, grouping and spelling: a value as one product, or as one sum.

    x * 0.5 / y, reciprocal(y) * (x / 2), ...    0.5 * {x: 1, y: -1}
    a - b + 1, 1 + (a + neg(b)), ...             1 + [+a, -b]

A value that others use too is taken as it is, not apart, but for the one that is asked about.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ir_hub.ir.graph import Node, Value
from ir_hub.ir.types import DType
from ir_hub.recover.index import Index

PRODUCTS = frozenset({"mul", "div", "neg", "reciprocal", "pow", "square", "sqrt", "rsqrt"})
SUMS = frozenset({"add", "sub", "neg"})
LARGEST_UNIFORM = 65_536  # elements of a constant that is looked through for being uniform
MOST_PARTS = 12  # factors of a product, terms of a sum; what has more is taken as it is
DEEPEST = 24  # nodes on the way down from the root

Powers = dict[Value, float]
Signs = dict[Value, int]


@dataclass
class Part:
    """A value inside a product or sum that is itself one: a candidate to be taken whole."""

    value: Value
    exponent: float  # the power that it is raised to, or its sign
    number: float  # its own coefficient, or constant
    items: dict[Value, float]


@dataclass
class Flat:
    """A product (number * base ** power * ...) or a sum (number + factor * term + ...)."""

    number: float
    items: dict[Value, float]
    parts: list[Part] = field(default_factory=list)
    ops: set[str] = field(default_factory=set)  # of the nodes that make the items


class Algebra:
    """Takes values of a graph apart, and remembers it until the graph changes."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self._version = -1
        self._products: dict[Value, Flat] = {}
        self._sums: dict[Value, Flat] = {}
        self._numbers: dict[Value, float | None] = {}

    def number(self, value: Value) -> float | None:
        """What every element of a real constant is; None where it has no or several values."""
        if value.data is None:
            return None
        if value not in self._numbers:
            self._numbers[value] = _uniform(value)
        return self._numbers[value]

    def product(self, value: Value) -> Flat:
        """A value as a product."""
        self._forget()
        if value not in self._products:
            self._products[value] = self._with_ops(self._flat_product(value, 0))
        return self._products[value]

    def sum(self, value: Value) -> Flat:
        """A value as a sum."""
        self._forget()
        if value not in self._sums:
            self._sums[value] = self._with_ops(self._flat_sum(value, 0))
        return self._sums[value]

    def _with_ops(self, flat: Flat) -> Flat:
        nodes = map(self.index.producer, flat.items)
        flat.ops = {node.op for node in nodes if node is not None}
        return flat

    def _forget(self) -> None:
        if self._version != self.index.version:
            self._products.clear()
            self._sums.clear()
            self._version = self.index.version

    def _node(self, value: Value, ops: frozenset[str], depth: int) -> Node | None:
        """The node to look through; None where the value is to be taken as it is."""
        node = self.index.producer(value)
        if node is None or node.op not in ops or depth > DEEPEST:
            return None
        if depth and self.index.is_shared(value):
            return None
        return node if value.dtype is not None and value.dtype.is_float else None

    def _flat_product(self, value: Value, depth: int) -> Flat:
        number = self.number(value)
        if number:  # a zero hides what it is multiplied with
            return Flat(number, {}, [Part(value, 1, number, {})])
        node = self._node(value, PRODUCTS, depth)
        found = self._factors(node, depth + 1) if node is not None else None
        if found is None or len(found.items) > MOST_PARTS or 0 in found.items.values():
            return Flat(1.0, {value: 1})
        return Flat(
            found.number, found.items, [*found.parts, Part(value, 1, found.number, found.items)]
        )

    def _factors(self, node: Node, depth: int) -> Flat | None:
        if node.op in ("mul", "div"):
            if node.op == "mul" and node.x is node.y:
                return _power(self._flat_product(node.x, depth), 2)
            left, right = (self._flat_product(v, depth) for v in (node.x, node.y))
            return _merged(left, _power(right, 1 if node.op == "mul" else -1), float.__mul__)
        inner = self._flat_product(node.x, depth)
        if node.op == "neg":
            return Flat(-inner.number, inner.items, inner.parts)
        exponent = self.number(node.y) if node.op == "pow" else EXPONENTS[node.op]
        if exponent is None or exponent == 0 or abs(exponent) > 64:
            return None
        if exponent != int(exponent):  # sqrt(x * x) isn't x
            return Flat(1.0, {node.x: exponent})
        return _power(inner, exponent)

    def _flat_sum(self, value: Value, depth: int) -> Flat:
        number = self.number(value)
        if number is not None:
            return Flat(number, {}, [Part(value, 1, number, {})])
        node = self._node(value, SUMS, depth)
        if node is None:
            return Flat(0.0, {value: 1})
        found = _signed(self._flat_sum(node.x, depth + 1), -1 if node.op == "neg" else 1)
        if node.op != "neg":
            right = self._flat_sum(node.y, depth + 1)
            found = _merged(found, _signed(right, -1 if node.op == "sub" else 1), float.__add__)
        if len(found.items) > MOST_PARTS or 0 in found.items.values():
            return Flat(0.0, {value: 1})
        return Flat(
            found.number, found.items, [*found.parts, Part(value, 1, found.number, found.items)]
        )


EXPONENTS = {"reciprocal": -1.0, "square": 2.0, "sqrt": 0.5, "rsqrt": -0.5}


def _power(flat: Flat, exponent: float) -> Flat:
    if exponent == 1:
        return flat
    items = {base: power * exponent for base, power in flat.items.items()}
    parts = [Part(p.value, p.exponent * exponent, p.number, p.items) for p in flat.parts]
    return Flat(flat.number**exponent, items, parts)


def _signed(flat: Flat, sign: int) -> Flat:
    if sign == 1:
        return flat
    items = {term: -factor for term, factor in flat.items.items()}
    parts = [Part(p.value, -p.exponent, p.number, p.items) for p in flat.parts]
    return Flat(-flat.number, items, parts)


def _merged(left: Flat, right: Flat, both: Callable[[float, float], float]) -> Flat:
    items = dict(left.items)
    for base, power in right.items.items():
        items[base] = items.get(base, 0) + power
    return Flat(both(left.number, right.number), items, [*left.parts, *right.parts])


def _uniform(value: Value) -> float | None:
    data = value.data
    if data is None or data.dtype in _NOT_REAL:
        return None
    count = int(np.prod(data.shape, dtype=np.int64))
    if not 0 < count <= LARGEST_UNIFORM:
        return None
    flat = data.numpy().reshape(-1)
    return shortest(flat[0]) if count == 1 or bool((flat == flat[0]).all()) else None


def shortest(item: Any) -> float:
    """A number as a person would have written it: 1e-05 for the float32 9.99999975e-06."""
    return float(str(item)) if isinstance(item, np.floating) else float(item)


def closest(number: float, dtype: DType | None) -> float:
    """A number worked out from constants of this type, without digits that the type hasn't."""
    return shortest(np.float32(number)) if dtype is not DType.FLOAT64 else number


_NOT_REAL = (DType.STRING, DType.COMPLEX64, DType.COMPLEX128, DType.BOOL)
