"""Makes the nodes that the right side of a rule stands for."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from ir_hub.ir.dims import Dim, Expr, substitute, symbol
from ir_hub.ir.graph import Value, constant
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.ops.catalogue import OPS
from ir_hub.ops.op import Kind
from ir_hub.recover.algebra import closest
from ir_hub.recover.domains import Bound
from ir_hub.recover.pattern import Call, Var

LARGEST_COMPUTED = 65_536  # elements of a constant that is computed here; others stay nodes

_ARITHMETIC = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "pow": operator.pow,
}


class Maker(Builder):
    """A builder of what a rule recovered."""

    def fresh(self) -> Dim:
        """A size that nothing in a graph equals: what only the run knows, a rule doesn't."""
        return symbol("unknown.in.rule")


def instantiate(pattern: Any, bound: Bound, builder: Builder, dtype: DType | None) -> Any:
    """What a pattern stands for: a value, a number or a literal.

    Raises:
        ValueError: the operands don't fit an op.
    """
    if isinstance(pattern, Var):
        return bound[pattern]
    if isinstance(pattern, Expr):
        return substitute(pattern, {k: v for k, v in bound.items() if isinstance(k, str)})
    if isinstance(pattern, tuple):
        return tuple(instantiate(item, bound, builder, dtype) for item in pattern)
    if not isinstance(pattern, Call):
        return pattern
    args = {k: instantiate(v, bound, builder, dtype) for k, v in pattern.args.items()}
    operands = [args[p.name] for p in OPS[pattern.op].params.values() if p.kind is Kind.TENSOR]
    if pattern.op in _ARITHMETIC and all(isinstance(x, int | float) for x in operands):
        return closest(_ARITHMETIC[pattern.op](*operands), dtype)
    if pattern.op == "neg" and isinstance(operands[0], int | float):
        return -operands[0]
    return _computed(pattern.op, args) or _appended(pattern.op, args, builder)


def _appended(op: str, args: dict[str, Any], builder: Builder) -> Value:
    for param in OPS[op].params.values():
        if param.kind is Kind.LITERAL and isinstance(args[param.name], Expr):
            raise ValueError(f"{param.name} of {op} would be {args[param.name]}, not a number")
    tensors = [args.pop(p.name) for p in OPS[op].params.values() if p.kind not in _NAMED]
    found: Value = builder.call(op, *tensors, **args)
    return found


def _computed(op: str, args: dict[str, Any]) -> Value | None:
    """The result as a constant, where the operands are constants and it is small or free."""
    values = [item for item in args.values() if isinstance(item, Value)]
    if not values or any(value.data is None for value in values):
        return None
    first = values[0]
    assert first.data is not None
    if op == "transpose":
        return constant(first.data.permuted(args["perm"]), first.name)
    if any(v.data is None or math.prod(v.data.shape) > LARGEST_COMPUTED for v in values):
        return None
    arrays = {k: v.array() if isinstance(v, Value) else v for k, v in args.items()}
    tensors = [p.name for p in OPS[op].params.values() if p.kind is Kind.TENSOR]
    numpy_type = first.array().dtype
    for name in tensors:
        if isinstance(arrays[name], int | float):
            arrays[name] = np.asarray(arrays[name], numpy_type)
    if any(isinstance(size, Expr) for size in args.get("shape") or ()):
        return None
    return constant(OPS[op].call(arrays)[0].astype(numpy_type), first.name)


_NAMED = (Kind.LITERAL, Kind.BODY)
