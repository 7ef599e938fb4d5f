"""Values that are there in an order of axes other than the one they were written in.

A value may be there in several orders at once; a transpose is made only when an order is asked for
that isn't there yet. The result of a transpose in the source is never computed as such: it is its
operand, seen in another order, which is how pairs of them cancel.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

from ir_hub.ir.dims import Expr
from ir_hub.ir.graph import Argument, Node, Value, constant
from ir_hub.ir.types import Shape
from ir_hub.layout.permutations import (
    Perm,
    compose,
    identity,
    inverse,
    moves_nothing,
    permuted,
    permuted_type,
)
from ir_hub.ops.op import OPS


class Held:
    """The orders that the values of one graph are there in, and the nodes made so far."""

    def __init__(self, scopes: Collection[str]) -> None:
        self.nodes: list[Node] = []
        self._scopes = scopes
        self._scope = ""
        self._orders: dict[Value, dict[Perm, Value]] = {}
        self._constants: dict[tuple[Value, tuple[int | None, ...]], Value] = {}
        self._seen: dict[Value, tuple[Value, Perm]] = {}

    def begin(self, scope: str) -> None:
        """What is made from here on is made for a node in this scope."""
        self._scope = scope

    def hold(self, value: Value, perm: Perm, have: Value) -> None:
        """`have` is the value transposed by `perm`."""
        self._orders.setdefault(value, {})[perm] = have

    def see(self, result: Value, x: Value, perm: Perm) -> None:
        """`result` is x transposed by `perm`; nothing is computed."""
        root, before = self._root(x)
        self._seen[result] = root, compose(before, perm)

    def orders(self, value: Value) -> list[Perm]:
        """The orders that a value is there in, the first one first; of a constant none: it can
        be had in every order."""
        if value.is_constant or value.shape is None:
            return []
        root, perm = self._root(value)
        return [compose(inverse(perm), order) for order in self._of(root)]

    def cost(self, value: Value, perm: Perm) -> int:
        """How many elements have to be moved to have a value in an order."""
        if value.is_constant or perm in (orders := self.orders(value)) or value.shape is None:
            return 0
        step = compose(inverse(orders[0]), perm)
        return 0 if moves_nothing(permuted(value.shape, orders[0]), step) else _size(value.shape)

    def get(self, value: Value, perm: Perm | None = None) -> Value:
        """The value transposed by `perm`; as it was written by default."""
        if value.shape is None:
            return value
        as_written = identity(len(value.shape))
        asked = as_written if perm is None else perm
        root, seen = self._root(value)
        wanted = compose(seen, asked)
        orders = self._of(root)
        if wanted not in orders:
            if root.is_constant:
                orders[wanted] = self.constant(root, wanted)
            else:
                result = value if asked == as_written else None
                orders[wanted] = self._transposed(value, asked, result)
        return orders[wanted]

    def constant(self, value: Value, axes: Sequence[int | None]) -> Value:
        """A constant with its axes in an order, or with other ones of size 1; always the same."""
        assert value.data is not None
        key = value, tuple(axes)
        if key not in self._constants:
            same = list(axes) == list(range(rank_of(value)))
            data = value.data.with_axes(axes)
            self._constants[key] = value if same else constant(data, value.name)
        return self._constants[key]

    def add(self, op: str, given: Mapping[str, Argument], result: Value, scope: str) -> Value:
        """Appends a node that the source hadn't."""
        self.nodes.append(Node(op, OPS[op].complete(given), [result], "", scope))
        return result

    def like(self, value: Value, shape: Shape) -> Value:
        """A new value with the elements of another one in another shape."""
        assert value.type is not None
        return Value(value.name, value.type.with_shape(shape))

    def _transposed(self, value: Value, perm: Perm, result: Value | None) -> Value:
        first = self.orders(value)[0]
        have = self.get(value, first)
        step = compose(inverse(first), perm)
        if result is None:
            result = Value(f"{value.name}_transposed", permuted_type(value.type, perm))
        scope = self._common_scope(have)
        shape = one_open(permuted(shape_of(have), step))
        said = all(isinstance(size, int) and size for size in shape)
        if said and moves_nothing(shape_of(have), step):
            return self.add("reshape", {"x": have, "shape": shape}, result, scope)
        return self.add("transpose", {"x": have, "perm": step}, result, scope)

    def _root(self, value: Value) -> tuple[Value, Perm]:
        if value in self._seen:
            return self._seen[value]
        return value, identity(rank_of(value))

    def _of(self, root: Value) -> dict[Perm, Value]:
        """The orders of what isn't a transposed view of another; what was never held (an input, a
        constant, a value from around a body) is there as it was written."""
        return self._orders.setdefault(root, {identity(rank_of(root)): root})

    def _common_scope(self, have: Value) -> str:
        """The innermost scope that holds both the node that something is made for and the one
        that made what it is made of: what lies between two layers is a part of neither."""
        made = have.producer.scope if have.producer is not None else ""
        common = []
        for ours, theirs in zip(self._scope.split("."), made.split("."), strict=False):
            if ours != theirs:
                break
            common.append(ours)
        while common and ".".join(common) not in self._scopes:
            common.pop()
        return ".".join(common)


def shape_of(value: Value) -> Shape:
    """The sizes of a value whose rank is known."""
    assert value.shape is not None
    return value.shape


def rank_of(value: Value) -> int:
    """How many axes a value has whose rank is known."""
    return len(shape_of(value))


def one_open(shape: Shape) -> Shape:
    """The shape as reshape takes it, with -1 for the one size with symbols, if it is the only."""
    symbolic = [size for size in shape if isinstance(size, Expr)]
    return shape if len(symbolic) != 1 else tuple(-1 if s in symbolic else s for s in shape)


def _size(shape: Iterable[int | Expr]) -> int:
    """The number of elements, up to sizes that only the run knows; at least 1, so that it costs
    something to move them."""
    return max(1, math.prod(size for size in shape if isinstance(size, int)))
