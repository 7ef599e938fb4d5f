"""ONNX's ops on shapes, and those that move elements about."""

from __future__ import annotations

from typing import Any

from adapters.onnx.dialect import dtype_of_number, expect, only, rank_of, table
from ir_hub.ir.dims import Expr
from ir_hub.ir.graph import Node
from ir_hub.ir.tensor import Tensor
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import Call, Unsupported

table.same("shape_of", "Shape", start="start", end="end")
table.same("size_of", "Size")
table.same("flatten", "Flatten", axis="axis")
table.same("expand", "Expand", since=8)
table.same("squeeze", "Squeeze", since=13)
table.same("unsqueeze", "Unsqueeze", since=13)
table.same("concat", "Concat", since=4, axis="axis")
table.same("slice", "Slice", since=10)
table.same("gather", "Gather", axis="axis")
table.same("gather_elements", "GatherElements", since=11, axis="axis")
table.same("gather_nd", "GatherND", since=11, batch_dims="batch_dims")
table.same("scatter_elements", "ScatterElements", since=11, axis="axis", reduction="reduction")
table.same("scatter_nd", "ScatterND", since=11, reduction="reduction")
table.same("tensor_scatter", "TensorScatter", since=24, axis="axis", mode="mode")
table.same("tile", "Tile", since=6)
table.same("pad", "Pad", since=11, mode="mode")
table.same("trilu", "Trilu", since=14, upper="upper")
table.same("depth_to_space", "DepthToSpace", since=11, block="blocksize", mode="mode")
table.same(
    "reverse_sequence",
    "ReverseSequence",
    since=10,
    batch_axis="batch_axis",
    time_axis="time_axis",
)
table.same("compress", "Compress", since=9, axis="axis")
table.same("center_crop_pad", "CenterCropPad", since=18, axes="axes")


@table.read("Reshape", since=5)
def reshape(call: Call, b: Builder) -> Any:
    only(call, "allowzero")
    return b.reshape(*call.inputs, allow_zero=bool(call.attrs.get("allowzero", 0)))


@table.write("reshape", since=14)
def write_reshape(node: Node, emitter: Any) -> Any:
    shape, allow_zero = _said_by_place(node)
    return emitter.node("Reshape", [node.x, shape], {"allowzero": allow_zero})


def _said_by_place(node: Node) -> tuple[Any, bool]:
    """A shape with symbols as ONNX can say it without computing: 0 is a size that stays where it
    is, -1 the one that is left. As it is where that isn't enough."""
    symbolic = isinstance(node.shape, tuple) and any(isinstance(n, Expr) for n in node.shape)
    if not symbolic or any(size in (0, -1) for size in node.shape):
        return node.shape, node.allow_zero
    old = node.x.shape or ()
    kept = [
        0 if isinstance(size, Expr) and i < len(old) and old[i] == size else size
        for i, size in enumerate(node.shape)
    ]
    for sizes, allow_zero in ((list(node.shape), node.allow_zero), (kept, False)):
        computed = [i for i, size in enumerate(sizes) if isinstance(size, Expr)]
        if len(computed) <= 1:
            return tuple(-1 if isinstance(n, Expr) else n for n in sizes), allow_zero
    return node.shape, node.allow_zero


@table.read("Transpose")
def transpose(call: Call, b: Builder) -> Any:
    only(call, "perm")
    x, perm = call.inputs[0], call.attrs.get("perm")
    if perm is None:
        perm = tuple(reversed(range(rank_of(x, "the operand of Transpose"))))
    return b.transpose(x, perm=perm)


@table.write("transpose")
def write_transpose(node: Node, emitter: Any) -> Any:
    return emitter.node("Transpose", [node.x], {"perm": node.perm})


@table.read("Squeeze", "Unsqueeze", since=1)
def squeeze_by_attribute(call: Call, b: Builder) -> Any:
    only(call, "axes")
    return b.call(call.type.lower(), call.inputs[0], call.attrs.get("axes"))


@table.read("Split", since=2)
def split_by_attribute(call: Call, b: Builder) -> Any:
    only(call, "axis", "split")
    axis, sizes = call.attrs.get("axis", 0), call.attrs.get("split")
    return b.split(call.inputs[0], sizes, axis=axis, count=len(call.outputs))


@table.read("Split", since=13)
def split(call: Call, b: Builder) -> Any:
    only(call, "axis", "num_outputs")
    count = len(call.outputs)
    expect(call, num_outputs=count)
    return b.split(*call.inputs, axis=call.attrs.get("axis", 0), count=count)


@table.write("split", since=18)
def write_split(node: Node, emitter: Any) -> Any:
    attributes = {"axis": node.axis}
    if node.sizes is None:
        attributes["num_outputs"] = node.count
    return emitter.node("Split", [node.x, node.sizes], attributes, node.count)


@table.read("Slice", since=1)
def slice_by_attributes(call: Call, b: Builder) -> Any:
    only(call, "starts", "ends", "axes")
    return b.slice(call.inputs[0], call.attrs["starts"], call.attrs["ends"], call.attrs.get("axes"))


@table.read("Scatter", since=9)
def scatter(call: Call, b: Builder) -> Any:
    only(call, "axis")
    return b.scatter_elements(*call.inputs, axis=call.attrs.get("axis", 0))


@table.read("Pad", since=2)
def pad_by_attributes(call: Call, b: Builder) -> Any:
    only(call, "pads", "value", "mode")
    value = call.attrs.get("value", 0.0)
    mode = call.attrs.get("mode", "constant")
    return b.pad(call.inputs[0], call.attrs["pads"], value or None, mode=mode)


@table.read("Range", since=11)
def range_of(call: Call, b: Builder) -> Any:
    only(call, "stash_type")
    expect(call, stash_type=1)
    return b.range(*call.inputs)


@table.write("range", since=11)
def write_range(node: Node, emitter: Any) -> Any:
    return emitter.node("Range", [node.start, node.limit, node.delta])


@table.write("positions", since=11)
def write_positions(node: Node, emitter: Any) -> Any:
    first, step = (emitter.scalar(number, DType.INT64) for number in (0, 1))
    return emitter.node("Range", [first, emitter.single(node.size), step])


@table.read("ConstantOfShape", since=9)
def constant_of_shape(call: Call, b: Builder) -> Any:
    only(call, "value")
    value: Tensor | None = call.attrs.get("value")
    if value is None:
        return b.constant_of_shape(call.inputs[0], value=0.0, dtype=DType.FLOAT32)
    if value.dtype in (DType.STRING, DType.COMPLEX64, DType.COMPLEX128):
        raise Unsupported(f"ConstantOfShape of {value.dtype.value}")
    return b.constant_of_shape(
        call.inputs[0], value=value.numpy().reshape(-1)[0].item(), dtype=value.dtype
    )


@table.write("constant_of_shape", since=9)
def write_constant_of_shape(node: Node, emitter: Any) -> Any:
    value = emitter.array([node.value], node.dtype)
    return emitter.node("ConstantOfShape", [node.shape], {"value": value})


@table.read("EyeLike", since=9)
def eye_like(call: Call, b: Builder) -> Any:
    only(call, "dtype", "k")
    x = call.inputs[0]
    assert x is not None
    dtype = dtype_of_number(call.attrs["dtype"]) if "dtype" in call.attrs else x.dtype
    return b.eye_like(x, k=call.attrs.get("k", 0), dtype=dtype)


@table.write("eye_like", since=9)
def write_eye_like(node: Node, emitter: Any) -> Any:
    return emitter.node("EyeLike", [node.x], {"k": node.k, "dtype": node.dtype})


@table.read("OneHot", since=9)
def one_hot(call: Call, b: Builder) -> Any:
    """The depth may be a scalar of any type."""
    only(call, "axis")
    indices, depth, values = call.inputs
    if depth is not None and not depth.is_constant:
        depth = b.reshape(b.cast(depth, to=DType.INT64), (1,))
    return b.one_hot(indices, depth, values, axis=call.attrs.get("axis", -1))


@table.write("one_hot", since=9)
def write_one_hot(node: Node, emitter: Any) -> Any:
    depth, wide = node.depth, node.values.dtype in (DType.FLOAT32, DType.INT64, DType.STRING)
    if node.indices.dtype is not DType.INT64 or not wide:  # ONNX Runtime has no other kernels
        depth = emitter.node("Cast", [depth], {"to": DType.FLOAT32})[0]
    return emitter.node("OneHot", [node.indices, depth, node.values], {"axis": node.axis})


@table.read("OptionalHasElement", since=18)
def has_element(call: Call, b: Builder) -> Any:
    """What is a tensor is there."""
    only(call)
    return b.identity(b.constant(call.input(0) is not None, DType.BOOL))


@table.read("OptionalGetElement", since=18)
def get_element(call: Call, b: Builder) -> Any:
    only(call)
    return b.identity(call.inputs[0])


@table.read("DepthToSpace", since=1)
def depth_to_space(call: Call, b: Builder) -> Any:
    only(call, "blocksize")
    return b.depth_to_space(call.inputs[0], block=call.attrs["blocksize"])


@table.read("SpaceToDepth")
def space_to_depth(call: Call, b: Builder) -> Any:
    only(call, "blocksize", "mode")
    block, mode = call.attrs["blocksize"], call.attrs.get("mode", "DCR")
    return b.space_to_depth(call.inputs[0], block=block, mode=mode)


@table.write("space_to_depth")
def write_space_to_depth(node: Node, emitter: Any) -> Any:
    """The mode came with opset 28; before, it was always DCR."""
    mode = None if node.mode == "DCR" else node.mode
    return emitter.node("SpaceToDepth", [node.x], {"blocksize": node.block, "mode": mode})


@table.write("channel_shuffle", since=14)
def write_channel_shuffle(node: Node, emitter: Any) -> Any:
    """The channels as (groups, each), transposed, as one again."""
    rank = rank_of(node.x, "the operand of channel_shuffle")
    axis, shape = node.axis % rank, node.x.shape
    split = (*shape[:axis], node.groups, shape[axis] // node.groups, *shape[axis + 1 :])
    order = list(range(rank + 1))
    order[axis], order[axis + 1] = axis + 1, axis
    parts = emitter.node("Transpose", emitter.node("Reshape", [node.x, split]), {"perm": order})
    return emitter.node("Reshape", [*parts, shape])


@table.write("reverse", since=10)
def write_reverse(node: Node, emitter: Any) -> Any:
    count = len(node.axes)
    last, before_first, steps = (-1,) * count, (-(1 << 63),) * count, (-1,) * count
    return emitter.node("Slice", [node.x, last, before_first, tuple(node.axes), steps])


@table.write("embedding")
def write_embedding(node: Node, emitter: Any) -> Any:
    return emitter.node("Gather", [node.weight, node.indices], {"axis": 0})
