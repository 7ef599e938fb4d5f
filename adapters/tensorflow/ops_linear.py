"""Matrix products, embeddings, attention."""

from __future__ import annotations

from adapters.tensorflow.dialect import tensorflow
from adapters.tensorflow.ops_shape import counted
from adapters.tensorflow.sums import taken_for_bias
from ir_hub.codegen.derived import derived
from ir_hub.codegen.draft import Draft
from ir_hub.codegen.spelling import Expr, Layer
from ir_hub.ir.graph import Node, Value
from ir_hub.ir.types import DType
from ir_hub.ops.attention import group_of
from ir_hub.sdk.operands import only

_ADDED_ELSEWHERE = "Keras would add one of its operands along another axis"
_DENSE = {"use_bias": True}


@tensorflow.write("linear")
def _(node: Node) -> Layer | Expr:
    params = {"kernel": node.weight, **({} if node.bias is None else {"bias": node.bias})}
    if _are_weights(node.x, params) and (
        node.bias is None or node.bias.shape == node.weight.shape[:1]
    ):
        params["kernel"] = _turned(node.weight)
        kwargs = {"units": node.weight.shape[0], "use_bias": node.bias is not None}
        return Layer("layers.Dense", [node.x], kwargs, _DENSE, params, positional=1)
    draft = Draft()
    text = f"ops.matmul({draft.tensor(node.x)}, ops.transpose({draft.tensor(node.weight)}))"
    if node.weight.is_constant:
        draft = Draft()
        text = f"ops.matmul({draft.tensor(node.x)}, {draft.tensor(_turned(node.weight))})"
    if node.bias is None:
        return draft.done(text)
    return draft.done(f"{text} + {draft.tensor(node.bias)}")


def _turned(weight: Value) -> Value:
    rows, columns = weight.shape or ()
    return derived(weight, (int(columns), int(rows)), lambda array: array.T)  # type: ignore[arg-type]


def _are_weights(x: Value, params: dict[str, Value]) -> bool:
    """Whether a layer can hold them: constants in the type that it computes in, and its input of
    a rank that it takes."""
    ranked = x.shape is not None and len(x.shape) > 1
    known = ranked and isinstance(x.shape[-1], int)  # type: ignore[index]
    floats = (value.dtype is DType.FLOAT32 for value in (x, *params.values()))
    return known and all(floats) and all(value.is_constant for value in params.values())


@tensorflow.write("matmul")
def _(node: Node) -> Layer | Expr:
    if len(node.y.shape or ()) == 2 and _are_weights(node.x, {"kernel": node.y}):
        kwargs = {"units": node.y.shape[1], "use_bias": False}
        return Layer("layers.Dense", [node.x], kwargs, _DENSE, {"kernel": node.y}, positional=1)
    return Expr("ops.matmul({0}, {1})", [node.x, node.y])


@tensorflow.write("gemm")
def _(node: Node) -> Expr:
    draft = Draft()
    sides = []
    for value, turned in ((node.a, node.trans_a), (node.b, node.trans_b)):
        text = draft.tensor(value)
        sides.append(f"ops.transpose({text})" if turned else text)
    text = f"ops.matmul({', '.join(sides)})"
    if node.alpha != 1:
        text = f"{draft.literal(node.alpha, 'alpha')} * {text}"
    if node.c is not None:
        only(not taken_for_bias(node.result.shape, node.c.shape), _ADDED_ELSEWHERE)
        scale = "" if node.beta == 1 else f"{draft.literal(node.beta, 'beta')} * "
        text += f" + {scale}{draft.tensor(node.c)}"
    return draft.done(text)


@tensorflow.write("einsum")
def _(node: Node) -> Expr:
    draft = Draft()
    equation = draft.literal(node.equation, "equation")
    tensors = ", ".join(draft.tensor(value) for value in node.xs)
    return draft.done(f"ops.einsum({equation}, {tensors})")


@tensorflow.write("embedding")
def _(node: Node) -> Layer | Expr:
    weight = node.weight
    if weight.is_constant and weight.dtype is DType.FLOAT32 and len(weight.shape) == 2:
        kwargs = {"input_dim": weight.shape[0], "output_dim": weight.shape[1]}
        params = {"embeddings": weight}
        return Layer("layers.Embedding", [node.indices], kwargs, {}, params, positional=2)
    return Expr("ops.take({0}, {1}, axis=0)", [weight, node.indices])


@tensorflow.write("attention")
def _(node: Node) -> Expr:
    only(node.q.shape is not None and node.k.shape is not None, "the rank of its input isn't known")
    draft = Draft()
    q, k, v = (draft.tensor(value) for value in (node.q, node.k, node.v))
    rank, width = len(node.k.shape), node.q.shape[-1]
    each = group_of(node.q.shape, node.k.shape)
    if each > 1:
        k, v = (f"ops.repeat({tensor}, {each}, axis={rank - 3})" for tensor in (k, v))
    only(isinstance(width, int) or node.scale is not None, "the width of its heads isn't known")
    turned = draft.literal((*range(rank - 2), rank - 1, rank - 2), "perm")
    scale = draft.literal(float(width) ** -0.5 if node.scale is None else node.scale, "scale")
    scores = f"ops.matmul({q}, ops.transpose({k}, {turned})) * {scale}"
    of_bools = node.mask is not None and node.mask.dtype is DType.BOOL
    if node.mask is not None and not of_bools:
        shape = (*node.q.shape[:-1], node.k.shape[-2])
        only(not taken_for_bias(shape, node.mask.shape), _ADDED_ELSEWHERE)
        scores += f" + {draft.tensor(node.mask)}"
    allowed = _causal(node, draft) if node.causal else ""
    if of_bools:
        mask = draft.tensor(node.mask)
        allowed = f"ops.logical_and({mask}, {allowed})" if allowed else mask
    if allowed:
        scores = f'ops.where({allowed}, {scores}, float("-inf"))'
    weights = f"ops.softmax({scores})"
    if of_bools:  # there may be a query that sees nothing
        weights = f"ops.where(ops.any({allowed}, axis=-1, keepdims=True), {weights}, 0.0)"
    return draft.done(f"ops.matmul({weights}, {v})")


def _causal(node: Node, draft: Draft) -> str:
    """Which key each query may see, none that comes after it."""
    queries, keys = node.q.shape[-2], node.k.shape[-2]
    if not (isinstance(queries, int) and isinstance(keys, int)):
        rows, columns = (counted(draft.tensor(v), len(v.shape), -2) for v in (node.q, node.k))
        return f"ops.expand_dims({rows}, -1) >= {columns}"
    sizes = f"{draft.literal(queries, 'queries')}, {draft.literal(keys, 'keys')}"
    return f'ops.tri({sizes}, dtype="bool")'
