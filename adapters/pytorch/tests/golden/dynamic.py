"""Model, converted by irhub."""

import math

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F


def _top_k(x: Tensor, k: int, axis: int, largest: bool) -> tuple[Tensor, Tensor]:
    """The k greatest or least elements and their places; of equal ones the first comes first."""
    values, places = x.sort(dim=axis, descending=largest, stable=True)
    return values.narrow(axis, 0, k), places.narrow(axis, 0, k)


def _windows(
    x: Tensor,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    pads: tuple[tuple[int, int], ...],
    dilation: tuple[int, ...],
    ceil_mode: bool,
    value: float = 0.0,
    beyond: float | None = None,
) -> Tensor:
    """The windows over x (N, C, *), each as the last axis; padding is `value`, and so is what
    sticks out of that, or else `beyond`."""
    inner: list[int] = []
    outer: list[int] = []
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    for size, r, s, (before, after) in zip(x.shape[2:], reach, stride, pads, strict=True):
        room = size + before + after - r
        count = room // s + 1
        if ceil_mode:
            count = min(-(-room // s) + 1, -(-(size + before) // s))
        inner = [before, after, *inner]
        outer = [0, (count - 1) * s + r - size - before - after, *outer]
    x = F.pad(F.pad(x, inner, value=value), outer, value=value if beyond is None else beyond)
    for axis, (r, s, d) in enumerate(zip(reach, stride, dilation, strict=True)):
        x = x.unfold(axis + 2, r, s)[..., ::d]
    return x.flatten(2 + len(kernel))


def _avg_pool(
    x: Tensor,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    pads: tuple[tuple[int, int], ...],
    dilation: tuple[int, ...],
    ceil_mode: bool,
    include_pad: bool,
) -> Tensor:
    """The mean of each window, over what it sees of x, or of x and its padding."""
    ones = x.new_ones(1, 1, *x.shape[2:])
    counted = _windows(ones, kernel, stride, pads, dilation, ceil_mode, float(include_pad), 0.0)
    return _windows(x, kernel, stride, pads, dilation, ceil_mode).sum(-1) / counted.sum(-1)


def _resize(
    x: Tensor,
    axes: tuple[int, ...],
    sizes: list[int] | None = None,
    scales: list[tuple[int, int]] | None = None,
    window: list[float] | None = None,
    mode: str = "nearest",
    coordinates: str = "half_pixel",
    nearest: str = "round_prefer_floor",
    exclude_outside: bool = False,
    antialias: bool = False,
    cubic_coeff_a: float = -0.75,
    extrapolation_value: float = 0.0,
    keep_aspect_ratio_policy: str = "stretch",
) -> Tensor:
    """x resized along some axes to sizes, or by scales (numerator, denominator)."""
    dtype, sizes = x.dtype, sizes or []
    if scales is None:
        scales = [(size, x.shape[axis]) for size, axis in zip(sizes, axes, strict=True)]
        if keep_aspect_ratio_policy != "stretch":
            choose = min if keep_aspect_ratio_policy == "not_larger" else max
            scale = choose(scales, key=lambda pair: pair[0] / pair[1])
            scales = [scale] * len(scales)
            sizes = [(2 * scale[0] * x.shape[axis] + scale[1]) // (2 * scale[1]) for axis in axes]
    else:
        sizes = [x.shape[axis] * n // d for (n, d), axis in zip(scales, axes, strict=True)]
    for i, (axis, size, scale) in enumerate(zip(axes, sizes, scales, strict=True)):
        ends = (window[i], window[i + len(axes)]) if window else (0.0, 1.0)
        old = x.shape[axis]
        if size == old and scale[0] == scale[1] and ends == (0.0, 1.0):
            continue
        at = _resize_places(coordinates, size, old, scale, ends).to(x.device)
        if mode == "nearest":
            rounded = {
                "round_prefer_floor": (at - 0.5).ceil(),
                "round_prefer_ceil": (at + 0.5).floor(),
                "floor": at.floor(),
                "ceil": at.ceil(),
            }[nearest]
            x = x.index_select(axis, rounded.clamp(0, old - 1).long())
        else:
            stretch = min(scale[0] / scale[1], 1.0) if antialias else 1.0
            x = _interpolated(x, axis, at, stretch, mode, cubic_coeff_a, exclude_outside)
        if coordinates == "tf_crop_and_resize":
            outside = ((at < 0) | (at > old - 1)).view(-1, *(1,) * (x.dim() - 1 - axis))
            x = x.masked_fill(outside, extrapolation_value)
    if x.is_floating_point() and not dtype.is_floating_point:
        x = x.round().clamp(torch.iinfo(dtype).min, torch.iinfo(dtype).max)
    return x.to(dtype)


def _resize_places(
    coordinates: str, new: int, old: int, scale: tuple[int, int], window: tuple[float, float]
) -> Tensor:
    """Where in the old axis each element of the new one lies."""
    at = torch.arange(new, dtype=torch.float64)
    wide = scale[0] * old / scale[1]  # the new size before it was rounded down
    middles = (at + 0.5) * scale[1] / scale[0] - 0.5
    if coordinates == "half_pixel":
        return middles
    if coordinates == "pytorch_half_pixel":
        return at * 0 if wide == 1 else middles
    if coordinates == "asymmetric":
        return at * scale[1] / scale[0]
    if coordinates == "align_corners":
        return at * 0 if wide == 1 else at * (old - 1) / (wide - 1)
    if coordinates == "half_pixel_symmetric":
        return middles + old / 2 * (1 - new / wide)
    start, end = window
    if wide == 1:
        return at * 0 + 0.5 * (start + end) * (old - 1)
    return start * (old - 1) + at * (end - start) * (old - 1) / (wide - 1)


def _interpolated(
    x: Tensor, axis: int, at: Tensor, stretch: float, mode: str, a: float, exclude: bool
) -> Tensor:
    """Weighted sums of the elements around each place; the border repeats itself outside."""
    reach = math.ceil((1 if mode == "linear" else 2) / stretch)
    offsets = torch.arange(1 - reach, reach + 1, device=x.device)
    base = at.floor()
    d = ((offsets - (at - base)[:, None]) * stretch).abs()
    if mode == "linear":
        weights = (1 - d).clamp(0, 1)
    else:
        near = ((a + 2) * d - (a + 3)) * d * d + 1
        far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
        weights = torch.where(d <= 1, near, torch.where(d < 2, far, 0.0))
    places, size = base.long()[:, None] + offsets, x.shape[axis]
    if exclude:
        weights = weights.masked_fill((places < 0) | (places >= size), 0)
    weights = weights / weights.sum(1, keepdim=True)
    wide = torch.promote_types(x.dtype, torch.float32) if x.is_floating_point() else torch.float64
    rows = x.movedim(axis, -1).to(wide)[..., places.clamp(0, size - 1)]
    return (rows * weights.to(wide)).sum(-1).movedim(-1, axis)


def _pad(x: Tensor, widths: list[int], mode: str) -> Tensor:
    """F.pad of any axes by "reflect", "edge" or "wrap", as often around as it takes."""
    for i in range(len(widths) // 2):
        axis, before, after = x.dim() - 1 - i, widths[2 * i], widths[2 * i + 1]
        if not before and not after:
            continue
        cut = min(before, 0), min(after, 0)
        x = x.narrow(axis, -cut[0], x.shape[axis] + sum(cut))
        size = x.shape[axis]
        places = torch.arange(-max(before, 0), size + max(after, 0), device=x.device)
        if mode == "edge":
            places = places.clamp(0, size - 1)
        elif mode == "wrap":
            places = places % size
        else:
            period = max(2 * (size - 1), 1)
            places = torch.minimum(places % period, -places % period)
        x = x.index_select(axis, places)
    return x


class Model(nn.Module):
    def __init__(self):
        super().__init__()

    def forward(self, x, size):
        size = _resize(x, (2, 3), sizes=size.tolist(), mode="cubic", coordinates="asymmetric")
        y, z = _top_k(_pad(size, (2, 0, 1, 3), "reflect").amax((2, 3)), 2, -1, True)
        x = _avg_pool(x, (3, 3), (2, 2), ((0, 1), (0, 1)), (1, 1), True, False)
        return y, z, x


def load(path="model.safetensors", device="cpu"):
    """The model with the weights in a file, ready for inference."""
    with torch.device("meta"):
        model = Model()
    model.load_state_dict(load_file(path, device=device), assign=True)
    return model.eval()
