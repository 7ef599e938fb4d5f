"""Matrix products, linear layers, embeddings and attention as Gluon code."""

from __future__ import annotations

import math
from typing import Any

from adapters.mxnet.dialect import mxnet
from adapters.mxnet.gluon import GluonDraft, is_computed, is_vector, known, leading
from ir_hub.codegen.derived import derived
from ir_hub.codegen.spelling import Expr, Layer
from ir_hub.ir.graph import Node, Value
from ir_hub.ir.types import DType, TensorType
from ir_hub.ops.attention import group_of
from ir_hub.sdk.operands import only, rank_of


@mxnet.write("linear")
def _(node: Node) -> Layer | Expr:
    weight, bias = node.weight, node.bias
    is_computed(node.x, weight, bias)
    if weight.is_constant and is_vector(bias, weight.shape[0]):
        return _dense(node.x, weight, bias)
    draft = GluonDraft()
    x, given = draft.tensor(node.x), draft.tensor(weight)
    units = (weight.shape or (None,))[0]
    known(isinstance(units, int), "the size of its result is open")
    bias_given = "no_bias=True" if bias is None else draft.tensor(bias)
    return draft.done(
        f"F.FullyConnected({x}, {given}, {bias_given}, num_hidden={draft.literal(units, 'units')}, "
        "flatten=False)"
    )


def _dense(x: Value, weight: Value, bias: Value | None) -> Layer:
    """A dense layer, which flattens what it is given unless it is told not to."""
    units, size = weight.shape or ()
    flat = rank_of(x) == 2
    only(rank_of(x) > 1, "its input is a vector")
    maker = x.producer
    if maker is not None and maker.op == "flatten" and maker.axis == 1:
        x, flat = maker.x, True
    kwargs = {"units": units, "use_bias": bias is not None, "flatten": flat, "in_units": size,
              "dtype": weight.dtype.value}  # type: ignore[union-attr]  # fmt: skip
    defaults = {"use_bias": True, "flatten": True, "dtype": "float32"}
    params = {"weight": weight} if bias is None else {"weight": weight, "bias": bias}
    return Layer("nn.Dense", [x], kwargs, defaults, params, 1)


@mxnet.write("gemm")
def _(node: Node) -> Layer | Expr:
    a, b, c = node.a, node.b, node.c
    is_computed(a, b, c)
    plain = b.is_constant and not node.trans_a and (node.alpha, node.beta) == (1, 1)
    out = (b.shape or (None, None))[0 if node.trans_b else 1]
    if plain and (c is None or (c.is_constant and c.shape in ((out,), (1, out)))):
        weight = b if node.trans_b else _transposed(b)
        bias = c if is_vector(c, out) else derived(c, (out,), lambda array: array.reshape(-1))
        return _dense(a, weight, bias)
    draft = GluonDraft()
    turned = "".join(
        f", transpose_{name}=True" for name in ("a", "b") if node.args[f"trans_{name}"]
    )
    text = f"F.dot({draft.tensor(a)}, {draft.tensor(b)}{turned})"
    if node.alpha != 1:
        text = f"{draft.literal(node.alpha, 'alpha')} * {text}"
    if c is None:
        return draft.done(text)
    scaled = "" if node.beta == 1 else f"{draft.literal(node.beta, 'beta')} * "
    if c.scalar is not None:
        return draft.done(f"{text} + {scaled}{draft.scalar(c)}")
    return draft.done(f"F.broadcast_add({text}, {scaled}{draft.tensor(c)})")


def _transposed(value: Value) -> Value:
    """A constant matrix transposed; no byte is moved."""
    assert value.data is not None
    data = value.data.permuted((1, 0))
    return Value(value.name, TensorType(data.dtype, tuple(data.shape)), data=data)


@mxnet.write("matmul")
def _(node: Node) -> Expr:
    x, y = node.x, node.y
    is_computed(x, y)
    ranks = rank_of(x), rank_of(y)
    only(ranks[0] > 1 or ranks[1] <= 2, "a product with a vector")
    if ranks[1] <= 2:
        return Expr("F.dot({0}, {1})", [x, y])
    return Expr(*product(x, y))


def product(x: Value, y: Value) -> tuple[str, list[Value]]:
    """Code of a product of batches of matrices; MXNet's doesn't broadcast."""
    ours, theirs = x.shape or (), y.shape or ()
    lead = len(theirs) - len(ours)
    ours, theirs = (1,) * lead + ours, (1,) * -lead + theirs
    wide = [i for i, (a, b) in enumerate(zip(ours[:-2], theirs[:-2], strict=True)) if a != b]
    known(all(1 in (ours[i], theirs[i]) for i in wide), "batches whose sizes may differ")
    texts = [leading("{0}", lead), leading("{1}", -lead)]
    for place, (own, other) in enumerate(((ours, theirs), (theirs, ours))):
        axes = tuple(i for i in wide if own[i] == 1 and other[i] != 1)
        if axes:
            like = leading(f"{{{1 - place}}}", -lead if place == 0 else lead)
            texts[place] = (
                f"F.broadcast_like({texts[place]}, {like}, lhs_axes={axes}, rhs_axes={axes})"
            )
    function = "F.batch_dot" if len(ours) == 3 else "F.linalg.gemm2"
    return f"{function}({texts[0]}, {texts[1]})", [x, y]


@mxnet.write("embedding")
def _(node: Node) -> Layer | Expr:
    count, size = node.weight.shape
    indices, maker = node.indices, node.indices.producer
    if maker is not None and maker.op == "cast" and maker.x.dtype is DType.FLOAT32:
        indices = maker.x  # MXNet takes floats for places
    if node.weight.is_constant:
        kwargs = {"input_dim": count, "output_dim": size, "dtype": node.weight.dtype.value}
        defaults = {"dtype": "float32"}
        return Layer("nn.Embedding", [indices], kwargs, defaults, {"weight": node.weight}, 2)
    literals = {"count": count, "size": size, "dtype": node.weight.dtype.value}
    text = "F.Embedding({0}, {1}, input_dim={count}, output_dim={size}, dtype={dtype})"
    return Expr(text, [indices, node.weight], literals)


@mxnet.write("attention")
def _(node: Node) -> Expr:
    q, k, v, mask = node.q, node.k, node.v, node.mask
    is_computed(q, k, v, mask)
    ranks = {rank_of(value) for value in (q, k, v)}
    each = group_of(q.shape or (), k.shape or ())
    shapes = {(value.shape or ())[: -2 if each == 1 else -3] for value in (q, k, v)}
    only(len(ranks) == 1 and len(shapes) == 1, "operands that broadcast")
    size: Any = (q.shape or (None,))[-1]
    scale = node.scale
    if scale is None:
        known(isinstance(size, int), "the size of its queries is open")
        scale = 1 / math.sqrt(size)
    draft = GluonDraft()
    texts = [draft.tensor(value) for value in (q, k, v)]
    if each > 1:
        axis = rank_of(k) - 3
        texts[1:] = (f"F.repeat({text}, repeats={each}, axis={axis})" for text in texts[1:])
    given = ", ".join(texts)
    more = ""
    if mask is not None:
        lead = rank_of(q) - max(rank_of(mask), 1)
        more = f", mask={leading(draft.tensor(mask), lead)}"
    more += f", causal={rank_of(q)}" if node.causal else ""
    function = "_masked_attention" if more else "_attention"
    return draft.done(f"{function}(F, {given}, scale={draft.literal(scale, 'scale')}{more})")
