"""Whole networks in the other order: how many transposes that costs, and what it computes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from ir_hub.ir.dims import symbol
from ir_hub.ir.graph import Model
from ir_hub.ir.verify import verify
from ir_hub.layout.boundary import Boundary, native_boundary
from ir_hub.layout.native import foreign_nodes
from ir_hub.layout.relay import relay
from ir_hub.ops.build import Builder
from ir_hub.ops.catalogue import OPS
from ir_hub.ops.op import DType
from ir_hub.simplify.reference import run
from tests.layout.networks import (
    CONVS,
    TARGETS,
    Network,
    features,
    with_flatten,
    with_mean,
    with_pool,
)

NETWORKS = [with_mean, with_pool, with_flatten]
OTHER = {"first": "last", "last": "first"}
ORDERS = sorted(OTHER)


def image_for(model: Model) -> np.ndarray:
    shape = [3 if not isinstance(size, int) else size for size in model.graph.inputs[0].shape]
    return np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)


def counted(model: Model) -> Counter[str]:
    return Counter(node.op for node in model.graph.walk())


def relaid(model: Model, order: str) -> Model:
    """The model in a target's order; it must compute what it computed before."""
    image = image_for(model)
    before = run(model, [image])
    assert relay(model, TARGETS[order]) is model
    verify(model, OPS, typed=True)
    assert not foreign_nodes(model, TARGETS[order])
    for was, now in zip(before, run(model, [image]), strict=True):
        np.testing.assert_allclose(now, was, rtol=1e-5, atol=1e-6)
    return model


@pytest.mark.parametrize("batch", [2, symbol("n")], ids=["two images", "any batch"])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("network", NETWORKS)
def test_the_other_order_costs_one_transpose(
    network: Callable[..., Model], order: str, batch: object
) -> None:
    model = relaid(network(order, batch), OTHER[order])
    (transpose,) = (node for node in model.graph.nodes if node.op == "transpose")
    assert transpose.x is model.graph.inputs[0]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("network", NETWORKS)
def test_there_and_back_leaves_none(network: Callable[..., Model], order: str) -> None:
    before = counted(network(order))
    model = relaid(relaid(network(order), OTHER[order]), order)
    assert counted(model)["transpose"] == 0
    assert counted(model) == before


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("network", NETWORKS)
def test_what_is_in_order_stays_as_it_is(network: Callable[..., Model], order: str) -> None:
    model = network(order)
    text = repr(model.graph)
    assert not foreign_nodes(model, TARGETS[order])
    assert repr(relaid(model, order).graph) == text


@pytest.mark.parametrize("order", ORDERS)
def test_a_flatten_that_is_an_output_costs_a_transpose(order: str) -> None:
    net = Network(order)
    model = relaid(net.model(net.flatten(features(net))), OTHER[order])
    assert counted(model)["transpose"] == 2


@pytest.mark.parametrize("order", ORDERS)
def test_a_flatten_that_something_else_reads_costs_a_transpose(order: str) -> None:
    net = Network(order)
    flat = net.flatten(features(net))
    model = relaid(net.model(net.dense(flat, 5), net.softmax(flat)), OTHER[order])
    assert counted(model)["transpose"] == 2


@pytest.mark.parametrize("order", ORDERS)
def test_a_flatten_that_is_read_and_an_output_costs_a_transpose(order: str) -> None:
    net = Network(order)
    flat = net.flatten(features(net))
    model = relaid(net.model(net.dense(flat, 5), flat), OTHER[order])
    assert counted(model)["transpose"] == 2


@pytest.mark.parametrize("order", ORDERS)
def test_features_that_meet_a_vector_are_flattened_as_written(order: str) -> None:
    net = Network(order)
    flat = net.flatten(features(net))
    scaled = net.mul(flat, net.weights(flat.shape[1]))
    model = relaid(net.model(net.dense(scaled, 5)), OTHER[order])
    assert counted(model)["transpose"] == 2


@pytest.mark.parametrize("order", ORDERS)
def test_weights_of_matrix_products_take_features_in_any_order(order: str) -> None:
    net = Network(order)
    flat = net.flatten(features(net))
    size = flat.shape[1]
    left = net.matmul(flat, net.weights(size, 4))
    right = net.gemm(net.relu(flat), net.weights(4, size), trans_b=True)
    weight = net.weights(size, 4)
    tied = net.add(net.gemm(flat, weight), net.matmul(flat, weight))
    model = relaid(net.model(left, right, tied), OTHER[order])
    assert counted(model)["transpose"] == 1
    assert len({node.y for node in model.graph.nodes if node.op == "matmul"}) == 2


def test_a_product_with_the_features_on_the_right_gets_them_as_written() -> None:
    net = Network("first")
    flat = net.flatten(features(net))
    model = relaid(net.model(net.gemm(net.weights(7, 2), flat)), "last")
    assert counted(model)["transpose"] == 2


def test_square_images_are_no_riddle() -> None:
    b = Builder()
    x = b.input("x", DType.FLOAT32, (4, 4, 4, 4))
    weight = b.constant(np.random.default_rng(3).normal(size=(1, 1, 4, 4)).astype(np.float32))
    one, none = (1, 1), ((0, 0), (0, 0))
    for _ in range(2):
        x = b.conv(x, weight, strides=one, pads=none, dilations=one, axes=CONVS["last"])
    b.graph.outputs = [x]
    model = relaid(Model(b.graph), "first")
    assert counted(model) == {"conv": 2, "transpose": 2}


@pytest.mark.parametrize("order", ORDERS)
def test_native_inputs_and_outputs_cost_nothing(order: str) -> None:
    net = Network(order)
    model = net.model(features(net))
    image = image_for(model)
    (before,) = run(model, [image])
    names = [model.graph.inputs[0].name, model.graph.outputs[0].name]
    boundary = native_boundary(relay(model, TARGETS[OTHER[order]]).graph)
    verify(model, OPS, typed=True)
    assert counted(model)["transpose"] == 0
    assert [model.graph.inputs[0].name, model.graph.outputs[0].name] == names
    turn = (0, 2, 3, 1) if order == "first" else (0, 3, 1, 2)
    assert boundary == Boundary((turn,), (turn,))
    (now,) = run(model, [image.transpose(turn)])
    np.testing.assert_allclose(now, before.transpose(turn), rtol=1e-5, atol=1e-6)
