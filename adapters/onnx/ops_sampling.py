"""ONNX's ops that sample at computed places, and those on regions of interest."""

from __future__ import annotations

from typing import Any

from adapters.onnx.dialect import only, rank_of, table
from adapters.onnx.windows import flat_pads, kernel_of, paired, window_literals
from ir_hub.ir.graph import Node, Value
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import Call, Unsupported

_OLD_MODES = {"bilinear": "linear", "bicubic": "cubic"}

table.same(
    "grid_sample",
    "GridSample",
    since=20,
    mode="mode",
    padding_mode="padding_mode",
    align_corners="align_corners",
)
table.same("affine_grid", "AffineGrid", since=20, align_corners="align_corners")
table.same(
    "max_roi_pool",
    "MaxRoiPool",
    pooled_shape="pooled_shape",
    spatial_scale="spatial_scale",
)
table.same(
    "roi_align",
    "RoiAlign",
    since=16,
    coordinate_transformation_mode="coordinate_transformation_mode",
    mode="mode",
    output_height="output_height",
    output_width="output_width",
    sampling_ratio="sampling_ratio",
    spatial_scale="spatial_scale",
)
table.same(
    "non_max_suppression", "NonMaxSuppression", since=10, center_point_box="center_point_box"
)


@table.read("GridSample", since=16)
def grid_sample(call: Call, b: Builder) -> Any:
    only(call, "mode", "padding_mode", "align_corners")
    mode = call.attrs.get("mode", "bilinear")
    return b.grid_sample(
        *call.inputs,
        mode=_OLD_MODES.get(mode, mode),
        padding_mode=call.attrs.get("padding_mode", "zeros"),
        align_corners=bool(call.attrs.get("align_corners", 0)),
    )


@table.read("RoiAlign", since=10)
def roi_align_by_corners(call: Call, b: Builder) -> Any:
    """Before opset 16 coordinates weren't moved by half a pixel."""
    only(call, "mode", "output_height", "output_width", "sampling_ratio", "spatial_scale")
    literals = dict(call.attrs)
    return b.roi_align(*call.inputs, coordinate_transformation_mode="output_half_pixel", **literals)


@table.read("DeformConv", since=19)
def deform_conv(call: Call, b: Builder) -> Any:
    only(call, "kernel_shape", "strides", "pads", "dilations", "group", "offset_group")
    return b.deform_conv(
        *call.inputs,
        **window_literals(call, kernel_of(call, call.inputs[1])),
        groups=call.attrs.get("group", 1),
        offset_groups=call.attrs.get("offset_group", 1),
    )


@table.write("deform_conv", since=19)
def write_deform_conv(node: Node, emitter: Any) -> Any:
    attributes = {
        "strides": node.strides,
        "pads": flat_pads(node.pads),
        "dilations": node.dilations,
        "group": node.groups,
        "offset_group": node.offset_groups,
    }
    tensors = [node.x, node.weight, node.offset, node.bias, node.mask]
    return emitter.node("DeformConv", tensors, attributes)


@table.read("Col2Im", since=18)
def col2im(call: Call, b: Builder) -> Any:
    only(call, "dilations", "pads", "strides")
    count = _length(call.inputs[2])
    return b.col2im(
        *call.inputs,
        dilations=tuple(call.attrs.get("dilations") or (1,) * count),
        pads=paired(call.attrs.get("pads"), count),
        strides=tuple(call.attrs.get("strides") or (1,) * count),
    )


def _length(vector: Value | None) -> int:
    """How many elements a vector has; Unsupported when only the run knows it."""
    rank_of(vector, "the block's shape")
    assert vector is not None
    assert vector.shape is not None
    if not isinstance(vector.shape[0], int):
        raise Unsupported("how many axes the blocks of Col2Im have isn't known")
    return vector.shape[0]


@table.write("col2im", since=18)
def write_col2im(node: Node, emitter: Any) -> Any:
    attributes = {
        "dilations": node.dilations,
        "pads": flat_pads(node.pads),
        "strides": node.strides,
    }
    return emitter.node("Col2Im", [node.x, node.image_shape, node.block_shape], attributes)
