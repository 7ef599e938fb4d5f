"""Shapes: reshaping, reordering, joining, cutting, padding."""

from __future__ import annotations

from typing import Any

import numpy as np

from adapters.tensorflow.batches import first_items, spread_axis
from adapters.tensorflow.dialect import rows, static_shape, tensorflow
from ir_hub.codegen.draft import Draft, plain
from ir_hub.codegen.spelling import Expr, Layer
from ir_hub.ir.graph import Node, Value, constant
from ir_hub.ir.types import DType
from ir_hub.sdk.operands import known_sizes, only, rank_of

rows(
    {
        "transpose": "ops.transpose({0}, {perm})",
        "reverse": "ops.flip({0}, axis={axes})",
        "gather_elements": "ops.take_along_axis({0}, {1}, axis={axis})",
    }
)


@tensorflow.write("reshape", "flatten")
def _(node: Node) -> Layer | Expr:
    x, shape = node.x, node.result.shape
    only(shape is not None, "the shape of its result isn't known")
    sizes = tuple(size if isinstance(size, int) else -1 for size in shape)
    if _keeps_batch(x, shape) and is_castless(x):
        inner = sizes[1:]
        only(inner.count(-1) < 2, f"only the run knows more than one size of {list(shape)}")
        if len(inner) == 1 and len(x.shape) > 2 and inner != (-1,):
            return Layer("layers.Flatten", [node.x])
        return Layer("layers.Reshape", [node.x], {"target_shape": inner}, positional=1)
    only(sizes.count(-1) < 2, f"only the run knows more than one size of {list(shape)}")
    return Expr("ops.reshape({0}, {shape})", [x], {"shape": sizes})


def _keeps_batch(x: Value, shape: Any) -> bool:
    return bool(x.shape) and len(shape) > 1 and shape[0] == x.shape[0]  # type: ignore[index]


def is_castless(value: Value) -> bool:
    """Whether a layer leaves a tensor's type alone: floats it makes float32."""
    return value.dtype is DType.FLOAT32 or (value.dtype is not None and not value.dtype.is_float)


@tensorflow.write("expand")
def _(node: Node) -> Expr:
    only(node.x.shape is not None and node.result.shape is not None, "its shape isn't known")
    old, new = node.x.shape, node.result.shape
    if "like" in node.args:
        return _repeated_like(node)
    added = len(new) - len(old)
    spread = (1,) * added + tuple(old)
    repeats = tuple(1 if a == b else b for a, b in zip(spread, new, strict=True))
    only(all(isinstance(size, int) for size in repeats), "only the run knows its shape")
    if all(isinstance(size, int) for size in new):
        return Expr("ops.broadcast_to({0}, {shape})", [node.x], {"shape": new})
    inner = "{0}"
    for _ in range(added):
        inner = f"ops.expand_dims({inner}, 0)"
    return Expr(f"ops.tile({inner}, {{repeats}})", [node.x], {"repeats": repeats})


def _repeated_like(node: Node) -> Expr:
    """The tensor plus zeros of the size that another one has along one axis."""
    like, axis = node.like, node.like_axis
    rank, place = len(node.result.shape), spread_axis(node)
    taken = ", ".join(":" if a == axis else "0" for a in range(len(like.shape)))
    shape = tuple(-1 if a == place else 1 for a in range(rank))
    literals = {"dtype": node.x.dtype, "shape": shape}
    zeros = f"ops.reshape(ops.zeros_like({{0}}[{taken}], dtype={{dtype}}), {{shape}})"
    text = f"ops.logical_or({zeros}, {{1}})" if node.x.dtype is DType.BOOL else f"{zeros} + {{1}}"
    return Expr(text, [like, node.x], literals)


@tensorflow.write("positions")
def _(node: Node) -> Expr:
    only("like" in node.args, "only the run knows how many")
    draft = Draft()
    return draft.done(counted(draft.tensor(node.like), len(node.like.shape), node.like_axis))


def counted(tensor: str, rank: int, axis: int) -> str:
    """Code of 0, 1, 2 and so on, as many as a tensor has items along an axis."""
    taken = ", ".join(":" if place == axis % rank else "0" for place in range(rank))
    return f'ops.cumsum(ops.ones_like({tensor}[{taken}], dtype="int64")) - 1'


@tensorflow.write("squeeze")
def _(node: Node) -> Expr:
    if node.axes is None:
        shape = static_shape(node.x, "it drops all axes of size 1, and its shape isn't known")
        axes: tuple[int, ...] = tuple(axis for axis, size in enumerate(shape) if size == 1)
    else:
        axes = known_sizes(node.axes, "its axes aren't known")
    if not axes:
        return Expr("{0}", [node.x])
    return Expr("ops.squeeze({0}, axis={axis})", [node.x], {"axis": plain_axis(axes)})


@tensorflow.write("unsqueeze")
def _(node: Node) -> Expr:
    axes = known_sizes(node.axes, "its axes aren't known")
    rank = rank_of(node.x) + len(axes)
    literals: dict[str, Any] = {}
    text = "{0}"
    for number, axis in enumerate(sorted(axis % rank for axis in axes)):
        literals[f"axis{number}"] = axis
        text = f"ops.expand_dims({text}, {{axis{number}}})"
    return Expr(text, [node.x], literals)


def plain_axis(axes: tuple[int, ...]) -> int | tuple[int, ...]:
    """One axis as a number."""
    return axes[0] if len(axes) == 1 else axes


@tensorflow.write("concat")
def _(node: Node) -> Expr:
    draft = Draft()
    given = ", ".join(draft.tensor(value) for value in node.xs)
    return draft.done(f"ops.concatenate([{given}], axis={draft.literal(node.axis, 'axis')})")


@tensorflow.write("split")
def _(node: Node) -> Expr:
    rank = rank_of(node.x)
    axis = node.axis % rank
    found = [result.shape[axis] if result.shape else None for result in node.results]
    only(all(isinstance(size, int) for size in found), "only the run knows the sizes of its parts")
    if len(found) == 1:
        return Expr("{0}", [node.x])
    draft = Draft()
    x = draft.tensor(node.x)
    ends = tuple(sum(found[: i + 1]) for i in range(len(found) - 1))
    parts: Any = len(found) if len(set(found)) == 1 else ends
    text = f"ops.split({x}, {draft.literal(parts, 'parts')}, axis={draft.literal(axis, 'axis')})"
    return draft.done(text)


@tensorflow.write("slice")
def _(node: Node) -> Expr:
    if "like" in node.args:
        draft, axis = Draft(), first_items(node)
        count = counted(draft.tensor(node.like), len(node.like.shape), node.like_axis)
        return draft.done(f"ops.take({draft.tensor(node.x)}, {count}, axis={axis})")
    reason = "where it cuts isn't known"
    starts, ends = known_sizes(node.starts, reason), known_sizes(node.ends, reason)
    count = len(starts)
    axes = tuple(range(count)) if node.axes is None else known_sizes(node.axes, reason)
    steps = (1,) * count if node.steps is None else known_sizes(node.steps, reason)
    rank = rank_of(node.x)
    draft = Draft()
    cuts = {axis % rank: (s, e, t) for axis, s, e, t in zip(axes, starts, ends, steps, strict=True)}
    x = draft.tensor(node.x)
    pieces = []
    for axis in range(max(cuts, default=-1) + 1):
        begin, end, step = cuts.get(axis, (0, None, 1))
        size = node.x.shape[axis]
        pieces.append(_cut(draft, begin, end, step, size))
    if all(piece == ":" for piece in pieces):
        return draft.done(x)
    if len(pieces) == 1:  # Keras takes one range only among others
        pieces.append("...")
    return draft.done(f"{x}[{', '.join(pieces)}]")


def _cut(draft: Draft, begin: Any, end: Any, step: int, size: Any) -> str:
    """One axis of an index; sizes that symbols say can only be the axis's own."""
    first, last = (0, size) if step > 0 else (-1, None)
    far = 1 << 31
    if step < 0:
        only(
            isinstance(begin, int) and isinstance(end, int), "it counts back from an unknown place"
        )
        if begin >= far or begin == -1 or (isinstance(size, int) and begin >= size - 1):
            begin = first
        if end <= -far or (isinstance(size, int) and end < -size):
            end = None
        only(end is None or isinstance(size, int), "it counts back, and the size isn't known")
    if end == last or (isinstance(end, int) and step > 0 and end >= far):
        end = None
    if isinstance(size, int) and isinstance(end, int) and step > 0 and end >= size:
        end = None
    if isinstance(size, int) and isinstance(begin, int) and begin < -size:
        begin = 0 if step > 0 else begin
    only(begin is None or isinstance(begin, int), "only the run knows where it begins")
    only(end is None or isinstance(end, int), "only the run knows where it ends")
    text = "" if begin == first else draft.literal(begin, "start")
    text += ":" if end is None else f":{draft.literal(end, 'end')}"
    return text if step == 1 else f"{text}:{draft.literal(step, 'step')}"


@tensorflow.write("gather")
def _(node: Node) -> Layer | Expr:
    rank = rank_of(node.x)
    axis = node.axis % rank
    index = node.indices.scalar
    if index is not None and node.indices.shape == () and not node.x.is_constant:
        before = ":, " * axis
        return Expr(f"{{0}}[{before}{{index}}]", [node.x], {"index": int(index)})
    return Expr("ops.take({0}, {1}, axis={axis})", [node.x, node.indices], {"axis": axis})


@tensorflow.write("tile")
def _(node: Node) -> Expr:
    repeats = known_sizes(node.repeats, "how often it repeats isn't known")
    only(all(isinstance(count, int) for count in repeats), "how often it repeats isn't known")
    return Expr("ops.tile({0}, {repeats})", [node.x], {"repeats": repeats})


@tensorflow.write("pad")
def _(node: Node) -> Layer | Expr:
    rank = rank_of(node.x)
    flat = known_sizes(node.pads, "how much it pads isn't known")
    axes = tuple(range(rank)) if node.axes is None else known_sizes(node.axes, "its axes")
    only(
        all(isinstance(width, int) and width >= 0 for width in flat), "it pads by less than nothing"
    )
    widths = [(0, 0)] * rank
    for place, axis in enumerate(axes):
        widths[axis % rank] = flat[place], flat[place + len(axes)]
    only(node.mode in ("constant", "reflect"), f"its mode is {node.mode}")
    zero = node.value is None or node.value.scalar == 0
    spatial = not any(widths[0]) and not any(widths[-1]) and 3 <= rank <= 5
    if node.mode == "constant" and zero and spatial and node.x.dtype is DType.FLOAT32:
        padding = {"padding": _padding(widths[1:-1])}
        return Layer(f"layers.ZeroPadding{rank - 2}D", [node.x], padding, positional=1)
    literals: dict[str, Any] = {"widths": tuple(widths)}
    if node.mode == "reflect":
        return Expr('ops.pad({0}, {widths}, mode="reflect")', [node.x], literals)
    if zero:
        return Expr("ops.pad({0}, {widths})", [node.x], literals)
    literals["value"] = node.value.scalar
    only(literals["value"] is not None, "only the run knows what it pads with")
    return Expr("ops.pad({0}, {widths}, constant_values={value})", [node.x], literals)


def _padding(widths: list[tuple[int, int]]) -> Any:
    if all(begin == end for begin, end in widths):
        return plain(tuple(begin for begin, _ in widths))
    return widths[0] if len(widths) == 1 else tuple(widths)


@tensorflow.write("one_hot")
def _(node: Node) -> Expr:
    (depth,) = known_sizes(node.depth, "its depth isn't known")
    only(node.values.is_constant, "its values aren't constants")
    off, on = node.values.array().reshape(-1).tolist()
    only((off, on) == (0, 1), "its values aren't 0 and 1")
    literals = {"depth": depth, "axis": node.axis, "dtype": node.values.dtype}
    index = "ops.where({0} < 0, {0} + {depth}, {0})"
    text = f"ops.one_hot({index}, {{depth}}, axis={{axis}}, dtype={{dtype}})"
    return Expr(text, [node.indices], literals)


@tensorflow.write("trilu")
def _(node: Node) -> Expr:
    diagonal = 0 if node.k is None else node.k.scalar
    if diagonal is not None:
        text = f"ops.tri{'u' if node.upper else 'l'}({{0}}, k={{k}})"
        return Expr(text, [node.x], {"k": int(diagonal)})
    rows, columns = (node.x.shape or ())[-2:]
    only(isinstance(rows, int) and isinstance(columns, int), "only the run knows its sizes")
    ahead = constant(np.arange(columns) - np.arange(rows)[:, None], "diagonals")
    compare = "<=" if node.upper else ">="
    only(node.x.dtype is not DType.BOOL, "its elements are truth values")
    text = f"ops.where({{1}} {compare} {{2}}, {{0}}, 0)"
    return Expr(text, [node.x, node.k, ahead])


@tensorflow.write("channel_shuffle")
def _(node: Node) -> Expr:
    rank = rank_of(node.x)
    axis, groups = node.axis % rank, node.groups
    size = node.x.shape[axis]
    only(isinstance(size, int), "the number of its channels isn't known")
    before, after = _open(node.x.shape[:axis]), _open(node.x.shape[axis + 1 :])
    only((before + after).count(-1) < 2, "only the run knows more than one of its sizes")
    perm = [*range(axis), axis + 1, axis, *range(axis + 2, rank + 1)]
    return _regrouped(node.x, (*before, groups, size // groups, *after), perm, node.x.shape)


@tensorflow.write("depth_to_space", "space_to_depth")
def _(node: Node) -> Expr:
    only(rank_of(node.x) == 4, "its rank isn't 4")
    n, c, h, w = _open(node.x.shape)
    only((n, c, h, w).count(-1) < 2 and -1 not in (c, h, w), "only the run knows its sizes")
    b = node.block
    if node.op == "space_to_depth":
        only(node.mode == "DCR", "its mode isn't DCR")
        perm = (0, 3, 5, 1, 2, 4)
        return _regrouped(
            node.x, (n, c, h // b, b, w // b, b), perm, (n, c * b * b, h // b, w // b)
        )
    shape = (n, c // b // b, h * b, w * b)
    if node.mode == "DCR":
        return _regrouped(node.x, (n, b, b, c // b // b, h, w), (0, 3, 4, 1, 5, 2), shape)
    return _regrouped(node.x, (n, c // b // b, b, b, h, w), (0, 1, 4, 2, 5, 3), shape)


def _open(sizes: Any) -> tuple[int, ...]:
    return tuple(size if isinstance(size, int) else -1 for size in sizes)


def _regrouped(x: Value, parts: tuple[int, ...], perm: Any, shape: Any) -> Expr:
    """x in parts, put in another order, and in a shape again."""
    literals = {"parts": parts, "perm": tuple(perm), "shape": _open(shape)}
    text = "ops.reshape(ops.transpose(ops.reshape({0}, {parts}), {perm}), {shape})"
    return Expr(text, [x], literals)
