"""Reading and writing elements by their place."""

from __future__ import annotations

from adapters.pytorch.dialect import Draft, pytorch
from ir_hub.codegen.spelling import Expr, Layer
from ir_hub.ir.graph import Node, Value
from ir_hub.ir.types import DType
from ir_hub.sdk.operands import only, rank_of

_REDUCTIONS = {"mul": "prod", "max": "amax", "min": "amin"}
_COUNTED = ("arg_max", "arg_min", "top_k", "non_zero", "max_pool_indices")  # never negative


def _index(draft: Draft, indices: Value) -> str:
    """Indices as a tensor that PyTorch indexes with; one of bytes would be a mask."""
    text = draft.tensor(indices)
    return text if indices.dtype in (DType.INT64, DType.INT32) else f"{text}.long()"


def _whole(draft: Draft, indices: Value, size: str) -> str:
    """Indices as PyTorch's gather and scatter take them: int64, counted from the front."""
    text = draft.tensor(indices)
    if indices.dtype is not DType.INT64:
        text += ".long()"
    counted = indices.producer is not None and indices.producer.op in _COUNTED
    if counted or (indices.is_constant and (indices.array() >= 0).all()):
        return text
    return f"{text} % {size}"


@pytorch.write("gather")
def _(node: Node) -> Expr:
    draft = Draft()
    x, axis = draft.tensor(node.x), node.axis
    if node.axis < 0:
        axis += rank_of(node.x)
    if node.indices.scalar is not None and node.indices.shape == ():
        index = node.indices.scalar
        place = draft.literal(index, "index")
        if axis < 2:
            return draft.done(f"{x}[{':, ' * axis}{place}]")
        return draft.done(f"{x}.select({draft.literal(axis, 'axis')}, {place})")
    return draft.done(f"{x}[{':, ' * axis}{_index(draft, node.indices)}]")


@pytorch.write("embedding")
def _(node: Node) -> Layer | Expr:
    shape = node.weight.shape
    if node.weight.is_constant and shape is not None and len(shape) == 2:
        kwargs = {"num_embeddings": shape[0], "embedding_dim": shape[1]}
        params = {"weight": node.weight}
        return Layer("nn.Embedding", [node.indices], kwargs, {}, params, positional=2)
    draft = Draft()
    return draft.done(f"{draft.tensor(node.weight)}[{_index(draft, node.indices)}]")


@pytorch.write("gather_elements")
def _(node: Node) -> Expr:
    draft = Draft()
    x, axis = draft.tensor(node.x), draft.literal(node.axis, "axis")
    return draft.done(f"{x}.gather({axis}, {_whole(draft, node.indices, f'{x}.shape[{axis}]')})")


@pytorch.write("gather_nd")
def _(node: Node) -> Expr:
    draft = Draft()
    x, index = draft.tensor(node.x), _index(draft, node.indices)
    if node.batch_dims:
        return draft.done(f"_gather_nd({x}, {index}, {draft.literal(node.batch_dims, 'batch')})")
    return draft.done(f"{x}[{index}.unbind(-1)]")


@pytorch.write("scatter_elements")
def _(node: Node) -> Expr:
    draft = Draft()
    x, axis = draft.tensor(node.x), draft.literal(node.axis, "axis")
    index = _whole(draft, node.indices, f"{x}.shape[{axis}]")
    updates = draft.tensor(node.updates)
    if node.reduction == "none":
        return draft.done(f"{x}.scatter({axis}, {index}, {updates})")
    if node.reduction == "add":
        return draft.done(f"{x}.scatter_add({axis}, {index}, {updates})")
    how = _REDUCTIONS[node.reduction]
    return draft.done(f'{x}.scatter_reduce({axis}, {index}, {updates}, "{how}")')


@pytorch.write("scatter_nd")
def _(node: Node) -> Expr:
    draft = Draft()
    x, index, updates = (draft.tensor(v) for v in (node.x, node.indices, node.updates))
    if node.reduction in ("none", "add"):
        more = ", accumulate=True" if node.reduction == "add" else ""
        return draft.done(f"{x}.index_put({index}.unbind(-1), {updates}{more})")
    return draft.done(f'_scatter_nd({x}, {index}, {updates}, "{_REDUCTIONS[node.reduction]}")')


@pytorch.write("tensor_scatter")
def _(node: Node) -> Expr:
    draft = Draft()
    x, update = draft.tensor(node.x), draft.tensor(node.update)
    starts = "None" if node.write_indices is None else draft.tensor(node.write_indices)
    axis, circular = draft.literal(node.axis, "axis"), node.mode == "circular"
    return draft.done(f"_tensor_scatter({x}, {update}, {starts}, {axis}, {circular})")


@pytorch.write("one_hot")
def _(node: Node) -> Expr:
    draft = Draft()
    if isinstance(node.depth, Value) and not node.depth.is_constant:
        depth = draft.number(node.depth)
    else:
        depth = draft.sizes(node.depth, "depth") + "[0]"
        if isinstance(node.depth, tuple):
            depth = draft.literal(node.depth[0], "depth")
    indices, values = draft.tensor(node.indices), draft.tensor(node.values)
    only(node.indices.dtype is not None, "the type of its indices isn't known")
    if node.indices.dtype.is_float:
        indices += ".floor().long()"
    return draft.done(f"_one_hot({indices}, {depth}, {values}, {draft.literal(node.axis, 'axis')})")


@pytorch.write("compress")
def _(node: Node) -> Expr:
    draft = Draft()
    x, condition = draft.tensor(node.x), draft.tensor(node.condition)
    places = f"{condition}.nonzero().flatten()"
    if node.axis is None:
        return draft.done(f"{x}.flatten()[{places}]")
    return draft.done(f"{x}.index_select({draft.literal(node.axis, 'axis')}, {places})")


@pytorch.write("reverse_sequence")
def _(node: Node) -> Expr:
    literals = {"batch": node.batch_axis, "time": node.time_axis}
    return Expr("_reverse_sequence({0}, {1}, {batch}, {time})", [node.x, node.lengths], literals)
