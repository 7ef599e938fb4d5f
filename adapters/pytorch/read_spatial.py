"""Reads PyTorch's convolutions, pools and resizing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adapters.pytorch.aten import aten, expect, rank_of, shape_of
from ir_hub.ir.dims import Dim
from ir_hub.ir.graph import Value
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import Unsupported

Ints = int | Sequence[int]


def spread(item: Ints, count: int) -> tuple[int, ...]:
    """One number for all axes, or one for each."""
    items = (item,) if isinstance(item, int) else tuple(item)
    return items * count if len(items) == 1 else items


def batched(b: Builder, x: Value, spatial: int, run: Callable[[Value], Any]) -> Any:
    """Runs an op that needs a batch on what may be one sample alone."""
    if rank_of(x) == spatial + 2:
        return run(x)
    expect(rank_of(x) == spatial + 1, f"{rank_of(x)} axes where {spatial} are spatial")
    return b.squeeze(run(b.unsqueeze(x, (0,))), (0,))


def _conv(
    b: Builder,
    x: Value,
    weight: Value,
    bias: Value | None = None,
    stride: Ints = 1,
    padding: Ints | str = 0,
    dilation: Ints = 1,
    groups: int = 1,
) -> Any:
    spatial = rank_of(weight) - 2
    strides, dilations = spread(stride, spatial), spread(dilation, spatial)
    if isinstance(padding, str):
        pads = _named_pads(padding, shape_of(weight)[2:], dilations)
    else:
        pads = tuple((p, p) for p in spread(padding, spatial))
    literals = {"strides": strides, "pads": pads, "dilations": dilations, "groups": groups}
    return batched(b, x, spatial, lambda x: b.conv(x, weight, bias, **literals))


def _named_pads(
    padding: str, kernel: Sequence[Dim], dilations: Sequence[int]
) -> tuple[tuple[int, int], ...]:
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    expect(padding == "same", f"the padding {padding!r}")
    totals = [d * (int(k) - 1) for k, d in zip(kernel, dilations, strict=True)]  # type: ignore[arg-type]
    return tuple((total // 2, total - total // 2) for total in totals)


for _n in (1, 2, 3):
    aten(f"conv{_n}d.default", f"conv{_n}d.padding")(_conv)


def _conv_transpose(
    b: Builder,
    x: Value,
    weight: Value,
    bias: Value | None = None,
    stride: Ints = 1,
    padding: Ints = 0,
    output_padding: Ints = 0,
    groups: int = 1,
    dilation: Ints = 1,
) -> Any:
    spatial = rank_of(weight) - 2
    literals = {
        "strides": spread(stride, spatial),
        "pads": tuple((p, p) for p in spread(padding, spatial)),
        "dilations": spread(dilation, spatial),
        "output_padding": spread(output_padding, spatial),
        "groups": groups,
    }
    return batched(b, x, spatial, lambda x: b.conv_transpose(x, weight, bias, **literals))


for _n, _name in ((1, "default"), (2, "input"), (3, "input")):
    aten(f"conv_transpose{_n}d.{_name}")(_conv_transpose)


@aten("convolution.default")
def convolution(
    b: Builder,
    x: Value,
    weight: Value,
    bias: Value | None,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
    transposed: bool,
    output_padding: Ints,
    groups: int,
) -> Any:
    if transposed:
        given = (stride, padding, output_padding, groups, dilation)
        return _conv_transpose(b, x, weight, bias, *given)
    return _conv(b, x, weight, bias, stride, padding, dilation, groups)


def _window(spatial: int, kernel: Ints, stride: Ints, padding: Ints) -> dict[str, Any]:
    kernel = spread(kernel, spatial)
    return {
        "kernel": kernel,
        "strides": spread(stride, spatial) if stride != () else kernel,
        "pads": tuple((p, p) for p in spread(padding, spatial)),
    }


def _max_pool(spatial: int) -> Callable[..., Any]:
    def rule(
        b: Builder,
        x: Value,
        kernel_size: Ints,
        stride: Ints = (),
        padding: Ints = 0,
        dilation: Ints = 1,
        ceil_mode: bool = False,
    ) -> Any:
        literals = _window(spatial, kernel_size, stride, padding)
        literals |= {"dilations": spread(dilation, spatial), "ceil_mode": ceil_mode}
        return batched(b, x, spatial, lambda x: b.max_pool(x, **literals))

    return rule


def _max_pool_alone(spatial: int) -> Callable[..., Any]:
    """The indices are of another kind than ours: refused where something reads them."""
    pool = _max_pool(spatial)

    def rule(b: Builder, x: Value, kernel_size: Ints, stride: Ints = (), padding: Ints = 0,
             dilation: Ints = 1, ceil_mode: bool = False) -> Any:  # fmt: skip
        found = pool(b, x, kernel_size, stride, padding, dilation, ceil_mode)
        return found, Value("indices")

    return rule


def _avg_pool(spatial: int) -> Callable[..., Any]:
    def rule(
        b: Builder,
        x: Value,
        kernel_size: Ints,
        stride: Ints = (),
        padding: Ints = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> Any:
        expect(divisor_override is None, "avg_pool with a divisor of its own")
        literals = _window(spatial, kernel_size, stride, padding)
        literals |= {"dilations": (1,) * spatial, "ceil_mode": ceil_mode}
        padded = any(map(any, literals["pads"]))
        literals["count_include_pad"] = count_include_pad and padded
        return batched(b, x, spatial, lambda x: b.avg_pool(x, **literals))

    return rule


def _adaptive_avg_pool(spatial: int) -> Callable[..., Any]:
    def rule(b: Builder, x: Value, output_size: Sequence[int]) -> Any:
        return batched(b, x, spatial, lambda x: _adaptive_mean(b, x, spread(output_size, spatial)))

    return rule


def _adaptive_max_pool(spatial: int) -> Callable[..., Any]:
    def rule(b: Builder, x: Value, output_size: Sequence[int]) -> Any:
        sizes = spread(output_size, spatial)
        return batched(b, x, spatial, lambda x: _adaptive_max(b, x, sizes)), Value("indices")

    return rule


for _n in (1, 2, 3):
    aten(f"max_pool{_n}d.default")(_max_pool(_n))
    aten(f"max_pool{_n}d_with_indices.default")(_max_pool_alone(_n))
    aten(f"avg_pool{_n}d.default")(_avg_pool(_n))
    aten(f"adaptive_avg_pool{_n}d.default", f"_adaptive_avg_pool{_n}d.default")(
        _adaptive_avg_pool(_n)
    )
    aten(f"adaptive_max_pool{_n}d.default")(_adaptive_max_pool(_n))


def _adaptive_mean(b: Builder, x: Value, sizes: tuple[int, ...]) -> Any:
    """Pools to a fixed size: global, in equal windows, or axis by axis as a matrix of means."""
    if all(size == 1 for size in sizes):
        return b.global_avg_pool(x)
    windows = _windows(x, sizes)
    if all(kernel is not None for _, kernel, _ in windows):
        return x if _is_whole(windows) else b.avg_pool(x, **_literals(windows))
    count = rank_of(x)
    for axis, (ends, _, size) in enumerate(windows, start=2):
        means = np.zeros((size, len(ends)), x.dtype.numpy)  # type: ignore[union-attr]
        for i, (start, end) in enumerate(ends):
            means[start:end, i] = 1 / (end - start)
        order = [*range(axis), *range(axis + 1, count), axis]
        back = [*range(axis), count - 1, *range(axis, count - 1)]
        turned = x if axis == count - 1 else b.transpose(x, perm=tuple(order))
        x = b.matmul(turned, b.constant(means))
        x = x if axis == count - 1 else b.transpose(x, perm=tuple(back))
    return x


def _adaptive_max(b: Builder, x: Value, sizes: tuple[int, ...]) -> Any:
    if all(size == 1 for size in sizes):
        return b.global_max_pool(x)
    windows = _windows(x, sizes)
    expect(all(k is not None for _, k, _ in windows), "adaptive_max_pool of unequal windows")
    return x if _is_whole(windows) else b.max_pool(x, **_literals(windows))


Window = tuple[list[tuple[int, int]], tuple[int, int] | None, int]


def _windows(x: Value, sizes: tuple[int, ...]) -> list[Window]:
    """For each axis the windows that PyTorch pools, as (kernel, stride) too where they are equal
    and equally far apart, and its size."""
    found: list[Window] = []
    for size, wanted in zip(shape_of(x)[2:], sizes, strict=True):
        if not isinstance(size, int):
            raise Unsupported(f"an adaptive pool of the size {size} to {wanted}")
        ends = [(i * size // wanted, -(-(i + 1) * size // wanted)) for i in range(wanted)]
        kernels = {end - start for start, end in ends}
        strides = {b[0] - a[0] for a, b in zip(ends, ends[1:], strict=False)} or {size}
        even = len(kernels) == len(strides) == 1
        found.append((ends, (kernels.pop(), strides.pop()) if even else None, size))
    return found


def _is_whole(windows: list[Window]) -> bool:
    return all(step == (1, 1) for _, step, _ in windows)


def _literals(windows: list[Window]) -> dict[str, Any]:
    steps = [step for _, step, _ in windows if step is not None]
    return {
        "kernel": tuple(kernel for kernel, _ in steps),
        "strides": tuple(stride for _, stride in steps),
        "pads": ((0, 0),) * len(steps),
        "dilations": (1,) * len(steps),
    }


def _resized(
    b: Builder,
    x: Value,
    sizes: Sequence[Dim] | None,
    factors: Sequence[float | None] | None,
    **literals: Any,
) -> Any:
    if factors is not None and None not in factors:
        return b.resize(x, scale_factors=tuple(map(float, factors)), **literals)  # type: ignore[arg-type]
    expect(sizes is not None, "resizing to no size")
    return b.resize(x, tuple(sizes or ()), **literals)


_NEAREST = {"mode": "nearest", "coordinates": "asymmetric", "nearest": "floor"}
_EXACT = {"mode": "nearest", "coordinates": "half_pixel", "nearest": "round_prefer_ceil"}


def _nearest_to(literals: dict[str, str]) -> Callable[..., Any]:
    def by_vector(
        b: Builder,
        x: Value,
        output_size: Sequence[Dim] | None,
        scale_factors: Sequence[float] | None,
    ) -> Any:
        return _resized(b, x, output_size, scale_factors, **literals)

    return by_vector


def _nearest_by_axis(literals: dict[str, str]) -> Callable[..., Any]:
    def by_axis(
        b: Builder,
        x: Value,
        output_size: Sequence[Dim],
        scales: float | None = None,
        scales_d: float | None = None,
        scales_h: float | None = None,
        scales_w: float | None = None,
    ) -> Any:
        scales = [scales, scales_d, scales_h, scales_w]
        expect(not any(scales), "resizing to a size by another scale than its own")
        return _resized(b, x, output_size, None, **literals)

    return by_axis


for _n in (1, 2, 3):
    for _name, _literals_of in (
        ("upsample_nearest", _NEAREST),
        ("_upsample_nearest_exact", _EXACT),
    ):
        aten(f"{_name}{_n}d.vec")(_nearest_to(_literals_of))
        aten(f"{_name}{_n}d.default")(_nearest_by_axis(_literals_of))


def _smooth(mode: str) -> Callable[..., Any]:
    def rule(
        b: Builder,
        x: Value,
        output_size: Sequence[Dim] | None,
        align_corners: bool,
        scale_factors: Sequence[float] | None = None,
    ) -> Any:
        coordinates = "align_corners" if align_corners else "half_pixel"
        return _resized(b, x, output_size, scale_factors, mode=mode, coordinates=coordinates)

    return rule


for _name, _mode in {
    "linear1d": "linear", "bilinear2d": "linear", "trilinear3d": "linear", "bicubic2d": "cubic",
}.items():  # fmt: skip
    aten(f"upsample_{_name}.vec")(_smooth(_mode))


@aten("grid_sampler.default", "grid_sampler_2d.default")
def grid_sampler(
    b: Builder,
    x: Value,
    grid: Value,
    interpolation_mode: int,
    padding_mode: int,
    align_corners: bool,
) -> Any:
    mode = ("linear", "nearest", "cubic")[interpolation_mode]
    padding = ("zeros", "border", "reflection")[padding_mode]
    return b.grid_sample(x, grid, mode=mode, padding_mode=padding, align_corners=align_corners)


@aten("affine_grid_generator.default")
def affine_grid_generator(
    b: Builder, theta: Value, size: Sequence[Dim], align_corners: bool
) -> Any:
    return b.affine_grid(theta, tuple(size), align_corners=align_corners)


@aten("pixel_shuffle.default")
def pixel_shuffle(b: Builder, x: Value, upscale_factor: int) -> Any:
    return batched(b, x, 2, lambda x: b.depth_to_space(x, block=upscale_factor, mode="CRD"))


@aten("pixel_unshuffle.default")
def pixel_unshuffle(b: Builder, x: Value, downscale_factor: int) -> Any:
    return batched(b, x, 2, lambda x: b.space_to_depth(x, block=downscale_factor, mode="CRD"))


@aten("channel_shuffle.default")
def channel_shuffle(b: Builder, x: Value, groups: int) -> Any:
    return b.channel_shuffle(x, groups=groups)
