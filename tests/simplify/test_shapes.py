"""Sizes are followed through the graph that computes them, however a source spells that."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import ir_hub.ops.catalogue  # noqa: F401 (the builder calls the ops that it registers)
from ir_hub.ir.dims import Dim, symbol
from ir_hub.ir.graph import Graph, Model, Node, Value
from ir_hub.ir.types import DType, TensorType
from ir_hub.ops.build import Builder
from ir_hub.simplify.fold import fold
from ir_hub.simplify.reference import run
from ir_hub.simplify.shapes import fresh_symbols, infer_shapes

N, H = symbol("N"), symbol("H")
INT32, INT64 = DType.INT32, DType.INT64


def ints(b: Builder, *items: int, dtype: DType = INT64) -> Value:
    return b.constant(np.array(items), dtype)


def scalar(b: Builder, item: int) -> Value:
    return b.constant(np.array(item), INT64)


def simplified(graph: Graph) -> Graph:
    """The graph with all sizes inferred and folded; it must compute what it computed before."""
    inputs = [
        np.random.default_rng(0).normal(0, 1, [_size(s) for s in value.shape or ()])
        for value in graph.inputs
    ]
    arrays = [a.astype(v.dtype.numpy) for a, v in zip(inputs, graph.inputs, strict=True) if v.dtype]
    before = run(graph, arrays)
    model = Model(graph)
    infer_shapes(fold(infer_shapes(model)))
    for found, wanted in zip(run(graph, arrays), before, strict=True):
        np.testing.assert_array_equal(found, wanted)
    return graph


def _size(size: Dim) -> int:
    return size if isinstance(size, int) else {"N": 2, "H": 6}[str(size)]


def forget(b: Builder) -> None:
    """Takes away what the builder inferred, as a source that says nothing would."""
    for node in b.graph.nodes:
        for result in node.results:
            result.type = None


def by_gather(b: Builder, x: Value) -> Value:
    """PyTorch's exporters: each size by a gather and an unsqueeze."""
    sizes = [b.unsqueeze(b.gather(b.shape_of(x), scalar(b, axis)), (0,)) for axis in (0, 2)]
    return b.concat((sizes[0], ints(b, -1), sizes[1]), axis=0)


def by_scalars(b: Builder, x: Value) -> Value:
    """TorchScript: sizes as scalars, computed with, stacked again."""
    batch = b.gather(b.shape_of(x), scalar(b, 0))
    height = b.gather(b.shape_of(x), scalar(b, 2))
    half = b.cast(b.div(height, scalar(b, 2)), to=INT64)
    whole = b.mul(half, scalar(b, 2))
    parts = [b.unsqueeze(part, (0,)) for part in (batch, scalar(b, -1), whole)]
    return b.concat(tuple(parts), axis=0)


def by_start_and_end(b: Builder, x: Value) -> Value:
    """PyTorch's dynamo exporter: one size by Shape's start and end."""
    first = b.shape_of(x, start=0, end=1)
    third = b.reshape(b.squeeze(b.shape_of(x, start=2, end=3)), (-1,))
    return b.concat((first, ints(b, -1), third), axis=0)


def by_slice(b: Builder, x: Value) -> Value:
    """Paddle: cast to int32, sliced, cast back."""
    shape = b.cast(b.shape_of(x), to=INT32)
    first = b.slice(shape, ints(b, 0), ints(b, 1), ints(b, 0))
    third = b.slice(shape, ints(b, 2), ints(b, 3))
    joined = b.concat((first, ints(b, -1, dtype=INT32), third), axis=0)
    return b.cast(joined, to=INT64)


def by_split(b: Builder, x: Value) -> Value:
    first, _, third, _ = b.split(b.shape_of(x), (1, 1, 1, 1), axis=0, count=4)
    return b.concat((first, ints(b, -1), third), axis=0)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("spell", [by_gather, by_scalars, by_start_and_end, by_slice, by_split])
def test_a_reshape_to_computed_sizes(spell: Callable[..., Value], known: bool) -> None:
    b = Builder()
    x = b.input("x", shape=(N, 4, H, 5))
    made = b.reshape(x, spell(b, x))
    b.graph.outputs = [made]
    if not known:
        forget(b)
    graph = simplified(b.graph)
    assert [node.op for node in graph.nodes] == ["reshape"]
    expected = H // 2 * 2 if spell is by_scalars else H
    (shape,) = (node.args["shape"] for node in graph.nodes)
    assert shape == (N, -1, expected)
    if spell is not by_scalars:
        assert graph.outputs[0].shape == (N, 20, H)


def test_sizes_of_what_a_strided_op_gives() -> None:
    b = Builder()
    x = b.input("x", shape=(N, 4, H, 8))
    pooled = b.max_pool(x, kernel=(2, 2), strides=(2, 2), pads=((0, 0),) * 2, dilations=(1, 1))
    b.graph.outputs = [b.reshape(pooled, by_gather(b, pooled))]
    graph = simplified(b.graph)
    assert graph.nodes[-1].args["shape"] == (N, -1, (H - 2) // 2 + 1)


def test_where_and_equal_choose_among_sizes() -> None:
    """As exporters spell an expand: minus one where the size stays as it is."""
    b = Builder()
    x = b.input("x", shape=(1, 4))
    y = b.input("y", shape=(N, 4))
    wanted = b.concat((b.shape_of(y, start=0, end=1), ints(b, -1)), axis=0)
    chosen = b.where(b.equal(wanted, ints(b, -1, -1)), ints(b, 1, 1), wanted)
    b.graph.outputs = [b.expand(x, chosen)]
    graph = simplified(b.graph)
    assert [node.op for node in graph.nodes] == ["expand"]
    assert graph.outputs[0].shape == (N, 4)


def test_positions_up_to_a_size() -> None:
    b = Builder()
    x = b.input("x", shape=(N, H))
    length = b.gather(b.shape_of(x), scalar(b, 1))
    positions = b.range(scalar(b, 0), length, scalar(b, 1))
    b.graph.outputs = [b.add(x, b.cast(positions, to=DType.FLOAT32))]
    forget(b)
    graph = simplified(b.graph)
    assert graph.outputs[0].shape == (N, H)
    (counted,) = (node for node in graph.nodes if node.op == "positions")
    assert (counted.size, counted.result.shape) == ((H,), (H,))


def test_an_input_of_fixed_sizes_leaves_numbers() -> None:
    b = Builder()
    x = b.input("x", shape=(2, 4, 6, 5))
    b.graph.outputs = [b.reshape(x, by_gather(b, x)), b.shape_of(x)]
    graph = simplified(b.graph)
    assert [node.op for node in graph.nodes] == ["reshape", "shape_of"]
    assert graph.nodes[0].args["shape"] == (2, -1, 6)


def test_numbers_that_overflow_are_no_sizes() -> None:
    b = Builder()
    x = b.input("x", shape=(N, 4))
    size, number = b.size_of(x), b.size_of(b.constant(np.zeros(3)))
    for _ in range(200):
        size, number = b.mul(size, size), b.mul(number, number)
    b.graph.outputs = [b.expand(b.reduce_sum(x), b.reshape(each, (1,))) for each in (size, number)]
    infer_shapes(Model(b.graph))
    for node in b.graph.nodes[-1:]:
        assert isinstance(node.args["shape"], Value)


def test_a_source_that_is_wrong_about_a_size_isnt_believed() -> None:
    b = Builder()
    x = b.input("x", shape=(N, 4))
    y = b.concat((x, x), axis=1)
    y.type = TensorType(DType.FLOAT32, (N, 3))
    b.graph.outputs = [b.exp(y)]
    infer_shapes(Model(b.graph))
    assert b.graph.outputs[0].shape == (N, 8)


def test_a_source_that_knows_more_is_believed() -> None:
    b = Builder()
    x = b.input("x", shape=(N, 4))
    y = b.non_zero(x)
    y.type = TensorType(INT64, (2, H))
    b.graph.outputs = [b.neg(y)]
    infer_shapes(Model(b.graph))
    assert b.graph.outputs[0].shape == (2, H)


def test_fresh_symbols_are_those_of_nothing_else() -> None:
    inner = Builder()
    inner.graph.inputs = [Value("i", TensorType(INT64, (symbol("u2"),)))]
    b = Builder()
    x = b.input("x", shape=(symbol("u0"), 4))
    loop = Node("loop", {"body": inner.graph}, [Value("y", TensorType(INT64, (symbol("u3"),)))])
    b.graph.nodes.append(loop)
    b.graph.outputs = [x]
    fresh = fresh_symbols(Model(b.graph))
    assert [next(fresh), next(fresh)] == [symbol("u1"), symbol("u4")]


def test_sizes_only_the_run_knows_get_symbols_once() -> None:
    b = Builder()
    x = b.input("x", shape=(N, 4))
    b.graph.outputs = [b.non_zero(x), b.non_zero(b.exp(x))]
    forget(b)
    model = infer_shapes(Model(b.graph))
    first = [value.shape for value in model.graph.outputs]
    assert len({shape[1] for shape in first if shape}) == 2
    infer_shapes(model)
    assert [value.shape for value in model.graph.outputs] == first


def test_operands_that_dont_fit_are_refused_by_name() -> None:
    b = Builder()
    x = b.input("x", shape=(2, 4))
    bad = Node("add", {"x": x, "y": b.input("y", shape=(3, 4))}, [Value("z")], name="Add_7")
    b.graph.nodes.append(bad)
    b.graph.outputs = list(bad.results)
    with pytest.raises(ValueError, match="node Add_7"):
        infer_shapes(Model(b.graph))


def choice(b: Builder, condition: Value, x: Value) -> dict[str, Graph]:
    """Two branches that spell sizes out, of which the second works only where x has one row."""
    bodies: dict[str, Graph] = {}
    for name in ("then_branch", "else_branch"):
        body = Builder(prefix=name)
        if name == "then_branch":
            sizes = body.concat((ints(body, -1), body.shape_of(x, start=0, end=1)), axis=0)
            body.graph.outputs = [body.reshape(x, sizes)]
        else:
            body.graph.outputs = [body.value("row", None)]
            args = {"x": x, "axes": (0,)}
            body.graph.nodes.append(Node("squeeze", args, list(body.graph.outputs)))
        forget(body)
        bodies[name] = body.graph
    b.graph.outputs = list(b.call("if", condition, **bodies))
    return bodies


def test_bodies_are_followed() -> None:
    b = Builder()
    x = b.input("x", shape=(N, 4))
    bodies = choice(b, b.input("go", DType.BOOL, ()), x)
    infer_shapes(Model(b.graph))
    assert bodies["then_branch"].nodes[-1].args["shape"] == (-1, N)
    assert b.graph.outputs[0].shape is None


def test_a_branch_that_fits_no_more_stays_for_the_run_to_fail_in() -> None:
    b = Builder()
    bodies = choice(b, b.input("go", DType.BOOL, ()), b.input("x", shape=(3, 4)))
    infer_shapes(Model(b.graph))
    (row,) = bodies["else_branch"].outputs
    assert len(row.shape or ()) == 1


def test_a_branch_that_is_always_taken_is_put_in_the_place_of_the_choice() -> None:
    b = Builder()
    x = b.input("x", shape=(3, 4))
    rows = b.gather(b.shape_of(x), scalar(b, 0), axis=0)
    inner = Builder(prefix="inner")
    choice(inner, b.equal(rows, scalar(b, 3)), x)
    other = Graph(outputs=[x])
    condition = b.constant(True, DType.BOOL)
    (chosen,) = b.call("if", condition, then_branch=inner.graph, else_branch=other)
    chosen.name = "chosen"
    b.graph.outputs = [chosen]
    graph = simplified(b.graph)
    assert [node.op for node in graph.nodes] == ["reshape", "identity", "identity"]
    assert [(value.name, value.shape) for value in graph.outputs] == [("chosen", (4, 3))]
