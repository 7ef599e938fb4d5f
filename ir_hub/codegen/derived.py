"""Constants that are made from others, such as gates in another order; computed when written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ir_hub.ir.graph import Value
from ir_hub.ir.tensor import Tensor
from ir_hub.ir.types import DType, TensorType


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

    def permuted(self, permutation: Sequence[int]) -> Derived:
        """The same with its axes in another order."""
        return self.with_axes(permutation)

    def with_axes(self, axes: Sequence[int | None]) -> Derived:
        """The same with other axes of size 1."""
        kept = [axis for axis in axes if axis is not None]
        order = [*kept, *(axis for axis in range(len(self.shape)) if axis not in kept)]
        shape = tuple(1 if axis is None else self.shape[axis] for axis in axes)
        change = self.change

        def changed(array: np.ndarray) -> np.ndarray:
            return change(array).transpose(order).reshape(shape)

        return Derived(self.source, shape, changed, self.dtype_)
