"""Reading images at computed places, regions of images, and anchor boxes."""

from __future__ import annotations

from typing import Any

import numpy as np

from adapters.mxnet.dialect import Reading, reads
from adapters.mxnet.read_linear import whole
from adapters.mxnet.read_spatial import window
from ir_hub.ir.graph import Value
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import Unsupported

# MXNet's grids are (N, 2, height, width), ours (N, height, width, 2).
_OURS, _THEIRS = (0, 2, 3, 1), (0, 3, 1, 2)


def _read_at(x: Value, grid: Value, b: Builder) -> Any:
    return b.grid_sample(x, grid, padding_mode="zeros", align_corners=True)


@reads("BilinearSampler")
def _(node: Reading, b: Builder) -> Any:
    x, grid = node.operands
    return _read_at(x, b.transpose(grid, perm=_OURS), b)


@reads("GridGenerator")
def _(node: Reading, b: Builder) -> Any:
    kind = node.text("transform_type")
    node.only(kind in ("affine", "warp"), f"transform_type={kind!r}")
    size = node.integers("target_shape")
    if kind == "affine":
        return b.transpose(_affine(node, node.x, size, b), perm=_THEIRS)
    height, width = _known(node)
    places = np.stack(np.meshgrid(np.arange(width), np.arange(height))).astype(np.float32)
    scale = np.array([2 / (width - 1), 2 / (height - 1)], np.float32).reshape(2, 1, 1)
    moved = b.add(node.x, b.constant(places, node.x.dtype))
    return b.sub(b.mul(moved, b.constant(scale, node.x.dtype)), 1.0)


@reads("SpatialTransformer")
def _(node: Reading, b: Builder) -> Any:
    kinds = node.text("transform_type"), node.text("sampler_type")
    node.only(kinds == ("affine", "bilinear"), f"it is {' and '.join(kinds)}")
    size = node.integers("target_shape")
    size = size if any(size) else node.shape()[2:]
    return _read_at(node.x, _affine(node, node.operand(1), size, b), b)


def _affine(node: Reading, theta: Value, size: Any, b: Builder) -> Any:
    """The grid of affine maps, which MXNet has as rows of six numbers."""
    node.only(len(size) == 2 and all(size), "its target_shape isn't two sizes")
    batch = node.shape(0)[0]
    return b.affine_grid(b.reshape(theta, (-1, 2, 3)), (batch, 1, *size), align_corners=True)


def _known(node: Reading) -> tuple[int, int]:
    """The height and width of the first operand, which must be numbers."""
    height, width = node.shape()[2:]
    node.only(
        isinstance(height, int) and isinstance(width, int),
        "it needs the height and width: give the shapes of the model's inputs",
    )
    return height, width  # type: ignore[return-value]


@reads("_contrib_ModulatedDeformableConvolution")
def _(node: Reading, b: Builder) -> Any:
    node.integer("im2col_step"), node.text("layout")
    x, offset, mask, weight, *bias = node.operands
    node.agree("num_filter", weight, 0)
    node.only(len(bias) == (0 if node.flag("no_bias") else 1), "its operands aren't its weights")
    return b.deform_conv(
        x, weight, offset, bias[0] if bias else None, mask,
        **window(node, node.integers("kernel")),
        groups=node.integer("num_group", 1), offset_groups=node.integer("num_deformable_group", 1),
    )  # fmt: skip


@reads("_contrib_DeformableConvolution")
def _(node: Reading, b: Builder) -> Any:
    raise Unsupported(
        "MXNet reads beyond the outermost elements otherwise than every other framework; "
        "_contrib_ModulatedDeformableConvolution is read"
    )


@reads("_contrib_ROIAlign")
def _(node: Reading, b: Builder) -> Any:
    """Regions are rows of an image's number and two corners."""
    height, width = node.integers("pooled_size")
    samples, aligned = node.integer("sample_ratio", -1), node.flag("aligned")
    node.only(not node.flag("position_sensitive"), "its channels depend on the bin")
    image, corners = b.split(node.operand(1), (1, 4), axis=1, count=2)
    return b.roi_align(
        node.x, corners, whole(b.squeeze(image, (1,)), b),
        coordinate_transformation_mode="half_pixel" if aligned else "output_half_pixel",
        output_height=height, output_width=width, sampling_ratio=max(samples, 0),
        spatial_scale=node.number("spatial_scale"),
    )  # fmt: skip


@reads("ROIPooling")
def _(node: Reading, b: Builder) -> Any:
    size, scale = node.integers("pooled_size"), node.number("spatial_scale")
    return b.max_roi_pool(*node.operands, pooled_shape=size, spatial_scale=scale)


@reads("_contrib_MultiBoxPrior")
def _(node: Reading, b: Builder) -> Any:
    """Boxes around every place of a feature map, which depend on its size alone: every size with
    the first ratio, then the first size with every other ratio."""
    height, width = _known(node)
    sizes, ratios = node.numbers("sizes", (1.0,)), np.sqrt(node.numbers("ratios", (1.0,)))
    steps, offsets = node.numbers("steps", (-1.0, -1.0)), node.numbers("offsets", (0.5, 0.5))
    step = [given if given > 0 else 1 / count
            for given, count in zip(steps, (height, width), strict=True)]  # fmt: skip
    pairs = [(size, ratios[0]) for size in sizes] + [(sizes[0], ratio) for ratio in ratios[1:]]
    halves = np.array([(s * height / width * r / 2, s / r / 2) for s, r in pairs])
    y, x = np.meshgrid(
        (np.arange(height) + offsets[0]) * step[0],
        (np.arange(width) + offsets[1]) * step[1],
        indexing="ij",
    )
    centres = np.stack([x, y], axis=-1)[:, :, None]
    boxes = np.concatenate([centres - halves, centres + halves], axis=-1).reshape(1, -1, 4)
    if node.flag("clip"):
        boxes = np.clip(boxes, 0, 1)
    return b.identity(b.constant(boxes.astype(np.float32), node.x.dtype))
