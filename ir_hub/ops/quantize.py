"""Quantised tensors: integers or small floats with scales and zero points."""

from __future__ import annotations

import ml_dtypes
import numpy as np

from ir_hub.ir.types import DType, Shape
from ir_hub.ops.casting import cast
from ir_hub.ops.conv import as_int32, conv_integer
from ir_hub.ops.families import Ranked
from ir_hub.ops.linear import matmul_shape
from ir_hub.ops.op import Array, Layout, op
from ir_hub.ops.shape_rules import axis_of, same_rule
from ir_hub.ops.trace import Term, Tracer
from ir_hub.ops.windows import Pads


def _spread(parameter: Array, x: Array, axis: int, block_size: int) -> Array:
    """A scale or zero point for each element of x: one for all, along an axis, or by blocks."""
    if parameter.size == 1 and parameter.ndim <= 1:
        return parameter.reshape(())
    axis = axis_of(axis, x.ndim)
    if block_size:
        repeated = np.repeat(parameter, block_size, axis=axis)
        return repeated[(slice(None),) * axis + (slice(x.shape[axis]),)]
    return parameter.reshape([-1 if i == axis else 1 for i in range(x.ndim)])


@op(layout=Layout.AXIS, dtypes=("output_dtype",), shape=same_rule)
def quantize_linear(
    x: Array,
    scale: Array,
    zero_point: Array | None = None,
    *,
    axis: int = 1,
    block_size: int = 0,
    output_dtype: DType,
    saturate: bool = True,
    precision: DType | None = None,
) -> Array:
    """x / scale, rounded half to even, plus the zero point, saturated.

    The scale is one number, one for each element of an axis, or with `block_size` one for so many
    in a row there. The division is in `precision`, by default in the scale's type, or
    float32 for a scale of 8 bits.
    """
    own = scale.dtype if scale.dtype.itemsize > 1 else np.dtype(np.float32)
    wide = precision.numpy if precision else own
    ratio = x.astype(wide) / _spread(scale.astype(wide), x, axis, block_size)
    if output_dtype.is_float:
        return np.asarray(cast.body(ratio, to=output_dtype, saturate=saturate))
    rounded = np.rint(ratio.astype(np.float64))
    if zero_point is not None:
        rounded = rounded + _spread(zero_point.astype(np.float64), x, axis, block_size)
    return _limited(rounded, output_dtype)


def _limited(whole: Array, dtype: DType) -> Array:
    """Whole numbers in an integer type; what it cannot hold becomes its nearest end."""
    bounds = ml_dtypes.iinfo(dtype.numpy)  # type: ignore[no-untyped-call]
    # By way of int32: NumPy 1.23 cannot cast floats to integers of less than a byte.
    limited = np.clip(whole, int(bounds.min), int(bounds.max)).astype(np.int32)
    return limited.astype(dtype.numpy)


def _placed(b: Tracer, parameter: Term, x: Term, axis: int, dtype: DType) -> Term | None:
    """What `_spread` gives, of a type; None where it isn't known or goes by blocks."""
    if parameter.shape is None or x.shape is None or len(parameter.shape) > 1:
        return None
    wide = parameter if parameter.dtype is dtype else b.cast(parameter, to=dtype)
    if parameter.shape in ((), (1,)):
        return wide if parameter.shape == () else b.reshape(wide, ())
    rank = len(x.shape)
    along = [parameter.shape[0] if i == axis_of(axis, rank) else 1 for i in range(rank)]
    return b.reshape(wide, tuple(along))


_SCALES = (DType.FLOAT16, DType.FLOAT32, DType.FLOAT64)


@quantize_linear.spelled
def _(
    b: Tracer,
    x: Term,
    scale: Term,
    zero_point: Term | None,
    *,
    axis: int,
    block_size: int,
    output_dtype: DType,
    saturate: bool,
    precision: DType | None,
) -> Term | None:
    wide = precision or scale.dtype
    if wide not in _SCALES or output_dtype.is_float or output_dtype.bits > 16 or block_size:
        return None
    factor = _placed(b, scale, x, axis, wide)
    if factor is None:
        return None
    # Rounded numbers and zero points are exact in float32 as far as they aren't cut off.
    whole = b.cast(b.round((x if x.dtype is wide else b.cast(x, to=wide)) / factor),
                   to=DType.FLOAT32)  # fmt: skip
    if zero_point is not None:
        centre = _placed(b, zero_point, x, axis, DType.FLOAT32)
        if centre is None:
            return None
        whole = whole + centre
    bounds = ml_dtypes.iinfo(output_dtype.numpy)  # type: ignore[no-untyped-call]
    low, high = (b.constant(float(end), DType.FLOAT32) for end in (bounds.min, bounds.max))
    return b.cast(b.clip(whole, low, high), to=output_dtype)


@op(layout=Layout.AXIS, dtypes=("output_dtype",), shape=same_rule)
def dequantize_linear(
    x: Array,
    scale: Array,
    zero_point: Array | None = None,
    *,
    axis: int = 1,
    block_size: int = 0,
    output_dtype: DType,
) -> Array:
    """(x - zero point) * scale; which scale and zero point belongs where as in quantize_linear."""
    wide = np.result_type(scale.dtype, np.float32) if scale.dtype.kind == "f" else np.float32
    centre = x.astype(wide)
    if zero_point is not None:
        centre = centre - _spread(zero_point.astype(wide), x, axis, block_size)
    return (centre * _spread(scale.astype(wide), x, axis, block_size)).astype(output_dtype.numpy)


@dequantize_linear.spelled
def _(
    b: Tracer,
    x: Term,
    scale: Term,
    zero_point: Term | None,
    *,
    axis: int,
    block_size: int,
    output_dtype: DType,
) -> Term | None:
    if scale.dtype not in _SCALES or block_size:
        return None
    wide = DType.FLOAT64 if scale.dtype is DType.FLOAT64 else DType.FLOAT32
    centred, factor = b.cast(x, to=wide), _placed(b, scale, x, axis, wide)
    centre = None if zero_point is None else _placed(b, zero_point, x, axis, wide)
    if factor is None or (zero_point is not None and centre is None):
        return None
    y = (centred if centre is None else centred - centre) * factor
    return y if output_dtype is wide else b.cast(y, to=output_dtype)


def _dynamic_shapes(x: Ranked) -> list[Shape | None]:
    return [x.shape, (), ()]


@op(
    results=("y", "y_scale", "y_zero_point"),
    dtypes=(DType.UINT8, "x", DType.UINT8),
    shape=_dynamic_shapes,
)
def dynamic_quantize_linear(x: Array) -> tuple[Array, Array, Array]:
    """x as uint8, with the scale and zero point that make the most of x's range and hold 0."""
    zero, one, most = (x.dtype.type(number) for number in (0, 1, 255))
    low, high = np.minimum(x.min(), zero), np.maximum(x.max(), zero)
    scale = (one if high == low else high - low) / most
    zero_point = np.clip(np.rint(-low / scale), 0, 255)
    y = np.clip(np.rint(x / scale) + zero_point, 0, 255)
    return y.astype(np.uint8), np.asarray(scale), np.asarray(zero_point).astype(np.uint8)


@dynamic_quantize_linear.spelled
def _(b: Tracer, x: Term) -> tuple[Term, Term, Term]:
    low, high = (
        b.minimum(b.reduce_min(x, keepdims=False), 0.0),
        b.maximum(b.reduce_max(x, keepdims=False), 0.0),
    )
    span = b.where(b.equal(low, high), b.constant(1.0, DType.FLOAT32), high - low)
    scale, ends = span / 255.0, [b.constant(end, DType.FLOAT32) for end in (0.0, 255.0)]
    zero_point = b.clip(b.round(-low / scale), *ends)
    y = b.clip(b.round(x / scale) + zero_point, *ends)
    return b.cast(y, to=DType.UINT8), scale, b.cast(zero_point, to=DType.UINT8)


def _integer_rule(x: Ranked, y: Ranked, *_: object) -> Shape:
    return matmul_shape(x.shape, y.shape)


def _rows(point: Array | None, like: Array) -> Array | float:
    """The zero point of a left operand: one for all, or one for each row."""
    if point is None:
        return 0.0
    wide = point.astype(np.float64)
    return wide[:, None] if wide.ndim == 1 and wide.size > 1 and like.ndim > 1 else wide


@op(dtypes=(DType.INT32,), shape=_integer_rule)
def matmul_integer(
    x: Array, y: Array, x_zero_point: Array | None = None, y_zero_point: Array | None = None
) -> Array:
    """matmul of 8-bit integers less their zero points, in int32.

    x's zero point may be one for each row, y's one for each column.
    """
    return as_int32(_product(x, y, x_zero_point, y_zero_point))


def _product(x: Array, y: Array, x_point: Array | None, y_point: Array | None) -> Array:
    # float64 holds sums of such products exactly, and is much faster than integers.
    columns = 0.0 if y_point is None else y_point.astype(np.float64)
    left = x.astype(np.float64) - _rows(x_point, x)
    return np.asarray(np.matmul(left, y.astype(np.float64) - columns))


def _qlinear_matmul_rule(a: Ranked, _: object, __: object, b: Ranked, *___: object) -> Shape:
    return matmul_shape(a.shape, b.shape)


@op(dtypes=("y_zero_point",), shape=_qlinear_matmul_rule)
def qlinear_matmul(
    a: Array,
    a_scale: Array,
    a_zero_point: Array,
    b: Array,
    b_scale: Array,
    b_zero_point: Array,
    y_scale: Array,
    y_zero_point: Array,
) -> Array:
    """matmul of quantised matrices, quantised again; a's parameters by row, b's by column."""
    total = _product(a, b, a_zero_point, b_zero_point)
    left = a_scale.astype(np.float64)
    left = left[:, None] if left.ndim == 1 and left.size > 1 else left
    factor = left * b_scale.astype(np.float64) / y_scale.astype(np.float64)
    rounded = np.rint(total * factor + y_zero_point.astype(np.float64))
    return _limited(rounded, DType.of(y_zero_point.dtype))


def _qlinear_conv_rule(
    x: Ranked, _: object, __: object, weight: Ranked, *___: object, **literals: object
) -> object:
    rule = conv_integer.shape_rule
    return rule(x, weight, **literals) if rule else None


@op(layout=Layout.BARRIER, dtypes=("y_zero_point",), shape=_qlinear_conv_rule)
def qlinear_conv(
    x: Array,
    x_scale: Array,
    x_zero_point: Array,
    weight: Array,
    weight_scale: Array,
    weight_zero_point: Array,
    y_scale: Array,
    y_zero_point: Array,
    bias: Array | None = None,
    *,
    strides: tuple[int, ...],
    pads: Pads,
    dilations: tuple[int, ...],
    groups: int = 1,
) -> Array:
    """Convolution (NC*, OI*) of quantised tensors, quantised again.

    The weight's scale and zero point may have one element for each output channel; the bias is
    int32, of scale x_scale * weight_scale.
    """
    total = conv_integer.body(
        x,
        weight,
        x_zero_point,
        weight_zero_point,
        strides=strides,
        pads=pads,
        dilations=dilations,
        groups=groups,
    ).astype(np.float64)
    channels = (-1, *(1,) * (total.ndim - 2))
    if bias is not None:
        total = total + bias.astype(np.float64).reshape(channels)
    factor = x_scale.astype(np.float64) * weight_scale.astype(np.float64).reshape(channels)
    scaled = total * (factor / y_scale.astype(np.float64))
    rounded = np.rint(scaled + y_zero_point.astype(np.float64))
    return _limited(rounded, DType.of(y_zero_point.dtype))
