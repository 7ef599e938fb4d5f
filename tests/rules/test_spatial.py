"""What belongs to a convolution or pooling, and what moves channels and pixels, comes back."""

import numpy as np
import pytest

from ir_hub.ir.dims import symbol
from tests.rules.spelled import graph_of, ops_of, recovered, weights

SAME = {"strides": (1, 1), "pads": ((0, 0), (0, 0)), "dilations": (1, 1)}
LAST = {**SAME, "axes": "N*C,*IO->N*C"}
POOL = {**SAME, "kernel": (4, 5)}
N = symbol("N")


@pytest.mark.parametrize("shape", [(6, 1, 1), (1, 6, 1, 1)])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_bias_per_channel_belongs_to_the_convolution(shape, sign):
    def spelling(b, x):
        y = b.conv(x, weights(b, 6, 3, 2, 2), **SAME)
        return y + weights(b, *shape) if sign > 0 else y - weights(b, *shape)

    (node,) = recovered(spelling, (2, 3, 5, 7)).nodes
    assert (node.op, node.bias.shape) == ("conv", (6,))


def test_a_bias_of_channels_last():
    def spelling(b, x):
        return weights(b, 6) + b.conv(x, weights(b, 2, 2, 3, 6), **LAST)

    (node,) = recovered(spelling, (2, 5, 7, 3)).nodes
    assert (node.op, node.bias.shape) == ("conv", (6,))


@pytest.mark.parametrize("shape", [(6,), (4, 1), (2, 6, 1, 1)])
def test_what_is_no_bias_per_channel(shape):
    def spelling(b, x):
        return b.conv(x, weights(b, 6, 3, 2, 2), **SAME) + weights(b, *shape)

    assert ops_of(recovered(spelling, (2, 3, 5, 7))) == ["conv", "add"]


def test_a_convolution_that_others_use_keeps_its_result():
    def spelling(b, x):
        y = b.conv(x, weights(b, 6, 3, 2, 2), **SAME)
        return y + weights(b, 6, 1, 1), b.relu(y)

    assert sorted(ops_of(recovered(spelling, (2, 3, 5, 7)))) == ["add", "conv", "relu"]


def zero_pad(b, x, value=0.0):
    return b.pad(x, (0, 0, 1, 2, 0, 0, 3, 4), b.term(b.constant(np.float32(value))))


@pytest.mark.parametrize(
    ("spelling", "op"),
    [
        (lambda b, x: b.conv(zero_pad(b, x), weights(b, 6, 3, 2, 2), **SAME), "conv"),
        (lambda b, x: b.max_pool(zero_pad(b, x, -np.inf), **POOL), "max_pool"),
        (lambda b, x: b.avg_pool(zero_pad(b, x), **POOL), "avg_pool"),
    ],
    ids=["conv", "max_pool", "avg_pool"],
)
def test_padding_belongs_to_what_follows(spelling, op):
    (node,) = recovered(spelling, (2, 3, 5, 7)).nodes
    assert (node.op, node.pads) == (op, ((1, 3), (2, 4)))


def test_padding_of_named_axes_adds_to_the_pads():
    def spelling(b, x):
        y = b.pad(x, (1, 0, 1, 1), axes=(-3, -2))
        pads = ((0, 1), (1, 0))
        return b.conv(y, weights(b, 2, 2, 3, 6), **{**LAST, "pads": pads})

    (node,) = recovered(spelling, (2, 5, 7, 3)).nodes
    assert node.pads == ((1, 2), (1, 1))


@pytest.mark.parametrize(
    "spelling",
    [
        lambda b, x: b.max_pool(zero_pad(b, x), **POOL),
        lambda b, x: b.conv(zero_pad(b, x, 1.0), weights(b, 6, 3, 2, 2), **SAME),
        lambda b, x: b.conv(
            b.pad(x, (0, 0, 1, 1, 0, 0, 1, 1), mode="reflect"), weights(b, 6, 3, 2, 2), **SAME
        ),
        lambda b, x: b.conv(b.pad(x, (0, 1, 0, 0, 0, 0, 0, 0)), weights(b, 6, 4, 2, 2), **SAME),
        lambda b, x: b.max_pool(zero_pad(b, x, -np.inf), **{**POOL, "kernel": (2, 5)}),
        lambda b, x: b.avg_pool(zero_pad(b, x), **{**POOL, "pads": ((1, 1), (1, 1))}),
        lambda b, x: b.conv(b.pad(x, (0, 0, -1, 0, 0, 0, 0, 0)), weights(b, 6, 3, 2, 2), **SAME),
    ],
    ids=["zeros", "ones", "reflected", "channels", "wider", "uncounted pads", "cropped"],
)
def test_other_padding_stays(spelling):
    assert ops_of(recovered(spelling, (2, 3, 5, 7)))[0] == "pad"


@pytest.mark.parametrize(
    ("spelling", "shape", "op"),
    [
        (lambda b, x: b.reduce_mean(x, (2, 3)), (2, 3, 4, 5), "global_avg_pool"),
        (lambda b, x: b.reduce_mean(x, (-1, -2)), (N, 3, 4, 5), "global_avg_pool"),
        (lambda b, x: b.reduce_mean(x, (2,)), (2, 3, 4), "reduce_mean"),
        (lambda b, x: b.reduce_max(x, (3, 2)), (2, 3, 4, 5), "global_max_pool"),
        (lambda b, x: b.reduce_mean(x, (1, 2)), (2, 3, 4, 5), "reduce_mean"),
        (lambda b, x: b.reduce_mean(x, (2, 3), keepdims=False), (2, 3, 4, 5), "reduce_mean"),
        (lambda b, x: b.reduce_mean(x, (2,)), (2, 3, 4, 5), "reduce_mean"),
    ],
)
def test_global_pooling_comes_back(spelling, shape, op):
    assert ops_of(recovered(spelling, shape)) == [op]


def shuffle(b, x, batch=2):
    y = b.transpose(b.reshape(x, (batch, 3, 2, 4, 5)), perm=(0, 2, 1, 3, 4))
    return b.reshape(y, (batch, -1, 4, 5))


@pytest.mark.parametrize("batch", [2, N], ids=["static", "dynamic"])
def test_channel_shuffle_comes_back(batch):
    (node,) = recovered(lambda b, x: shuffle(b, x, batch), (batch, 6, 4, 5)).nodes
    assert (node.op, node.groups, node.axis) == ("channel_shuffle", 3, 1)


def test_channel_shuffle_of_channels_last_comes_back():
    def spelling(b, x):
        y = b.transpose(b.reshape(x, (2, 4, 5, 3, 2)), perm=(0, 1, 2, 4, 3))
        return b.reshape(y, (2, 4, 5, 6))

    (node,) = recovered(spelling, (2, 4, 5, 6)).nodes
    assert (node.op, node.groups, node.axis) == ("channel_shuffle", 3, 3)


@pytest.mark.parametrize(
    ("parts", "perm", "result", "shape", "op"),
    [
        ((2, 3, 2, 2, 4, 5), (0, 1, 4, 2, 5, 3), (2, 3, 8, 10), (2, 12, 4, 5), "depth_to_space"),
        ((2, 2, 2, 3, 4, 5), (0, 3, 4, 1, 5, 2), (2, 3, 8, 10), (2, 12, 4, 5), "depth_to_space"),
        ((2, 3, 4, 2, 5, 2), (0, 3, 5, 1, 2, 4), (2, 12, 4, 5), (2, 3, 8, 10), "space_to_depth"),
    ],
    ids=["pixel shuffle", "depth to space", "space to depth"],
)
def test_pixels_from_channels_come_back(parts, perm, result, shape, op):
    def spelling(b, x):
        return b.reshape(b.transpose(b.reshape(x, parts), perm=perm), result)

    (node,) = recovered(spelling, shape).nodes
    assert (node.op, node.block) == (op, 2)


def test_matrices_that_are_stacked_to_be_transposed():
    def spelling(b, x):
        y = b.transpose(b.reshape(x, (-1, 4, 5)), perm=(0, 2, 1))
        return b.reshape(y, (2, 3, 5, 4))

    (node,) = recovered(spelling, (2, 3, 4, 5)).nodes
    assert (node.op, node.perm) == ("transpose", (0, 1, 3, 2))


@pytest.mark.parametrize(
    ("parts", "perm", "result"),
    [
        ((2, 3, 2, 2, 4, 5), (0, 1, 2, 4, 5, 3), (2, 3, 8, 10)),
        ((2, 3, 2, 2, 4, 5), (0, 1, 4, 2, 5, 3), (2, 3, 16, 5)),
        ((2, 3, 4, 1, 4, 5), (0, 1, 4, 2, 5, 3), (2, 3, 16, 5)),
    ],
)
def test_other_moves_of_pixels_stay(parts, perm, result):
    def spelling(b, x):
        return b.reshape(b.transpose(b.reshape(x, parts), perm=perm), result)

    before = ops_of(graph_of(spelling, (2, 12, 4, 5)))
    assert ops_of(recovered(spelling, (2, 12, 4, 5))) == before
