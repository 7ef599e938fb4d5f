"""Dense layers and attention come back however a source spelled them."""

import math

import numpy as np
import pytest

from ir_hub.ir.dims import symbol
from ir_hub.ir.graph import Model
from ir_hub.ir.types import DType
from ir_hub.recover.pipeline import recover
from ir_hub.simplify.fold import fold
from ir_hub.simplify.shapes import infer_shapes
from tests.rules.spelled import graph_of, ops_of, recovered, weights


@pytest.mark.parametrize(
    "spelling",
    [
        lambda b, x: b.matmul(x, weights(b, 4, 5)) + weights(b, 5),
        lambda b, x: weights(b, 5) + b.matmul(x, weights(b, 4, 5)),
        lambda b, x: b.gemm(x, weights(b, 5, 4), weights(b, 5), trans_b=True),
        lambda b, x: b.gemm(x, weights(b, 4, 5), weights(b, 1, 5)),
    ],
    ids=["matmul add", "add matmul", "gemm of linear", "gemm"],
)
def test_linear_comes_back(spelling):
    (node,) = recovered(spelling, (3, 4)).nodes
    assert (node.op, node.weight.shape, node.bias.shape) == ("linear", (5, 4), (5,))


def test_the_weight_is_not_copied():
    graph = graph_of(lambda b, x: b.matmul(x, weights(b, 4, 5)), (3, 4))
    stored = graph.nodes[0].y.array()
    graph = recovered(lambda b, x: b.matmul(x, b.term(b.constant(stored))), (3, 4))
    assert np.shares_memory(graph.nodes[0].weight.array(), stored)


def test_dense_layer_of_tokens():
    spelling = lambda b, x: b.matmul(x, weights(b, 4, 5)) + weights(b, 5)  # noqa: E731
    assert ops_of(recovered(spelling, (symbol("N"), 7, 4))) == ["linear"]


@pytest.mark.parametrize(
    "spelling",
    [
        lambda b, x: b.matmul(x, weights(b, 4, 5)) + weights(b, 3, 5),
        lambda b, x: b.matmul(x, b.sin(weights(b, 4, 5))),
        lambda b, x: b.gemm(x, weights(b, 4, 5), alpha=2.0),
    ],
    ids=["a bias for each row", "a weight that isn't known", "alpha"],
)
def test_what_is_no_dense_layer(spelling):
    graph = recovered(spelling, (3, 4))
    assert ops_of(graph)[-1] != "linear"


Q, K, V = (2, 3, 5, 16), (2, 3, 7, 16), (2, 3, 7, 9)
SWAP = (0, 1, 3, 2)


def divided(b, q, k, v):
    scores = b.matmul(q, b.transpose(k, perm=SWAP)) / math.sqrt(16)
    return b.matmul(b.softmax(scores, axis=-1), v)


def multiplied(b, q, k, v):
    scores = 0.25 * b.matmul(q, b.transpose(k, perm=SWAP))
    return b.matmul(b.softmax(scores, axis=3), v)


def query_scaled(b, q, k, v):
    return b.matmul(b.softmax(b.matmul(q * 0.25, b.transpose(k, perm=SWAP)), axis=-1), v)


def torch_sdpa(b, q, k, v):
    root = math.sqrt(0.25)
    scores = b.matmul(q * root, b.transpose(k, perm=SWAP) * root)
    return b.matmul(b.softmax(scores, axis=-1), v)


def torch_dynamo(b, q, k, v):
    w = b.softmax(b.matmul(q * 0.5, b.transpose(k * 0.5, perm=SWAP)), axis=-1)
    zero = b.term(b.constant(0, DType.FLOAT32))
    return b.matmul(b.where(b.is_nan(w), zero, w), v)


def softmax_spelled_out(b, q, k, v):
    scores = b.matmul(q, b.transpose(k, perm=SWAP)) / 4.0
    powers = b.exp(scores - b.reduce_max(scores, (-1,)))
    return b.matmul(powers / b.reduce_sum(powers, (-1,)), v)


@pytest.mark.parametrize(
    "spelling",
    [divided, multiplied, query_scaled, torch_sdpa, torch_dynamo, softmax_spelled_out],
    ids=lambda spelling: spelling.__name__,
)
def test_attention_comes_back(spelling):
    (node,) = recovered(spelling, Q, K, V).nodes
    assert (node.op, node.scale, node.mask) == ("attention", None, None)


def test_attention_of_rank_3_with_another_scale():
    def spelling(b, q, k, v):
        scores = b.matmul(q, b.transpose(k, perm=(0, 2, 1))) * 0.1
        return b.matmul(b.softmax(scores, axis=-1), v)

    (node,) = recovered(spelling, (2, 5, 16), (2, 7, 16), (2, 7, 9)).nodes
    assert (node.op, node.scale) == ("attention", 0.1)


def test_a_scale_that_is_worked_out_from_the_shape():
    def spelling(b, q, k, v):
        size = b.cast(b.slice(b.shape_of(q), (-1,), (2**40,)), to=DType.FLOAT32)
        root = b.sqrt(1.0 / b.sqrt(size))
        scores = b.matmul(q * root, b.transpose(k, perm=SWAP) * root)
        return b.matmul(b.softmax(scores, axis=-1), v)

    batch = symbol("N")
    model = Model(graph_of(spelling, *((batch, *shape[1:]) for shape in (Q, K, V))))
    for step in (infer_shapes, fold):
        step(model)
    recover(model)
    (node,) = model.graph.nodes
    assert (node.op, node.scale) == ("attention", None)


def test_keys_split_into_heads_and_turned_at_once():
    def spelling(b, q, tokens, v):
        kt = b.transpose(b.reshape(tokens, (2, 7, 3, 16)), perm=(0, 2, 3, 1))
        return b.matmul(b.softmax(b.matmul(q, kt) / 4.0, axis=-1), v)

    graph = recovered(spelling, Q, (2, 7, 48), V)
    assert ops_of(graph) == ["reshape", "transpose", "attention"]
    assert graph.nodes[1].perm == (0, 2, 1, 3)


@pytest.mark.parametrize("mask", [(2, 1, 1, 7), (2, 1, 5, 7), (5, 7), (2, 3, 5, 7)])
@pytest.mark.parametrize("prescaled", [False, True])
def test_masked_attention_comes_back(mask, prescaled):
    def spelling(b, q, k, v, m):
        kt = b.transpose(k, perm=SWAP)
        scores = b.matmul(q * 0.25, kt) if prescaled else b.matmul(q, kt) / 4.0
        return b.matmul(b.softmax(scores + m, axis=-1), v)

    (node,) = recovered(spelling, Q, K, V, mask).nodes
    assert (node.op, node.scale, node.mask.shape) == ("attention", None, mask)


def masked_by(b, q, k, v, mask):
    scores = b.matmul(q, b.transpose(k, perm=SWAP)) / 4.0
    return b.matmul(b.softmax(scores + mask, axis=-1), v)


@pytest.mark.parametrize("low", [-np.inf, np.finfo(np.float32).min])
@pytest.mark.parametrize("shape", [(5, 7), (1, 1, 5, 7)])
def test_the_causal_mask_is_a_literal(low, shape):
    array = np.where(np.tri(5, 7, dtype=bool), 0, low).astype(np.float32).reshape(shape)

    def spelling(b, q, k, v):
        return masked_by(b, q, k, v, b.term(b.constant(array)))

    (node,) = recovered(spelling, Q, K, V).nodes
    assert (node.op, node.mask, node.causal) == ("attention", None, True)


@pytest.mark.parametrize(
    "array",
    [
        np.where(np.tri(5, 7, dtype=bool), 0, -100.0),
        np.where(np.tri(5, 7, 1, dtype=bool), 0, -np.inf),
        np.where(np.tri(5, 7, dtype=bool), 1, -np.inf),
    ],
    ids=["what little is left counts", "a key further", "ones"],
)
def test_other_constant_masks_stay(array):
    def spelling(b, q, k, v):
        return masked_by(b, q, k, v, b.term(b.constant(array.astype(np.float32))))

    (node,) = recovered(spelling, Q, K, V).nodes
    assert (node.op, node.causal, node.mask.shape) == ("attention", False, (5, 7))


@pytest.mark.parametrize(("low", "dtype"), [(-np.inf, DType.BOOL), (-100.0, DType.FLOAT32)])
def test_a_mask_of_booleans(low, dtype):
    def spelling(b, q, k, v, m):
        zero, low_ = (b.term(b.constant(np.float32(number))) for number in (0, low))
        return masked_by(b, q, k, v, b.where(b.greater(b.abs(m), 0.1), zero, low_))

    graph = recovered(spelling, Q, K, V, (2, 1, 5, 7))
    assert graph.nodes[-1].op == "attention"
    assert graph.nodes[-1].mask.dtype is dtype


def test_the_mask_of_padding_that_two_layers_share():
    """As PyTorch's encoder works it out: zeros like the mask, filled, and expanded to the heads."""
    batch = symbol("N")

    def spelling(b, q, k, v, m):
        padding = b.greater(m, 0.1)
        zeros = b.constant_of_shape((batch, 7), value=0.0, dtype=DType.FLOAT32)
        filled = b.where(padding, b.term(b.constant(np.float32(-np.inf))), zeros)
        for _ in range(2):
            mask = b.expand(b.reshape(filled, (batch, 1, 1, 7)), (batch, 3, 1, 7))
            q = b.attention(q, k, v, mask)
        return q

    shapes = ((batch, *shape[1:]) for shape in (Q, K, (*K[:-1], 16)))
    graph = recovered(spelling, *shapes, (batch, 7))
    masks = [node.mask for node in graph.nodes if node.op == "attention"]
    assert [(mask.dtype, mask.shape) for mask in masks] == [(DType.BOOL, (batch, 1, 1, 7))] * 2
    assert "where" not in ops_of(graph)


def another_axis(b, q, k, v):
    return b.matmul(b.softmax(b.matmul(q, b.transpose(k, perm=SWAP)), axis=2), v)


def a_step_between(b, q, k, v):
    weighted = b.softmax(b.matmul(q, b.transpose(k, perm=SWAP)), axis=3)
    return b.matmul(b.sin(weighted), v)


def weights_are_returned(b, q, k, v):
    weighted = b.softmax(b.matmul(q, b.transpose(k, perm=SWAP)), axis=3)
    return b.matmul(weighted, v), weighted


@pytest.mark.parametrize("spelling", [another_axis, a_step_between, weights_are_returned])
def test_near_misses_stay(spelling):
    assert "attention" not in ops_of(recovered(spelling, Q, K, V))


@pytest.mark.parametrize("batch", [2, symbol("N")], ids=["static", "dynamic"])
def test_a_dense_layer_of_all_rows_is_one_of_the_tokens(batch):
    def spelling(b, x):
        rows = b.reshape(x, (-1, 4))
        return b.reshape(b.linear(rows, weights(b, 5, 4), weights(b, 5)), (batch, 3, 5))

    (node,) = recovered(spelling, (batch, 3, 4)).nodes
    assert (node.op, node.x.shape) == ("linear", (batch, 3, 4))


def test_rows_of_another_width_stay():
    def spelling(b, x):
        return b.reshape(b.linear(b.reshape(x, (4, 6)), weights(b, 6, 6)), (2, 3, 4))

    assert ops_of(recovered(spelling, (2, 3, 4))) == ["reshape", "linear", "reshape"]
