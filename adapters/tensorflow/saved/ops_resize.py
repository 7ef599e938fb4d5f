"""Reads resizing of images."""

from __future__ import annotations

from typing import Any

from adapters.tensorflow.saved.reading import op
from adapters.tensorflow.saved.sizes import sizes_of
from ir_hub.ir.graph import Value
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.sdk.operands import cast, only


def _coordinates(align_corners: bool, half_pixel_centers: bool) -> str:
    only(not (align_corners and half_pixel_centers), "align_corners and half_pixel_centers")
    if align_corners:
        return "align_corners"
    return "half_pixel" if half_pixel_centers else "asymmetric"


@op("ResizeBilinear")
def bilinear(
    b: Builder, x: Value, size: Value, *, align_corners: bool, half_pixel_centers: bool
) -> Any:
    return b.resize(
        cast(b, x, DType.FLOAT32), sizes_of(size, "its size"), mode="linear",
        coordinates=_coordinates(align_corners, half_pixel_centers), axes="N*C->N*C",
    )  # fmt: skip


@op("ResizeNearestNeighbor")
def nearest(
    b: Builder, x: Value, size: Value, *, align_corners: bool, half_pixel_centers: bool
) -> Any:
    coordinates = _coordinates(align_corners, half_pixel_centers)
    return b.resize(
        x, sizes_of(size, "its size"), mode="nearest", coordinates=coordinates,
        nearest="floor" if coordinates == "asymmetric" else "round_prefer_ceil", axes="N*C->N*C",
    )  # fmt: skip
