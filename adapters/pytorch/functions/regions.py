"""Pooling within regions of images, choosing among overlapping ones, deformed convolutions."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from adapters.pytorch.functions.pasted import pasted


@pasted
def _roi_align(
    x: Tensor,
    rois: Tensor,
    images: Tensor,
    height: int,
    width: int,
    ratio: int,
    scale: float,
    mode: str,
    half_pixel: bool,
) -> Tensor:
    """Samples of x in every bin of every region, averaged, or the greatest of them."""
    y = x.new_zeros(len(rois), x.shape[1], height, width)
    corners = rois * scale - (0.5 if half_pixel else 0)
    for i, (left, top, right, bottom) in enumerate(corners.tolist()):
        axes = ((top, bottom, height, x.shape[2]), (left, right, width, x.shape[3]))
        rows, columns = (_bin_samples(*axis, ratio, half_pixel, x) for axis in axes)
        (row, row_weight), (column, column_weight) = rows, columns
        read = x[int(images[i])][:, row[..., None, None, None], column]
        weighted = read * (row_weight[..., None, None, None] * column_weight)
        if mode == "max":
            y[i] = weighted.amax((2, 3, 5, 6))
        else:
            y[i] = weighted.sum((2, 3, 5, 6)) / max(row.shape[1] * column.shape[1], 1)
    return y


@pasted
def _bin_samples(
    start: float, end: float, bins: int, size: int, ratio: int, half_pixel: bool, like: Tensor
) -> tuple[Tensor, Tensor]:
    """Of each bin's samples along an axis both neighbours, and their weights."""
    width = (end - start if half_pixel else max(end - start, 1.0)) / bins
    count = ratio if ratio > 0 else math.ceil(width)
    steps = (torch.arange(count, device=like.device) + 0.5) / max(count, 1)
    at = start + (torch.arange(bins, device=like.device)[:, None] + steps) * width
    outside = (at < -1) | (at > size)
    at = at.clamp(0, size - 1)
    low = at.floor().long()
    part = at - low
    weights = torch.stack((1 - part, part), -1).masked_fill(outside[..., None], 0)
    return torch.stack((low, (low + 1).clamp(max=size - 1)), -1), weights.to(like.dtype)


@pasted
def _max_roi_pool(x: Tensor, rois: Tensor, shape: tuple[int, int], scale: float) -> Tensor:
    """The greatest element in every bin of every region; 0 in an empty one."""
    y = x.new_zeros(len(rois), x.shape[1], *shape)
    corners = (rois[:, 1:] * scale + 0.5).floor().long().tolist()
    for i, (left, top, right, bottom) in enumerate(corners):
        height, width = max(bottom - top + 1, 1), max(right - left + 1, 1)
        for r in range(shape[0]):
            a = top + r * height // shape[0]
            b = top + -(-(r + 1) * height // shape[0])
            for c in range(shape[1]):
                p = left + c * width // shape[1]
                q = left + -(-(c + 1) * width // shape[1])
                part = x[int(rois[i, 0]), :, max(a, 0) : max(b, 0), max(p, 0) : max(q, 0)]
                if part.numel():
                    y[i, :, r, c] = part.amax((1, 2))
    return y


@pasted
def _non_max_suppression(
    boxes: Tensor,
    scores: Tensor,
    most: Tensor | None,
    overlap: Tensor | None,
    lowest: Tensor | None,
    center: bool,
) -> Tensor:
    """Rows (image, class, box) of the boxes kept, by falling score."""
    limit = 0 if most is None else int(most)
    threshold = 0.0 if overlap is None else float(overlap)
    kept = []
    for image in range(scores.shape[0]):
        if center:
            middle, half = boxes[image, :, :2], boxes[image, :, 2:] / 2
            low, high = middle - half, middle + half
        else:
            low, high = boxes[image].view(-1, 2, 2).aminmax(dim=1)
        area = (high - low).prod(1)
        for kind in range(scores.shape[1]):
            ranked = scores[image, kind].argsort(descending=True, stable=True)
            if lowest is not None:
                ranked = ranked[scores[image, kind][ranked] > lowest]
            chosen: list[int] = []
            for box in ranked.tolist():
                if len(chosen) >= limit:
                    break
                first = torch.maximum(low[box], low[chosen])
                last = torch.minimum(high[box], high[chosen])
                common = (last - first).clamp(min=0).prod(1)
                union = area[box] + area[chosen] - common
                shared = torch.where(common > 0, common / torch.where(union > 0, union, 1.0), 0.0)
                if not (shared > threshold).any():
                    chosen.append(box)
            kept += [(image, kind, box) for box in chosen]
    return torch.tensor(kept, dtype=torch.int64, device=boxes.device).reshape(-1, 3)


@pasted
def _deform_conv(
    x: Tensor,
    weight: Tensor,
    offset: Tensor,
    bias: Tensor | None,
    mask: Tensor | None,
    stride: tuple[int, int],
    pads: tuple[tuple[int, int], ...],
    dilation: tuple[int, int],
    groups: int,
    offset_groups: int,
) -> Tensor:
    """A convolution whose windows read x at places moved by offsets; 0 outside."""
    n, (height, width) = x.shape[0], x.shape[2:]
    outputs, inputs, rows, columns = weight.shape
    out, taps = offset.shape[2:], rows * columns
    moves = offset.view(n * offset_groups, taps, 2, *out)
    tap = torch.arange(taps, device=x.device)[:, None, None]
    at = [torch.arange(size, device=x.device) for size in out]
    y = at[0][:, None] * stride[0] - pads[0][0] + tap // columns * dilation[0] + moves[:, :, 0]
    z = at[1] * stride[1] - pads[1][0] + tap % columns * dilation[1] + moves[:, :, 1]
    grid = torch.stack((2 * z / max(width - 1, 1) - 1, 2 * y / max(height - 1, 1) - 1), -1)
    planes = x.reshape(n * offset_groups, -1, height, width)
    read = F.grid_sample(planes, grid.flatten(1, 2), align_corners=True)
    read = read.view(n, offset_groups, -1, taps, *out)
    if mask is not None:
        read = read * mask.view(n, offset_groups, 1, taps, *out)
    matrix = read.reshape(n, groups, inputs * taps, -1)
    result = (weight.view(groups, outputs // groups, inputs * taps) @ matrix).view(n, outputs, *out)
    return result if bias is None else result + bias.view(-1, 1, 1)
