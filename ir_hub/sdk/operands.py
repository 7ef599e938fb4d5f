"""What read rules ask of a node's operands and results; where the answer isn't known, or isn't what
the file says, the node is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ir_hub.ir.dims import Dim
from ir_hub.ir.graph import Value
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import Unsupported


def only(condition: object, reason: str) -> None:
    """Refuses a node, with the reason, unless a condition holds."""
    if not condition:
        raise Unsupported(reason)


def dtype_of(value: Value) -> DType:
    """The type of a tensor's elements."""
    if value.dtype is None:
        raise Unsupported("the type of its input isn't known")
    return value.dtype


def shape_of(value: Value) -> tuple[Dim, ...]:
    """A tensor's sizes."""
    if value.shape is None:
        raise Unsupported("the rank of its input isn't known: give the input's type")
    return value.shape


def rank_of(value: Value) -> int:
    """The number of axes."""
    return len(shape_of(value))


def axis_of(value: Value, axis: int, more: int = 0) -> int:
    """An axis counted from the front, of a tensor with so many `more` axes; a scalar counts as
    having one, as PyTorch has it."""
    rank = max(rank_of(value) + more, 1)
    only(-rank <= axis < rank, f"axis {axis} of {rank}")
    return axis % rank


def known_sizes(argument: Any, reason: str) -> tuple[Any, ...]:
    """Sizes as a tuple; refused, with the reason, when only the run knows them."""
    if isinstance(argument, Value) and argument.is_constant:
        return tuple(map(int, argument.array().reshape(-1)))
    if not isinstance(argument, tuple):
        raise Unsupported(reason)
    return argument


def cast(b: Builder, value: Value, to: DType | None) -> Value:
    """A tensor's elements in another type, if that is another one."""
    if to is None or value.dtype is to:
        return value
    result: Value = b.cast(value, to=to)
    return result


def agree(what: str, value: Value, dtype: DType | None, shape: Sequence[Dim | None] | None) -> None:
    """Compares a result with what the file says of it, None where it says nothing; takes the sizes
    that it says where ours are known only to the run.

    Raises:
        Unsupported: they contradict each other; `what` was misread, then.
    """
    ours = value.type
    if ours is None:
        return
    same = dtype is None or ours.dtype is dtype
    if shape is not None and ours.shape is not None:
        same &= len(ours.shape) == len(shape) and not any(
            isinstance(a, int) and isinstance(b, int) and a != b
            for a, b in zip(ours.shape, shape, strict=True)
        )
    if not same:
        named = (
            "" if shape is None else f"[{', '.join('?' if n is None else str(n) for n in shape)}]"
        )
        said = f"{dtype.value if dtype else ''}{named}"
        raise Unsupported(f"{what} read as {ours}, while the file says {said}")
    if shape is None or value.producer is None:
        return
    known = ours.shape or (None,) * len(shape)
    pairs = zip(known, shape, strict=True)
    both = [a if isinstance(a, int) or b is None else b for a, b in pairs]
    if None not in both:
        value.type = ours.with_shape(tuple(n for n in both if n is not None))
