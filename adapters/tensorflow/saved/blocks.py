"""What TensorFlow spells out around a convolution: dilation as blocks in the batch, and a second
spatial axis of size 1 around one that has only one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adapters.tensorflow.dialect import END
from adapters.tensorflow.saved.constants import in_shape
from adapters.tensorflow.saved.windows import Ints, Pads
from ir_hub.ir.graph import Node, Value
from ir_hub.ops.build import Builder
from ir_hub.sdk.operands import only, rank_of, shape_of

_WINDOWED = ("conv", "max_pool", "avg_pool")


def scattered_blocks(b: Builder, x: Value, block: Ints, pads: Pads) -> Value:
    """SpaceToBatchND: what lies in one place of each block is an image of its own."""
    only(len(block) == len(pads) < rank_of(x), f"blocks of {block} of {rank_of(x)} axes")
    count = len(block)
    begins, ends = (tuple(pair[side] for pair in pads) for side in (0, 1))
    if any(map(any, pads)):
        x = b.pad(x, (*begins, *ends), None, tuple(range(1, count + 1)))
    batch, *sizes = shape_of(x)
    split = [part for n, k in zip(sizes, block, strict=False) for part in (n // k, k)]
    apart = b.reshape(x, (batch, *split, *sizes[count:]))
    inner, outer = range(2, 2 * count + 1, 2), range(1, 2 * count + 1, 2)
    rest = range(2 * count + 1, rank_of(apart))
    turned = b.transpose(apart, perm=(*inner, 0, *outer, *rest))
    images = batch
    for k in block:
        images = images * k
    small = [n // k for n, k in zip(sizes, block, strict=False)]
    return b.reshape(turned, (images, *small, *sizes[count:]))  # type: ignore[no-any-return]


def gathered_blocks(b: Builder, x: Value, block: Ints, crops: Pads) -> Value:
    """BatchToSpaceND: the inverse; around a convolution both are its dilation."""
    only(len(block) == len(crops) < rank_of(x), f"blocks of {block} of {rank_of(x)} axes")
    found = _dilated(b, x, block, crops)
    if found is not None:
        return found
    count = len(block)
    images, *sizes = shape_of(x)
    for k in block:
        images = images // k
    apart = b.reshape(x, (*block, images, *sizes))
    pairs = [axis for i in range(count) for axis in (count + 1 + i, i)]
    turned = b.transpose(apart, perm=(count, *pairs, *range(2 * count + 1, rank_of(apart))))
    large = [n * k for n, k in zip(sizes, block, strict=False)]
    whole = b.reshape(turned, (images, *large, *sizes[count:]))
    if not any(map(any, crops)):
        return whole  # type: ignore[no-any-return]
    ends = tuple(-end if end else END for _, end in crops)
    axes = tuple(range(1, count + 1))
    return b.slice(whole, tuple(begin for begin, _ in crops), ends, axes)  # type: ignore[no-any-return]


def _dilated(b: Builder, x: Value, block: Ints, crops: Pads) -> Value | None:
    """The convolution of the blocks as a dilated one; None when it isn't one."""
    conv = x.producer
    source = _blocks_of(conv.x, block) if conv is not None and conv.op == "conv" else None
    if conv is None or source is None or conv.axes.split(",")[0] != "N*C":
        return None
    count = len(block)
    plain = not any(map(any, conv.pads)) and {*conv.strides, *conv.dilations} == {1}
    if not plain or len(conv.strides) != count:
        return None
    pads = tuple(
        (begin - first, end - last)
        for (begin, end), (first, last) in zip(source.pads, crops, strict=True)
    )
    if min(min(pair) for pair in pads) < 0:
        return None
    args = {**conv.args, "x": source.x, "dilations": block, "pads": pads}
    return b.append("conv", args).result


@dataclass(frozen=True)
class _Source:
    """What was cut into blocks, and how it was padded."""

    x: Value
    pads: Pads


def _blocks_of(value: Value, block: Ints) -> _Source | None:
    """What `scattered_blocks` made a value of; None when it is something else."""
    count = len(block)
    turned = _made_by(value, "reshape")
    apart = _made_by(turned.x, "transpose") if turned else None
    split = _made_by(apart.x, "reshape") if apart else None
    if turned is None or apart is None or split is None or split.result.shape is None:
        return None
    inner, outer = tuple(range(2, 2 * count + 1, 2)), tuple(range(1, 2 * count + 1, 2))
    rest = tuple(range(2 * count + 1, len(split.result.shape)))
    small = tuple(split.result.shape[axis] for axis in (*outer, *rest))
    whole = split.x.shape
    if (
        apart.perm != (*inner, 0, *outer, *rest)
        or tuple(split.result.shape[axis] for axis in inner) != block
        or turned.result.shape is None
        or turned.result.shape[1:] != small
        or whole is None
        or whole[1 : count + 1] != tuple(n * k for n, k in zip(small, block, strict=False))
    ):
        return None
    pad = _made_by(split.x, "pad")
    if pad is not None and pad.axes == tuple(range(1, count + 1)) and pad.value is None:
        return _Source(pad.x, tuple(zip(pad.pads[:count], pad.pads[count:], strict=True)))
    return _Source(split.x, ((0, 0),) * count)


def without_axis(b: Builder, x: Value, axis: int) -> Value | None:
    """A convolution or pool that goes over an axis that was only put there for it, without that
    axis; None where there is more to it."""
    node = x.producer
    if node is None or node.op not in _WINDOWED or len(node.strides) != 2:
        return None
    order = node.axes.replace(",", "->").split("->")[0]
    first = order.index("*")
    grown = _made_by(node.x, "unsqueeze")
    if grown is None or grown.axes != (axis,) or axis not in (first, first + 1):
        return None
    place = axis - first
    trivial = node.pads[place] == (0, 0) and node.strides[place] == node.dilations[place] == 1
    args: dict[str, Any] = dict(node.args)
    if node.op == "conv":
        trivial = trivial and node.weight.is_constant and node.weight.shape[place] == 1
        if not trivial:
            return None
        kernel = [n for i, n in enumerate(node.weight.shape) if i != place]
        args["weight"] = in_shape(node.weight, kernel)
    elif not trivial or node.kernel[place] != 1:
        return None
    for name in ("strides", "pads", "dilations", "kernel"):
        if name in args:
            args[name] = (args[name][1 - place],)
    return b.append(node.op, {**args, "x": grown.x}).result


def _made_by(value: Value, op: str) -> Node | None:
    node = value.producer
    return node if node is not None and node.op == op else None
