"""Reading images at computed places, and regions of images, as Gluon code."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.mxnet.dialect import mxnet
from adapters.mxnet.gluon import GluonDraft, in_order, is_computed, known
from ir_hub.codegen.spelling import Expr
from ir_hub.ir.graph import Node
from ir_hub.ir.types import DType
from ir_hub.sdk.operands import known_sizes, only, rank_of


@mxnet.write("grid_sample")
def _(node: Node) -> Expr:
    """MXNet has a grid's two axes behind the batch, and counts to the outermost middles."""
    in_order(node)
    only(rank_of(node.x) == 4, "MXNet reads images only")
    only(node.mode == "linear", f"MXNet has no {node.mode} reading at places")
    only(node.padding_mode != "reflection", "MXNet doesn't reflect places")
    is_computed(node.x, node.grid)
    draft = GluonDraft()
    x, grid = draft.tensor(node.x), f"F.transpose({draft.tensor(node.grid)}, axes=(0, 3, 1, 2))"
    height, width = node.x.shape[2:]
    if not node.align_corners:
        sized = isinstance(height, int) and isinstance(width, int)
        known(sized, "MXNet counts to the edges of images of known sizes only")
        only(min(height, width) > 1, "its images have one row or column")
        grid = _scaled(grid, 1, (width / (width - 1), height / (height - 1)))
    if node.padding_mode == "border":
        grid = f"F.clip({grid}, -1, 1)"
    return draft.done(f"F.BilinearSampler({x}, {grid})")


@mxnet.write("affine_grid")
def _(node: Node) -> Expr:
    only(rank_of(node.theta) == 3 and node.theta.shape[1] == 2, "MXNet maps images only")
    only(node.theta.dtype is DType.FLOAT32, "MXNet maps by numbers of float32 only")
    height, width = known_sizes(node.size, "its size is computed")[2:]
    known(isinstance(height, int) and isinstance(width, int), "its size has open sizes")
    only(min(height, width) > 1, "its images have one row or column")
    draft = GluonDraft()
    theta = draft.tensor(node.theta)
    if not node.align_corners:
        theta = _scaled(theta, 2, ((width - 1) / width, (height - 1) / height, 1))
    target = draft.literal((height, width), "target_shape")
    flat = f"F.reshape({theta}, shape=(0, -1))"
    made = f'F.GridGenerator({flat}, transform_type="affine", target_shape={target})'
    return draft.done(f"F.transpose({made}, axes=(0, 2, 3, 1))")


def _scaled(text: str, axis: int, factors: Sequence[float]) -> str:
    """Code of a tensor whose elements along an axis are each times a factor."""
    parts = [
        f"F.slice_axis({text}, axis={axis}, begin={i}, end={i + 1}) * {factor!r}"
        for i, factor in enumerate(factors)
    ]
    return f"F.concat({', '.join(parts)}, dim={axis})"


@mxnet.write("roi_align")
def _(node: Node) -> Expr:
    only(node.mode == "avg", f"MXNet has no {node.mode} of a region's samples")
    is_computed(node.x, node.rois)
    draft = GluonDraft()
    x, rois, images = (draft.tensor(v) for v in (node.x, node.rois, node.batch_indices))
    images = f'F.expand_dims(F.cast({images}, dtype="float32"), axis=1)'
    size = draft.literal((node.output_height, node.output_width), "pooled_size")
    scale = draft.literal(node.spatial_scale, "spatial_scale")
    given = f"pooled_size={size}, spatial_scale={scale}"
    if node.sampling_ratio:
        given += f", sample_ratio={draft.literal(node.sampling_ratio, 'sample_ratio')}"
    if node.coordinate_transformation_mode == "half_pixel":
        given += ", aligned=True"
    return draft.done(f"F.contrib.ROIAlign({x}, F.concat({images}, {rois}, dim=1), {given})")


@mxnet.write("max_roi_pool")
def _(node: Node) -> Expr:
    is_computed(node.x, node.rois)
    draft = GluonDraft()
    tensors = draft.tensors(node.x, node.rois)
    size = draft.literal(node.pooled_shape, "pooled_size")
    scale = draft.literal(node.spatial_scale, "spatial_scale")
    return draft.done(f"F.ROIPooling({tensors}, pooled_size={size}, spatial_scale={scale})")


@mxnet.write("deform_conv")
def _(node: Node) -> Expr:
    is_computed(node.x, node.weight, node.offset, node.bias, node.mask)
    only(len(node.strides) == 2, "MXNet moves the windows of images only")
    only(all(a == b for a, b in node.pads), "its padding differs from side to side")
    out, _, *kernel = node.weight.shape
    draft = GluonDraft()
    x, offset, weight = (draft.tensor(v) for v in (node.x, node.offset, node.weight))
    count = node.offset_groups * kernel[0] * kernel[1]
    mask = f"F.ones_like(F.slice_axis({offset}, axis=1, begin=0, end={count}))"
    mask = mask if node.mask is None else draft.tensor(node.mask)
    bias = "" if node.bias is None else f", {draft.tensor(node.bias)}"
    literals = {
        "kernel": tuple(kernel), "stride": node.strides, "pad": tuple(a for a, _ in node.pads),
        "dilate": node.dilations, "num_filter": out, "num_group": node.groups,
        "num_deformable_group": node.offset_groups, "no_bias": node.bias is None,
    }  # fmt: skip
    given = ", ".join(f"{name}={draft.literal(item, name)}" for name, item in literals.items())
    function = "F.contrib.ModulatedDeformableConvolution"
    return draft.done(f"{function}({x}, {offset}, {mask}, {weight}{bias}, {given})")
