"""Whether outputs are those that ONNX's backend tests expect."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from ir_hub.ir.types import DType

# The suite's own tolerance for bfloat16; float16 rounds at other places in the expanded models.
_TWO_ULPS = {"bfloat16": 2**-6, "float16": 2**-9}
Array = np.ndarray[Any, Any]


class Tolerance(Protocol):
    """What a case of the suite allows."""

    rtol: float
    atol: float


def as_ours(array: Any) -> Array:
    """A value of the suite as the array that the IR has for it."""
    array = np.asarray(array)
    if DType.of(array.dtype) is not DType.STRING:
        return array
    texts = [t.decode() if isinstance(t, bytes) else str(t) for t in array.reshape(-1)]
    return np.array(texts, object).reshape(array.shape)


def compared(found: Sequence[Array], expected: Sequence[Any], allowed: Tolerance) -> str:
    """ "passed", or in what the outputs differ."""
    if len(found) != len(expected):
        return f"wrong: {len(found)} outputs, not {len(expected)}"
    for mine, theirs in zip(found, map(as_ours, expected), strict=True):
        mine = as_ours(mine)
        if (mine.shape, mine.dtype) != (theirs.shape, theirs.dtype):
            return f"wrong: {mine.dtype}{mine.shape}, not {theirs.dtype}{theirs.shape}"
        if not _close(mine, theirs, allowed):
            return "wrong: other elements"
    return "passed"


def _close(mine: Array, theirs: Array, allowed: Tolerance) -> bool:
    if mine.dtype == object or mine.dtype.kind in "biu":
        return bool(np.array_equal(mine, theirs))
    wide = np.complex128 if mine.dtype.kind == "c" else np.float64
    both = mine.astype(wide), theirs.astype(wide)
    rtol = max(allowed.rtol, _TWO_ULPS.get(mine.dtype.name, 0.0))
    return bool(np.allclose(*both, rtol=rtol, atol=allowed.atol, equal_nan=True))


def summary(error: Exception) -> str:
    """The error without what differs from case to case: names and numbers."""
    line = str(error).strip().splitlines()[0] if str(error).strip() else ""
    return re.sub(r"\d+", "N", f"{type(error).__name__}: {line}")[:200]
