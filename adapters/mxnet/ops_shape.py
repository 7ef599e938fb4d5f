"""Shapes as Gluon code: what the run's sizes are is said by MXNet's codes for them."""

from __future__ import annotations

import itertools
from typing import Any

from adapters.mxnet.dialect import mxnet
from adapters.mxnet.gluon import GluonDraft, known, leading, whole_sizes
from adapters.mxnet.open_sizes import carriers, spread
from adapters.mxnet.reshape_codes import find_codes
from ir_hub.codegen.spelling import Expr
from ir_hub.ir.graph import Node, Value
from ir_hub.ir.types import DType
from ir_hub.sdk.operands import only, rank_of

_MOST_STEPS = 5  # the axes that MXNet's kernels which broadcast have
_FAR = 10**9  # beyond every size: where sources write "to the end"


def reshaped(value: Value, shape: tuple[Any, ...]) -> Expr:
    """A tensor in another shape."""
    only(value.shape is not None, "the rank of its input isn't known")
    codes = find_codes(value.shape or (), shape)
    known(
        codes is not None, f"MXNet can't say the shape {list(shape)} of {list(value.shape or ())}"
    )
    assert codes is not None
    if codes == (0, -1) and rank_of(value) != 1:
        return Expr("F.flatten({0})", [value])
    return Expr("F.reshape({0}, shape={shape})", [value], {"shape": codes})


@mxnet.write("reshape", "flatten")
def _(node: Node) -> Expr:
    shape = node.result.shape
    if node.op == "flatten" and node.axis == 1:
        return Expr("F.flatten({0})", [node.x])
    only(shape is not None, "its sizes are computed")
    assert shape is not None
    return reshaped(node.x, shape)


@mxnet.write("transpose")
def _(node: Node) -> Expr:
    return Expr("F.transpose({0}, axes={perm})", [node.x], {"perm": node.perm})


@mxnet.write("squeeze")
def _(node: Node) -> Expr:
    if node.axes is None:
        return reshaped(node.x, node.result.shape)
    axes = whole_sizes(node.axes, "its axes")
    literal = axes[0] if len(axes) == 1 else axes
    return Expr("F.squeeze({0}, axis={axis})", [node.x], {"axis": literal})


@mxnet.write("unsqueeze")
def _(node: Node) -> Expr:
    axes, rank = whole_sizes(node.axes, "its axes"), rank_of(node.x)
    draft = GluonDraft()
    text = draft.tensor(node.x)
    for axis in sorted(axis % (rank + len(axes)) for axis in axes):
        text = f"F.expand_dims({text}, axis={draft.literal(axis, 'axis')})"
    return draft.done(text)


@mxnet.write("expand")
def _(node: Node) -> Expr:
    shape, own = node.result.shape, node.x.shape
    only(shape is not None and own is not None, "its sizes are computed")
    assert shape is not None
    draft = GluonDraft()
    text = leading(draft.tensor(node.x), len(shape) - max(len(own), 1))
    texts = {value: draft.tensor(value) for value in carriers(node)}
    padded = (1,) * (len(shape) - len(own)) + tuple(own)
    return draft.done(spread(node, text, padded, shape, texts))


@mxnet.write("concat")
def _(node: Node) -> Expr:
    draft = GluonDraft()
    holes = ", ".join(draft.tensor(value) for value in node.xs)
    only(len({value.dtype for value in node.xs}) == 1, "its operands are of several types")
    axis = node.axis % rank_of(node.xs[0])
    return draft.done(f"F.concat({holes}, dim={draft.literal(axis, 'axis')})")


@mxnet.write("split")
def _(node: Node) -> Expr:
    draft, count = GluonDraft(), len(node.results)
    x, axis = draft.tensor(node.x), draft.literal(node.axis % rank_of(node.x), "axis")
    size = (node.x.shape or ())[node.axis]
    if node.sizes is None and isinstance(size, int) and size % count == 0:
        return draft.done(f"F.split({x}, num_outputs={count}, axis={axis})")
    sizes = [value.shape[node.axis] if value.shape else None for value in node.results]
    known(all(isinstance(s, int) for s in sizes), "it cuts at open sizes")
    ends = tuple(sum(sizes[: i + 1]) for i in range(count - 1))  # type: ignore[arg-type]
    if not ends:
        return draft.done(x)
    return draft.done(f"F.split_v2({x}, {draft.literal(ends, 'indices')}, axis={axis})")


@mxnet.write("slice")
def _(node: Node) -> Expr:
    x, rank = node.x, rank_of(node.x)
    starts, ends = (whole_sizes(v, "where it cuts") for v in (node.starts, node.ends))
    axes = tuple(range(len(starts))) if node.axes is None else whole_sizes(node.axes, "its axes")
    steps = (1,) * len(axes) if node.steps is None else whole_sizes(node.steps, "its steps")
    draft = GluonDraft()
    text = draft.tensor(x)
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        axis %= rank
        size = (x.shape or ())[axis]
        if step == 1:
            begin, stop = _cut(start, end, size)
            if (begin, stop) != (0, None):
                text = f"F.slice_axis({text}, axis={axis}, begin={begin}, end={stop})"
        else:
            text = _stepped(text, axis, (start, end, step), size, rank)
    return draft.done(text)


def _cut(start: int, end: int, size: Any) -> tuple[int, int | None]:
    """Where a slice begins and ends, within the axis; None: its end."""
    if isinstance(size, int):
        begin, stop, _ = slice(start, end).indices(size)
        only(stop > begin, "it takes nothing, which MXNet has no tensors for")
        return begin, None if stop == size else stop
    only(abs(start) < _FAR and end != 0, "it takes nothing")
    return start, None if end >= _FAR else end


def _stepped(text: str, axis: int, cut: tuple[int, int, int], size: Any, rank: int) -> str:
    """A slice that leaves out elements, or goes backwards."""
    start, stop, step = cut
    begin, end = (None if abs(place) >= _FAR else place for place in (start, stop))
    backwards = step < 0
    only(begin is not None or (start > 0) == backwards, "it takes nothing")
    only(end is not None or (stop < 0) == backwards, "it takes nothing")
    if isinstance(size, int):
        begin, end, step = slice(*cut).indices(size)
        only(len(range(begin, end, step)) > 0, "it takes nothing, which MXNet has no tensors for")
        end = None if end < 0 else end
    nones: list[int | None] = [None] * rank
    begins, ends, steps = ((*nones[:axis], n, *nones[axis + 1 :]) for n in (begin, end, step))
    return f"F.slice({text}, begin={begins}, end={ends}, step={steps})"


@mxnet.write("reverse")
def _(node: Node) -> Expr:
    rank = rank_of(node.x)
    axes = tuple(axis % rank for axis in node.axes)
    return Expr("F.reverse({0}, axis={axes})", [node.x], {"axes": axes})


@mxnet.write("tile")
def _(node: Node) -> Expr:
    repeats = whole_sizes(node.repeats, "how often it repeats")
    only(_steps(node.x.shape or (), repeats) <= _MOST_STEPS, "MXNet repeats along fewer axes")
    return Expr("F.tile({0}, reps={repeats})", [node.x], {"repeats": repeats})


def _steps(shape: tuple[Any, ...], repeats: tuple[int, ...]) -> int:
    """How many times a walk through the axes goes from elements to repeats of them, or back."""
    each = zip(repeats, shape, strict=True)
    kinds = [kind for repeat, size in each
             for kind in (["repeat"] * (repeat > 1) + ["elements"] * (size != 1))]  # fmt: skip
    return sum(1 for _ in itertools.groupby(kinds))


@mxnet.write("pad")
def _(node: Node) -> Expr:
    """MXNet pads tensors of four or five axes, and not the first two."""
    rank, pads = rank_of(node.x), whole_sizes(node.pads, "its padding")
    axes = tuple(range(rank)) if node.axes is None else whole_sizes(node.axes, "its axes")
    pairs = [(0, 0)] * rank
    for axis, pair in zip(
        axes, zip(pads[: len(axes)], pads[len(axes) :], strict=True), strict=True
    ):
        pairs[axis % rank] = pair
    only(min(pads, default=0) >= 0, "it cuts")
    only(node.mode in ("constant", "edge", "reflect"), f"MXNet has no padding by {node.mode}")
    only(node.value is None or node.value.scalar is not None, "what it pads with is computed")
    only(node.x.dtype is not None and node.x.dtype.is_float, "MXNet pads floats only")
    first = next((i for i, pair in enumerate(pairs) if any(pair)), rank - 1)
    lead = max(2 - first, 4 - rank, 0)
    only(rank + lead <= 5, f"MXNet pads no tensor of {rank} axes along axis {first}")
    draft = GluonDraft()
    text = leading(draft.tensor(node.x), lead)
    widths = (0, 0) * lead + tuple(width for pair in pairs for width in pair)
    value = node.value.scalar if node.value is not None and node.mode == "constant" else 0
    given = f", constant_value={draft.literal(float(value), 'value')}" if value else ""
    text = f'F.pad({text}, mode="{node.mode}", pad_width={draft.literal(widths, "pads")}{given})'
    for _ in range(lead):
        text = f"F.squeeze({text}, axis=0)"
    return draft.done(text)


@mxnet.write("gather")
def _(node: Node) -> Expr:
    axis, index = node.axis % rank_of(node.x), node.indices
    if index.shape == ():
        only(index.scalar is not None, "its place is computed")
        begin = int(index.scalar)
        end = None if begin == -1 else begin + 1
        literals = {"axis": axis, "begin": begin, "end": end}
        text = "F.squeeze(F.slice_axis({0}, axis={axis}, begin={begin}, end={end}), axis={axis})"
        return Expr(text, [node.x], literals)
    forwards = index.is_constant and bool((index.array() >= 0).all())
    mode = "" if forwards else ', mode="wrap"'
    return Expr(f"F.take({{0}}, {{1}}, axis={{axis}}{mode})", [node.x, index], {"axis": axis})


@mxnet.write("gather_elements")
def _(node: Node) -> Expr:
    axis, own = node.axis % rank_of(node.x), node.x.shape or ()
    picked = (*own[:axis], 1, *own[axis + 1 :])
    only(node.indices.shape == picked, "it takes several elements, or from a part, of each row")
    text = 'F.pick({0}, {1}, axis={axis}, keepdims=True, mode="wrap")'
    return Expr(text, [node.x, node.indices], {"axis": axis})


@mxnet.write("trilu")
def _(node: Node) -> Expr:
    only(node.k is None or node.k.scalar is not None, "its diagonal is computed")
    rank, k = rank_of(node.x), 0 if node.k is None else int(node.k.scalar)
    literals = {"k": k, "rank": rank, "upper": bool(node.upper)}
    return Expr("_triangle(F, {0}, k={k}, rank={rank}, upper={upper})", [node.x], literals)


@mxnet.write("gather_nd")
def _(node: Node) -> Expr:
    only(node.batch_dims == 0, "it has batch axes")
    rank = rank_of(node.indices)
    perm = (rank - 1, *range(rank - 1))
    text = "F.gather_nd({0}, F.transpose({1}, axes={perm}))"
    return Expr(text, [node.x, node.indices], {"perm": perm})


@mxnet.write("depth_to_space", "space_to_depth")
def _(node: Node) -> Expr:
    if node.args["mode"] != "DCR":
        return _in_columns(node)
    return Expr(f"F.{node.op}({{0}}, block_size={{block}})", [node.x], {"block": node.block})


def _in_columns(node: Node) -> Expr:
    """Pixels from channels that lie one behind the other, by reshaping."""
    only(node.op == "depth_to_space", "MXNet has no such order of channels")
    return Expr("_pixel_shuffle(F, {0}, {block})", [node.x], {"block": node.block})


@mxnet.write("channel_shuffle")
def _(node: Node) -> Expr:
    axis = node.axis % rank_of(node.x)
    kept = (0,) * axis
    literals = {"apart": (*kept, -4, node.groups, -1, -2), "first": axis, "second": axis + 1,
                "together": (*kept, -3, -2)}  # fmt: skip
    text = (
        "F.reshape(F.swapaxes(F.reshape({0}, shape={apart}), {first}, {second}), shape={together})"
    )
    return Expr(text, [node.x], literals)


@mxnet.write("constant_of_shape")
def _(node: Node) -> Expr:
    shape = node.result.shape
    only(shape and 0 not in shape, "MXNet has no tensors of this shape")
    assert shape is not None
    draft = GluonDraft()
    own = tuple(size if isinstance(size, int) else 1 for size in shape)
    filled = draft.literal(own, "shape"), draft.literal(float(node.value), "value")
    text = f"F.full({', '.join(filled)}, dtype={draft.literal(node.dtype, 'dtype')})"
    texts = {value: draft.tensor(value) for value in carriers(node)}
    return draft.done(spread(node, text, own, shape, texts))


@mxnet.write("positions")
def _(node: Node) -> Expr:
    (size,) = node.result.shape or (None,)
    draft = GluonDraft()
    if isinstance(size, int):
        return draft.done(f'F.arange({draft.literal(size, "size")}, dtype="int64")')
    like = next((value for value in carriers(node) if size in (value.shape or ())), None)
    known(like is not None, f"it counts up to the open size {size}, which no input shows")
    assert like is not None
    assert like.shape is not None
    axis = draft.literal(like.shape.index(size), "axis")
    return draft.done(
        f'F.contrib.arange_like({draft.tensor(like)}.astype("float32"), axis={axis})'
        '.astype("int64")'
    )


@mxnet.write("one_hot")
def _(node: Node) -> Expr:
    only(node.axis in (-1, rank_of(node.indices)), "its new axis isn't the last one")
    only(node.values.is_constant, "its values are computed")
    off, on = node.values.array().tolist()
    depth = whole_sizes(node.depth, "its depth")[0]
    literals = {"depth": depth, "on": on, "off": off, "dtype": node.values.dtype}
    text = "F.one_hot({0}, depth={depth}, on_value={on}, off_value={off}, dtype={dtype})"
    return Expr(text, [node.indices], literals)


@mxnet.write("reverse_sequence")
def _(node: Node) -> Expr:
    only((node.time_axis, node.batch_axis) == (0, 1), "its axes are in another order")
    text = "F.SequenceReverse({0}, {1}, use_sequence_length=True)"
    only(node.x.dtype is not DType.BOOL, "truth values")
    return Expr(text.replace("{1}", '{1}.astype("float32")'), [node.x, node.lengths])
