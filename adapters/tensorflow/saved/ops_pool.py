"""Reads pools, and what normalises over neighbouring channels."""

from __future__ import annotations

from typing import Any

from adapters.tensorflow.saved.reading import op
from adapters.tensorflow.saved.sizes import ints_of
from adapters.tensorflow.saved.windows import Ints, order_of, pads_of, steps
from ir_hub.ir.graph import Value
from ir_hub.ops.build import Builder
from ir_hub.sdk.operands import dtype_of, only


def _pooled(
    b: Builder, kind: str, x: Value, ksize: Ints, strides: Ints, padding: str, data_format: str,
    explicit: Ints,
) -> Any:  # fmt: skip
    order = order_of(data_format)
    only(dtype_of(x).is_float, "it pools integers")
    kernel, by = steps(ksize, order, "ksize"), steps(strides, order, "strides")
    ones = (1,) * len(kernel)
    return b.call(
        kind, x, kernel=kernel, strides=by, dilations=ones, axes=f"{order}->{order}",
        pads=pads_of(x, order, kernel, by, ones, padding, explicit),
    )  # fmt: skip


@op("MaxPool")
def max_pool(
    b: Builder, x: Value, *, ksize: Ints, strides: Ints, padding: str, data_format: str,
    explicit_paddings: Ints,
) -> Any:  # fmt: skip
    return _pooled(b, "max_pool", x, ksize, strides, padding, data_format, explicit_paddings)


@op("MaxPool3D")
def max_pool_3d(
    b: Builder, x: Value, *, ksize: Ints, strides: Ints, padding: str, data_format: str
) -> Any:
    return _pooled(b, "max_pool", x, ksize, strides, padding, data_format, ())


@op("MaxPoolV2")
def max_pool_of_tensors(
    b: Builder, x: Value, ksize: Value, strides: Value, *, padding: str, data_format: str
) -> Any:
    window, by = ints_of(ksize, "its window"), ints_of(strides, "its steps")
    return _pooled(b, "max_pool", x, window, by, padding, data_format, ())


@op("AvgPool", "AvgPool3D")
def avg_pool(
    b: Builder, x: Value, *, ksize: Ints, strides: Ints, padding: str, data_format: str
) -> Any:
    return _pooled(b, "avg_pool", x, ksize, strides, padding, data_format, ())


@op("LRN")
def lrn(b: Builder, x: Value, *, depth_radius: int, bias: float, alpha: float, beta: float) -> Any:
    size = 2 * depth_radius + 1
    return b.lrn(x, size=size, alpha=alpha * size, beta=beta, bias=bias, axes="N*C->N*C")
