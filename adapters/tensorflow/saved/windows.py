"""What windows over spatial axes are in TensorFlow: orders of axes, and padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adapters.tensorflow.read_spatial import same_pads
from ir_hub.ir.dims import Dim
from ir_hub.ir.graph import Value
from ir_hub.sdk.dialect import Unsupported
from ir_hub.sdk.operands import only, rank_of, shape_of

Ints = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]
_LAST = ("NWC", "NHWC", "NDHWC")
_FIRST = ("NCW", "NCHW", "NCDHW")


def order_of(data_format: str) -> str:
    """The order of an image's axes."""
    only(data_format in _LAST + _FIRST, f"its data_format {data_format!r}")
    return "N*C" if data_format in _LAST else "NC*"


def spatial(items: Sequence[Any], order: str) -> tuple[Any, ...]:
    """Those of some items, one for each axis, that are for the spatial axes."""
    return tuple(items[1:-1] if order == "N*C" else items[2:])


def steps(items: Ints, order: str, what: str) -> Ints:
    """Those of the numbers for all axes that are for the spatial ones; the others have to be 1."""
    rest = (items[0], items[-1] if order == "N*C" else items[1]) if len(items) > 2 else ()
    only(set(rest) == {1}, f"its {what} {items} go over images or channels")
    return spatial(items, order)


def channels_of(x: Value, order: str) -> int:
    """The number of an image's channels."""
    size = shape_of(x)[-1 if order == "N*C" else 1]
    if not isinstance(size, int):
        raise Unsupported("the number of its channels isn't known: give the input's type")
    return size


def pads_of(
    x: Value, order: str, kernel: Ints, strides: Ints, dilations: Ints, padding: str, explicit: Ints
) -> Pads:
    """How much is added before and after each spatial axis."""
    only(rank_of(x) == len(kernel) + 2, f"a window over {len(kernel)} axes of {rank_of(x)}")
    if padding == "VALID":
        return ((0, 0),) * len(kernel)
    if padding == "EXPLICIT":
        pairs = list(zip(explicit[0::2], explicit[1::2], strict=False))
        only(len(pairs) == len(kernel) + 2, f"its explicit_paddings {explicit}")
        others = (pairs[0], pairs[-1] if order == "N*C" else pairs[1])
        only(set(others) == {(0, 0)}, "it pads images or channels")
        return spatial(pairs, order)
    only(padding == "SAME", f"its padding {padding!r}")
    each = zip(spatial(shape_of(x), order), kernel, strides, dilations, strict=True)
    return tuple(_same(size, d * (k - 1) + 1, stride) for size, k, stride, d in each)


def _same(size: Dim, reach: int, stride: int) -> tuple[int, int]:
    # One element needs nothing around it, whatever the size.
    return (0, 0) if reach == 1 else same_pads(size, reach, stride)
