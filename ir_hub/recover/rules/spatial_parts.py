"""Biases and padding that are spelled beside the convolution or pooling that they belong to."""

from __future__ import annotations

import numpy as np

from ir_hub.ir.graph import Node, Value, constant
from ir_hub.recover.index import Index
from ir_hub.recover.instantiate import Maker
from ir_hub.recover.rewrite import Instead, rewrite

Pads = tuple[tuple[int, int], ...]


@rewrite("add", "sub")
def conv_bias(node: Node, index: Index, make: Maker) -> Instead:
    """conv(x, w) + b, with one number of b for each channel, is conv(x, w, b)."""
    for convolved, other in ((node.x, node.y), (node.y, node.x)):
        conv = index.producer(convolved)
        if conv is None or conv.op not in ("conv", "conv_transpose") or conv.bias is not None:
            continue
        if node.op == "sub" and convolved is not node.x:
            continue
        bias = _by_channel(other, convolved, conv.axes.split("->")[1])
        if bias is not None:
            numbers = -bias if node.op == "sub" else bias
            return make.append(conv.op, {**conv.args, "bias": constant(numbers, other.name)}).result
    return None


def _by_channel(bias: Value, result: Value, order: str) -> np.ndarray | None:
    """A constant as a vector over the channels of `result`; None when it isn't one."""
    if bias.data is None or result.shape is None or len(bias.data.shape) > len(result.shape):
        return None
    rank = len(result.shape)
    place = order.index("C")
    axis = place if place < order.index("*") else rank - len(order) + place
    channels = result.shape[axis]
    wanted = tuple(channels if place == axis else 1 for place in range(rank))
    shape = (1,) * (rank - len(bias.data.shape)) + bias.data.shape
    return bias.array().reshape(-1) if shape == wanted else None


@rewrite("conv")
def conv_padding(node: Node, index: Index, make: Maker) -> Instead:
    """conv of x padded with zeros is conv of x with those pads."""
    return _padded(node, 0.0, index, make)


@rewrite("max_pool")
def max_pool_padding(node: Node, index: Index, make: Maker) -> Instead:
    """max_pool of x padded with -infinity is max_pool of x with those pads."""
    return None if node.ceil_mode else _padded(node, -np.inf, index, make)


@rewrite("avg_pool")
def avg_pool_padding(node: Node, index: Index, make: Maker) -> Instead:
    """avg_pool of x padded with zeros counts the padding."""
    counts = node.count_include_pad or not any(map(any, node.pads))
    if node.ceil_mode or not counts:
        return None
    return _padded(node, 0.0, index, make, count_include_pad=True)


def _padded(node: Node, value: float, index: Index, make: Maker, **changed: bool) -> Value | None:
    """The node without the pad before it."""
    own: Pads = node.pads
    pad = index.producer(node.x)
    if pad is None or pad.op != "pad" or pad.mode != "constant":
        return None
    if (0 if pad.value is None else pad.value.scalar) != value:
        return None
    pairs = _pairs(pad)
    order = node.axes.replace(",", "->").split("->")[0]
    if pairs is None or any(before < 0 or after < 0 for before, after in pairs):
        return None
    first = order.index("*")
    spatial = slice(first, first + len(own))
    others = [*pairs[:first], *pairs[spatial.stop :]]
    if any(map(any, others)):
        return None
    both = tuple((a + c, b + d) for (a, b), (c, d) in zip(pairs[spatial], own, strict=True))
    if "pool" in node.op and any(max(p) >= k for p, k in zip(both, node.kernel, strict=True)):
        return None  # no framework pools what is nothing but padding
    return make.append(node.op, {**node.args, "x": pad.x, "pads": both, **changed}).result


def _pairs(pad: Node) -> list[tuple[int, int]] | None:
    """What is added before and after each axis; None when only the run knows."""
    if pad.x.shape is None or not isinstance(pad.pads, tuple):
        return None
    if isinstance(pad.axes, Value) or not all(isinstance(size, int) for size in pad.pads):
        return None
    rank, half = len(pad.x.shape), len(pad.pads) // 2
    axes = range(rank) if pad.axes is None else [axis % rank for axis in pad.axes]
    pairs = [(0, 0)] * rank
    for axis, before, after in zip(axes, pad.pads[:half], pad.pads[half:], strict=True):
        pairs[axis] = (before, after)
    return pairs
