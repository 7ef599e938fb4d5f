"""Short integer tensors as the sizes that they come to: shapes are computed in these graphs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ir_hub.ir.dims import Dim, Expr, ExpressionTooLarge
from ir_hub.ir.graph import Argument, Node, Value
from ir_hub.ir.types import DType
from ir_hub.ops.catalogue import OPS
from ir_hub.sdk.dialect import Unsupported
from ir_hub.sdk.operands import rank_of

Array = np.ndarray[Any, Any]

_WHOLE = (DType.INT32, DType.INT64, DType.BOOL)
_LARGEST = 64  # elements of a tensor that is followed; shapes are short, weights are not
_DEEPEST = 60  # ops between a size and where it is used


def sizes_of(value: Value, what: str) -> tuple[Dim, ...]:
    """The elements of a vector as sizes.

    Raises:
        Unsupported: only the run knows them.
    """
    found = elements(value)
    if found is None:
        raise Unsupported(f"{what} is computed from elements; only what follows from sizes is read")
    return tuple(found.reshape(-1).tolist())


def ints_of(value: Value, what: str) -> tuple[int, ...]:
    """The elements of a vector as numbers.

    Raises:
        Unsupported: they aren't known.
    """
    found = sizes_of(value, what)
    if not all(isinstance(size, int) for size in found):
        said = ", ".join(map(str, found))
        raise Unsupported(f"{what} is ({said}), which depends on open sizes: give the input's type")
    return tuple(int(size) for size in found)  # type: ignore[arg-type]


def int_of(value: Value, what: str) -> int:
    """The one element of a tensor as a number."""
    found = ints_of(value, what)
    if len(found) != 1:
        raise Unsupported(f"{what} has {len(found)} elements")
    return found[0]


def axes_of(value: Value, x: Value) -> tuple[int, ...]:
    """The elements of a vector as axes of x, counted from the front."""
    found, rank = ints_of(value, "its axes"), rank_of(x)
    if any(not -rank <= axis < rank for axis in found):
        raise Unsupported(f"its axes {found} of {rank}")
    return tuple(axis % rank for axis in found)


def elements(value: Value) -> Array | None:
    """The elements of a short integer tensor, as far as they follow from sizes; else None."""
    return _elements(value, {}, 0)


def _elements(value: Value, known: dict[Value, Array | None], depth: int) -> Array | None:
    if value not in known:
        known[value] = None
        if _is_short(value) and depth < _DEEPEST:
            known[value] = _computed(value, known, depth)
    return known[value]


def _computed(value: Value, known: dict[Value, Array | None], depth: int) -> Array | None:
    if value.is_constant:
        return np.asarray(value.array().astype(object))
    node = value.producer
    if node is None or not OPS[node.op].symbolic:
        return None
    if node.op in ("shape_of", "size_of"):
        return _of_shape(node)
    args: dict[str, Any] = {}
    for name, argument in node.args.items():
        args[name] = _argument(argument, known, depth)
        if args[name] is None and argument is not None:
            return None
    try:
        found = OPS[node.op].call(args)[node.results.index(value)]
    except (TypeError, ValueError, ExpressionTooLarge, ZeroDivisionError):
        return None  # what can't be decided for open sizes stays a tensor
    fits = all(_fits(item, value.dtype) for item in found.reshape(-1).tolist())
    return found.astype(object) if fits else None


def _of_shape(node: Node) -> Array | None:
    shape = node.x.shape
    if shape is None:
        return None
    if node.op == "size_of":
        return np.array(math.prod(shape), object)
    found = np.empty(len(shape[node.start : node.end]), object)
    found[:] = list(shape[node.start : node.end])
    return found


def _argument(argument: Argument, known: dict[Value, Array | None], depth: int) -> Any:
    if isinstance(argument, Value):
        return _elements(argument, known, depth + 1)
    if isinstance(argument, tuple) and argument and isinstance(argument[0], Value):
        items = [_elements(v, known, depth + 1) for v in argument if isinstance(v, Value)]
        return None if any(item is None for item in items) else tuple(items)
    return argument


def _is_short(value: Value) -> bool:
    shape = value.shape
    if shape is None or value.dtype not in _WHOLE:
        return False
    numbers = [size for size in shape if isinstance(size, int)]
    return len(numbers) == len(shape) and math.prod(numbers) <= _LARGEST


def _fits(item: object, dtype: DType | None) -> bool:
    if dtype is DType.BOOL or isinstance(item, bool):
        return dtype is DType.BOOL and isinstance(item, bool)
    limit = (1 << 31) - 1 if dtype is DType.INT32 else (1 << 63) - 1
    return isinstance(item, Expr) or (isinstance(item, int) and -limit <= item <= limit)
