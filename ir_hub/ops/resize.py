"""Resizing by interpolation, one axis after the other."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from ir_hub.ir.dims import Dim
from ir_hub.ir.types import Shape, TensorType
from ir_hub.ops.axes_string import arranged, orders, transposed
from ir_hub.ops.families import Ranked
from ir_hub.ops.op import Array, Layout, Sizes, op
from ir_hub.ops.precision import keeps_float_type

_NEAREST: dict[str, Callable[[Array], Array]] = {
    "round_prefer_floor": lambda x: np.ceil(x - 0.5),
    "round_prefer_ceil": lambda x: np.floor(x + 0.5),
    "floor": np.floor,
    "ceil": np.ceil,
}
_ONLY_AS_NUMBERS = 1000  # A scale whose denominator is greater isn't worth calling a fraction.


def scale_fraction(scale: float) -> Fraction:
    """The simple fraction that a scale is the float32 or float64 of, else exactly that scale.

    4 / float32(4 / 3) is a little less than 3, and its floor is 2: files mean 4/3.
    """
    simple = Fraction(scale).limit_denominator(_ONLY_AS_NUMBERS)
    close = np.float32(float(simple)) == np.float32(scale)
    return simple if close else Fraction(scale)


def _scaled(size: int, scale: float) -> int:
    """floor(size * scale), in float32 as runtimes compute it."""
    return int(np.floor(np.float32(size) * np.float32(scale)))


def _scaled_size(size: Dim, scale: float) -> Dim | None:
    """What `_scaled` gives; None where symbols cannot say it.

    They can where the product is exact: for a scale of so many halves, quarters, eighths...
    """
    if isinstance(size, int):
        return _scaled(size, scale)
    fraction = Fraction(scale)
    if fraction.denominator > _ONLY_AS_NUMBERS:
        return None
    return size * fraction.numerator // fraction.denominator


def _fitted(
    sizes: Sequence[int], wanted: Sequence[int], policy: str
) -> tuple[tuple[int, ...], tuple[Fraction, ...]]:
    """The sizes and scales for the wanted sizes under a policy for the aspect ratio."""
    scales = [Fraction(want, size) for want, size in zip(wanted, sizes, strict=True)]
    if policy == "stretch":
        return tuple(wanted), tuple(scales)
    scale = min(scales) if policy == "not_larger" else max(scales)
    fitted = tuple(math.floor(scale * size + Fraction(1, 2)) for size in sizes)
    return fitted, (scale,) * len(scales)


def _resize_shape(
    x: Ranked,
    sizes: Shape | TensorType | None = None,
    scales: Ranked | None = None,
    roi: Ranked | None = None,
    *,
    scale_factors: tuple[float, ...] | None = None,
    keep_aspect_ratio_policy: str = "stretch",
    axes: str = "NC*->NC*",
    **_: Any,
) -> tuple[Dim | None, ...]:
    x_order, result_order = orders(axes)
    carried = x_order.replace("*", "")
    shape = arranged(x.shape, x_order, carried + "*")
    old = shape[len(carried) :]
    new: tuple[Dim | None, ...] = (None,) * len(old)
    if scale_factors is not None:
        new = tuple(map(_scaled_size, old, scale_factors))
    elif isinstance(sizes, tuple) and keep_aspect_ratio_policy == "stretch":
        new = sizes
    elif isinstance(sizes, tuple) and all(isinstance(size, int) for size in (*old, *sizes)):
        new = _fitted(old, sizes, keep_aspect_ratio_policy)[0]  # type: ignore[arg-type]
    return arranged((*shape[: len(carried)], *new), carried + "*", result_order)


@op(layout=Layout.AXES_STRING, shape=_resize_shape)
@keeps_float_type
def resize(
    x: Array,
    sizes: Sizes | None = None,
    scales: Array | None = None,
    roi: Array | None = None,
    *,
    scale_factors: tuple[float, ...] | None = None,
    mode: str = "nearest",
    coordinates: str = "half_pixel",
    nearest: str = "round_prefer_floor",
    cubic_coeff_a: float = -0.75,
    exclude_outside: bool = False,
    extrapolation_value: float = 0.0,
    antialias: bool = False,
    keep_aspect_ratio_policy: str = "stretch",
    axes: str = "NC*->NC*",
) -> Array:
    """ONNX Resize of the axes that `*` stands for in `axes`; the lettered ones stay.

    To `sizes`, or by `scale_factors`, or by `scales` where only the run knows them: one for each
    resized axis. `roi` has their starts, then their ends; only tf_crop_and_resize reads it.
    `mode`: nearest, linear, cubic. `coordinates`: half_pixel, pytorch_half_pixel, align_corners,
    asymmetric, half_pixel_symmetric, tf_crop_and_resize. `nearest`: round_prefer_floor,
    round_prefer_ceil, floor, ceil. `keep_aspect_ratio_policy`: stretch, not_larger, not_smaller.
    """
    x_order, result_order = orders(axes)
    carried = x_order.replace("*", "")
    y = transposed(x, x_order, carried + "*")
    first, old = len(carried), y.shape[len(carried) :]
    if sizes is not None:
        new, ratios = _fitted(old, sizes, keep_aspect_ratio_policy)
    else:
        given = scale_factors if scales is None else tuple(map(float, scales))
        ratios = tuple(map(scale_fraction, given or ()))
        new = tuple(_scaled(size, scale) for size, scale in zip(old, given or (), strict=True))
    for i, (size, ratio) in enumerate(zip(new, ratios, strict=True)):
        window = (0.0, 1.0) if roi is None else (float(roi[i]), float(roi[i + len(new)]))
        if size == old[i] and ratio == 1 and window == (0.0, 1.0):
            continue
        at = _coordinates(coordinates, size, old[i], ratio, window)
        if mode == "nearest":
            places = np.clip(_NEAREST[nearest](at), 0, old[i] - 1).astype(np.int64)
            y = np.take(y, places, axis=first + i)
        else:
            stretch = min(float(ratio), 1.0) if antialias else 1.0
            y = _interpolated(y, first + i, at, stretch, mode, cubic_coeff_a, exclude_outside)
        if coordinates == "tf_crop_and_resize":
            outside = (at < 0) | (at > old[i] - 1)
            y = np.where(_along(outside, y.ndim, first + i), extrapolation_value, y)
    return transposed(_saturated(y, x.dtype), carried + "*", result_order)


def _coordinates(
    mode: str, new: int, old: int, scale: Fraction, window: tuple[float, float]
) -> Array:
    """Where in the old axis each element of the new one lies."""
    at = np.arange(new, dtype=np.float64)
    wide = float(scale * old)  # The new size before it was rounded down.
    centres = (at + 0.5) * scale.denominator / scale.numerator - 0.5
    if mode == "half_pixel":
        return centres
    if mode == "pytorch_half_pixel":
        return np.zeros(new) if wide == 1 else centres
    if mode == "asymmetric":
        return at * scale.denominator / scale.numerator
    if mode == "align_corners":
        return np.zeros(new) if wide == 1 else at * (old - 1) / (wide - 1)
    if mode == "half_pixel_symmetric":
        return centres + old / 2 * (1 - new / wide)
    if mode == "tf_crop_and_resize":
        start, end = window
        if wide == 1:
            return np.full(new, 0.5 * (start + end) * (old - 1))
        return start * (old - 1) + at * (end - start) * (old - 1) / (wide - 1)
    raise ValueError(f"resize knows no coordinates {mode!r}")


def _interpolated(
    x: Array, axis: int, at: Array, stretch: float, mode: str, a: float, exclude: bool
) -> Array:
    """Weighted sums of the elements around each coordinate; the border repeats itself outside."""
    reach = math.ceil((1 if mode == "linear" else 2) / stretch)
    offsets = np.arange(1 - reach, reach + 1)
    base = np.floor(at)
    distances = (offsets - (at - base)[:, None]) * stretch
    weights = _triangle(distances) if mode == "linear" else cubic(distances, a)
    places = base.astype(np.int64)[:, None] + offsets
    size = x.shape[axis]
    if exclude:
        weights = np.where((places < 0) | (places >= size), 0.0, weights)
    weights = weights / weights.sum(axis=1, keepdims=True)
    places = np.clip(places, 0, size - 1)
    kind = x.dtype if x.dtype.kind == "f" else np.dtype(np.float64)
    total = np.zeros((*x.shape[:axis], len(at), *x.shape[axis + 1 :]), kind)
    for tap in range(len(offsets)):
        weight = _along(weights[:, tap].astype(kind), x.ndim, axis)
        total += np.take(x, places[:, tap], axis=axis) * weight
    return total


def _triangle(distance: Array) -> Array:
    return np.clip(1 - np.abs(distance), 0, 1)


def cubic(distance: Array, a: float) -> Array:
    """Keys' kernel: cubics between whole distances, 0 from 2 on."""
    d = np.abs(distance)
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return np.where(d <= 1, near, np.where(d < 2, far, 0.0))


def _along(vector: Array, rank: int, axis: int) -> Array:
    return vector.reshape([-1 if i == axis else 1 for i in range(rank)])


def _saturated(y: Array, dtype: np.dtype[Any]) -> Array:
    """y in a type; what an integer type cannot hold becomes its nearest end."""
    if y.dtype.kind == "f" and dtype.kind in "iu":
        bounds = np.iinfo(dtype)
        y = np.clip(np.rint(y), bounds.min, bounds.max)
    return y.astype(dtype, copy=False)
