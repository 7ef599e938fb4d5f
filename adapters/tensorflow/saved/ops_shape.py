"""Reads what changes shapes and orders of axes, and what computes with shapes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from adapters.tensorflow.saved.blocks import gathered_blocks, scattered_blocks, without_axis
from adapters.tensorflow.saved.constants import in_order, in_shape
from adapters.tensorflow.saved.reading import op
from adapters.tensorflow.saved.sizes import axes_of, elements, int_of, ints_of, sizes_of
from adapters.tensorflow.saved.windows import order_of
from ir_hub.ir.graph import Value
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.sdk.operands import axis_of, cast, dtype_of, only, rank_of, shape_of


@op("Identity")
def identity(b: Builder, x: Value) -> Any:
    return x


@op("Shape")
def shape(b: Builder, x: Value, *, out_type: DType) -> Any:
    return cast(b, b.shape_of(x), out_type)


@op("ShapeN")
def shapes(b: Builder, *items: Value, out_type: DType) -> Any:
    return [cast(b, b.shape_of(x), out_type) for x in items]


@op("Size")
def size(b: Builder, x: Value, *, out_type: DType) -> Any:
    return cast(b, b.size_of(x), out_type)


@op("Rank")
def rank(b: Builder, x: Value) -> Any:
    return b.constant(np.array(rank_of(x), np.int32))


@op("Reshape")
def reshape(b: Builder, x: Value, shape: Value) -> Any:
    wanted = sizes_of(shape, "its shape")
    sizes = [n for n in wanted if isinstance(n, int)]
    if x.is_constant and len(sizes) == len(wanted):
        rest = math.prod(shape_of(x)) // max(math.prod(n for n in sizes if n != -1), 1)
        return in_shape(x, [rest if n == -1 else n for n in sizes])
    return b.reshape(x, wanted, allow_zero=True) if 0 in wanted else b.reshape(x, wanted)


@op("ExpandDims")
def expand_dims(b: Builder, x: Value, dim: Value) -> Any:
    axis = axis_of(x, int_of(dim, "its axis"), more=1)
    if x.is_constant:
        return in_shape(x, (*shape_of(x)[:axis], 1, *shape_of(x)[axis:]))
    return b.unsqueeze(x, (axis,))


@op("Squeeze")
def squeeze(b: Builder, x: Value, *, squeeze_dims: tuple[int, ...]) -> Any:
    sizes = shape_of(x)
    if not squeeze_dims:
        only(all(isinstance(n, int) for n in sizes), "it drops axes of open sizes if they are 1")
        squeeze_dims = tuple(axis for axis, n in enumerate(sizes) if n == 1)
    axes = {axis_of(x, axis) for axis in squeeze_dims}
    if x.is_constant:
        return in_shape(x, [n for axis, n in enumerate(sizes) if axis not in axes])
    if len(axes) == 1:
        found = without_axis(b, x, *axes)
        if found is not None:
            return found
    return b.squeeze(x, tuple(sorted(axes))) if axes else x


@op("Transpose")
def transpose(b: Builder, x: Value, perm: Value) -> Any:
    order = axes_of(perm, x)
    only(sorted(order) == list(range(rank_of(x))), f"its order {order} of {rank_of(x)} axes")
    return in_order(x, order) if x.is_constant else b.transpose(x, perm=order)


@op("Tile")
def tile(b: Builder, x: Value, multiples: Value) -> Any:
    return b.tile(x, sizes_of(multiples, "how often it repeats"))


@op("BroadcastTo")
def broadcast_to(b: Builder, x: Value, shape: Value) -> Any:
    return b.expand(x, sizes_of(shape, "its shape"))


@op("Fill")
def fill(b: Builder, dims: Value, value: Value) -> Any:
    wanted = sizes_of(dims, "its shape")
    if value.scalar is not None:
        return b.constant_of_shape(wanted, value=value.scalar, dtype=dtype_of(value))
    return b.expand(b.reshape(value, (1,) * len(wanted)), wanted)


@op("ZerosLike")
def zeros_like(b: Builder, x: Value) -> Any:
    return b.constant_of_shape(shape_of(x), value=_number(x, 0), dtype=dtype_of(x))


@op("OnesLike")
def ones_like(b: Builder, x: Value) -> Any:
    return b.constant_of_shape(shape_of(x), value=_number(x, 1), dtype=dtype_of(x))


def _number(x: Value, number: int) -> Any:
    kind = dtype_of(x)
    return bool(number) if kind is DType.BOOL else float(number) if kind.is_float else number


@op("Range")
def range_(b: Builder, start: Value, limit: Value, delta: Value) -> Any:
    bounds = [elements(value) for value in (start, limit, delta)]
    if all(v.is_constant for v in (start, limit, delta)):
        first, last, step = (value.array().item() for value in (start, limit, delta))
        only(step != 0 and (last - first) / step < 1 << 24, "its range is endless")
        found = first + step * np.arange(max(math.ceil((last - first) / step), 0))
        return b.constant(found.astype(dtype_of(start).numpy))
    known = [None if v is None else v.item() for v in bounds]
    found = b.range(start, limit, delta)
    if known[0] == 0 and known[2] == 1 and known[1] is not None:
        found.type = found.type.with_shape((known[1],))
    return found


@op("Pad", "PadV2")
def pad(b: Builder, x: Value, paddings: Value, value: Value | None = None) -> Any:
    flat = sizes_of(paddings, "its padding")
    only(len(flat) == 2 * rank_of(x), f"its padding {flat}")
    fill = None if value is None or value.scalar == 0 else value
    return b.pad(x, (*flat[0::2], *flat[1::2]), fill)


@op("MirrorPad")
def mirror_pad(b: Builder, x: Value, paddings: Value, *, mode: str) -> Any:
    flat = ints_of(paddings, "its padding")
    only(len(flat) == 2 * rank_of(x), f"its padding {flat}")
    # Within one element the mirror image with the edge is the edge.
    narrow = max(flat, default=0) <= 1
    only(mode == "REFLECT" or narrow, f"it mirrors the edge too (mode {mode}), by more than one")
    kind = "reflect" if mode == "REFLECT" else "edge"
    return b.pad(x, (*flat[0::2], *flat[1::2]), mode=kind)


@op("DepthToSpace")
def depth_to_space(b: Builder, x: Value, *, block_size: int, data_format: str) -> Any:
    order = order_of(data_format)
    return b.depth_to_space(x, block=block_size, mode="DCR", axes=f"{order}->{order}")


@op("SpaceToDepth")
def space_to_depth(b: Builder, x: Value, *, block_size: int, data_format: str) -> Any:
    order = order_of(data_format)
    return b.space_to_depth(x, block=block_size, mode="DCR", axes=f"{order}->{order}")


@op("SpaceToBatchND")
def space_to_batch(b: Builder, x: Value, block: Value, paddings: Value) -> Any:
    flat = ints_of(paddings, "its padding")
    pairs = tuple(zip(flat[0::2], flat[1::2], strict=True))
    return scattered_blocks(b, x, ints_of(block, "its block"), pairs)


@op("BatchToSpaceND")
def batch_to_space(b: Builder, x: Value, block: Value, crops: Value) -> Any:
    flat = ints_of(crops, "what it crops")
    pairs = tuple(zip(flat[0::2], flat[1::2], strict=True))
    return gathered_blocks(b, x, ints_of(block, "its block"), pairs)
