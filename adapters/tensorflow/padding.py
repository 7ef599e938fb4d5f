"""Padding as TensorFlow has it: none, or "same", which depends on the size; other padding becomes
ops of its own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from adapters.tensorflow.dialect import AXES, END
from ir_hub.ir.graph import Graph, Node, Value
from ir_hub.ops.build import Builder
from ir_hub.ops.catalogue import OPS
from ir_hub.ops.windows import window_counts
from ir_hub.sdk.operands import only

Pads = tuple[tuple[int, int], ...]
_PADDED = ("conv", "max_pool", "avg_pool")


def padding_of(node: Node) -> str:
    """How a convolution or a pool is padded, whose other padding has been split off."""
    found = _padding(node)
    only(found is not None, f"its padding {node.pads} isn't split off")
    return str(found)


def split_padding(graph: Graph) -> None:
    """Gives all padding that TensorFlow's layers don't have its own node before, or after, them."""
    nodes, graph.nodes = graph.nodes, []
    builder = Builder(graph)
    for node in nodes:
        ours = node.axes == AXES[node.op] if node.op in AXES else False
        with builder.within(node.scope.rpartition(".")[0], node.origins):
            if ours and node.op in _PADDED and not _is_plain(node):
                _split_before(node, builder)
            elif ours and node.op == "conv_transpose":
                _split_after(node, builder)
            else:
                graph.nodes.append(node)


def _is_plain(node: Node) -> bool:
    return not node.args.get("ceil_mode") and _padding(node) is not None


def _split_before(node: Node, builder: Builder) -> None:
    pads = _with_ceil(node)
    if pads is None or any(begin < 0 or end < 0 for begin, end in pads):
        builder.graph.nodes.append(node)  # refused by its rule
        return
    share = _share(node, pads) if node.op == "avg_pool" else None
    lowest = None
    # Padding with zeros does as well where nothing is below: no window is in it alone.
    if node.op == "max_pool" and not _is_positive(node.x):
        lowest = builder.constant(-math.inf, node.x.dtype)
    begins, ends = ([pair[side] for pair in pads] for side in (0, 1))
    if any(map(any, pads)):
        node.args["x"] = builder.pad(node.x, (0, *begins, 0, 0, *ends, 0), lowest)
    node.args["pads"] = ((0, 0),) * len(pads)
    if "ceil_mode" in node.args:
        node.args["ceil_mode"] = False
    builder.graph.nodes.append(node)
    if share is not None:
        _scale(node, share, builder)


def _share(node: Node, pads: Pads) -> np.ndarray | None:
    """What the mean over a window of zeros around x has to be multiplied with; None if with 1."""
    sizes = _sizes(node.x)
    if sizes is None:
        return None if node.count_include_pad else np.zeros(())
    ones = np.ones((1, *sizes, 1))
    literals = {name: v for name, v in node.args.items() if name not in ("x", "pads", "ceil_mode")}
    pool = OPS["avg_pool"]
    given = {"x": ones, **literals, "pads": node.pads, "ceil_mode": node.ceil_mode}
    counted = {**given, "pads": pads, "ceil_mode": False, "count_include_pad": True}
    (found,), (mean,) = pool.call(given), pool.call(counted)
    share = np.divide(found, mean, out=np.ones_like(found), where=mean != 0)
    return None if np.allclose(share, 1, rtol=1e-12) else share


def _scale(node: Node, share: np.ndarray, builder: Builder) -> None:
    """Multiplies what a node computes."""
    only(share.ndim > 0, "its padding isn't counted, and the size of its input isn't known")
    result = node.result
    mean = Value(f"{result.name}_mean", result.type, node)
    node.results = [mean]
    scaled = builder.mul(mean, builder.constant(share, mean.dtype, "share")).producer
    scaled.results, result.producer = [result], scaled


def _is_positive(value: Value) -> bool:
    """Whether no element can be below zero."""
    return value.producer is not None and value.producer.op in ("relu", "relu6", "sigmoid")


def _with_ceil(node: Node) -> Pads | None:
    """The padding with what rounding up adds to the ends; None when that isn't known."""
    pads: Pads = node.pads
    if not node.args.get("ceil_mode"):
        return pads
    sizes = _sizes(node.x)
    if sizes is None:
        return None
    counts = window_counts(sizes, node.kernel, node.strides, pads, node.dilations, True)
    needed = []
    for size, count, stride, kernel, dilation, (begin, end) in zip(
        sizes, counts, node.strides, node.kernel, node.dilations, pads, strict=True
    ):
        span = (int(count) - 1) * stride + dilation * (kernel - 1) + 1
        needed.append((begin, max(end, span - size - begin)))
    return tuple(needed)


def _padding(node: Node) -> str | None:
    """ "valid" or "same" if one of them pads as the node does."""
    pads: Pads = node.pads
    if not any(map(any, pads)):
        return "valid"
    kernel = node.weight.shape[:-2] if node.op == "conv" else node.kernel
    sizes = node.x.shape[1:-1] if node.x.shape else (None,) * len(pads)
    if node.op == "avg_pool" and node.count_include_pad:
        return None
    for size, stride, width, dilation, pair in zip(
        sizes, node.strides, kernel, node.dilations, pads, strict=True
    ):
        if _same(size, stride, dilation * (width - 1) + 1) != pair:
            return None
    return "same"


def _same(size: Any, stride: int, reach: int) -> tuple[int, int] | None:
    """The padding "same" for a size; None where it depends on a size that isn't known."""
    if stride == 1:
        total = reach - 1
    elif isinstance(size, int):
        total = max((-(-size // stride) - 1) * stride + reach - size, 0)
    else:
        return None
    return total // 2, total - total // 2


def _sizes(value: Value) -> tuple[int, ...] | None:
    sizes = value.shape[1:-1] if value.shape else None
    if sizes is None or not all(isinstance(size, int) for size in sizes):
        return None
    return tuple(int(size) for size in sizes)  # type: ignore[arg-type]


def crop_of(node: Node) -> tuple[bool, Pads]:
    """Whether Keras' "same" leaves less to cut off a transposed convolution than "valid" does, and
    what there is still to cut off its beginnings and ends."""
    crops: dict[bool, Pads] = {}
    for same in (True, False):
        found = []
        for stride, width, (begin, end), extra in zip(
            node.strides, node.weight.shape[:-2], node.pads, node.output_padding, strict=True
        ):
            end -= extra
            if same:
                total = max(width - stride, 0)
                # The result is `stride` times as large; shorter kernels leave zeros at the end.
                short = max(stride - width, 0)
                found.append((begin - total // 2, end - (total - total // 2) + short))
            else:
                found.append((begin, end + max(stride - width, 0)))
        crops[same] = tuple(found)
    if all(pair == (0, 0) for pair in crops[True]) and any(map(any, crops[False])):
        return True, crops[True]
    only(all(b >= 0 and e >= 0 for b, e in crops[False]), "its output is padded beyond its stride")
    return False, crops[False]


def _split_after(node: Node, builder: Builder) -> None:
    same, crop = crop_of(node)
    builder.graph.nodes.append(node)
    if same or not any(map(any, crop)):
        return
    result, widths = node.result, node.weight.shape[:-2]
    node.args["pads"] = ((0, 0),) * len(crop)
    # What Keras' "valid" leaves behind shorter kernels.
    node.args["output_padding"] = tuple(
        max(stride - width, 0) for stride, width in zip(node.strides, widths, strict=True)
    )
    types = OPS["conv_transpose"].infer(node.args, builder.fresh)
    whole = Value(f"{result.name}_whole", types[0], node)
    node.results = [whole]
    starts, ends = tuple(b for b, _ in crop), tuple(-e if e else END for _, e in crop)
    axes = tuple(range(1, 1 + len(crop)))
    cut = builder.append("slice", {"x": whole, "starts": starts, "ends": ends, "axes": axes})
    cut.results, result.producer = [result], cut
