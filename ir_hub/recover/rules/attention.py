"""The core of attention: softmax(q @ k^T * scale + mask) @ v."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ir_hub.ir.graph import Node, Value
from ir_hub.ops.attention import group_of
from ir_hub.recover.index import Index
from ir_hub.recover.instantiate import Maker
from ir_hub.recover.pattern import Equation, Sym, op, rule_of
from ir_hub.recover.rewrite import Instead, rewrite

Weights = Callable[[Any], Any]  # the weights of the values, of the scores


def by_softmax(scores: Any) -> Any:
    """The weights as they are mostly written."""
    return op.softmax(scores, axis=-1)


def by_softmax_without_nan(scores: Any) -> Any:
    """The weights as newer exporters write them: a query without keys gets zeros."""
    weights = op.softmax(scores, axis=-1)
    return op.where(op.is_nan(weights), 0, weights)


def _rules(batch: str, weights: Weights, suffix: str) -> None:
    """The rules for as many leading axes as there are names."""
    rank = len(batch.split()) + 2
    swap = (*range(rank - 2), rank - 1, rank - 2)

    def attention(
        q: Sym = f"{batch} L E", kt: Sym = f"{batch} E S", v: Sym = f"{batch} S V"
    ) -> Equation:
        right = op.attention(q, op.transpose(kt, perm=swap), v, scale=1.0)
        return op.matmul(weights(op.matmul(q, kt)), v), right

    def attention_scaled(
        q: Sym = f"{batch} L E",
        kt: Sym = f"{batch} E S",
        v: Sym = f"{batch} S V",
        scale: Sym = (0.001, 1000.0),
    ) -> Equation:
        right = op.attention(q, op.transpose(kt, perm=swap), v, scale=scale)
        return op.matmul(weights(op.matmul(q, kt) * scale), v), right

    rule_of(name=f"attention{suffix}")(attention)
    rule_of(name=f"attention_scaled{suffix}")(attention_scaled)


def _masked_rules(batch: str, masks: str, weights: Weights, suffix: str) -> None:
    """The rules for masks of one rank that are added to the scores."""
    rank = len(batch.split()) + 2
    swap = (*range(rank - 2), rank - 1, rank - 2)

    def attention_masked(
        q: Sym = f"{batch} L E",
        kt: Sym = f"{batch} E S",
        v: Sym = f"{batch} S V",
        mask: Sym = masks,
    ) -> Equation:
        left = op.matmul(weights(op.matmul(q, kt) + mask), v)
        return left, op.attention(q, op.transpose(kt, perm=swap), v, mask, scale=1.0)

    def attention_scaled_masked(
        q: Sym = f"{batch} L E",
        kt: Sym = f"{batch} E S",
        v: Sym = f"{batch} S V",
        mask: Sym = masks,
        scale: Sym = (0.001, 1000.0),
    ) -> Equation:
        left = op.matmul(weights(op.matmul(q, kt) * scale + mask), v)
        return left, op.attention(q, op.transpose(kt, perm=swap), v, mask, scale=scale)

    rule_of(name=f"attention_masked{suffix}")(attention_masked)
    rule_of(name=f"attention_scaled_masked{suffix}")(attention_scaled_masked)


for _batch, _masks in (("B", ("B? L? S", "L? S")), ("B H", ("B? H? L? S", "L? S"))):
    for _form, _weights in (("", by_softmax), ("_without_nan", by_softmax_without_nan)):
        _rules(_batch, _weights, f"_{_batch.count(' ') + 3}{_form}")
        for _mask in _masks:
            _suffix = f"_{_batch.count(' ') + 3}_{_mask.count(' ') + 1}{_form}"
            _masked_rules(_batch, _mask, _weights, _suffix)


@rewrite("attention")
def attention_scale(node: Node, index: Index, make: Maker) -> Instead:
    """Numbers that q and k are multiplied with belong to the scale, which has a default."""
    size = node.q.shape[-1] if node.q.shape else None
    if not isinstance(size, int) or node.scale is None:
        return None
    q, of_q = _unscaled(node.q, index)
    k, of_k = _unscaled(node.k, index)
    scale = node.scale * of_q * of_k
    usual = math.isclose(scale, 1 / math.sqrt(size), rel_tol=1e-6)
    if q is node.q and k is node.k and not usual:
        return None
    if k is not node.k and node.k.producer.op == "transpose":
        k = make.transpose(k, perm=node.k.producer.perm)
    args = {**node.args, "q": q, "k": k, "scale": None if usual else scale}
    return make.append("attention", args).result


def _unscaled(value: Value, index: Index) -> tuple[Value, float]:
    """A value, perhaps below a transpose, without the number that it is multiplied with."""
    node = index.producer(value)
    if node is not None and node.op == "transpose":
        inner, number = _unscaled(node.x, index)
        return (value, 1.0) if inner is node.x else (inner, number)
    if node is None or node.op not in ("mul", "div"):
        return value, 1.0
    for kept, other in ((node.x, node.y), (node.y, node.x)):
        number = other.scalar
        if number and kept.shape == value.shape and (node.op == "mul" or other is node.y):
            return kept, float(number) if node.op == "mul" else 1 / number
    return value, 1.0


@rewrite("attention", free={"tile"})
def shared_heads(node: Node, index: Index, make: Maker) -> Instead:
    """Heads of keys and values that are repeated, each in a row, are shared by those of queries."""
    found = [_repeated_heads(value, index) for value in (node.k, node.v)]
    repeated = [item for item in found if item is not None]
    if node.q.shape is None or len(node.q.shape) < 4 or len(repeated) < 2:
        return None
    k, v = (make.transpose(heads, perm=perm) if perm else heads for heads, perm in repeated)
    keys, values = k.shape or (), v.shape or ()
    if keys[:-2] != values[:-2] or group_of(node.q.shape, keys) == 1:
        return None
    return make.append("attention", {**node.args, "k": k, "v": v}).result


def _repeated_heads(value: Value, index: Index) -> tuple[Value, tuple[int, ...]] | None:
    """The heads that are repeated, and the order that their axes are then brought into, if any:
    a new axis after them is expanded, and joined with theirs."""
    perm: tuple[int, ...] = ()
    axis, joined = len(value.shape or ()) - 3, index.producer(value)
    if joined is not None and joined.op == "transpose":
        perm, joined = joined.perm, index.producer(joined.x)
        axis = perm[axis]
    if joined is None or joined.op != "reshape":
        return None
    spread = index.producer(joined.x)
    if spread is None or spread.op not in ("expand", "tile") or spread.x.shape is None:
        return None
    grown = index.producer(spread.x)
    if grown is None or grown.op not in ("unsqueeze", "reshape") or grown.x.shape is None:
        return None
    heads, wide = grown.x.shape, spread.result.shape
    if spread.x.shape != (*heads[: axis + 1], 1, *heads[axis + 1 :]) or wide is None:
        return None
    whole = (*wide[:axis], wide[axis] * wide[axis + 1], *wide[axis + 2 :])
    if wide[: axis + 1] + wide[axis + 2 :] != heads or joined.result.shape != whole:
        return None
    return grown.x, perm
