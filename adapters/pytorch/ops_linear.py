"""Matrix products, linear layers, attention."""

from __future__ import annotations

import math
import re
from typing import Any

from adapters.pytorch.dialect import Draft, pytorch
from ir_hub.codegen.derived import derived
from ir_hub.codegen.spelling import Expr, Layer
from ir_hub.ir.graph import Node, Value
from ir_hub.ir.tensor import Tensor
from ir_hub.ir.types import Shape, TensorType
from ir_hub.ops.attention import group_of
from ir_hub.sdk.operands import only


@pytorch.write("matmul")
def _(node: Node) -> Expr:
    return Expr("{0} @ {1}", [node.x, node.y])


@pytorch.write("linear")
def _(node: Node) -> Layer | Expr:
    weight, bias = node.weight, node.bias
    plain = bias is None or (bias.is_constant and bias.shape == weight.shape[:1])
    if weight.is_constant and plain and not _is_named(weight, node.scope):
        return _linear(node.x, weight, bias)
    draft = Draft()
    x, weight = draft.tensor(node.x), draft.tensor(weight)
    if bias is None or len(bias.shape or (1, 1)) > 1:
        after = "" if bias is None else f" + {draft.tensor(bias)}"
        return draft.done(f"F.linear({x}, {weight}){after}")
    return draft.done(f"F.linear({x}, {weight}, {draft.tensor(bias)})")


def _is_named(weight: Value, scope: str) -> bool:
    """Whether the module around it has the weight under a name of its own, as `in_proj_weight`."""
    owner, _, name = weight.name.rpartition(".")
    return bool(scope) and owner == scope and name.endswith("_weight") and name.isidentifier()


def _linear(x: Value, weight: Value, bias: Value | None) -> Layer:
    out_features, in_features = weight.shape or ()
    kwargs = {"in_features": in_features, "out_features": out_features, "bias": bias is not None}
    params = {"weight": weight} if bias is None else {"weight": weight, "bias": bias}
    return Layer("nn.Linear", [x], kwargs, {"bias": True}, params, positional=2)


@pytorch.write("gemm")
def _(node: Node) -> Layer | Expr:
    layer = _gemm_layer(node)
    if layer is not None:
        return layer
    draft = Draft()
    a, b = draft.tensor(node.a), draft.tensor(node.b)
    text = f"{a}{'.T' if node.trans_a else ''} @ {b}{'.T' if node.trans_b else ''}"
    whole = node.a.dtype is None or node.a.dtype.is_integer
    only(not whole or node.alpha == node.beta == 1, "integers times a fraction")
    if node.alpha != 1:
        text = f"{draft.literal(node.alpha, 'alpha')} * ({text})"
    if node.c is not None:
        beta = "" if node.beta == 1 else f"{draft.literal(node.beta, 'beta')} * "
        text += f" + {beta}{draft.scalar(node.c) if not whole else draft.tensor(node.c)}"
    return draft.done(text)


def _gemm_layer(node: Node) -> Layer | None:
    """The linear layer that a product with a constant matrix is."""
    b, c = node.b, node.c
    if not b.is_constant or node.trans_a or (node.alpha, node.beta) != (1, 1):
        return None
    out = b.shape[0] if node.trans_b else b.shape[1]
    if c is not None and not (c.is_constant and c.shape in ((out,), (1, out))):
        return None
    if c is not None and c.shape != (out,):
        c = derived(c, (out,), lambda array: array.reshape(-1))
    return _linear(node.a, b if node.trans_b else transposed(b), c)


def transposed(value: Value) -> Value:
    """A constant matrix transposed; no byte is moved."""
    data = value.data
    assert data is not None
    turned: Tensor = data.permuted((1, 0))
    return Value(value.name, TensorType(turned.dtype, turned.shape), data=turned)


@pytorch.write("einsum")
def _(node: Node) -> Expr:
    only(re.fullmatch(r"[A-Za-z., >-]*", node.equation) is not None, "its equation has other signs")
    holes = ", ".join(f"{{{i}}}" for i in range(len(node.xs)))
    return Expr(f"torch.einsum({{equation}}, {holes})", node.xs, {"equation": node.equation})


@pytorch.write("attention")
def _(node: Node) -> Expr:
    draft = Draft()
    text = draft.tensors(node.q, node.k, node.v)
    if node.mask is not None and node.causal:
        text += f", attn_mask=_causal({draft.tensors(node.mask, node.q, node.k)})"
    elif node.mask is not None:
        text += f", attn_mask={draft.tensor(node.mask)}"
    elif node.causal:
        text += ", is_causal=True"
    size = (node.q.shape or (None,))[-1]
    usual = size**-0.5 if isinstance(size, int) else None
    told = node.scale is not None and not (usual and math.isclose(node.scale, usual, rel_tol=1e-6))
    if told:
        text += f", scale={draft.literal(node.scale, 'scale')}"
    if _may_share_heads(node.q.shape or (), node.k.shape or ()):
        text += ", enable_gqa=True"
    return draft.done(f"F.scaled_dot_product_attention({text})")


def _may_share_heads(queries: Shape, keys: Shape) -> bool:
    """Whether heads of queries share those of keys, or may do so, for all that is known."""
    if min(len(queries), len(keys)) < 4 or queries[-3] == keys[-3]:
        return group_of(queries, keys) > 1
    known = isinstance(queries[-3], int) and isinstance(keys[-3], int)
    return not known or group_of(queries, keys) > 1


@pytorch.write("multi_head_attention")
def _(node: Node) -> Expr:
    draft = Draft()
    names = ("attn_mask", "past_key", "past_value", "nonpad_kv_seqlen")
    given = [draft.tensors(node.q, node.k, node.v)]
    given += [f"{n}={draft.tensor(node.args[n])}" for n in names if node.args[n] is not None]  # type: ignore[arg-type]
    literals = (
        "is_causal", "q_num_heads", "kv_num_heads", "qk_matmul_output_mode", "scale", "softcap",
        "softmax_precision", "left_window_size", "right_window_size",
    )  # fmt: skip
    usual: dict[str, Any] = {"left_window_size": -1, "right_window_size": -1}
    for name in literals:
        item = node.args[name]
        if item not in (None, usual.get(name, 0)):
            given.append(f"{name}={draft.literal(item, name)}")
    return draft.done(f"_attention({', '.join(given)})")


@pytorch.write("rotary_embedding")
def _(node: Node) -> Expr:
    draft = Draft()
    tensors = draft.tensors(node.x, node.cos_cache, node.sin_cache, node.position_ids)
    literals = {
        "interleaved": node.interleaved,
        "turning": node.rotary_embedding_dim,
        "heads": node.num_heads,
    }
    given = ", ".join(draft.literal(item, name) for name, item in literals.items())
    return draft.done(f"_rotary_embedding({tensors}, {given})")
