"""Grids, regions of images, signals, losses."""

from __future__ import annotations

from typing import Any

from adapters.pytorch.dialect import Draft, pytorch
from ir_hub.codegen.spelling import Expr
from ir_hub.ir.graph import Node, Value
from ir_hub.ir.types import DType
from ir_hub.sdk.operands import only, rank_of

_GRID_MODES = {"linear": "bilinear", "nearest": "nearest", "cubic": "bicubic"}


@pytorch.write("grid_sample")
def _(node: Node) -> Expr:
    rank = rank_of(node.x)
    only(rank in (4, 5) and (node.mode != "cubic" or rank == 4), f"{node.mode} in {rank - 2} axes")
    cubic = node.mode == "cubic" and node.padding_mode == "border"
    only(not cubic, "cubic with a border: PyTorch clamps elements, not places")
    draft = Draft()
    given = [draft.tensors(node.x, node.grid)]
    if node.mode != "linear":
        given.append(f"mode={draft.literal(_GRID_MODES[node.mode], 'mode')}")
    if node.padding_mode != "zeros":
        given.append(f"padding_mode={draft.literal(node.padding_mode, 'padding_mode')}")
    given.append(f"align_corners={bool(node.align_corners)}")
    return draft.done(f"F.grid_sample({', '.join(given)})")


@pytorch.write("affine_grid")
def _(node: Node) -> Expr:
    draft = Draft()
    text = f"{draft.tensor(node.theta)}, {draft.sizes(node.size, 'size')}"
    return draft.done(f"F.affine_grid({text}, align_corners={bool(node.align_corners)})")


@pytorch.write("roi_align")
def _(node: Node) -> Expr:
    return _called("_roi_align", node, (node.x, node.rois, node.batch_indices), {
        "height": node.output_height,
        "width": node.output_width,
        "ratio": node.sampling_ratio,
        "scale": node.spatial_scale,
        "mode": node.mode,
        "half_pixel": node.coordinate_transformation_mode == "half_pixel",
    })  # fmt: skip


@pytorch.write("max_roi_pool")
def _(node: Node) -> Expr:
    literals = {"shape": node.pooled_shape, "scale": node.spatial_scale}
    return _called("_max_roi_pool", node, (node.x, node.rois), literals)


@pytorch.write("non_max_suppression")
def _(node: Node) -> Expr:
    names = ("max_output_boxes_per_class", "iou_threshold", "score_threshold")
    tensors = (node.boxes, node.scores, *(node.args[name] for name in names))
    return _called("_non_max_suppression", node, tensors, {"center": bool(node.center_point_box)})


def _called(name: str, node: Node, tensors: tuple[Any, ...], literals: dict[str, Any]) -> Expr:
    draft = Draft()
    given = ", ".join(draft.literal(item, key) for key, item in literals.items())
    return draft.done(f"{name}({draft.tensors(*tensors)}, {given})")


@pytorch.write("dft")
def _(node: Node) -> Expr:
    draft = Draft()
    only(node.x.dtype in (DType.FLOAT32, DType.FLOAT64), f"transforms of {node.x.dtype}")
    axis = node.axis % rank_of(node.x)
    only(node.x.shape[-1] in (1, 2), "whether it is complex isn't known")
    x = draft.tensor(node.x)
    signal = f"{x}[..., 0]" if node.x.shape[-1] == 1 else f"torch.view_as_complex({x}.contiguous())"
    length = "None"
    if node.dft_length is not None:
        known = isinstance(node.dft_length, tuple)
        length = draft.literal(node.dft_length[0], "n") if known else draft.number(node.dft_length)
    where = f"{length}, {draft.literal(axis, 'axis')}"
    if node.inverse and node.onesided:
        return draft.done(f"torch.fft.irfft({signal}, {where}).unsqueeze(-1)")
    kind = "ifft" if node.inverse else "fft"
    if node.onesided:
        only(node.x.shape[-1] == 1, "one side of the spectrum of a complex signal")
        kind = "rfft"
    return draft.done(f"torch.view_as_real(torch.fft.{kind}({signal}, {where}).resolve_conj())")


@pytorch.write("stft")
def _(node: Node) -> Expr:
    draft = Draft()
    only(node.signal.dtype in (DType.FLOAT32, DType.FLOAT64), f"transforms of {node.signal.dtype}")
    tensors = draft.tensors(node.signal, node.window)
    numbers = (_one(draft, node.frame_step, "step"), _one(draft, node.frame_length, "length"))
    return draft.done(f"_stft({tensors}, {', '.join(numbers)}, {bool(node.onesided)})")


def _one(draft: Draft, sizes: Any, name: str) -> str:
    """The one size in a vector of sizes, as a number."""
    if sizes is None:
        return "None"
    return draft.number(sizes) if isinstance(sizes, Value) else draft.literal(sizes[0], name)


@pytorch.write("hann_window", "hamming_window", "blackman_window")
def _(node: Node) -> Expr:
    draft = Draft()
    weights = {
        "hann_window": "(0.5, -0.5)",
        "hamming_window": "(25 / 46, -21 / 46)",
        "blackman_window": "(0.42, -0.5, 0.08)",
    }[node.op]
    size, dtype = _one(draft, node.size, "size"), draft.literal(node.output_dtype, "dtype")
    return draft.done(f"_cosine_window({size}, {bool(node.periodic)}, {weights}).to({dtype})")


@pytorch.write("mel_weight_matrix")
def _(node: Node) -> Expr:
    draft = Draft()
    sizes = (_one(draft, node.num_mel_bins, "bins"), _one(draft, node.dft_length, "length"))
    edges = (node.sample_rate, node.lower_edge_hertz, node.upper_edge_hertz)
    given = ", ".join([*sizes, *(draft.number(value) for value in edges)])
    dtype = draft.literal(node.output_dtype, "dtype")
    return draft.done(f"_mel_weight_matrix({given}).to({dtype})")


@pytorch.write("nll_loss")
def _(node: Node) -> Expr:
    draft = Draft()
    return draft.done(f"F.nll_loss({_loss_arguments(node, draft)})")


@pytorch.write("softmax_cross_entropy_loss")
def _(node: Node) -> Expr:
    draft = Draft()
    x, given = draft.tensor(node.x), _loss_arguments(node, draft)
    return draft.done(f"(F.cross_entropy({given}), F.log_softmax({x}, dim=1))")


def _loss_arguments(node: Node, draft: Draft) -> str:
    given = [draft.tensor(node.x)]
    long = "" if node.target.dtype is DType.INT64 else ".long()"
    given.append(draft.tensor(node.target) + long)
    if node.weight is not None:
        given.append(f"weight={draft.tensor(node.weight)}")
    # PyTorch ignores -100 unless told otherwise; no class has this number.
    ignored = node.ignore_index if node.ignore_index is not None else -(2**31)
    given.append(f"ignore_index={draft.literal(ignored, 'ignore_index')}")
    if node.reduction != "mean":
        given.append(f"reduction={draft.literal(node.reduction, 'reduction')}")
    return ", ".join(given)
