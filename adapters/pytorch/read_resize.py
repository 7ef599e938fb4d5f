"""Reads what PyTorch has to resize, sample and shuffle images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from adapters.pytorch.aten import aten
from adapters.pytorch.reshaping import batched
from ir_hub.ir.dims import Dim
from ir_hub.ir.graph import Value
from ir_hub.ops.build import Builder
from ir_hub.sdk.operands import only


def _resized(
    b: Builder,
    x: Value,
    sizes: Sequence[Dim] | None,
    factors: Sequence[float | None] | None,
    **literals: Any,
) -> Any:
    if factors is not None and None not in factors:
        return b.resize(x, scale_factors=tuple(map(float, factors)), **literals)  # type: ignore[arg-type]
    only(sizes is not None, "resizing to no size")
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
        own = not any((scales, scales_d, scales_h, scales_w))
        only(own, "resizing to a size by another scale than its own")
        return _resized(b, x, output_size, None, **literals)

    return by_axis


for _n in (1, 2, 3):
    for _name, _literals_of in (
        ("upsample_nearest", _NEAREST),
        ("_upsample_nearest_exact", _EXACT),
    ):
        aten(f"{_name}{_n}d.vec")(_nearest_to(_literals_of))
        aten(f"{_name}{_n}d.default")(_nearest_by_axis(_literals_of))


def _smooth(mode: str, **literals: Any) -> Callable[..., Any]:
    def rule(
        b: Builder,
        x: Value,
        output_size: Sequence[Dim] | None,
        align_corners: bool,
        scale_factors: Sequence[float] | None = None,
    ) -> Any:
        coordinates = "align_corners" if align_corners else "half_pixel"
        given = {"mode": mode, "coordinates": coordinates, **literals}
        return _resized(b, x, output_size, scale_factors, **given)

    return rule


for _name, _mode in {
    "linear1d": "linear", "bilinear2d": "linear", "trilinear3d": "linear", "bicubic2d": "cubic",
}.items():  # fmt: skip
    aten(f"upsample_{_name}.vec")(_smooth(_mode))

# Smoothed, it weighs as Pillow does, and what lies outside the image has no weight.
_SMOOTHED: dict[str, Any] = {"antialias": True, "exclude_outside": True, "cubic_coeff_a": -0.5}
for _name, _mode in {"bilinear2d": "linear", "bicubic2d": "cubic"}.items():
    aten(f"_upsample_{_name}_aa.vec")(_smooth(_mode, **_SMOOTHED))


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
