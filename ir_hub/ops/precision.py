"""The precision that bodies compute in: narrow floats in float32, results in the operand's type."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numpy as np

from ir_hub.ir.types import DType

P = ParamSpec("P")
R = TypeVar("R")


def widened(array: Any) -> Any:
    """A float narrower than float32 as float32; all else as it is."""
    if not isinstance(array, np.ndarray):
        return tuple(map(widened, array)) if isinstance(array, tuple) else array
    narrow = array.dtype.itemsize < 4 and _is_float(array.dtype)
    return array.astype(np.float32) if narrow else array


def keeps_float_type(body: Callable[P, R]) -> Callable[P, R]:
    """Gives a body narrow floats as float32, and its float results the first operand's type.

    The latter matters for wide floats too: a NumPy scalar times a Python number is a float64.
    """

    @functools.wraps(body)
    def computed(*args: P.args, **kwargs: P.kwargs) -> R:
        first = args[0][0] if isinstance(args[0], tuple) else args[0]
        wanted = first.dtype if isinstance(first, np.ndarray) else None
        found = body(*map(widened, args), **kwargs)
        if wanted is None or not _is_float(wanted):
            return found
        if isinstance(found, tuple | list):
            return tuple(_as_float(item, wanted) for item in found)  # type: ignore[return-value]
        return _as_float(found, wanted)

    return computed


def _as_float(result: Any, wanted: np.dtype[Any]) -> Any:
    array = np.asarray(result)
    return array.astype(wanted, copy=False) if _is_float(array.dtype) else array


def _is_float(dtype: np.dtype[Any]) -> bool:
    return DType.of(dtype).is_float
