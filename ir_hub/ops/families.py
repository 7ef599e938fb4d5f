"""What families of ops share: decorators that keep element types, and what shape rules see."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial, wraps
from typing import Any, Protocol, TypeAlias

import numpy as np

from ir_hub.ir.dims import Dim
from ir_hub.ir.types import DType, Shape, TensorType
from ir_hub.ops.op import Array, Layout, Op, op
from ir_hub.ops.precision import widened
from ir_hub.ops.shape_rules import broadcast_rule

OpenShape: TypeAlias = tuple[Dim | None, ...]  # None: a size that only the run knows
SizesSeen: TypeAlias = tuple[Dim, ...] | TensorType  # known sizes, or the type of their vector


class Ranked(Protocol):
    """A tensor's type as a shape rule gets it: the rank is always known."""

    dtype: DType
    shape: Shape


def is_symbolic(array: Array) -> bool:
    """Whether an array holds sizes (ints and expressions) rather than numbers or strings."""
    return array.dtype == object and not any(isinstance(item, str) for item in array.flat)


def keeps_type(body: Callable[..., Any]) -> Callable[..., Array]:
    """A body that computes narrow floats in float32, and whose result has the first tensor's type.

    Arrays of sizes stay what they are. Infinities and NaN come without warnings.
    """

    @wraps(body)
    def kept(*tensors: Array | None, **literals: Any) -> Array:
        present = [tensor for tensor in tensors if isinstance(tensor, np.ndarray)]
        sizes = any(tensor.dtype == object for tensor in present)
        with np.errstate(all="ignore"):
            result = body(*map(widened, tensors), **literals)
        result = np.asarray(result, object if sizes else None)
        return result if sizes else result.astype(present[0].dtype, copy=False)

    return kept


def elementwise(body: Callable[..., Any], symbolic: bool = False) -> Op:
    """An op that broadcasts; the result has the first operand's element type."""
    declare = op(layout=Layout.ELEMENTWISE, shape=broadcast_rule, symbolic=symbolic)
    return declare(keeps_type(body))


def predicate(body: Callable[..., Any], symbolic: bool = False) -> Op:
    """An op that broadcasts and says yes or no of each element."""

    @wraps(body)
    def widely(*tensors: Array, **literals: Any) -> Array:
        return np.asarray(body(*map(widened, tensors), **literals), bool)

    declare = op(
        layout=Layout.ELEMENTWISE, shape=broadcast_rule, dtypes=(DType.BOOL,), symbolic=symbolic
    )
    return declare(widely)


# The same for ops whose bodies also compute on arrays of sizes with symbols.
elementwise_of_sizes = partial(elementwise, symbolic=True)
predicate_of_sizes = partial(predicate, symbolic=True)


def known_length(sizes: TensorType) -> OpenShape | None:
    """The shape that a vector of sizes gives which only the run knows: its length is its rank."""
    count = sizes.shape[0] if sizes.shape else None
    return (None,) * count if isinstance(count, int) else None


def product(sizes: Iterable[Dim]) -> Dim:
    """The sizes multiplied; 1 when there are none."""
    total: Dim = 1
    for size in sizes:
        total = total * size
    return total
