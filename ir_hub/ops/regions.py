"""Regions of images: pooling within them, and choosing among overlapping ones."""

from __future__ import annotations

import numpy as np

from ir_hub.ir.types import DType, Shape
from ir_hub.ops.families import Ranked
from ir_hub.ops.op import Array, op
from ir_hub.ops.precision import keeps_float_type


def _roi_align_shape(
    x: Ranked,
    rois: Ranked,
    _: Ranked,
    *,
    output_height: int = 1,
    output_width: int = 1,
    **__: object,
) -> Shape:
    return rois.shape[0], x.shape[1], output_height, output_width


@op(shape=_roi_align_shape)
@keeps_float_type
def roi_align(
    x: Array,
    rois: Array,
    batch_indices: Array,
    *,
    coordinate_transformation_mode: str = "half_pixel",
    mode: str = "avg",
    output_height: int = 1,
    output_width: int = 1,
    sampling_ratio: int = 0,
    spatial_scale: float = 1.0,
) -> Array:
    """ONNX RoiAlign: samples x (N, C, H, W) in every bin of every region, and averages.

    A region (x1, y1, x2, y2) times `spatial_scale` lies in the image of its batch index. A bin has
    `sampling_ratio` samples along each axis, when it is 0 as many as it is long. `mode` max takes
    the greatest product of a sample's neighbour and its weight.
    `coordinate_transformation_mode`: half_pixel, output_half_pixel.
    """
    bins = output_height, output_width
    y = np.zeros((len(rois), x.shape[1], *bins), x.dtype)
    centred = coordinate_transformation_mode == "half_pixel"
    for index, (region, image) in enumerate(zip(rois, batch_indices, strict=True)):
        corners = region * x.dtype.type(spatial_scale) - x.dtype.type(0.5 if centred else 0)
        samples = []
        for axis, size in enumerate(x.shape[2:]):
            start, end = corners[1 - axis], corners[3 - axis]
            length = end - start if centred else max(end - start, x.dtype.type(1))
            samples.append(_bin_samples(start, length, bins[axis], sampling_ratio, size))
        y[index] = _pooled(x[int(image)], samples[0], samples[1], mode)
    return y


def _bin_samples(
    start: float, length: float, bins: int, ratio: int, size: int
) -> tuple[Array, Array]:
    """For each bin's samples along an axis, both neighbours and their weights: (bins, samples, 2).

    What lies more than one element outside weighs nothing.
    """
    width = length / bins
    count = ratio if ratio > 0 else int(np.ceil(width))
    steps = (np.arange(count) + 0.5) / max(count, 1)
    at = start + (np.arange(bins)[:, None] + steps) * width
    outside = (at < -1) | (at > size)
    at = np.clip(at, 0, size - 1)
    low = np.floor(at).astype(np.int64)
    high = np.minimum(low + 1, size - 1)
    part = at - low
    weights = np.where(outside[..., None], 0, np.stack([1 - part, part], axis=-1))
    return np.stack([low, high], axis=-1), weights


def _pooled(
    image: Array, rows: tuple[Array, Array], columns: tuple[Array, Array], mode: str
) -> Array:
    """One region of one image (C, H, W)."""
    (row, row_weight), (column, column_weight) = rows, columns
    # Axes: channels; bin, sample and neighbour along the height; likewise along the width.
    read = image[:, row[..., None, None, None], column]
    weighted = read * (row_weight[..., None, None, None] * column_weight)
    if mode == "max":
        lowest = -np.inf if row.shape[1] * column.shape[1] else 0
        return np.asarray(weighted.max(axis=(2, 3, 5, 6), initial=lowest))
    count = max(row.shape[1] * column.shape[1], 1)
    return np.asarray(weighted.sum(axis=(2, 3, 5, 6)) / count)


def _max_roi_shape(x: Ranked, rois: Ranked, *, pooled_shape: tuple[int, int], **_: object) -> Shape:
    return rois.shape[0], x.shape[1], *pooled_shape


@op(shape=_max_roi_shape)
@keeps_float_type
def max_roi_pool(
    x: Array, rois: Array, *, pooled_shape: tuple[int, int], spatial_scale: float = 1.0
) -> Array:
    """The greatest element of x (N, C, H, W) in every bin of every region; 0 for an empty bin.

    A region is (image, x1, y1, x2, y2); times `spatial_scale` and rounded, both ends belong to it.
    """
    y = np.zeros((len(rois), x.shape[1], *pooled_shape), x.dtype)
    corners = np.floor(rois[:, 1:] * x.dtype.type(spatial_scale) + 0.5).astype(np.int64)
    for index, (left, top, right, bottom) in enumerate(corners):
        image = x[int(rois[index, 0])]
        rows = _bin_edges(int(top), int(bottom), pooled_shape[0], x.shape[2])
        columns = _bin_edges(int(left), int(right), pooled_shape[1], x.shape[3])
        for place in np.ndindex(*pooled_shape):
            part = image[:, slice(*rows[place[0]]), slice(*columns[place[1]])]
            if part.size:
                y[(index, slice(None), *place)] = part.max(axis=(1, 2))
    return y


def _bin_edges(first: int, last: int, bins: int, size: int) -> list[tuple[int, int]]:
    """Where the bins of a region begin and end along an axis; they may share elements."""
    length = max(last - first + 1, 1)
    begins = (i * length // bins + first for i in range(bins))
    ends = (-(-(i + 1) * length // bins) + first for i in range(bins))
    pairs = zip(begins, ends, strict=True)
    return [(min(max(a, 0), size), min(max(b, 0), size)) for a, b in pairs]


@op(dtypes=(DType.INT64,), shape=lambda *_, **__: (None, 3))
def non_max_suppression(
    boxes: Array,
    scores: Array,
    max_output_boxes_per_class: Array | None = None,
    iou_threshold: Array | None = None,
    score_threshold: Array | None = None,
    *,
    center_point_box: int = 0,
) -> Array:
    """ONNX NonMaxSuppression: rows (image, class, box) of the boxes kept, by falling score.

    Boxes (N, boxes, 4) are (y1, x1, y2, x2), with `center_point_box` (x, y, width, height); scores
    are (N, classes, boxes). A box goes when its intersection with a kept one of its class, divided
    by their union, exceeds the threshold. Without a maximum none is kept.
    """
    most = 0 if max_output_boxes_per_class is None else int(max_output_boxes_per_class.sum())
    overlap = 0.0 if iou_threshold is None else float(iou_threshold.sum())
    kept: list[tuple[int, int, int]] = []
    for image, kind in np.ndindex(*scores.shape[:2]):
        corners = _corners(boxes[image], center_point_box)
        order = np.argsort(-scores[image, kind], kind="stable")
        if score_threshold is not None:
            order = order[scores[image, kind][order] > score_threshold.sum()]
        chosen: list[int] = []
        for box in order:
            if len(chosen) >= most:
                break
            if not np.any(_overlaps(corners[box], corners[chosen]) > overlap):
                chosen.append(int(box))
        kept.extend((image, kind, box) for box in chosen)
    return np.array(kept, np.int64).reshape(-1, 3)


def _corners(boxes: Array, centred: int) -> Array:
    """Boxes as their lower and their upper corners: (boxes, 2, 2)."""
    if centred:
        middle, half = boxes[:, :2], boxes[:, 2:] / 2
        return np.stack([middle - half, middle + half], axis=1)
    pairs = boxes.reshape(-1, 2, 2)
    return np.stack([pairs.min(axis=1), pairs.max(axis=1)], axis=1)


def _overlaps(box: Array, others: Array) -> Array:
    """The intersection of a box with each other one, by their union; 0 where empty."""
    low = np.maximum(box[0], others[:, 0])
    high = np.minimum(box[1], others[:, 1])
    common = np.prod(np.maximum(high - low, 0), axis=1)
    union = np.prod(box[1] - box[0]) + np.prod(others[:, 1] - others[:, 0], axis=1) - common
    return np.asarray(np.where(common > 0, common / np.where(union > 0, union, 1), 0))
