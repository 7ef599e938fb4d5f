"""Constants are computed once, unless that costs more than the model does."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import ir_hub.ops.catalogue  # noqa: F401 (the builder calls the ops that it registers)
from ir_hub.ir.dims import symbol
from ir_hub.ir.graph import Graph, Model, Value, constant
from ir_hub.ir.tensor import Blob, BlobTensor
from ir_hub.ir.types import DType, TensorType
from ir_hub.ops.build import Builder
from ir_hub.simplify.fold import ALLOWANCE, fold, fold_all_but_weights
from ir_hub.simplify.reference import run

N = symbol("N")
INT64 = DType.INT64


def folded(*outputs: Value | tuple[Value, ...]) -> Graph:
    """The folded graph of the nodes that these values come from."""
    values = [v for made in outputs for v in (made if isinstance(made, tuple) else (made,))]
    nodes: dict[Any, None] = {}

    def visit(value: Value) -> None:
        if value.producer is not None and value.producer not in nodes:
            for read in value.producer.reads():
                visit(read)
            nodes[value.producer] = None

    for value in values:
        visit(value)
    graph = Graph(nodes=list(nodes), outputs=values)
    fold(Model(graph))
    return graph


def array(*shape: int, dtype: Any = np.float32) -> np.ndarray:
    return np.random.default_rng(0).integers(1, 9, shape).astype(dtype)


def ints(b: Builder, *items: int) -> Value:
    return b.constant(np.array(items, np.int64))


@pytest.mark.parametrize(
    "build",
    [
        lambda b: b.add(b.constant(array(3)), b.constant(array(2, 1))),
        lambda b: b.mul(b.constant(np.float32(2)), b.constant(np.float32(4))),
        lambda b: b.logical_not(b.constant(np.array([True, False]))),
        lambda b: b.equal(
            b.constant(np.array(["a", "b"], object)), b.constant(np.array("b", object))
        ),
        lambda b: b.gather(b.constant(np.array(["a", "b"], object)), ints(b, 1, 1, 0)),
        lambda b: b.reshape(b.constant(array(2, 6)), (3, 4)),
        lambda b: b.matmul(b.constant(array(2, 6)), b.constant(array(6, 3))),
        lambda b: b.einsum([b.constant(array(5)), b.constant(array(4))], equation="i,j->ij"),
        lambda b: b.split(b.constant(array(5)), (2, 3), axis=0, count=2),
        lambda b: b.concat((b.constant(array(0)), b.constant(array(2))), axis=0),
        lambda b: b.expand(b.constant(array(1, 3)), (4, 3)),
        lambda b: b.range(b.constant(0.0), b.constant(1.0), b.constant(0.25)),
        lambda b: b.range(ints(b, 7), ints(b, 0), ints(b, -2)),
        lambda b: b.one_hot(ints(b, 0, 2), (4,), b.constant(np.array([0.0, 1.0]))),
        lambda b: b.cast(b.constant(array(3)), to=DType.BFLOAT16),
        lambda b: b.constant_of_shape((2, 3), value=1.5, dtype=DType.FLOAT32),
    ],
)
def test_what_is_known_is_computed(build: Callable[[Builder], Any]) -> None:
    made = build(Builder())
    results = list(made) if isinstance(made, tuple) else [made]
    before = run(Graph(nodes=[results[0].producer], outputs=results), [])
    graph = folded(made)
    assert graph.nodes == []
    for value, wanted in zip(graph.outputs, before, strict=True):
        assert value.is_constant
        assert value.shape == wanted.shape
        assert value.dtype is DType.of(wanted.dtype)
        np.testing.assert_array_equal(value.array(), wanted)
        assert value.array().flags.c_contiguous


def huge(b: Builder) -> list[Value]:
    """What a few bytes can ask for."""
    one = b.constant(np.float32(1))
    wide = b.constant(np.zeros(1000, np.float32))
    line = b.constant(np.zeros(300_000, np.float32))
    pads = {"pads": ((10**6, 10**6),) * 2, "strides": (10**6,) * 2, "dilations": (1, 1)}
    doubled = b.exp(line)
    for _ in range(30):
        doubled = b.concat((doubled, doubled), axis=0)
    grown = b.exp(line)
    for _ in range(30):
        grown = b.concat((b.neg(grown), b.exp(grown)), axis=0)
    return [
        b.constant_of_shape((10**5, 10**6), value=1.0, dtype=DType.FLOAT32),
        b.expand(one, (10**5, 10**6)),
        b.tile(wide, (10**8,)),
        b.range(ints(b, 0), ints(b, 10**14), ints(b, 1)),
        b.range(b.constant(0.0), b.constant(np.inf), b.constant(1.0)),
        b.range(ints(b, 0), ints(b, 10), ints(b, 0)),
        b.eye_like(b.expand(one, (10**6, 10**6)), dtype=DType.FLOAT32),
        b.pad(wide, (10**11, 0)),
        b.matmul(b.reshape(line, (-1, 1)), b.reshape(line, (1, -1))),
        b.einsum([line, line], equation="a,b->"),
        b.einsum([wide, wide, wide, wide], equation="a,b,c,d->"),
        b.conv(b.constant(np.ones((1, 1, 1, 1), np.float32)),
               b.constant(np.ones((1, 1, 1, 1), np.float32)), **pads),
        b.max_pool(b.constant(np.ones((1, 1, 1, 1), np.float32)), kernel=(10**6,) * 2, **pads),
        doubled,
        grown,
    ]  # fmt: skip


def test_what_costs_too_much_stays() -> None:
    b = Builder()
    outputs = huge(b)
    tracemalloc.start()
    graph = folded(*outputs)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert not any(value.is_constant for value in graph.outputs)
    assert peak < ALLOWANCE


def test_many_that_cost_a_little_cost_too_much() -> None:
    """Each result is small, or no larger than what it is made of; there are many of them."""
    b = Builder()
    big = b.constant(np.zeros(2_000_000, np.float32))
    sums = [b.reduce_sum(b.add(big, float(number))) for number in range(400)]
    fills = [b.expand(b.constant(np.float32(number)), (250_000,)) for number in range(2000)]
    graph = folded(*sums, *fills)
    made = [v for v in graph.constants() if v is not big]
    assert any(value.is_constant for value in graph.outputs)
    assert sum(v.array().nbytes for v in made) < ALLOWANCE + 20 * big.array().nbytes
    assert len([n for n in graph.nodes if n.op == "expand"]) > 1000


def test_what_a_source_says_of_a_size_isnt_believed() -> None:
    b = Builder()
    made = [b.constant_of_shape((10**5, 10**6), value=1.0, dtype=DType.FLOAT32)]
    made.append(b.range(ints(b, 0), ints(b, 10**14), ints(b, 1)))
    for value in made:
        value.type = TensorType(value.dtype or INT64, (3,))
    assert not any(value.is_constant for value in folded(*made).outputs)


@pytest.mark.parametrize(
    "build",
    [
        lambda b: b.gather(b.constant(array(3)), ints(b, 7)),
        lambda b: b.regex_full_match(b.constant(np.array(["a" * 40], object)), pattern="(a*)*b"),
    ],
)
def test_what_fails_is_left_for_the_run_to_fail(build: Callable[[Builder], Value]) -> None:
    assert len(folded(build(Builder())).nodes) == 1


def test_quantised_weights_stay_quantised() -> None:
    b = Builder()
    quantised = b.constant(array(4, 4, dtype=np.int8))
    scale = b.constant(np.float32(0.1))
    weight = b.dequantize_linear(quantised, scale, output_dtype=DType.FLOAT32)
    assert [n.op for n in folded(b.transpose(weight, perm=(1, 0))).nodes] == [
        "dequantize_linear",
        "transpose",
    ]


def test_a_dropout_of_what_layers_made_of_constants_is_gone() -> None:
    b = Builder()
    made = b.relu(b.linear(b.constant(array(5, 2)), b.constant(array(3, 2))))
    weight = b.dropout(b.constant(array(3)), rate=0.1)
    graph = folded(b.dropout(made, rate=0.1), weight)
    assert [node.op for node in graph.nodes] == ["dropout"]
    assert graph.outputs[0].is_constant


def test_a_transposed_constant_is_not_read() -> None:
    read = []

    def opened(blob: Blob) -> memoryview:
        read.append(blob)
        return memoryview(bytes(24))

    b = Builder()
    stored = BlobTensor(Blob("0" * 64, 24), 0, DType.FLOAT32, (2, 3), opened)
    weight = constant(stored, "weight")
    x = b.input("x", shape=(N, 3))
    graph = folded(b.matmul(x, b.transpose(b.transpose(b.transpose(
        weight, perm=(1, 0)), perm=(1, 0)), perm=(1, 0))))  # fmt: skip
    (product,) = graph.nodes
    assert product.y.shape == (3, 2)
    assert product.y.data.blob is stored.blob
    assert read == []


def test_bodies_are_folded_and_what_they_read_is_theirs() -> None:
    b = Builder()
    outer = b.add(b.constant(np.float32(1)), b.constant(np.float32(2)))
    bodies = {}
    for name in ("then_branch", "else_branch"):
        body = Builder(prefix=name)
        body.graph.outputs = [body.neg(body.mul(outer, body.constant(np.float32(3))))]
        bodies[name] = body.graph
    condition = b.input("condition", DType.BOOL, ())
    graph = folded(*b.call("if", condition, **bodies))
    assert [node.op for node in graph.nodes] == ["if"]
    for body in bodies.values():
        assert body.outputs[0].array() == -9


def test_arithmetic_on_weights_can_wait() -> None:
    b = Builder()
    scaled = b.mul(b.constant(array(4)), b.constant(array(4)))
    number = b.sqrt(b.constant(np.float32(4)))
    b.graph.outputs = [scaled, number]
    fold_all_but_weights(Model(b.graph))
    assert [value.is_constant for value in b.graph.outputs] == [False, True]


def test_sizes_with_symbols_are_not_numbers() -> None:
    b = Builder()
    made = b.expand(b.constant(np.float32(1)), (N, 3))
    assert len(folded(made).nodes) == 1


def test_sizes_that_a_constant_settles_are_settled_everywhere() -> None:
    b = Builder()
    numbers = b.range(*(b.constant(np.float32(bound)) for bound in (0, 7, 2)))
    (size,) = numbers.shape
    graph = folded(numbers, b.expand(b.input("x", shape=(1,)), (3, size)))
    assert [value.shape for value in graph.outputs] == [(4,), (3, 4)]
    assert graph.nodes[-1].args["shape"] == (3, 4)
