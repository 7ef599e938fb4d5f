"""Attributes of ONNX's convolutions and pools: kernel, strides, dilations, and padding by rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adapters.onnx.dialect import rank_of
from ir_hub.ir.dims import Dim
from ir_hub.ir.graph import Value
from ir_hub.sdk.dialect import Call, Unsupported

Pads = tuple[tuple[int, int], ...]


def window_literals(call: Call, kernel: Sequence[int]) -> dict[str, Any]:
    """strides, pads and dilations of a convolution or pool with that kernel."""
    count = len(kernel)
    strides = tuple(call.attrs.get("strides") or (1,) * count)
    dilations = tuple(call.attrs.get("dilations") or (1,) * count)
    if len(strides) != count or len(dilations) != count:
        raise Unsupported(
            f"{call.type} with {count} axes, strides {strides}, dilations {dilations}"
        )
    extents = [d * (k - 1) + 1 for d, k in zip(dilations, kernel, strict=True)]
    pads = _pads(call, extents, strides)
    return {"strides": strides, "pads": pads, "dilations": dilations}


def paired(flat: Sequence[int] | None, count: int) -> Pads:
    """ONNX's pads, all begins and then all ends, as pairs."""
    flat = tuple(flat or (0,) * (2 * count))
    if len(flat) != 2 * count:
        raise Unsupported(f"{len(flat)} pads for {count} axes")
    return tuple(zip(flat[:count], flat[count:], strict=True))


def flat_pads(pads: Pads) -> tuple[int, ...]:
    """Pairs as ONNX's pads."""
    return tuple(begin for begin, _ in pads) + tuple(end for _, end in pads)


def _pads(call: Call, extents: Sequence[int], strides: Sequence[int]) -> Pads:
    rule = call.attrs.get("auto_pad", "NOTSET")
    count = len(extents)
    if rule in ("NOTSET", ""):
        return paired(call.attrs.get("pads"), count)
    if rule == "VALID":
        if call.attrs.get("ceil_mode"):
            raise Unsupported(f"{call.type} with auto_pad VALID and ceil_mode")
        return ((0, 0),) * count
    if rule not in ("SAME_UPPER", "SAME_LOWER"):
        raise Unsupported(f"{call.type} with auto_pad {rule!r}")
    x = call.inputs[0]
    rank_of(x, f"the operand of {call.type}")
    assert x is not None
    assert x.shape is not None
    sizes = x.shape[2:]
    totals = [
        same_total(size, extent, stride)
        for size, extent, stride in zip(sizes, extents, strides, strict=True)
    ]
    return tuple(split_total(total, upper=rule == "SAME_UPPER") for total in totals)


def same_total(size: Dim, extent: int, stride: int) -> int:
    """The padding that gives ceil(size / stride) windows."""
    if isinstance(size, int):
        return max((-(-size // stride) - 1) * stride + extent - size, 0)
    if stride == 1:
        return extent - 1
    if isinstance(size % stride, int):
        return max(extent - (size % stride or stride), 0)
    raise Unsupported(
        f"auto_pad of the size {size} with the stride {stride} depends on the size: "
        "give the model's input shapes"
    )


def split_total(total: int, upper: bool) -> tuple[int, int]:
    """Padding as (begin, end); what is odd goes to the end if `upper`."""
    less, more = total // 2, total - total // 2
    return (less, more) if upper else (more, less)


def kernel_of(call: Call, weight: Value | None) -> tuple[int, ...]:
    """The sizes of a convolution's kernel, which the file may or may not repeat."""
    said = call.attrs.get("kernel_shape")
    if weight is not None and weight.shape is not None:
        sizes = weight.shape[2:]
        if said and any(isinstance(a, int) and a != b for a, b in zip(sizes, said, strict=False)):
            raise Unsupported(f"{call.type} says kernel_shape {said}, its weight is {weight.shape}")
        if all(isinstance(size, int) for size in sizes):
            return tuple(sizes)  # type: ignore[arg-type]
    if not said:
        raise Unsupported(f"the kernel's size of {call.type} isn't known")
    return tuple(said)
