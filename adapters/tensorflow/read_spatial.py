"""Reads convolutions, pools, and what else goes over spatial axes."""

from __future__ import annotations

from typing import Any

from adapters.tensorflow.read_activation import activated
from adapters.tensorflow.reading import LayerCall, rank, reads, reshaped
from ir_hub.ir.dims import Dim
from ir_hub.ir.graph import Value
from ir_hub.sdk.dialect import Unsupported

Pads = tuple[tuple[int, int], ...]


def order_of(layer: LayerCall) -> str:
    """The order of the axes of images."""
    return "NC*" if layer.get("data_format") == "channels_first" else "N*C"


def _many(value: Any, count: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, tuple) else (int(value),) * count


def _spatial(x: Value, order: str) -> tuple[Any, ...]:
    shape = x.shape or ()
    return shape[2:] if order == "NC*" else shape[1:-1]


def _channels(x: Value, order: str) -> int:
    size = (x.shape or (None,))[1 if order == "NC*" else -1]
    if not isinstance(size, int):
        raise Unsupported("the number of its channels isn't known")
    return size


def _pads(
    layer: LayerCall, x: Value, order: str, kernel: tuple[int, ...], strides: tuple[int, ...],
    dilations: tuple[int, ...],
) -> Pads:  # fmt: skip
    padding = layer.get("padding", "valid")
    return pads_of(padding, _spatial(x, order), kernel, strides, dilations)


def pads_of(
    padding: str, sizes: tuple[Any, ...], kernel: tuple[int, ...], strides: tuple[int, ...],
    dilations: tuple[int, ...],
) -> Pads:  # fmt: skip
    """How Keras pads by that name: before and after each spatial axis, which has that size.

    Raises:
        Unsupported: it depends on a size that isn't known, or there is no such name.
    """
    reaches = [d * (k - 1) + 1 for k, d in zip(kernel, dilations, strict=True)]
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding == "causal":
        return tuple((reach - 1, 0) for reach in reaches)
    if padding != "same":
        raise Unsupported(f"its padding {padding!r}")
    each = zip(sizes, reaches, strides, strict=True)
    return tuple(same_pads(*axis) for axis in each)


def same_pads(size: Dim, reach: int, stride: int) -> tuple[int, int]:
    """What keeps a size, but for the stride; the odd one comes after.

    Raises:
        Unsupported: it depends on the size, which isn't known.
    """
    if stride == 1:
        total = reach - 1
    elif isinstance(size, int):
        total = max((-(-size // stride) - 1) * stride + reach - size, 0)
    else:
        raise Unsupported(
            "it pads to the same size by steps of several, which depends on the size of its "
            "input, and that isn't known: give the input's type"
        )
    return total // 2, total - total // 2


@reads("Conv1D", "Conv2D", "Conv3D", "DepthwiseConv1D", "DepthwiseConv2D")
def _(layer: LayerCall) -> Value:
    b, x = layer.b, layer.x
    count = int(layer.type[-2])
    order = order_of(layer)
    kernel, strides, dilations = _windows(layer, count)
    channels = _channels(x, order)
    groups = layer.get("groups", 1)
    if layer.type.startswith("Depthwise"):
        groups, multiplier = channels, layer.get("depth_multiplier", 1)
        weight = layer.weight("0", (*kernel, channels, multiplier))
        outputs = channels * multiplier
        weight = reshaped(weight, (*kernel, 1, outputs))
    else:
        outputs = layer.get("filters")
        weight = layer.weight("0", (*kernel, channels // groups, outputs))
    bias = layer.weight("1", (outputs,)) if layer.get("use_bias", True) else None
    pads = _pads(layer, x, order, kernel, strides, dilations)
    y = b.conv(
        x, weight, bias, strides=strides, pads=pads, dilations=dilations, groups=groups,
        axes=f"{order},*IO->{order}",
    )  # fmt: skip
    return _activated(layer, y, order)


def _windows(layer: LayerCall, count: int) -> tuple[tuple[int, ...], ...]:
    names = {"kernel_size": None, "strides": 1, "dilation_rate": 1}
    return tuple(_many(layer.get(name, default), count) for name, default in names.items())


def _activated(layer: LayerCall, y: Value, order: str) -> Value:
    name = layer.get("activation")
    if order == "NC*" and name in ("softmax", "log_softmax"):
        raise Unsupported(f"{name} over the last axis, which isn't the channels'")
    return activated(layer.b, y, name)


@reads("SeparableConv1D", "SeparableConv2D")
def _(layer: LayerCall) -> Value:
    b, x = layer.b, layer.x
    count = int(layer.type[-2])
    order = order_of(layer)
    kernel, strides, dilations = _windows(layer, count)
    channels, multiplier = _channels(x, order), layer.get("depth_multiplier", 1)
    inner, outputs = channels * multiplier, layer.get("filters")
    depthwise = reshaped(layer.weight("0", (*kernel, channels, multiplier)), (*kernel, 1, inner))
    pointwise = layer.weight("1", (*(1,) * count, inner, outputs))
    bias = layer.weight("2", (outputs,)) if layer.get("use_bias", True) else None
    axes = f"{order},*IO->{order}"
    y = b.conv(
        x, depthwise, strides=strides, pads=_pads(layer, x, order, kernel, strides, dilations),
        dilations=dilations, groups=channels, axes=axes,
    )  # fmt: skip
    ones, none = (1,) * count, ((0, 0),) * count
    y = b.conv(y, pointwise, bias, strides=ones, pads=none, dilations=ones, axes=axes)
    return _activated(layer, y, order)


@reads("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose")
def _(layer: LayerCall) -> Value:
    b, x = layer.b, layer.x
    count = int(layer.type.removesuffix("Transpose")[-2])
    order = order_of(layer)
    kernel, strides, dilations = _windows(layer, count)
    extra = layer.get("output_padding")
    extras = (None,) * count if extra is None else _many(extra, count)
    outputs = layer.get("filters")
    weight = layer.weight("0", (*kernel, outputs, _channels(x, order)))
    bias = layer.weight("1", (outputs,)) if layer.get("use_bias", True) else None
    same = layer.get("padding", "valid") == "same"
    ends = [
        _ends(d * (k - 1) + 1, s, same, more)
        for k, s, d, more in zip(kernel, strides, dilations, extras, strict=True)
    ]
    y = b.conv_transpose(
        x, weight, bias, strides=strides, dilations=dilations,
        pads=tuple((before, max(after, 0)) for before, after in ends),
        output_padding=tuple(max(-after, 0) for _, after in ends),
        axes=f"{order},*OI->{order}",
    )  # fmt: skip
    return _activated(layer, y, order)


def _ends(reach: int, stride: int, same: bool, extra: int | None) -> tuple[int, int]:
    """What a transposed convolution cuts off before and after an axis; less than 0 is added."""
    if same:  # as a convolution pads that gives the input from the output
        total = reach - (stride if extra is None else reach % 2 + extra)
    else:
        total = -(max(stride - reach, 0) if extra is None else extra)
    before = max(total, 0) // 2
    return before, total - before


@reads("MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "AveragePooling1D", "AveragePooling2D",
       "AveragePooling3D")  # fmt: skip
def _(layer: LayerCall) -> Value:
    x, count = layer.x, int(layer.type[-2])
    order = order_of(layer)
    kernel = _many(layer.get("pool_size", 2), count)
    strides = kernel if layer.get("strides") is None else _many(layer.get("strides"), count)
    ones = (1,) * count
    literals = {
        "kernel": kernel,
        "strides": strides,
        "pads": _pads(layer, x, order, kernel, strides, ones),
        "dilations": ones,
        "axes": f"{order}->{order}",
    }
    op = "max_pool" if layer.type.startswith("Max") else "avg_pool"
    return layer.b.call(op, x, **literals)  # type: ignore[no-any-return]


@reads("GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D", "GlobalAveragePooling1D",
       "GlobalAveragePooling2D", "GlobalAveragePooling3D")  # fmt: skip
def _(layer: LayerCall) -> Value:
    b, x, order = layer.b, layer.x, order_of(layer)
    op = "global_max_pool" if "Max" in layer.type else "global_avg_pool"
    y = b.call(op, x, axes=f"{order}->{order}")
    if layer.get("keepdims", False):
        return y  # type: ignore[no-any-return]
    axes = tuple(range(1, rank(x) - 1)) if order == "N*C" else tuple(range(2, rank(x)))
    return b.squeeze(y, axes)  # type: ignore[no-any-return]


@reads("AdaptiveMaxPooling1D", "AdaptiveMaxPooling2D", "AdaptiveMaxPooling3D",
       "AdaptiveAveragePooling1D", "AdaptiveAveragePooling2D",
       "AdaptiveAveragePooling3D")  # fmt: skip
def _(layer: LayerCall) -> Value:
    x, count = layer.x, int(layer.type[-2])
    order = order_of(layer)
    wanted = _many(layer.get("output_size"), count)
    kernel = []
    for size, out in zip(_spatial(x, order), wanted, strict=True):
        if not isinstance(size, int) or size % out:
            raise Unsupported(f"its windows are of several sizes: {out} of {size}")
        kernel.append(size // out)
    op = "max_pool" if "Max" in layer.type else "avg_pool"
    ones, none = (1,) * count, ((0, 0),) * count
    return layer.b.call(  # type: ignore[no-any-return]
        op, x, kernel=tuple(kernel), strides=tuple(kernel), pads=none, dilations=ones,
        axes=f"{order}->{order}",
    )  # fmt: skip


@reads("UpSampling1D", "UpSampling2D", "UpSampling3D")
def _(layer: LayerCall) -> Value:
    count = int(layer.type[-2])
    order = order_of(layer)
    factors = tuple(float(f) for f in _many(layer.get("size", 2), count))
    way = str(layer.get("interpolation", "nearest"))
    axes = f"{order}->{order}"
    if way == "nearest":
        return layer.b.resize(  # type: ignore[no-any-return]
            layer.x, scale_factors=factors, coordinates="asymmetric", nearest="floor", axes=axes
        )
    return layer.b.resize(layer.x, scale_factors=factors, axes=axes, **resizing(way))  # type: ignore[no-any-return]


def resizing(way: str) -> dict[str, Any]:
    """The literals of a resize that interpolates in one of Keras' ways.

    Raises:
        Unsupported: it isn't known here.
    """
    match way:
        case "nearest":
            return {"mode": "nearest", "nearest": "round_prefer_ceil"}
        case "bilinear":
            return {"mode": "linear"}
        case "bicubic":
            raise Unsupported("its interpolation is bicubic, whose weights TensorFlow rounds")
    raise Unsupported(f"its interpolation {way!r}")


@reads("ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D")
def _(layer: LayerCall) -> Value:
    widths = _pairs(layer.get("padding"), int(layer.type[-2]))
    x = layer.x
    axes = tuple(range(2, rank(x))) if order_of(layer) == "NC*" else tuple(range(1, rank(x) - 1))
    flat = (*(begin for begin, _ in widths), *(end for _, end in widths))
    return layer.b.pad(x, flat, None, axes)  # type: ignore[no-any-return]


@reads("Cropping1D", "Cropping2D", "Cropping3D")
def _(layer: LayerCall) -> Value:
    widths = _pairs(layer.get("cropping"), int(layer.type[-2]))
    x = layer.x
    axes = tuple(range(2, rank(x))) if order_of(layer) == "NC*" else tuple(range(1, rank(x) - 1))
    ends = tuple(-end if end else (1 << 63) - 1 for _, end in widths)
    return layer.b.slice(x, tuple(begin for begin, _ in widths), ends, axes)  # type: ignore[no-any-return]


def _pairs(widths: Any, count: int) -> Pads:
    if isinstance(widths, int):
        return ((widths, widths),) * count
    if count == 1 and all(isinstance(width, int) for width in widths):
        return (tuple(widths),)  # type: ignore[return-value]
    return tuple((w, w) if isinstance(w, int) else tuple(w) for w in widths)
