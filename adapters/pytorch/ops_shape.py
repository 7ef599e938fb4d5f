"""Changing shapes; making tensors of few numbers; moving blocks of elements."""

from __future__ import annotations

import math
from typing import Any

from adapters.pytorch.dialect import Draft, pytorch
from ir_hub.codegen.draft import expression
from ir_hub.codegen.spelling import Expr, Layer
from ir_hub.ir.dims import Dim, divide_exactly, symbols_of
from ir_hub.ir.dims import Expr as Size
from ir_hub.ir.graph import Node, Value
from ir_hub.ir.types import DType
from ir_hub.sdk.operands import known_sizes, only, rank_of

_PAD_MODES = {"reflect": "reflect", "edge": "replicate", "wrap": "circular"}


@pytorch.write("shape_of")
def _(node: Node) -> Expr:
    draft = Draft()
    x = draft.tensor(node.x)
    first = "" if node.start == 0 else draft.literal(node.start, "start")
    last = "" if node.end is None else draft.literal(node.end, "end")
    cut = f"[{first}:{last}]" if first or last else ""
    dtype = "" if node.result.shape not in (None, (0,)) else ", dtype=torch.int64"
    return draft.done(f"torch.tensor({x}.shape{cut}{dtype})")


@pytorch.write("size_of")
def _(node: Node) -> Expr:
    return Expr("torch.tensor({0}.numel())", [node.x])


@pytorch.write("transpose")
def _(node: Node) -> Expr:
    rank = len(node.perm)
    perm = tuple(axis % rank for axis in node.perm)
    moved = tuple(axis for axis in range(rank) if perm[axis] != axis)
    if len(moved) == 2:
        return Expr("{0}.transpose({a}, {b})", [node.x], {"a": moved[0], "b": moved[1]})
    draft = Draft()
    return draft.done(f"{draft.tensor(node.x)}.permute({draft.each(perm, 'axis') or '()'})")


@pytorch.write("reshape")
def _(node: Node) -> Expr:
    if isinstance(node.shape, Value) and not node.shape.is_constant:
        if node.allow_zero:
            return Expr("{0}.reshape({1}.tolist())", [node.x, node.shape])
        return Expr("_reshape({0}, {1})", [node.x, node.shape])
    wanted = known_sizes(node.shape, "")
    draft = Draft()
    sizes = draft.each(_target(node, wanted), "size")
    return draft.done(f"{draft.tensor(node.x)}.reshape({sizes or '()'})")


def _target(node: Node, wanted: tuple[Any, ...]) -> tuple[Any, ...]:
    """The sizes to reshape to, as PyTorch takes them: 0 is no longer one that x has."""
    own, result = node.x.shape, node.result.shape
    if result is not None:
        known = set().union(*(symbols_of(size) for size in own or () if isinstance(size, Size)))
        fresh = any(isinstance(size, Size) and not symbols_of(size) <= known for size in result)
        if -1 not in wanted or not fresh:
            return _with_rest(own or (), result)
    only(node.allow_zero or 0 not in wanted or own is not None, "the rank of its input isn't known")
    return tuple(
        own[axis] if size == 0 and not node.allow_zero else size for axis, size in enumerate(wanted)
    )


def _with_rest(own: tuple[Dim, ...], target: tuple[Dim, ...]) -> tuple[Dim, ...]:
    """The target with -1 for one open size, as a person would write it: the one that no axis of
    the operand has, if any."""
    open_axes = [axis for axis, size in enumerate(target) if isinstance(size, Size)]
    if not open_axes or any(size == 0 for size in target):
        return target
    foreign = [axis for axis in open_axes if target[axis] not in own]
    rest = foreign[-1] if foreign else open_axes[-1]
    others = math.prod(size for axis, size in enumerate(target) if axis != rest)
    if divide_exactly(math.prod(own), others) is None:
        return target
    return tuple(-1 if axis == rest else size for axis, size in enumerate(target))


@pytorch.write("flatten")
def _(node: Node) -> Layer | Expr:
    rank = rank_of(node.x)
    axis = node.axis + rank if node.axis < 0 else node.axis
    if axis == 0:
        return Expr("{0}.reshape(1, -1)", [node.x])
    if axis == rank:
        return Expr("{0}.reshape(-1, 1)", [node.x])
    if axis == 1:
        return Layer("nn.Flatten", [node.x], function=Expr("{0}.flatten(1)", [node.x]))
    return Expr("{0}.flatten(0, {last}).flatten(1)", [node.x], {"last": axis - 1})


@pytorch.write("expand")
def _(node: Node) -> Expr:
    draft = Draft()
    x = draft.tensor(node.x)
    if isinstance(node.shape, Value) and not node.shape.is_constant:
        return _broadcast(draft, node)
    result, own = node.result.shape, node.x.shape
    if result is None or own is None:
        return _broadcast(draft, node)
    scalar, dtype = node.x.scalar, node.x.dtype
    if scalar is not None and dtype is not None:
        pieces = draft.sizes(result), draft.literal(scalar), draft.literal(dtype, "dtype")
        return draft.done(f"torch.full({pieces[0]}, {pieces[1]}, dtype={pieces[2]})")
    spread = (*(None,) * (len(result) - len(own)), *own)
    kept = tuple(
        -1 if isinstance(new, Size) and new == old else new
        for new, old in zip(result, spread, strict=True)
    )
    return draft.done(f"{x}.expand({draft.each(kept, 'size') or '()'})")


def _broadcast(draft: Draft, node: Node) -> Expr:
    x, shape = draft.tensor(node.x), draft.sizes(node.shape)
    return draft.done(f"{x}.expand(torch.broadcast_shapes({x}.shape, {shape}))")


@pytorch.write("squeeze")
def _(node: Node) -> Expr:
    draft = Draft()
    x = draft.tensor(node.x)
    if node.axes is None:
        return draft.done(f"{x}.squeeze()")
    if isinstance(node.axes, tuple) and len(node.axes) == 1:
        return draft.done(f"{x}.squeeze({draft.literal(node.axes[0], 'axis')})")
    return draft.done(f"{x}.squeeze({draft.sizes(node.axes, 'axes')})")


@pytorch.write("unsqueeze")
def _(node: Node) -> Expr:
    draft = Draft()
    text = draft.tensor(node.x)
    if isinstance(node.axes, Value) and not node.axes.is_constant:
        return draft.done(f"_unsqueeze({text}, {draft.sizes(node.axes)})")
    axes = known_sizes(node.axes, "")
    if len(axes) == 1:
        return draft.done(f"{text}.unsqueeze({draft.literal(axes[0], 'axis')})")
    rank = rank_of(node.x) + len(axes)
    new = {axis % rank for axis in axes}
    pieces = ["None" if axis in new else ":" for axis in range(max(new, default=-1) + 1)]
    return draft.done(f"{text}[{', '.join(pieces)}]" if pieces else text)


@pytorch.write("tile")
def _(node: Node) -> Expr:
    draft = Draft()
    x = draft.tensor(node.x)
    if isinstance(node.repeats, tuple) and node.repeats:
        return draft.done(f"{x}.tile({draft.each(node.repeats, 'repeats')})")
    return draft.done(f"{x}.tile({draft.sizes(node.repeats, 'repeats')})")


@pytorch.write("range")
def _(node: Node) -> Expr:
    draft = Draft()
    bounds = ", ".join(draft.number(value) for value in (node.start, node.limit, node.delta))
    only(node.start.dtype is not None, "the type of its elements isn't known")
    return draft.done(f"torch.arange({bounds}, dtype={draft.literal(node.start.dtype, 'dtype')})")


@pytorch.write("positions")
def _(node: Node) -> Expr:
    draft = Draft()
    if isinstance(node.size, tuple):
        return draft.done(f"torch.arange({draft.literal(node.size[0], 'size')})")
    return draft.done(f"torch.arange({draft.tensor(node.size)}.item())")


@pytorch.write("constant_of_shape")
def _(node: Node) -> Expr:
    draft = Draft()
    dtype = "" if node.dtype is DType.FLOAT32 else f", dtype={draft.literal(node.dtype, 'dtype')}"
    for value, name in ((0, "zeros"), (1, "ones")):
        if node.value == value:
            return draft.done(f"torch.{name}({draft.sizes(node.shape, 'shape')}{dtype})")
    dtype = f", dtype={draft.literal(node.dtype, 'dtype')}"
    shape = draft.sizes(node.shape, "shape")
    return draft.done(f"torch.full({shape}, {draft.literal(node.value)}{dtype})")


@pytorch.write("eye_like")
def _(node: Node) -> Expr:
    literals = {"dtype": node.dtype, "k": node.k}
    if node.k == 0:
        return Expr("torch.eye(*{0}.shape, dtype={dtype})", [node.x], {"dtype": node.dtype})
    return Expr("torch.ones_like({0}, dtype={dtype}).tril({k}).triu({k})", [node.x], literals)


@pytorch.write("trilu")
def _(node: Node) -> Expr:
    draft = Draft()
    method = "triu" if node.upper else "tril"
    k = "" if node.k is None or node.k.scalar == 0 else draft.number(node.k)
    return draft.done(f"{draft.tensor(node.x)}.{method}({k})")


@pytorch.write("space_to_depth")
def _(node: Node) -> Expr:
    if node.mode == "CRD":
        return expression("F.pixel_unshuffle({0}, {block})")(node)
    text = "F.pixel_unshuffle({0}, {block}).unflatten(1, (-1, {area})).transpose(1, 2)"
    literals = {"block": node.block, "area": node.block**2}
    return Expr(f"{text}.flatten(1, 2)", [node.x], literals)


@pytorch.write("depth_to_space")
def _(node: Node) -> Layer | Expr:
    if node.mode == "CRD":
        kwargs = {"upscale_factor": node.block}
        function = expression("F.pixel_shuffle({0}, {block})")(node)
        return Layer("nn.PixelShuffle", [node.x], kwargs, positional=1, function=function)
    text = "F.pixel_shuffle({0}.unflatten(1, ({area}, -1)).transpose(1, 2).flatten(1, 2), {block})"
    return Expr(text, [node.x], {"block": node.block, "area": node.block**2})


@pytorch.write("channel_shuffle")
def _(node: Node) -> Expr:
    rank = rank_of(node.x)
    axis = node.axis % rank
    if axis == 1 and rank > 2:
        return expression("F.channel_shuffle({0}, {groups})")(node)
    literals = {"axis": axis, "groups": node.groups, "after": axis + 1}
    text = "{0}.unflatten({axis}, ({groups}, -1)).transpose({axis}, {after})"
    return Expr(f"{text}.flatten({{axis}}, {{after}})", [node.x], literals)
