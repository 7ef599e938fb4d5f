"""What the pass does op by op: what is held, what is put back, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from ir_hub.ir.graph import Graph, Model, Node, Value, constant
from ir_hub.ir.tensor import Blob, BlobTensor
from ir_hub.ir.types import TensorType
from ir_hub.ir.verify import verify
from ir_hub.layout.native import foreign_nodes
from ir_hub.layout.relay import relay
from ir_hub.ops.build import Builder
from ir_hub.ops.catalogue import OPS
from ir_hub.ops.op import DType
from ir_hub.simplify.reference import run

LAST = {"max_pool": "N*C->N*C", "conv": "N*C,*IO->N*C", "resize": "N*C->N*C"}
FLOAT = DType.FLOAT32


def pooled(b: Builder, x: Value) -> Value:
    """A channels-first op: what comes out of it is held channels-last from then on."""
    one = (1,) * (len(x.shape) - 2)
    none = tuple((0, 0) for _ in one)
    return b.max_pool(x, kernel=one, strides=one, pads=none, dilations=one)


def relaid(b: Builder, *outputs: Value, axes: dict[str, str] = LAST) -> Graph:
    """The graph relaid; it must compute what it computed before."""
    b.graph.outputs = list(outputs)
    scopes = {node.scope: "" for node in b.graph.nodes if node.scope}
    inputs = [array_for(value) for value in b.graph.inputs]
    before, names = run(b.graph, inputs), [value.name for value in outputs]
    model = relay(Model(b.graph, scopes), axes)
    verify(model, OPS)
    assert [value.name for value in b.graph.outputs] == names
    for was, now in zip(before, run(b.graph, inputs), strict=True):
        np.testing.assert_allclose(now, was, rtol=1e-5, atol=1e-6)
    return b.graph


def array_for(value: Value) -> np.ndarray:
    random = np.random.default_rng(7)
    if value.dtype is DType.BOOL:
        return np.array(True)
    return random.uniform(-1, 1, value.shape).astype(value.dtype.numpy)


def ops_of(graph: Graph) -> list[str]:
    return [node.op for node in graph.nodes]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((), ()), ((1, 1), (1, 1)), ((5,), (5, 1)), ((3, 1, 1), (3,)), ((1, 3, 4, 5), (1, 4, 5, 3))],
)
def test_constants_broadcast_in_the_order_that_is_held(
    shape: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    b = Builder()
    x = pooled(b, b.input("x", FLOAT, (2, 3, 4, 5)))
    y = b.mul(x, b.constant(np.random.default_rng(1).normal(size=shape).astype(np.float32)))
    graph = relaid(b, y)
    (mul,) = (node for node in graph.nodes if node.op == "mul")
    assert mul.y.shape == expected
    assert ops_of(graph) == ["transpose", "max_pool", "mul", "transpose"]


def test_constants_in_blobs_are_not_read() -> None:
    def refuse(_: Blob) -> memoryview:
        raise AssertionError("the weight was read")

    def weight(*shape: int) -> Value:
        return constant(BlobTensor(Blob("0" * 64, 4096), 64, FLOAT, shape, refuse))

    b = Builder()
    x, one = b.input("x", FLOAT, (2, 3, 4, 5)), (1, 1)
    y = b.conv(x, weight(6, 3, 1, 1), strides=one, pads=((0, 0),) * 2, dilations=one)
    y = b.mul(b.add(y, weight(6, 1, 1)), weight(5))
    y = b.linear(b.flatten(y), weight(7, 120))
    b.graph.outputs = [y]
    relay(Model(b.graph), LAST)
    conv, add, mul, _, linear = b.graph.nodes[1:]
    assert isinstance(conv.weight.data, BlobTensor)
    assert conv.weight.shape == (1, 1, 3, 6)
    assert isinstance(add.y.data, BlobTensor)
    assert (add.y.shape, mul.y.shape) == ((6,), (5, 1))
    assert linear.weight.shape == (7, 120)


def test_operands_of_lower_rank_are_turned_and_grown() -> None:
    b = Builder()
    x = pooled(b, b.input("x", FLOAT, (2, 3, 4, 5)))
    planes = b.add(x, b.input("planes", FLOAT, (4, 5)))
    channels = b.add(planes, b.input("channels", FLOAT, (3, 1, 1)))
    graph = relaid(b, b.add(b.input("rows", FLOAT, (3, 4, 1)), channels))
    added = [node for node in graph.nodes if node.op == "add"]
    assert [node.y.shape for node in added[:2]] == [(4, 5, 1), (1, 1, 3)]
    assert added[2].x.shape == (4, 1, 3)


def test_source_transposes_vanish() -> None:
    b = Builder()
    x = b.input("x", FLOAT, (2, 4, 5, 3))
    y = pooled(b, b.relu(b.transpose(x, perm=(0, 3, 1, 2))))
    y = b.transpose(y, perm=(0, 2, 3, -3))
    assert ops_of(relaid(b, b.layer_norm(y))) == ["relu", "max_pool", "layer_norm"]


def test_outputs_keep_their_names_where_nothing_is_left_of_them() -> None:
    b = Builder()
    x = b.input("x", FLOAT, (2, 3, 4, 5))
    turned = b.transpose(x, perm=(0, 2, 3, 1))
    back, again = (b.transpose(turned, perm=(0, 3, 1, 2)) for _ in range(2))
    y = pooled(b, x)
    seen = b.transpose(y, perm=(0, 2, 3, 1))
    graph = relaid(b, back, again, y, seen, turned)
    assert len(set(graph.outputs)) == 5
    assert x not in graph.outputs


def test_a_value_is_transposed_once_for_all_that_ask() -> None:
    b = Builder()
    x = b.input("x", FLOAT, (2, 3, 4, 5))
    y = pooled(b, x)
    graph = relaid(b, b.layer_norm(y), b.layer_norm(y, axis=2), pooled(b, x), y)
    assert ops_of(graph).count("transpose") == 3


def test_what_all_parts_are_asked_for_in_is_transposed_as_a_whole() -> None:
    b = Builder()
    x = pooled(b, b.input("x", FLOAT, (2, 6, 3, 5)))
    parts = b.split(x, None, axis=1, count=3)
    graph = relaid(b, *(b.layer_norm(part) for part in parts))
    assert ops_of(graph) == ["transpose", "max_pool", "transpose", "split", *["layer_norm"] * 3]


def test_what_only_moves_axes_of_size_one_is_a_reshape() -> None:
    b = Builder()
    x = pooled(b, b.input("x", FLOAT, (2, 3, 4, 5)))
    scale = b.layer_norm(b.global_avg_pool(x), axis=1)
    graph = relaid(b, b.mul(x, scale), axes={**LAST, "global_avg_pool": "N*C->N*C"})
    assert ops_of(graph).count("transpose") == 2  # at the input and at the output


def test_reshapes_pass_where_they_keep_groups_of_axes_together() -> None:
    b = Builder()
    x = pooled(b, b.input("x", FLOAT, (2, 4, 3, 5)))
    tokens = b.transpose(b.reshape(x, (2, 4, -1)), perm=(0, 2, 1))
    heads = b.reshape(tokens, (2, 15, 2, 2))
    graph = relaid(b, b.layer_norm(heads), b.squeeze(b.unsqueeze(x, (0, 3)), (0,)))
    assert ops_of(graph) == [
        "transpose", "max_pool", "reshape", "reshape", "layer_norm", "unsqueeze", "squeeze",
        "transpose",
    ]  # fmt: skip


def test_a_reshape_that_tears_axes_apart_gets_what_was_written() -> None:
    b = Builder()
    x = pooled(b, b.input("x", FLOAT, (2, 4, 3, 5)))
    graph = relaid(b, b.reshape(x, (2, 6, 10)))
    assert ops_of(graph) == ["transpose", "max_pool", "transpose", "reshape"]


def test_a_shuffle_of_channels_is_put_in_the_order_that_is_asked_for() -> None:
    b = Builder()
    x = pooled(b, b.input("x", FLOAT, (2, 6, 4, 5)))
    mixed = b.transpose(b.reshape(x, (2, 2, 3, 4, 5)), perm=(0, 2, 1, 3, 4))
    graph = relaid(b, pooled(b, b.reshape(mixed, (2, 6, 4, 5))))
    assert ops_of(graph) == [
        "transpose", "max_pool", "reshape", "transpose", "reshape", "max_pool", "transpose",
    ]  # fmt: skip


def test_a_choice_of_equals_is_what_is_asked_for_behind_a_transpose() -> None:
    b = Builder()
    first = b.transpose(b.layer_norm(b.input("first", FLOAT, (3, 2, 4, 5))), perm=(0, 1, 3, 2))
    second = b.transpose(b.layer_norm(b.input("second", FLOAT, (2, 3, 4, 5))), perm=(1, 0, 3, 2))
    both = b.transpose(b.add(first, second), perm=(1, 2, 0, 3))
    assert ops_of(relaid(b, pooled(b, both))).count("transpose") == 2


def test_reshapes_of_nothing_get_what_was_written() -> None:
    b = Builder()
    x = b.slice(b.input("x", FLOAT, (2, 3, 4, 5)), (2,), (2,))
    weight = b.constant(np.ones((7, 60), np.float32))
    relaid(b, b.linear(b.flatten(x), weight))


def test_sizes_are_those_that_were_written() -> None:
    b = Builder()
    x = pooled(b, b.input("x", FLOAT, (2, 3, 4, 5)))
    graph = relaid(b, b.shape_of(x), b.shape_of(x, start=1, end=-1), b.size_of(x))
    assert ops_of(graph).count("transpose") == 1


def test_sizes_may_have_been_transposed() -> None:
    b = Builder()
    x = pooled(b, b.input("x", FLOAT, (2, 3, 4, 5)))
    places = b.transpose(b.shape_of(x, start=2), perm=(0,))
    cut = b.slice(x, (0, 0), places, (2, 3))
    relaid(b, cut, b.reshape(x, b.concat((places, b.shape_of(x, end=2)), axis=0)))


def test_bodies_see_what_was_written() -> None:
    b = Builder()
    x = pooled(b, b.input("x", FLOAT, (2, 3, 4, 5)))
    turned = b.transpose(x, perm=(1, 0, 2, 3))
    then, other = Builder(prefix="t"), Builder(prefix="e")
    then.graph.outputs = [then.relu(pooled(then, x)), turned]
    other.graph.outputs = [other.neg(x), other.relu(turned)]
    branches = {"then_branch": then.graph, "else_branch": other.graph}
    results = b.call("if", b.input("flag", DType.BOOL, ()), **branches)
    graph = relaid(b, *results)
    (inner,) = (node for node in graph.walk() if node.op == "max_pool" and node not in graph.nodes)
    assert inner.axes == LAST["max_pool"]


def test_scopes_of_transposes_are_those_around_both_sides() -> None:
    b = Builder()
    x = b.input("x", FLOAT, (2, 3, 4, 5))
    for scope in ("stem", "layer.pool", "layer.norm"):
        with b.within(scope):
            x = pooled(b, x) if "norm" not in scope else b.layer_norm(x)
    b.graph.outputs = [x]
    relay(Model(b.graph, dict.fromkeys(("stem", "layer", "layer.pool", "layer.norm"), "")), LAST)
    scopes = [node.scope for node in b.graph.nodes if node.op == "transpose"]
    assert scopes == ["", "layer"]


def test_ops_of_unknown_rank_and_foreign_ones_get_what_was_written() -> None:
    b = Builder()
    x = pooled(b, b.input("x", FLOAT, (2, 3, 4, 5)))
    strange = Value("strange", TensorType(FLOAT, (2, 3, 4, 5)))
    b.graph.nodes.append(Node("mxnet::Strange", {"x": x}, [strange]))
    open_rank = b.input("open", FLOAT, None)
    b.graph.outputs = [b.add(strange, open_rank), b.relu(open_rank)]
    relay(Model(b.graph), LAST)
    verify(Model(b.graph), OPS)
    assert ops_of(b.graph) == [
        "transpose",
        "max_pool",
        "transpose",
        "mxnet::Strange",
        "add",
        "relu",
    ]


def test_other_axes_than_the_target_names_stay_as_they_are() -> None:
    b = Builder()
    x = b.input("x", FLOAT, (2, 3, 4, 5))
    y = b.resize(pooled(b, x), scale_factors=(1.0, 1.0, 2.0, 2.0), axes="*->*")
    graph = relaid(b, y)
    assert foreign_nodes(Model(graph), LAST) == [graph.nodes[-1]]


def test_ops_that_the_target_says_nothing_of_get_their_default_order() -> None:
    b = Builder()
    x = b.input("x", FLOAT, (2, 4, 5, 3))
    graph = relaid(b, b.global_avg_pool(x, axes="N*C->N*C"))
    (pool,) = (node for node in graph.nodes if node.op == "global_avg_pool")
    assert pool.axes == "NC*->NC*"


@pytest.mark.parametrize("order", ["NC*->NC*", "N*C->N*C"])
@pytest.mark.parametrize("rank", [2, 3, 4])
def test_a_target_may_need_the_axis_of_an_op_in_a_place(rank: int, order: str) -> None:
    axes = {"batch_norm": order}
    last = order.startswith("NC")
    b = Builder()
    x = b.input("x", FLOAT, (2, 3, 4, 5)[:rank] if not last else (2, 4, 5, 3)[-rank:])
    vectors = [b.constant(np.array([1, 2, 3], np.float32)) for _ in range(4)]
    y = b.batch_norm(x, *vectors, axis=-1 if last else 1)
    b.graph.outputs = [y]
    assert bool(foreign_nodes(Model(b.graph), axes)) == (rank > 2)
    graph = relaid(b, y, axes=axes)
    assert not foreign_nodes(Model(graph), axes)
    assert ops_of(graph).count("transpose") == (2 if rank > 2 else 0)
