"""Normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np

from adapters.pytorch.dialect import HALVES, Draft, pytorch
from ir_hub.codegen.draft import plain
from ir_hub.codegen.spelling import Expr, Layer
from ir_hub.ir.graph import Node, Value, constant
from ir_hub.ir.types import DType
from ir_hub.sdk.operands import only, rank_of

# The layers count the batches that they were trained with; the count is a key of their state.
_BATCHES = {"num_batches_tracked": constant(np.zeros((), np.int64), "")}


@pytorch.write("batch_norm")
def _(node: Node) -> Layer | Expr:
    parts = {"weight": "scale", "bias": "bias", "running_mean": "mean", "running_var": "var"}
    params = {theirs: node.args[mine] for theirs, mine in parts.items()}
    rank = None if node.x.shape is None else len(node.x.shape)
    on_channels = node.axis == 1 or (rank is not None and node.axis + rank == 1)
    if not on_channels or rank == 1:
        return _batch_norm_elsewhere(node)
    same = {value.dtype for value in (node.x, *params.values())}
    if _constant(params) and rank is not None and rank <= 5 and len(same) == 1:
        kwargs = {
            "num_features": node.scale.shape[0],
            "eps": node.eps,
            "momentum": round(1 - node.momentum, 9),
        }
        ctor = f"nn.BatchNorm{max(rank - 2, 1)}d"
        params |= _BATCHES
        return Layer(ctor, [node.x], kwargs, {"eps": 1e-05, "momentum": 0.1}, params, 1)  # type: ignore[arg-type]
    draft = Draft()
    x, tensors = draft.tensor(node.x), [node.mean, node.var, node.scale, node.bias]
    given = ", ".join(_like(draft, value, node.x) for value in tensors)
    return draft.done(f"F.batch_norm({x}, {given}, eps={draft.literal(node.eps, 'eps')})")


def _batch_norm_elsewhere(node: Node) -> Expr:
    """Along another axis than 1, which PyTorch's is."""
    draft = Draft()
    x, axis = draft.tensor(node.x), draft.literal(node.axis, "axis")
    given = ", ".join(_like(draft, v, node.x) for v in (node.mean, node.var, node.scale, node.bias))
    eps = draft.literal(node.eps, "eps")
    if node.x.shape is not None and len(node.x.shape) == 1:
        return draft.done(f"F.batch_norm({x}[None], {given}, eps={eps})[0]")
    turned = f"{x}.movedim({axis}, 1)"
    return draft.done(f"F.batch_norm({turned}, {given}, eps={eps}).movedim(1, {axis})")


@pytorch.write("batch_norm_training")
def _(node: Node) -> Expr:
    draft = Draft()
    tensors = draft.tensors(node.x, node.scale, node.bias, node.mean, node.var)
    literals = {"eps": node.eps, "momentum": node.momentum, "axis": node.axis}
    given = ", ".join(draft.literal(item, name) for name, item in literals.items())
    return draft.done(f"_batch_norm_training({tensors}, {given})")


@pytorch.write("layer_norm")
def _(node: Node) -> Layer | Expr:
    axes = _last_axes(node)
    params = {k: node.args[k] for k in ("weight", "bias") if node.args[k] is not None}
    fits = axes is not None and all(v.shape == axes for v in params.values())  # type: ignore[union-attr]
    fits = fits and ("weight" in params or not params) and _same_type(node, params)
    if axes is not None and fits and _constant(params):
        kwargs = {
            "normalized_shape": plain(axes) if len(axes) == 1 else axes,
            "eps": node.eps,
            "elementwise_affine": "weight" in params,
            "bias": "bias" in params or not params,
        }
        defaults = {"eps": 1e-05, "elementwise_affine": True, "bias": True}
        return Layer("nn.LayerNorm", [node.x], kwargs, defaults, params, positional=1)  # type: ignore[arg-type]
    draft = Draft()
    x, eps = draft.tensor(node.x), draft.literal(node.eps, "eps")
    shape = _shape_text(node, draft, axes)
    weights = "".join(f", {draft.tensor(value)}" for value in params.values()) if fits else ""  # type: ignore[arg-type]
    text = f"F.layer_norm({x}, {shape}{weights}, eps={eps})"
    if fits:
        return draft.done(text)
    only(_same_type(node, params), "its weights are of another type")
    text += "" if node.weight is None else f" * {draft.tensor(node.weight)}"
    text += "" if node.bias is None else f" + {draft.tensor(node.bias)}"
    return draft.done(text)


@pytorch.write("layer_norm_stats")
def _(node: Node) -> Expr:
    draft = Draft()
    tensors = draft.tensors(node.x, node.weight, node.bias)
    axis, eps = draft.literal(node.axis, "axis"), draft.literal(node.eps, "eps")
    return draft.done(f"_layer_norm({tensors}, {axis}, {eps})")


@pytorch.write("rms_norm")
def _(node: Node) -> Layer | Expr:
    axes = _last_axes(node)
    fits = axes is not None and node.weight.shape == axes and node.weight.dtype is node.x.dtype
    if axes is not None and fits and node.weight.is_constant:
        kwargs = {"normalized_shape": plain(axes) if len(axes) == 1 else axes, "eps": node.eps}
        return Layer("nn.RMSNorm", [node.x], kwargs, {"eps": None}, {"weight": node.weight}, 1)
    draft = Draft()
    x, eps = draft.tensor(node.x), draft.literal(node.eps, "eps")
    shape = _shape_text(node, draft, axes)
    if fits:
        return draft.done(f"F.rms_norm({x}, {shape}, {draft.tensor(node.weight)}, eps={eps})")
    only(node.weight.dtype is node.x.dtype, "its weight is of another type")
    text = f"F.rms_norm({x}, {shape}, eps={eps}) * {draft.tensor(node.weight)}"
    return draft.done(text)


@pytorch.write("group_norm")
def _(node: Node) -> Layer | Expr:
    params = {"weight": node.weight, "bias": node.bias}
    if _constant(params) and _same_type(node, params):
        channels = node.weight.shape[0]
        kwargs = {"num_groups": node.groups, "num_channels": channels, "eps": node.eps}
        return Layer("nn.GroupNorm", [node.x], kwargs, {"eps": 1e-05}, params, positional=2)
    draft = Draft()
    groups, eps = draft.literal(node.groups, "groups"), draft.literal(node.eps, "eps")
    weights = ", ".join(_like(draft, value, node.x) for value in params.values())
    return draft.done(f"F.group_norm({draft.tensor(node.x)}, {groups}, {weights}, eps={eps})")


@pytorch.write("instance_norm")
def _(node: Node) -> Layer | Expr:
    params = {"weight": node.weight, "bias": node.bias}
    rank = rank_of(node.x)
    if _constant(params) and 3 <= rank <= 5 and _same_type(node, params):
        kwargs = {"num_features": node.weight.shape[0], "eps": node.eps, "affine": True}
        ctor, defaults = f"nn.InstanceNorm{rank - 2}d", {"eps": 1e-05, "affine": False}
        return Layer(ctor, [node.x], kwargs, defaults, params, positional=1)
    draft = Draft()
    x, eps = draft.tensor(node.x), draft.literal(node.eps, "eps")
    weight, bias = (_like(draft, value, node.x) for value in params.values())
    return draft.done(f"F.group_norm({x}, {x}.shape[1], {weight}, {bias}, eps={eps})")


@pytorch.write("lrn")
def _(node: Node) -> Layer | Expr:
    literals = {"size": node.size, "alpha": node.alpha, "beta": node.beta, "k": node.bias}
    if node.size % 2 == 0:
        text = "_local_response_norm({0}, {size}, {alpha}, {beta}, {k})"
        return Expr(text, [node.x], literals)
    defaults = {"alpha": 0.0001, "beta": 0.75, "k": 1.0}
    return Layer("nn.LocalResponseNorm", [node.x], literals, defaults, positional=1)


@pytorch.write("lp_norm")
def _(node: Node) -> Expr:
    literals = {"p": float(node.p), "axis": node.axis}
    if node.x.dtype in HALVES:
        dtype = "half" if node.x.dtype is DType.FLOAT16 else "bfloat16"
        text = f"F.normalize({{0}}.float(), p={{p}}, dim={{axis}}, eps=1e-30).{dtype}()"
        return Expr(text, [node.x], literals)
    return Expr("F.normalize({0}, p={p}, dim={axis}, eps=1e-30)", [node.x], literals)


@pytorch.write("mean_variance_norm")
def _(node: Node) -> Expr:
    mean = "{0}.mean({axes}, keepdim=True)"
    deviation = "{0}.std({axes}, correction=0, keepdim=True)"
    return Expr(f"({{0}} - {mean}) / ({deviation} + 1e-09)", [node.x], {"axes": node.axes})


def _constant(params: dict[str, Any]) -> bool:
    return all(value.is_constant for value in params.values())


def _same_type(node: Node, params: dict[str, Any]) -> bool:
    return all(value.dtype is node.x.dtype for value in params.values())


def _last_axes(node: Node) -> tuple[int, ...] | None:
    """The sizes of the axes from `axis` on, if all of them are numbers."""
    shape = node.x.shape
    if shape is None:
        return None
    sizes = shape[node.axis % len(shape) :]
    return sizes if all(isinstance(size, int) for size in sizes) else None


def _shape_text(node: Node, draft: Draft, axes: tuple[int, ...] | None) -> str:
    if axes is not None:
        return draft.literal(axes, "shape")
    only(node.axis < 0 or node.x.shape is not None, "the rank of its input isn't known")
    return f"{draft.tensor(node.x)}.shape[{draft.literal(node.axis, 'axis')}:]"


def _like(draft: Draft, value: Value, x: Value) -> str:
    """A tensor in the type of x."""
    only(value.dtype is not None and x.dtype is not None, "the types of its operands aren't known")
    text = draft.tensor(value)
    if value.dtype is x.dtype:
        return text
    only(x.dtype in HALVES, f"{value.dtype} with {x.dtype}")
    return f"{text}.to({draft.tensor(x)}.dtype)"
