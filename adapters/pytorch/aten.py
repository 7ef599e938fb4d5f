"""How rules that read PyTorch's own ops are written: as functions with the op's own arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

from adapters.pytorch.dialect import pytorch
from adapters.pytorch.exported import TYPES, Count, Ref, Unknown
from ir_hub.ir.dims import Dim
from ir_hub.ir.graph import Value
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import Call, Unsupported
from ir_hub.sdk.operands import agree

Rule = TypeVar("Rule", bound=Callable[..., Any])
Operand = Value | int | float | bool  # a tensor, or a Python number in its place

# Where and how elements are stored; it doesn't change which they are.
_STORAGE = frozenset(("device", "layout", "pin_memory", "memory_format", "non_blocking"))
_RENAMED = {"self": "x", "input": "x"}


def aten(*names: str) -> Callable[[Rule], Rule]:
    """Registers a rule that reads the ops of these names, "add.Tensor". It is called with a
    builder and the op's arguments by name (`self` and `input` are called `x`), and returns the
    value of each result. Defaults are those of the op's schema. An argument annotated Operand may
    be a Python number; elsewhere numbers that the run computes are sizes."""

    def register(rule: Rule) -> Rule:
        reader = _Reader(rule)
        pytorch.read(*(f"aten.{name}" for name in names))(reader.read)
        return rule

    return register


class _Reader:
    """Calls a rule with a node's arguments, and compares what it made with what the file says."""

    def __init__(self, rule: Callable[..., Any]) -> None:
        self.rule = rule
        self.params = dict(list(inspect.signature(rule).parameters.items())[1:])

    def read(self, call: Call, b: Builder) -> Any:
        given = {_RENAMED.get(name, name): item for name, item in call.attrs.items()}
        types = given.pop(TYPES, ())
        given = {n: item for n, item in given.items() if n in self.params or n not in _STORAGE}
        strange = ", ".join(n for n in given if n not in self.params)
        if strange:
            raise Unsupported(f"{call.type} with the argument {strange}")
        args = {name: self.argument(name, item, call) for name, item in given.items()}
        missing = [n for n, p in self.params.items() if p.default is p.empty and n not in args]
        if missing:
            raise Unsupported(f"{call.type} without the argument {', '.join(missing)}")
        found = self.rule(b, **args)
        for value, type_ in zip(found if isinstance(found, tuple | list) else (found,), types,
                                strict=False):  # fmt: skip
            if isinstance(value, Value) and type_ is not None:
                agree(call.type, value, type_.dtype, type_.shape)
        return found

    def argument(self, name: str, item: Any, call: Call) -> Any:
        if isinstance(item, tuple):
            return tuple(self.argument(name, each, call) for each in item)
        if isinstance(item, Unknown):
            raise Unsupported(f"{call.type} with {name} of a kind that isn't read ({item.kind})")
        if isinstance(item, Ref):
            value = call.inputs[item.index]
            if value is None or value.type is None:
                raise Unsupported(f"{call.type} of a value whose type isn't known")
            return value
        if isinstance(item, Count):
            return self.count(name, item, call)
        return item

    def count(self, name: str, item: Count, call: Call) -> Value | Dim:
        if "Operand" in str(self.params[name].annotation):
            value = call.inputs[item.index]
            if value is None or value.type is None:
                raise Unsupported(f"{call.type} of a number that is computed in another way")
            return value
        if item.dim is None:
            raise Unsupported(f"{call.type} with {name} that depends on elements")
        return item.dim


def operand(b: Builder, item: Operand, like: DType) -> Value:
    """A tensor, or a number as a constant of a type."""
    return item if isinstance(item, Value) else b.constant(np.array(item, like.numpy))


def unary(table: Mapping[str, str]) -> None:
    """Registers ops of one tensor that ours say alike: ours by theirs."""
    for theirs, ours in table.items():
        pytorch.read(f"aten.{theirs}.default")(_Reader(_same(ours)).read)


def _same(op: str) -> Callable[..., Any]:
    def rule(b: Builder, x: Value) -> Any:
        return b.call(op, x)

    return rule
