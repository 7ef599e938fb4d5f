"""Normalisation comes back however a source spelled it, and what only looks alike doesn't."""

import numpy as np
import pytest

from ir_hub.ir.dims import symbol
from tests.rules.spelled import graph_of, ops_of, recovered, weights

EPS = 1e-5


def centred_and_variance(b, x, axes=(-1,), square=None):
    c = x - b.reduce_mean(x, axes)
    return c, b.reduce_mean(square(c) if square else b.pow(c, 2.0), axes)


def torch_opset_11(b, x):
    c, var = centred_and_variance(b, x)
    return c / b.sqrt(var + EPS) * weights(b, 6) + weights(b, 6, seed=1)


def tf2onnx(b, x):
    mean = b.reduce_mean(x, (2,))
    var = b.reduce_mean(b.square(x - mean), (2,))
    inverse = b.rsqrt(var + EPS) * weights(b, 6)
    return x * inverse + (weights(b, 6, seed=1) - mean * inverse)


def weight_first(b, x):
    c, var = centred_and_variance(b, x, square=lambda c: c * c)
    return weights(b, 6, seed=1) + (weights(b, 6) * c) / b.sqrt(EPS + var)


def power_of_minus_half(b, x):
    c, var = centred_and_variance(b, x, square=b.square)
    return c * b.pow(var + EPS, -0.5) * weights(b, 6) + weights(b, 6, seed=1)


def reciprocal_and_own_centre(b, x):
    c, _ = centred_and_variance(b, x)
    _, var = centred_and_variance(b, x, axes=(2,))
    return c * b.reciprocal(b.sqrt(var + EPS)) * weights(b, 6) + weights(b, 6, seed=1)


def constants_of_rank_3(b, x):
    c, var = centred_and_variance(b, x)
    return c / b.sqrt(var + EPS) * weights(b, 1, 1, 6) + weights(b, 1, 1, 6, seed=1)


def mean_of_squares(b, x):
    mean = b.reduce_mean(x, (-1,))
    var = b.reduce_mean(x * x, (-1,)) - mean * mean
    return (x - mean) / b.sqrt(var + EPS) * weights(b, 6) + weights(b, 6, seed=1)


@pytest.mark.parametrize(
    "spelling",
    [
        mean_of_squares,
        torch_opset_11,
        tf2onnx,
        weight_first,
        power_of_minus_half,
        reciprocal_and_own_centre,
        constants_of_rank_3,
    ],
    ids=lambda spelling: spelling.__name__,
)
@pytest.mark.parametrize("shape", [(2, 4, 6), (symbol("N"), 4, 6)], ids=["static", "dynamic"])
def test_layer_norm_comes_back(spelling, shape):
    graph = recovered(spelling, shape)
    assert ops_of(graph) == ["layer_norm"]
    (node,) = graph.nodes
    assert (node.eps, node.weight.shape, node.bias.shape) == (EPS, (6,), (6,))


def test_layer_norm_without_weight_and_bias():
    def spelling(b, x):
        c, var = centred_and_variance(b, x)
        return c / b.sqrt(var + EPS)

    (node,) = recovered(spelling, (2, 6)).nodes
    assert (node.op, node.weight, node.bias) == ("layer_norm", None, None)


def test_layer_norm_with_ones_and_zeros_keeps_them_as_weights():
    def spelling(b, x):
        c, var = centred_and_variance(b, x)
        ones, zeros = (b.term(b.constant(f(6, np.float32))) for f in (np.ones, np.zeros))
        return c / b.sqrt(var + EPS) * ones + zeros

    (node,) = recovered(spelling, (2, 4, 6)).nodes
    assert (node.op, node.weight.shape, node.bias.shape) == ("layer_norm", (6,), (6,))


def test_layer_norm_over_several_axes():
    def spelling(b, x):
        c, var = centred_and_variance(b, x, axes=(-2, -1))
        return c / b.sqrt(var + EPS) * weights(b, 4, 6) + weights(b, 4, 6, seed=1)

    (node,) = recovered(spelling, (2, 3, 4, 6)).nodes
    assert (node.op, node.axis, node.weight.shape) == ("layer_norm", -2, (4, 6))


def t5(b, x):
    return weights(b, 6) * (x * b.rsqrt(b.reduce_mean(b.pow(x, 2.0), (-1,)) + 1e-6))


def llama_onnx(b, x):
    root = b.sqrt(b.reduce_mean(b.pow(x, 2.0), (-1,)) + 1e-6)
    return (x * (1.0 / root)) * weights(b, 6)


def divided(b, x):
    return x / b.sqrt(1e-6 + b.reduce_mean(x * x, (2,))) * weights(b, 6)


@pytest.mark.parametrize("spelling", [t5, llama_onnx, divided], ids=lambda f: f.__name__)
def test_rms_norm_comes_back(spelling):
    (node,) = recovered(spelling, (2, 4, 6)).nodes
    assert (node.op, node.eps) == ("rms_norm", 1e-6)


def batch_norm(b, x, shape):
    scale, bias, mean, var = (weights(b, *shape, seed=seed) for seed in range(4))
    return scale, bias, mean, var


@pytest.mark.parametrize(
    ("shape", "channel", "axis"),
    [((2, 3, 4, 5), (3, 1, 1), 1), ((2, 3, 4, 5), (1, 3, 1, 1), 1), ((2, 4, 5, 3), (3,), -1)],
)
@pytest.mark.parametrize("form", ["divided", "multiplied", "moved", "factors"])
def test_batch_norm_comes_back(shape, channel, axis, form):
    def spelling(b, x):
        scale, bias, mean, var = batch_norm(b, x, channel)
        if form == "divided":
            return (x - mean) / b.sqrt(var + EPS) * scale + bias
        if form == "multiplied":
            return (x - mean) * b.rsqrt(var + EPS) * scale + bias
        if form == "factors":  # as TensorFlow's batch_normalization has it
            factor = b.rsqrt(var + EPS) * scale
            return x * factor + (bias - mean * factor)
        return bias + (scale * (x + -mean)) * b.reciprocal(b.sqrt(var + EPS))

    (node,) = recovered(spelling, shape).nodes
    assert (node.op, node.axis, node.mean.shape) == ("batch_norm", axis, (3,))


@pytest.mark.parametrize(("shape", "channel"), [((2, 3, 4), (3, 1)), ((2, 4, 5, 3), (3,))])
def test_batch_norm_without_scale_comes_back(shape, channel):
    def spelling(b, x):
        _, bias, mean, var = batch_norm(b, x, channel)
        factor = b.rsqrt(var + EPS)
        return x * factor + (bias - mean * factor)

    (node,) = recovered(spelling, shape).nodes
    assert node.op == "batch_norm"
    np.testing.assert_array_equal(node.scale.array(), np.ones(3, np.float32))


def test_factors_of_another_variance_are_no_batch_norm():
    def spelling(b, x):
        scale, bias, mean, var = batch_norm(b, x, (3,))
        other = weights(b, 3, seed=9)
        return x * (b.rsqrt(var + EPS) * scale) + (bias - mean * (b.rsqrt(other + EPS) * scale))

    assert "batch_norm" not in ops_of(recovered(spelling, (2, 4, 5, 3)))


def test_scale_and_shift_of_channels_is_no_batch_norm():
    def spelling(b, x):
        return x * weights(b, 3, 1, 1) + weights(b, 3, 1, 1, seed=1)

    assert ops_of(recovered(spelling, (2, 3, 4, 5))) == ["mul", "add"]


def torch_group_norm(b, x, channel=(6, 1, 1), shape=(2, 6, 4, 5)):
    ones, zeros = (b.term(b.constant(f(3, np.float32))) for f in (np.ones, np.zeros))
    parts = b.instance_norm(b.reshape(x, (0, 3, -1)), ones, zeros, eps=EPS)
    return b.reshape(parts, shape) * weights(b, *channel) + weights(b, *channel, seed=1)


@pytest.mark.parametrize(
    ("shape", "channel"),
    [((2, 6, 4, 5), (6, 1, 1)), ((2, 6, 4, 5), (1, 6, 1, 1)), ((2, 6, 7), (6, 1))],
)
def test_group_norm_comes_back(shape, channel):
    (node,) = recovered(lambda b, x: torch_group_norm(b, x, channel, shape), shape).nodes
    assert (node.op, node.groups, node.weight.shape) == ("group_norm", 3, (6,))


@pytest.mark.parametrize("batch", [2, symbol("N")], ids=["static", "dynamic"])
def test_group_norm_of_channels_that_come_last_comes_back(batch):
    """As Keras writes it: groups and their channels as two last axes."""

    def spelling(b, x):
        parts = b.reshape(x, (batch, 4, 5, 3, 2))
        mean = b.reduce_mean(parts, (1, 2, 4))
        variance = b.reduce_mean(b.square(parts - mean), (1, 2, 4))
        factor = b.rsqrt(variance + EPS) * weights(b, 1, 1, 1, 3, 2)
        whole = parts * factor + (weights(b, 1, 1, 1, 3, 2, seed=1) + -mean * factor)
        return b.reshape(whole, (batch, 4, 5, 6))

    (node,) = recovered(spelling, (batch, 4, 5, 6)).nodes
    assert (node.op, node.groups, node.axes) == ("group_norm", 3, "N*C->N*C")


def test_group_norm_of_any_batch_comes_back():
    batch = symbol("N")
    spelling = lambda b, x: torch_group_norm(b, x, shape=(batch, 6, 4, 5))  # noqa: E731
    assert ops_of(recovered(spelling, (batch, 6, 4, 5))) == ["group_norm"]


def test_groups_that_are_scaled_inside_are_no_group_norm():
    def spelling(b, x):
        parts = b.reshape(x, (2, 3, -1))
        parts = b.instance_norm(parts, weights(b, 3), weights(b, 3), eps=EPS)
        return b.reshape(parts, (2, 6, 4, 5)) * weights(b, 6, 1, 1) + weights(b, 6, 1, 1)

    assert "group_norm" not in ops_of(recovered(spelling, (2, 6, 4, 5)))


def test_instance_norm_comes_back():
    def spelling(b, x):
        c, var = centred_and_variance(b, x, axes=(2, 3))
        return c / b.sqrt(var + EPS) * weights(b, 6, 1, 1) + weights(b, 6, 1, 1, seed=1)

    (node,) = recovered(spelling, (2, 6, 4, 5)).nodes
    assert (node.op, node.weight.shape) == ("instance_norm", (6,))


@pytest.mark.parametrize(
    "spelling",
    [
        lambda b, x: x / b.clip(b.reduce_l2(x, (1,)), 1e-12),
        lambda b, x: x / b.maximum(b.sqrt(b.reduce_sum(x * x, (-1,))), 1e-12),
        lambda b, x: x / b.expand(b.clip(b.reduce_l2(x, (1,)), 1e-12), (4, 6)),
        lambda b, x: x * b.rsqrt(b.maximum(b.reduce_sum(b.square(x), (1,)), 1e-12)),
        lambda b, x: x * b.minimum(b.rsqrt(b.reduce_sum(b.square(x), (-1,))), 1e12),
    ],
    ids=["torch", "spelled out", "torch expands", "tf l2_normalize", "keras"],
)
def test_l2_norm_comes_back(spelling):
    (node,) = recovered(spelling, (4, 6)).nodes
    assert (node.op, node.axis, node.p) == ("lp_norm", 1, 2)


def sample_variance(b, x):
    c = x - b.reduce_mean(x, (-1,))
    return c / b.sqrt(b.reduce_sum(c * c, (-1,)) / 5.0 + EPS)


def another_axis(b, x):
    c = x - b.reduce_mean(x, (0,))
    return c / b.sqrt(b.reduce_mean(c * c, (1,)) + EPS)


def eps_outside(b, x):
    c = x - b.reduce_mean(x, (-1,))
    return c / (b.sqrt(b.reduce_mean(c * c, (-1,))) + EPS)


def of_two_tensors(b, x):
    c = x - b.reduce_mean(x, (-1,))
    d = b.sin(x) - b.reduce_mean(b.sin(x), (-1,))
    return c / b.sqrt(b.reduce_mean(d * d, (-1,)) + EPS)


def large_eps(b, x):
    c, var = centred_and_variance(b, x)
    return c / b.sqrt(var + 1.0)


@pytest.mark.parametrize(
    "spelling",
    [sample_variance, another_axis, eps_outside, of_two_tensors, large_eps],
    ids=lambda spelling: spelling.__name__,
)
def test_near_misses_stay(spelling):
    before = ops_of(graph_of(spelling, (4, 6)))
    assert ops_of(recovered(spelling, (4, 6))) == before
