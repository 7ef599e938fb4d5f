"""Activations come back however a source spelled them, and what only looks alike doesn't."""

import math

import numpy as np
import pytest

from ir_hub.ir.types import DType
from tests.rules.spelled import graph_of, ops_of, recovered, weights

ROOT = math.sqrt(2)
C = math.sqrt(2 / math.pi)


def where_positive(b, x, negative):
    return b.where(b.greater(x, 0.0), x, negative)


SPELLINGS = {
    "gelu": {
        "torch onnx": lambda b, x: x * (b.erf(x / ROOT) + 1.0) * 0.5,
        "torch onnx, other order": lambda b, x: (x * 0.5) * (1.0 + b.erf(x / 1.4142135)),
        "tf keras": lambda b, x: 0.5 * x * (1.0 + b.erf(x / ROOT)),
        "times 1/sqrt(2)": lambda b, x: (b.erf(x * 0.70710678) + 1.0) * (x / 2.0),
        "divided by two at the end": lambda b, x: x * (1.0 + b.erf(x * (1 / ROOT))) / 2.0,
        "half a cumulative": lambda b, x: x * (0.5 * (1.0 + b.erf(x / ROOT))),
        "minus of minus": lambda b, x: (x * 0.5) * (1.0 - (-b.erf(x / ROOT))),
        "tf gelu, by erfc": lambda b, x: (x * 0.5) * (1.0 - b.erf(-x * 0.70710677)),
        "scaled input": lambda b, x: (lambda y: y * (b.erf(y / ROOT) + 1.0) * 0.5)(x * 3.0),
    },
    "gelu by tanh": {
        "hugging face": lambda b, x: 0.5 * x * (1.0 + b.tanh(C * (x + 0.044715 * b.pow(x, 3.0)))),
        "tf, cubes": lambda b, x: x * (0.5 * (1.0 + b.tanh((x + x * x * x * 0.044715) * C))),
        "rounded numbers": lambda b, x: (
            (x * 0.5) * (b.tanh((x + b.pow(x, 3.0) * 0.044715) * 0.7978846) + 1.0)
        ),
        "gelu_fast": lambda b, x: (
            0.5 * x * (1.0 + b.tanh(x * 0.7978845608 * (1.0 + 0.044715 * x * x)))
        ),
        "distributed": lambda b, x: (
            0.5 * x * (1.0 + b.tanh(0.7978845608 * x + 0.0356774081 * (x * x * x)))
        ),
    },
    "silu": {
        "torch onnx": lambda b, x: x * b.sigmoid(x),
        "sigmoid first": lambda b, x: b.sigmoid(x) * x,
        "no sigmoid op": lambda b, x: x / (1.0 + b.exp(-x)),
        "reciprocal": lambda b, x: x * b.reciprocal(b.exp(-x) + 1.0),
    },
    "swish": {
        "quick gelu": lambda b, x: x * b.sigmoid(1.702 * x),
        "other order": lambda b, x: b.sigmoid(x * 1.702) * x,
    },
    "hard_swish": {
        "paddle, div last": lambda b, x: x * b.clip(x + 3.0, 0.0, 6.0) / 6.0,
        "paddle, mul last": lambda b, x: (x * b.clip(x + 3.0, 0.0, 6.0)) * 0.16666667,
        "paddle, hard_sigmoid": lambda b, x: x * b.hard_sigmoid(x, alpha=0.16666667, beta=0.5),
        "torchvision, opset 11": lambda b, x: x * (b.clip(x + 3.0, 0.0, 6.0) / 6.0),
        "tf": lambda b, x: x * b.relu6(x + 3.0) * (1 / 6),
        "mobilenet, minimum": lambda b, x: x * b.minimum(b.maximum(x + 3.0, 0.0), 6.0) / 6.0,
    },
    "hard_sigmoid": {
        "relu6": lambda b, x: b.relu6(x + 3.0) / 6.0,
        "clip": lambda b, x: b.clip(0.2 * x + 0.5, 0.0, 1.0),
        "onnx function": lambda b, x: b.maximum(0.0, b.minimum(1.0, x * 0.2 + 0.5)),
        "of a sum": lambda b, x: b.relu6(b.sin(x) + b.cos(x) + 3.0) / 6.0,
    },
    "mish": {
        "torch onnx": lambda b, x: x * b.tanh(b.softplus(x)),
        "spelled out": lambda b, x: b.tanh(b.log(b.exp(x) + 1.0)) * x,
        "log1p": lambda b, x: x * b.tanh(b.log1p(b.exp(x))),
    },
    "softplus": {
        "log": lambda b, x: b.log(1.0 + b.exp(x)),
        "beta": lambda b, x: b.log(b.exp(x * 2.0) + 1.0) * 0.5,
        "torch dynamo": lambda b, x: (
            lambda m: b.where(b.greater(m, 20.0), x, b.softplus(m) / 2.0)
        )(x * 2.0),
        "beta, torch onnx": lambda b, x: b.softplus(b.sin(x) * 5.0) / 5.0,
    },
    "leaky_relu": {
        "maximum": lambda b, x: b.maximum(x * 0.2, x),
        "maximum, other order": lambda b, x: b.maximum(x, 0.2 * x),
        "where": lambda b, x: where_positive(b, x, x * 0.1),
        "where below": lambda b, x: b.where(b.less(x, 0.0), x * 0.1, x),
        "where zero is less": lambda b, x: b.where(b.less(0.0, x), x, x * 0.1),
        "where not below": lambda b, x: b.where(b.greater_equal(x, 0.0), x, x * 0.1),
        "halves": lambda b, x: b.relu(x) - 0.3 * b.relu(-x),
    },
    "elu": {
        "where": lambda b, x: where_positive(b, x, 0.5 * (b.exp(x) - 1.0)),
        "expm1": lambda b, x: where_positive(b, x, b.expm1(x) * 0.5),
        "onnx function": lambda b, x: b.where(b.less(x, 0.0), 0.5 * (b.exp(x) - 1.0), x),
        "halves": lambda b, x: b.relu(x) + 0.5 * (b.exp(b.minimum(x, 0.0)) - 1.0),
    },
    "selu": {
        "onnx function": lambda b, x: b.where(
            b.less(x, 0.0), 1.05 * (1.67 * b.exp(x) - 1.67), 1.05 * x
        ),
    },
    "celu": {"by elu": lambda b, x: 2.0 * b.elu(x / 2.0)},
    "thresholded_relu": {
        "onnx function": lambda b, x: b.where(b.less(0.7, x), x, b.term(b.constant(np.float32(0)))),
    },
    "relu6": {
        "clip": lambda b, x: b.clip(x, 0.0, 6.0),
        "minimum of relu": lambda b, x: b.minimum(b.relu(x), 6.0),
        "minimum of maximum": lambda b, x: b.minimum(6.0, b.maximum(0.0, x)),
    },
    "prelu": {
        "caffe": lambda b, x: b.relu(x) + weights(b, 5) * b.minimum(x, 0.0),
        "keras": lambda b, x: b.relu(x) + weights(b, 5) * b.relu(-x),
        "mxnet": lambda b, x: b.relu(x) + weights(b, 5) * (x - b.abs(x)) * 0.5,
        "where": lambda b, x: where_positive(b, x, weights(b, 5) * x),
    },
    "softmax": {
        "stable": lambda b, x: (lambda e: e / b.reduce_sum(e, (-1,)))(
            b.exp(x - b.reduce_max(x, (-1,)))
        ),
        "axis from the front": lambda b, x: (lambda e: e / b.reduce_sum(e, (1,)))(
            b.exp(x - b.reduce_max(x, (-1,)))
        ),
        "plain": lambda b, x: (lambda e: e * b.reciprocal(b.reduce_sum(e, (1,))))(b.exp(x)),
        "first axis": lambda b, x: (lambda e: e / b.reduce_sum(e, (0,)))(b.exp(x)),
    },
    "log_softmax": {
        "log of softmax": lambda b, x: b.log(b.softmax(x, axis=1)),
        "by sum": lambda b, x: (lambda y: y - b.log(b.reduce_sum(b.exp(y), (-1,))))(
            x - b.reduce_max(x, (-1,))
        ),
        "log of the sum": lambda b, x: x - b.log(b.reduce_sum(b.exp(x), (1,))),
        "log sum exp": lambda b, x: x - b.reduce_log_sum_exp(x, (-1,)),
    },
}


@pytest.mark.parametrize(
    ("name", "spelling"), [(name, key) for name in SPELLINGS for key in SPELLINGS[name]]
)
def test_comes_back(name, spelling):
    graph = recovered(SPELLINGS[name][spelling], (3, 5))
    assert ops_of(graph)[-1] == name.split()[0]
    assert not {"exp", "erf", "clip", "where"} & set(ops_of(graph))
    if name.startswith("gelu"):
        assert graph.nodes[-1].approximate == ("tanh" if "tanh" in name else "none")


def test_literals_are_as_a_person_writes_them():
    assert recovered(SPELLINGS["swish"]["quick gelu"], (3, 5)).nodes[0].alpha == 1.702
    assert recovered(SPELLINGS["softplus"]["beta"], (3, 5)).nodes[0].beta == 2.0
    assert recovered(SPELLINGS["elu"]["halves"], (3, 5)).nodes[0].alpha == 0.5
    sigmoid = recovered(SPELLINGS["hard_sigmoid"]["clip"], (3, 5)).nodes[0]
    assert (sigmoid.alpha, sigmoid.beta) == (0.2, 0.5)


NEAR_MISSES = {
    "a leaky relu with a slope above one": lambda b, x: b.maximum(1.5 * x, x),
    "gelu with another width": lambda b, x: x * (b.erf(x / 1.5) + 1.0) * 0.5,
    "gelu with another cubic term": lambda b, x: (
        0.5 * x * (1.0 + b.tanh(C * (x + 0.0447 * x * x * x)))
    ),
    "gelu of two values": lambda b, x: b.sin(x) * (b.erf(x / ROOT) + 1.0) * 0.5,
    "gelu by tanh of the square": lambda b, x: 0.5 * x * (1.0 + b.tanh(C * (x + 0.044715 * x * x))),
    "silu of two values": lambda b, x: b.sin(x) * b.sigmoid(x),
    "hard_swish with another shift": lambda b, x: x * b.clip(x + 2.0, 0.0, 5.0) / 6.0,
    "mish with another inner": lambda b, x: x * b.tanh(b.log(b.exp(x) + 2.0)),
    "elu that lacks the one": lambda b, x: b.where(b.greater(x, 0.0), x, b.exp(x)),
    "softmax over two axes": lambda b, x: b.exp(x) / b.reduce_sum(b.exp(x), (0, 1)),
    "softmax by two axes": lambda b, x: (
        b.exp(x - b.reduce_max(x, (0,))) / b.reduce_sum(b.exp(x - b.reduce_max(x, (0,))), (1,))
    ),
    "leaky relu that ends above zero": lambda b, x: b.where(b.greater(x, 0.5), x, 0.1 * x),
    "the greater of x and less than x": lambda b, x: b.where(b.less(x, 0.0), x, 0.1 * b.sin(x)),
    "softplus cut off early": lambda b, x: b.where(b.greater(x, 2.0), x, b.softplus(x)),
    "relu6 from below zero": lambda b, x: b.clip(x, -1.0, 6.0),
}


@pytest.mark.parametrize("name", NEAR_MISSES)
def test_near_misses_stay(name):
    graph = graph_of(NEAR_MISSES[name], (3, 5))
    before = ops_of(graph)
    assert ops_of(recovered(NEAR_MISSES[name], (3, 5))) == before


def test_a_gate_inside_a_gelu_is_left_outside():
    graph = recovered(lambda b, x, g: (g * x) * 0.5 * (1.0 + b.erf(x / ROOT)), (3, 5), (3, 5))
    assert ops_of(graph) == ["gelu", "mul"]


def test_a_divisor_inside_a_silu_is_left_outside():
    graph = recovered(lambda b, x, g: (x / g) * b.sigmoid(x), (3, 5), (3, 5))
    assert ops_of(graph) == ["silu", "div"]


def test_constants_rounded_to_half_precision_are_recognised():
    spelling = SPELLINGS["gelu by tanh"]["hugging face"]
    graph = recovered(spelling, (3, 5), dtype=DType.FLOAT16)
    assert ops_of(graph) == ["gelu"]


def test_a_sum_computed_in_wider_precision_is_not_the_narrow_op():
    def spelling(b, x):
        wide = b.cast(x, to=DType.FLOAT32)
        return x * b.cast(b.sigmoid(wide), to=DType.FLOAT16)

    assert "silu" not in ops_of(recovered(spelling, (3, 5), dtype=DType.FLOAT16))


def test_division_of_integers_is_not_that_of_numbers():
    graph = recovered(lambda b, x: b.maximum(x, x / 2), (3, 5), dtype=DType.INT32)
    assert ops_of(graph) == ["div", "maximum"]


def test_a_size_that_is_not_below_zero_is_no_activation():
    graph = recovered(lambda b, x: b.maximum(x, 0), (3, 5), dtype=DType.INT64)
    assert ops_of(graph) == ["maximum"]
