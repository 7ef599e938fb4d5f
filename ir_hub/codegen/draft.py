"""How op tables put an expression together, and constants that are made from others."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ir_hub.codegen.names import unique
from ir_hub.codegen.spelling import Expr
from ir_hub.ir.graph import Node, Value
from ir_hub.ir.tensor import Tensor
from ir_hub.ir.types import DType, TensorType

_BARE = re.compile(r"\}\s(\*\*|//|<<|>>|[<>=!]=|[-+*/%@&|^<>])\s|^[-~]")


def expression(text: str, *, numbers: str = "") -> Callable[[Node], Expr]:
    """A rule for an op that is one expression: `{0}` and on are its tensors in the op's order,
    `{name}` its literals. `numbers` are the tensors that may be Python numbers: "1", "all"."""
    atom = not _BARE.search(text)
    names = re.findall(r"\{([a-z]\w*)\}", text)

    def rule(node: Node) -> Expr:
        inputs = [value for _, value in node.operands()]
        allowed = range(len(inputs)) if numbers == "all" else map(int, numbers.split())
        literals = {name: node.args[name] for name in names}
        return Expr(text, inputs, literals, atom, may_be_numbers(inputs, list(allowed)))

    return rule


def may_be_numbers(inputs: Sequence[Value], allowed: Sequence[int]) -> frozenset[int]:
    """Those of the allowed operands that may be numbers: never all of them, since at least one
    has to be a tensor, of the type that the result has."""
    found = {i for i in allowed if i < len(inputs) and inputs[i].scalar is not None}
    tensors = [i for i in allowed if i < len(inputs) and i not in found]
    if not tensors or not _keeps_shape(inputs, found, tensors):
        return frozenset()
    types = {inputs[i].dtype for i in (*found, *tensors)}
    return frozenset(found) if len(types) == 1 else frozenset()


def _keeps_shape(inputs: Sequence[Value], numbers: set[int], tensors: Sequence[int]) -> bool:
    """Whether the result has the same rank without the numbers' axes of size 1."""
    if any(inputs[i].shape is None for i in tensors):
        return all(inputs[i].shape == () for i in numbers)
    rank = max(len(inputs[i].shape or ()) for i in tensors)
    return all(len(inputs[i].shape or ()) <= rank for i in numbers)


class Draft:
    """An expression while it is put together: each method gives the text that stands for an
    operand or a literal in the expression's own text."""

    def __init__(self) -> None:
        self._inputs: list[Value] = []
        self._literals: dict[str, Any] = {}
        self._numbers: set[int] = set()

    def tensor(self, value: Value) -> str:
        """A tensor."""
        if value not in self._inputs:
            self._inputs.append(value)
        return f"{{{self._inputs.index(value)}}}"

    def scalar(self, value: Value) -> str:
        """A tensor that is written as a number when it is a constant of one element."""
        text = self.tensor(value)
        if value.scalar is not None:
            self._numbers.add(self._inputs.index(value))
        return text

    def literal(self, item: Any, name: str = "value") -> str:
        """A literal; `name` is what a parameter is called that takes its place."""
        name = unique(name, self._literals)
        self._literals[name] = item
        return f"{{{name}}}"

    def done(self, text: str, *, atom: bool = True, targets: str = "") -> Expr:
        """The expression."""
        numbers = frozenset(self._numbers)
        return Expr(text, self._inputs, self._literals, atom, numbers, targets)


def derived(
    value: Value,
    shape: tuple[int, ...],
    change: Callable[[np.ndarray], np.ndarray],
    dtype: DType | None = None,
) -> Value:
    """A constant made from another one; it is computed only when it is written."""
    assert value.data is not None
    tensor = Derived(value.data, shape, change, dtype)
    return Value(value.name, TensorType(tensor.dtype, shape), data=tensor)


@dataclass(frozen=True, eq=False)
class Derived:
    """A constant that is computed from another one each time it is read."""

    source: Tensor
    shape: tuple[int, ...]
    change: Callable[[np.ndarray], np.ndarray]
    dtype_: DType | None = None

    @property
    def dtype(self) -> DType:
        """The type of an element: the source's, unless another one was given."""
        return self.dtype_ or self.source.dtype

    def numpy(self) -> np.ndarray:
        """The elements."""
        return self.change(self.source.numpy())

    def permuted(self, permutation: Sequence[int]) -> Tensor:
        """The same with its axes in another order."""
        shape = tuple(self.shape[axis] for axis in permutation)
        change = self.change
        return Derived(self.source, shape, lambda a: change(a).transpose(permutation), self.dtype_)
