"""Reads layers that prepare images, numbers and categories."""

from __future__ import annotations

from typing import Any

import numpy as np

from adapters.tensorflow.read_spatial import order_of, resizing
from adapters.tensorflow.reading import LayerCall, rank, reads, size_of
from ir_hub.ir.graph import Value
from ir_hub.ir.types import DType
from ir_hub.sdk.dialect import TRAINS_WITHOUT, Unsupported


@reads("Rescaling")
def _(layer: LayerCall) -> Value:
    b = layer.b
    return b.add(  # type: ignore[no-any-return]
        b.mul(layer.floats, _number(layer.get("scale"))), _number(layer.get("offset", 0.0))
    )


def _number(setting: Any) -> np.ndarray:
    array = np.asarray(setting)
    if array.dtype.kind not in "iuf":  # of which NumPy makes NaN
        raise Unsupported(f"it is given {str(setting)[:40]} where numbers belong")
    return array.astype(np.float32)


@reads("Normalization")
def _(layer: LayerCall) -> Value:
    b, x = layer.b, layer.floats
    axis = layer.get("axis", -1)
    mean, variance = layer.get("mean"), layer.get("variance")
    if mean is None:
        kept = axis if isinstance(axis, tuple) else (() if axis is None else (axis,))
        sizes = tuple(size_of(x, a) for a in kept)
        shape = [1] * rank(x)
        for a in kept:
            shape[a % rank(x)] = size_of(x, a)
        mean, variance = (layer.weight(str(i), sizes).array().reshape(shape) for i in (0, 1))
        layer.ignore("2")  # how many samples they are of
    mean = _number(mean)
    deviation = np.maximum(np.sqrt(_number(variance)), np.float32(1e-7))
    if layer.get("invert"):
        return b.add(b.mul(x, deviation), mean)  # type: ignore[no-any-return]
    return b.div(b.sub(x, mean), deviation)  # type: ignore[no-any-return]


@reads("Resizing")
def _(layer: LayerCall) -> Value:
    b, x, order = layer.b, layer.x, order_of(layer)
    layer.argument("training")  # which changes nothing of it
    if x.dtype is not None and not x.dtype.is_float:
        raise Unsupported(f"of {x.dtype}, which Keras rounds to again")
    wanted = (layer.get("height"), layer.get("width"))
    first = 2 if order == "NC*" else 1
    crops, pads = layer.get("crop_to_aspect_ratio"), layer.get("pad_to_aspect_ratio")
    for name in ("fill_mode", "fill_value", "antialias"):
        layer.get(name)
    if pads or layer.config.get("antialias"):
        raise Unsupported("it fills up images to the shape that it gives them, or smooths them")
    if crops:
        height, width = (size_of(x, first + i) for i in (0, 1))
        kept = (min(height, int(width * wanted[0] / wanted[1])) or 1,
                min(width, int(height * wanted[1] / wanted[0])) or 1)  # fmt: skip
        starts = tuple((size - k) // 2 for size, k in zip((height, width), kept, strict=True))
        x = _cut(layer, x, starts, kept, first)
    way = str(layer.get("interpolation", "bilinear"))
    return b.resize(x, wanted, axes=f"{order}->{order}", **resizing(way))  # type: ignore[no-any-return]


@reads("CenterCrop")
def _(layer: LayerCall) -> Value:
    layer.argument("training")  # which changes nothing of it
    x, first = layer.floats, 2 if order_of(layer) == "NC*" else 1
    wanted = (layer.get("height"), layer.get("width"))
    left = [size_of(x, first + i) - wanted[i] for i in (0, 1)]
    if min(left) < 0:
        raise Unsupported("the images are smaller than what it cuts out of them")
    return _cut(layer, x, tuple(size // 2 for size in left), wanted, first)


def _cut(
    layer: LayerCall, x: Value, starts: tuple[int, ...], sizes: tuple[int, ...], first: int
) -> Value:
    ends = tuple(start + size for start, size in zip(starts, sizes, strict=True))
    return layer.b.slice(x, starts, ends, (first, first + 1))  # type: ignore[no-any-return]


# fmt: off
_RANDOM = (
    "RandomBrightness", "RandomColorDegeneration", "RandomColorJitter", "RandomContrast",
    "RandomElasticTransform", "RandomErasing", "RandomFlip", "RandomGaussianBlur",
    "RandomGrayscale", "RandomHue", "RandomInvert", "RandomPerspective", "RandomPosterization",
    "RandomRotation", "RandomSaturation", "RandomSharpness", "RandomShear", "RandomTranslation",
    "RandomZoom",
)
# fmt: on


@reads(*_RANDOM)
def _(layer: LayerCall) -> Value:
    for name in layer.config:
        layer.get(name)
    layer.argument("training")  # which whoever calls the model decides
    layer.b.note(TRAINS_WITHOUT)
    return layer.b.identity(layer.floats)  # type: ignore[no-any-return]


@reads("Discretization")
def _(layer: LayerCall) -> Value:
    b, x, bounds = layer.b, layer.floats, layer.get("bin_boundaries")
    for name in ("num_bins", "epsilon"):
        layer.get(name)
    if bounds is None:
        raise Unsupported("it has no boundaries: adapt it to data")
    above = b.greater_equal(b.unsqueeze(x, (-1,)), _number(bounds))
    bins = b.reduce_sum(b.cast(above, to=DType.INT64), (-1,), keepdims=False)
    return _encoded(layer, bins, len(bounds) + 1, DType.INT32, DType.FLOAT32)


@reads("CategoryEncoding")
def _(layer: LayerCall) -> Value:
    x, count = layer.x, layer.get("num_tokens")
    x = layer.b.cast(x, to=DType.INT64)
    return _encoded(layer, x, int(count), DType.INT64, DType.FLOAT32)


@reads("IntegerLookup")
def _(layer: LayerCall) -> Value:
    b, words = layer.b, layer.get("vocabulary")
    for name in ("max_tokens", "vocabulary_dtype", "oov_token", "vocabulary_size", "salt"):
        layer.get(name)
    unknown = layer.get("num_oov_indices", 1)
    if unknown != 1 or layer.get("mask_token") is not None or not isinstance(words, tuple):
        raise Unsupported("it has other than one place for unknown numbers, or one for masked ones")
    layer.get("oov_method")
    same = b.equal(b.unsqueeze(b.cast(layer.x, to=DType.INT64), (-1,)), np.asarray(words, np.int64))
    places = np.arange(1, len(words) + 1)
    found = b.reduce_sum(b.where(same, places, np.int64(0)), (-1,), keepdims=False)
    return _encoded(layer, found, len(words) + 1, DType.INT64, DType.INT64)


def _encoded(layer: LayerCall, places: Value, count: int, numbers: DType, flags: DType) -> Value:
    """The numbers of categories, as the layer's setting encodes them: as what they are, of the type
    `numbers`, or as a flag or count for each category, of the type `flags`."""
    b, mode = layer.b, layer.get("output_mode", "int")
    if mode == "int":
        return b.cast(places, to=numbers)  # type: ignore[no-any-return]
    if mode == "one_hot" and rank(places) > 1 and places.shape and places.shape[-1] == 1:
        places = b.squeeze(places, (-1,))
    hot = b.cast(b.equal(b.unsqueeze(places, (-1,)), np.arange(count)), to=flags)
    if mode == "one_hot":
        return hot  # type: ignore[no-any-return]
    if mode not in ("multi_hot", "count"):
        raise Unsupported(f"its output mode {str(mode)[:20]!r}")
    op = b.reduce_max if mode == "multi_hot" else b.reduce_sum
    return op(hot, (-2,), keepdims=False)  # type: ignore[no-any-return]
