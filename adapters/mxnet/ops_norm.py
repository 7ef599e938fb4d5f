"""Normalisation as Gluon code."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from adapters.mxnet.dialect import mxnet
from adapters.mxnet.gluon import GluonDraft, known, leading
from ir_hub.codegen.derived import derived
from ir_hub.codegen.spelling import Expr, Layer
from ir_hub.ir.graph import Node, Value, constant
from ir_hub.ir.types import DType
from ir_hub.sdk.operands import only, rank_of


@mxnet.write("batch_norm")
def _(node: Node) -> Layer:
    params = _params(node, gamma="scale", beta="bias", running_mean="mean", running_var="var")
    only(node.x.dtype is not DType.FLOAT16, "MXNet keeps statistics in float32")
    size = node.scale.shape[0]
    axis = node.axis % rank_of(node.x) if node.axis < 0 else node.axis
    kwargs = {"axis": axis, "momentum": node.momentum, "epsilon": node.eps, "in_channels": size}
    defaults = {"axis": 1, "momentum": 0.9, "epsilon": 1e-5}
    return Layer("nn.BatchNorm", [node.x], kwargs, defaults, params)


@mxnet.write("layer_norm")
def _(node: Node) -> Layer | Expr:
    axis = node.axis % rank_of(node.x)
    if node.weight is not None and node.bias is not None and not node.weight.is_constant:
        only(axis == rank_of(node.x) - 1, "its weights are computed, and have several axes")
        _same_type(node, {"gamma": node.weight, "beta": node.bias})
        operands = [node.x, node.weight, node.bias]
        return Expr("F.LayerNorm({0}, {1}, {2}, eps={eps})", operands, {"eps": node.eps})
    sizes = (node.x.shape or ())[axis:]
    known(all(isinstance(size, int) for size in sizes), "the size of its last axes is open")
    size = math.prod(sizes)  # type: ignore[arg-type]
    given = {"gamma": node.weight, "beta": node.bias}
    params = {key: value for key, value in given.items() if value is not None}
    fits = all(v.is_constant and v.shape == sizes for v in params.values())
    only(fits, "its weights aren't constants of the shape that it normalises")
    _same_type(node, params)
    if len(sizes) > 1:
        params = {k: derived(v, (size,), lambda a: a.reshape(-1)) for k, v in params.items()}
    kwargs = {"epsilon": node.eps, "center": node.bias is not None,
              "scale": node.weight is not None, "in_channels": size}  # fmt: skip
    defaults = {"epsilon": 1e-5, "center": True, "scale": True}
    codes = (0,) * axis + (-1,)
    joined = f"F.reshape_like({{layer}}(F.reshape({{0}}, shape={codes!r})), {{0}})"
    call = "" if len(sizes) == 1 else joined
    weights = _or_usual(node, params, size)
    return Layer("nn.LayerNorm", [node.x], kwargs, defaults, weights, call=call)


def _or_usual(node: Node, params: dict[str, Value], size: int) -> dict[str, Value]:
    """The weights of a layer that keeps ones and zeros where it has none."""
    dtype = node.x.dtype.numpy
    usual = {"gamma": np.ones(size, dtype), "beta": np.zeros(size, dtype)}
    return {
        key: params.get(key) or constant(array, f"{node.name}_{key}")
        for key, array in usual.items()
    }


@mxnet.write("instance_norm")
def _(node: Node) -> Layer:
    params = _params(node, gamma="weight", beta="bias")
    only(node.x.dtype is DType.FLOAT32, "MXNet normalises instances of float32 only")
    kwargs = {"epsilon": node.eps, "scale": True, "in_channels": node.weight.shape[0]}
    return Layer("nn.InstanceNorm", [node.x], kwargs, {"epsilon": 1e-5, "scale": False}, params)


@mxnet.write("group_norm")
def _(node: Node) -> Layer:
    """By a block of the code's own: Gluon's has a weight for each group, not for each channel."""
    params = _params(node, gamma="weight", beta="bias")
    only(rank_of(node.x) > 2, "it has no axes behind the channels")
    kwargs = {"groups": node.groups, "in_channels": node.weight.shape[0], "epsilon": node.eps,
              "dtype": node.weight.dtype.value}  # fmt: skip
    return Layer("GroupNorm", [node.x], kwargs, {"epsilon": 1e-5, "dtype": "float32"}, params, 1)


@mxnet.write("rms_norm")
def _(node: Node) -> Layer | Expr:
    rank, weight = rank_of(node.x), node.weight
    axis = node.axis % rank
    only(weight.dtype is node.x.dtype, "its weight is of another type")
    if axis == rank - 1 and weight.is_constant and weight.shape == (node.x.shape or ())[-1:]:
        kwargs = {"in_channels": weight.shape[0], "epsilon": node.eps, "dtype": weight.dtype.value}
        defaults = {"epsilon": 1e-5, "dtype": "float32"}
        return Layer("RMSNorm", [node.x], kwargs, defaults, {"gamma": weight}, 1)
    draft = GluonDraft()
    x, given = draft.tensor(node.x), draft.tensor(weight)
    literals = (
        f"{draft.literal(tuple(range(axis, rank)), 'axes')}, {draft.literal(node.eps, 'eps')}"
    )
    lead = rank - max(rank_of(weight), 1)
    return draft.done(f"_rms_norm(F, {x}, {leading(given, lead)}, {literals})")


@mxnet.write("lrn")
def _(node: Node) -> Expr:
    only(node.size % 2 == 1, "MXNet takes odd sizes only")
    only(rank_of(node.x) == 4, "MXNet takes images only")
    literals = {"size": node.size, "alpha": node.alpha, "beta": node.beta, "k": node.bias}
    text = "F.LRN({0}, nsize={size}, alpha={alpha}, beta={beta}, knorm={k})"
    return Expr(text, [node.x], literals)


def _params(node: Node, **names: str) -> dict[str, Value]:
    """A layer's vectors by its own keys."""
    params: dict[str, Any] = {theirs: node.args[mine] for theirs, mine in names.items()}
    sizes = {value.shape for value in params.values()}
    vectors = all(value.is_constant for value in params.values()) and len(sizes) == 1
    only(vectors, "its weights aren't constant vectors")
    _same_type(node, params)
    return params


def _same_type(node: Node, params: dict[str, Any]) -> None:
    only(all(v.dtype is node.x.dtype for v in params.values()), "its weights are of another type")
