"""Shapes, joining and cutting."""

from __future__ import annotations

from typing import Any

import numpy as np

from adapters.mxnet.dialect import Reading, reads
from adapters.mxnet.reshape_codes import BadCodes, apply_codes
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import Unsupported

_END = 2**31 - 1


@reads("Reshape", "reshape")
def _(node: Reading, b: Builder) -> Any:
    codes, reverse = node.integers("shape"), node.flag("reverse")
    target, keep = node.integers("target_shape"), node.flag("keep_highest")
    if not codes and target:  # as it was called until 2016: 0 is the rest
        codes = tuple(-1 if size == 0 else size for size in target)
        codes = (0, *codes[1:]) if keep else codes
    simple = all(code >= -1 for code in codes) and not reverse
    if simple and node.x.shape is None:
        return b.reshape(node.x, codes)
    try:
        return b.reshape(node.x, apply_codes(node.shape(), codes, reverse))
    except BadCodes as error:
        raise Unsupported(f"Reshape to {codes} of {list(node.shape())}: {error}") from error


@reads("Flatten", "flatten")
def _(node: Reading, b: Builder) -> Any:
    return b.flatten(node.x, axis=1)


@reads("reshape_like")
def _(node: Reading, b: Builder) -> Any:
    shape, other = list(node.shape(0)), list(node.shape(1))
    bounds = []
    for side, sizes in (("lhs", shape), ("rhs", other)):
        begin = node.bound(f"{side}_begin", 0, len(sizes))
        bounds.append((begin, node.bound(f"{side}_end", len(sizes), len(sizes))))
    (begin, end), (first, last) = bounds
    return b.reshape(node.x, (*shape[:begin], *other[first:last], *shape[end:]))


@reads("transpose")
def _(node: Reading, b: Builder) -> Any:
    perm = node.integers("axes") or tuple(reversed(range(node.rank())))
    return b.transpose(node.x, perm=tuple(axis % len(perm) for axis in perm))


@reads("SwapAxis", "swapaxes")
def _(node: Reading, b: Builder) -> Any:
    first, second = node.axis("dim1", 0), node.axis("dim2", 0)
    perm = list(range(node.rank()))
    perm[first], perm[second] = second, first
    return b.transpose(node.x, perm=tuple(perm))


@reads("expand_dims")
def _(node: Reading, b: Builder) -> Any:
    return b.unsqueeze(node.x, (node.integer("axis"),))


@reads("squeeze")
def _(node: Reading, b: Builder) -> Any:
    axes = node.integers("axis")
    if not axes:
        node.only(all(isinstance(size, int) for size in node.shape()), "it drops open sizes of 1")
    return b.squeeze(node.x, axes or None)


@reads("Concat", "concat", "_rnn_param_concat")
def _(node: Reading, b: Builder) -> Any:
    node.integer("num_args")
    axis = node.axis("dim", 1)
    return b.concat(node.operands, axis=axis)


@reads("stack")
def _(node: Reading, b: Builder) -> Any:
    node.integer("num_args")
    axis = node.integer("axis", 0)
    return b.concat([b.unsqueeze(value, (axis,)) for value in node.operands], axis=axis)


@reads("SliceChannel", "split")
def _(node: Reading, b: Builder) -> Any:
    count, axis = node.integer("num_outputs"), node.axis("axis", 1)
    squeeze = node.flag("squeeze_axis")
    parts = b.split(node.x, axis=axis, count=count)
    parts = parts if isinstance(parts, tuple) else (parts,)
    return tuple(b.squeeze(part, (axis,)) for part in parts) if squeeze else parts


@reads("_split_v2")
def _(node: Reading, b: Builder) -> Any:
    axis, squeeze = node.axis("axis", 1), node.flag("squeeze_axis")
    sections, starts = node.integer("sections", 0), node.integers("indices")
    if sections:
        parts = b.split(node.x, axis=axis, count=sections)
    else:
        ends = (*starts[1:], _END)
        parts = tuple(
            b.slice(node.x, (start,), (end,), (axis,))
            for start, end in zip(starts, ends, strict=True)
        )
    parts = parts if isinstance(parts, tuple) else (parts,)
    return tuple(b.squeeze(part, (axis,)) for part in parts) if squeeze else parts


@reads("slice_axis")
def _(node: Reading, b: Builder) -> Any:
    begin, end = node.integer("begin", 0), node.integer("end", None)
    return b.slice(node.x, (begin,), (_END if end is None else end,), (node.axis("axis", 0),))


@reads("slice", "crop")
def _(node: Reading, b: Builder) -> Any:
    begins, ends = node.integers("begin"), node.integers("end")
    steps = node.integers("step") or (None,) * len(begins)
    steps = tuple(1 if step is None else step for step in steps)
    starts = [(0 if s > 0 else _END) if v is None else v
              for v, s in zip(begins, steps, strict=True)]  # fmt: skip
    stops = [(_END if s > 0 else -_END) if v is None else v
             for v, s in zip(ends, steps, strict=True)]  # fmt: skip
    axes = tuple(range(len(begins)))
    return b.slice(node.x, tuple(starts), tuple(stops), axes, steps)


@reads("slice_like")
def _(node: Reading, b: Builder) -> Any:
    rank = node.rank()
    axes = node.integers("axes") or tuple(range(min(rank, node.rank(1))))
    axes = tuple(axis % rank for axis in axes)
    ends = tuple(node.shape(1)[axis] for axis in axes)
    return b.slice(node.x, (0,) * len(axes), ends, axes)


@reads("Crop")
def _(node: Reading, b: Builder) -> Any:
    """Cuts an image to the size of another one, or to a given size."""
    node.integer("num_args")
    offset, size = node.integers("offset") or (0, 0), node.integers("h_w") or (0, 0)
    centred = node.flag("center_crop")
    sizes = size if len(node.operands) == 1 else node.shape(1)[2:]
    if centred:
        node.only(all(isinstance(s, int) for s in (*sizes, *node.shape()[2:])), "open sizes")
        offset = tuple((a - w) // 2 for a, w in zip(node.shape()[2:], sizes, strict=True))
    ends = tuple(start + wanted for start, wanted in zip(offset, sizes, strict=True))
    return b.slice(node.x, offset, ends, (2, 3))


@reads("tile")
def _(node: Reading, b: Builder) -> Any:
    repeats, rank = node.integers("reps"), node.rank()
    x = node.x
    if len(repeats) > rank:
        x = b.unsqueeze(x, tuple(range(len(repeats) - rank)))
    return b.tile(x, (1,) * (rank - len(repeats)) + repeats)


@reads("repeat")
def _(node: Reading, b: Builder) -> Any:
    count, axis = node.integer("repeats"), node.integer("axis", None)
    x = b.reshape(node.x, (-1,)) if axis is None else node.x
    axis, rank = (axis or 0) % len(x.shape), len(x.shape)
    spread = b.tile(
        b.unsqueeze(x, (axis + 1,)), (1,) * (axis + 1) + (count,) + (1,) * (rank - axis - 1)
    )
    return b.reshape(spread, (*x.shape[:axis], x.shape[axis] * count, *x.shape[axis + 1 :]))


@reads("broadcast_to")
def _(node: Reading, b: Builder) -> Any:
    shape = tuple(a if s == 0 else s for s, a in
                  zip(node.integers("shape"), node.shape(), strict=True))  # fmt: skip
    return b.expand(node.x, shape)


@reads("broadcast_axis", "broadcast_axes")
def _(node: Reading, b: Builder) -> Any:
    shape = list(node.shape())
    for axis, size in zip(node.integers("axis"), node.integers("size"), strict=True):
        shape[axis] = size
    return b.expand(node.x, tuple(shape))


@reads("broadcast_like")
def _(node: Reading, b: Builder) -> Any:
    ours, theirs = node.integers("lhs_axes", None), node.integers("rhs_axes", None)
    shape, other = list(node.shape()), node.shape(1)
    if ours is None:
        return b.expand(node.x, other)
    for axis, source in zip(ours, theirs, strict=True):
        shape[axis] = other[source]
    return b.expand(node.x, tuple(shape))


@reads("Pad", "pad")
def _(node: Reading, b: Builder) -> Any:
    mode, widths = node.text("mode", "constant"), node.integers("pad_width")
    value = node.number("constant_value", 0.0)
    node.only(mode in ("constant", "edge", "reflect"), f"mode={mode!r}")
    pads = widths[::2] + widths[1::2]
    filling = b.constant(value, node.x.dtype) if mode == "constant" else None
    return b.pad(node.x, pads, filling, mode=mode)


@reads("depth_to_space", "space_to_depth")
def _(node: Reading, b: Builder) -> Any:
    return b.call(node.type, node.x, block=node.integer("block_size"))


@reads("reverse", "flip")
def _(node: Reading, b: Builder) -> Any:
    axes = tuple(axis % node.rank() for axis in node.integers("axis"))
    return b.reverse(node.x, axes=axes)


@reads("shape_array")
def _(node: Reading, b: Builder) -> Any:
    return b.shape_of(node.x)


@reads("zeros_like", "ones_like")
def _(node: Reading, b: Builder) -> Any:
    """Of the operand's type, whatever `dtype` says: MXNet takes no notice of that."""
    node.text("dtype")
    value = 1.0 if node.type == "ones_like" else 0.0
    return b.constant_of_shape(node.shape(), value=value, dtype=node.x.dtype or DType.FLOAT32)


@reads("_zeros", "_ones", "_full", "zeros", "ones")
def _(node: Reading, b: Builder) -> Any:
    dtype = node.dtype("dtype", DType.FLOAT32) or DType.FLOAT32
    value = node.number("value", 1.0 if "ones" in node.type else 0.0)
    shape = node.integers("shape")
    node.only(0 not in shape and shape, "its size isn't known")
    return b.identity(b.constant(np.full(shape, value), dtype))


@reads("_arange")
def _(node: Reading, b: Builder) -> Any:
    start, stop = node.number("start", 0.0), node.number("stop", None)
    step, repeat = node.number("step", 1.0), node.integer("repeat", 1)
    node.flag("infer_range")
    dtype = node.dtype("dtype", DType.FLOAT32) or DType.FLOAT32
    start, stop = (0.0, start) if stop is None else (start, stop)
    node.only(not node.flag("infer_range") and abs((stop - start) / step) < 1e7, "its size is open")
    items = np.repeat(np.arange(start, stop, step), repeat)
    return b.identity(b.constant(items, dtype))


@reads("_contrib_arange_like")
def _(node: Reading, b: Builder) -> Any:
    start, step = node.number("start", 0.0), node.number("step", 1.0)
    axis, repeat = node.integer("axis", None), node.integer("repeat", 1)
    node.only(axis is not None and repeat == 1, "over all axes")
    size, dtype = node.shape()[axis], node.x.dtype or DType.FLOAT32
    if isinstance(size, int):
        return b.identity(b.constant(start + step * np.arange(size), dtype))
    count = b.cast(b.shape_of(node.x, start=axis, end=axis + 1), to=dtype)
    places = b.range(b.constant(0, dtype), b.squeeze(count, (0,)), b.constant(1, dtype))
    return b.add(b.mul(places, step), start)
