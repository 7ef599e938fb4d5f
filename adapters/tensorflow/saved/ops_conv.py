"""Reads convolutions."""

from __future__ import annotations

from typing import Any

from adapters.tensorflow.saved.constants import in_shape
from adapters.tensorflow.saved.reading import op
from adapters.tensorflow.saved.sizes import sizes_of
from adapters.tensorflow.saved.windows import (
    Ints,
    Pads,
    channels_of,
    order_of,
    pads_of,
    spatial,
    steps,
)
from ir_hub.ir.dims import Dim
from ir_hub.ir.graph import Value
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import Unsupported
from ir_hub.sdk.operands import dtype_of, only, shape_of


def _kernel(weight: Value) -> tuple[int, ...]:
    """A weight's sizes, which have to be known."""
    shape = shape_of(weight)
    only(dtype_of(weight).is_float, "it convolves integers")
    if not all(isinstance(size, int) for size in shape):
        raise Unsupported("the shape of its filter isn't known")
    return shape


@op("Conv2D", "Conv3D")
def conv(
    b: Builder, x: Value, weight: Value, *, strides: Ints, padding: str, data_format: str,
    dilations: Ints, explicit_paddings: Ints | None,
) -> Any:  # fmt: skip
    order = order_of(data_format)
    *kernel, inner, _ = _kernel(weight)
    channels = channels_of(x, order)
    only(inner > 0 and channels % inner == 0, f"{channels} channels, but {inner} in its filter")
    by, apart = steps(strides, order, "strides"), steps(dilations, order, "dilations")
    given = explicit_paddings or ()
    return b.conv(
        x, weight, strides=by, dilations=apart, groups=channels // inner,
        pads=pads_of(x, order, tuple(kernel), by, apart, padding, given),
        axes=f"{order},*IO->{order}",
    )  # fmt: skip


@op("DepthwiseConv2dNative")
def depthwise_conv(
    b: Builder, x: Value, weight: Value, *, strides: Ints, padding: str, data_format: str,
    dilations: Ints, explicit_paddings: Ints,
) -> Any:  # fmt: skip
    order = order_of(data_format)
    *kernel, channels, multiplier = _kernel(weight)
    only(channels == channels_of(x, order), f"its filter is for {channels} channels")
    shape = (*kernel, 1, channels * multiplier)
    weight = in_shape(weight, shape) if weight.is_constant else b.reshape(weight, shape)
    by, apart = steps(strides, order, "strides"), steps(dilations, order, "dilations")
    return b.conv(
        x, weight, strides=by, dilations=apart, groups=channels,
        pads=pads_of(x, order, tuple(kernel), by, apart, padding, explicit_paddings),
        axes=f"{order},*IO->{order}",
    )  # fmt: skip


@op("Conv2DBackpropInput", "Conv3DBackpropInputV2")
def conv_transpose(
    b: Builder, input_sizes: Value, weight: Value, x: Value, *, strides: Ints, padding: str,
    data_format: str, dilations: Ints, explicit_paddings: Ints | None,
) -> Any:  # fmt: skip
    order = order_of(data_format)
    *kernel, _, channels = _kernel(weight)
    only(channels == channels_of(x, order), f"its filter is for {channels} channels")
    by, apart = steps(strides, order, "strides"), steps(dilations, order, "dilations")
    wanted = sizes_of(input_sizes, "the shape of its result")
    only(len(wanted) == len(shape_of(x)), f"its result has the shape {wanted}")
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, apart, strict=True)]
    own = spatial(shape_of(x), order)
    each = list(zip(own, spatial(wanted, order), reach, by, strict=True))
    pads = _explicit(explicit_paddings or (), order) if padding == "EXPLICIT" else None
    totals = [_total(*axis, padding) for axis in each] if pads is None else list(map(sum, pads))
    if pads is None:
        pads = tuple((total // 2, total - total // 2) for total in totals)
    return b.conv_transpose(
        x, weight, strides=by, dilations=apart, pads=pads,
        output_padding=tuple(_rest(*axis, t) for axis, t in zip(each, totals, strict=True)),
        axes=f"{order},*OI->{order}",
    )  # fmt: skip


def _explicit(paddings: Ints, order: str) -> Pads:
    pairs = tuple(zip(paddings[0::2], paddings[1::2], strict=False))
    return spatial(pairs, order)


def _total(size: Dim, wanted: Dim, reach: int, stride: int, padding: str) -> int:
    """By how much the convolution whose gradient this is pads an axis of the wanted size."""
    if padding == "VALID":
        return 0
    only(padding == "SAME", f"its padding {padding!r}")
    total = (size - 1) * stride + reach - wanted
    if not isinstance(total, int):
        raise Unsupported(f"its result has the size {wanted}, of {size}: give the input's type")
    return max(total, 0)


def _rest(size: Dim, wanted: Dim, reach: int, stride: int, total: int) -> int:
    """How much of the result lies behind what the windows reach."""
    rest = wanted + total - ((size - 1) * stride + reach)
    if not isinstance(rest, int):
        raise Unsupported(f"its result has the size {wanted}, of {size}: give the input's type")
    if not 0 <= rest < max(stride, 1):
        raise ValueError(f"its result can't have the size {wanted}, of {size} by {stride}")
    return rest
