"""The reference runtime: what it computes, what it frees, and what it refuses to go on with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import ir_hub.ops.catalogue  # noqa: F401 (the builder calls the ops that it registers)
from ir_hub.ir.dims import Symbol, symbol
from ir_hub.ir.graph import Graph, Model, Node, Value
from ir_hub.ir.types import DType, TensorType
from ir_hub.ops.build import Builder
from ir_hub.simplify.reference import OverLimit, RunError, run, values

A, B, N = symbol("A"), symbol("B"), symbol("N")


def array(*shape: int, dtype: Any = np.float32) -> np.ndarray:
    return np.random.default_rng(0).uniform(1, 9, shape).astype(dtype)


def test_inputs_come_by_name_or_in_order() -> None:
    b = Builder()
    x, y = b.input("x", shape=(N, 3)), b.input("y", shape=(3,))
    b.graph.outputs = [b.sub(b.mul(x, 2.0), y), x]
    p, q = array(2, 3), array(3)
    for inputs in ([p, q], {"y": q, "x": p}):
        difference, same = run(b.graph, inputs)
        np.testing.assert_array_equal(difference, p * np.float32(2) - q)
        np.testing.assert_array_equal(same, p)


def test_sizes_with_symbols_are_computed_from_the_inputs() -> None:
    b = Builder()
    x = b.input("x", shape=(N * 2, B, 4))
    b.graph.outputs = [b.reshape(x, (N, 2 * B, -1))]
    (found,) = run(b.graph, [array(6, 5, 4)])
    assert found.shape == (3, 10, 4)


def test_a_size_may_have_to_wait_for_another() -> None:
    b = Builder()
    flat, first = b.input("flat", shape=(A * B,)), b.input("first", shape=(A,))
    b.graph.outputs = [b.reshape(flat, (A, B)), b.identity(first)]
    assert run(b.graph, [array(12), array(3)])[0].shape == (3, 4)
    with pytest.raises(ValueError, match=r"%first\[A\] has the shape \(0,\)"):
        run(b.graph, [array(12), array(0)])


def test_sizes_may_be_computed_by_the_graph() -> None:
    b = Builder()
    x, sizes = b.input("x", shape=(N,)), b.input("sizes", DType.INT64, (2,))
    b.graph.outputs = [b.reshape(x, b.mul(sizes, 2))]
    (found,) = run(b.graph, [array(24), np.array([1, 6])])
    assert found.shape == (2, 12)


def test_sizes_that_only_the_run_knows_are_bound_when_they_are_seen() -> None:
    b = Builder()
    x = b.input("x", shape=(N,))
    found = b.non_zero(x)
    assert found.shape is not None
    b.graph.outputs = [b.expand(b.constant(np.float32(1)), (2, found.shape[1]))]
    b.graph.outputs.append(found)
    ones, places = run(b.graph, [np.array([0, 3, 0, 4, 5], np.float32)])
    assert ones.shape == (2, 3)
    assert places.tolist() == [[1, 3, 4]]


def test_variadic_arguments_and_several_results() -> None:
    b = Builder()
    x, y = b.input("x", shape=(2, 3)), b.input("y", shape=(2, 1))
    left, right = b.split(b.concat([x, y], axis=1), (1, 3), axis=1, count=2)
    b.graph.outputs = [right, left]
    p, q = array(2, 3), array(2, 1)
    joined = np.concatenate([p, q], axis=1)
    found = run(b.graph, [p, q])
    np.testing.assert_array_equal(found[0], joined[:, 1:])
    np.testing.assert_array_equal(found[1], joined[:, :1])


def branch(operation: str, x: Value) -> Graph:
    b = Builder(prefix=operation)
    b.graph.outputs = [b.call(operation, x, 2.0)]
    return b.graph


@pytest.mark.parametrize("truth", [True, False])
def test_branches_read_what_is_around_them(truth: bool) -> None:
    b = Builder()
    x, condition = b.input("x", shape=(N,)), b.input("condition", DType.BOOL, ())
    y = b.add(x, 1.0)
    bodies = {"then_branch": branch("add", y), "else_branch": branch("mul", y)}
    b.graph.outputs = list(getattr(b, "if")(condition, **bodies))
    p = array(3)
    expected = p + np.float32(3) if truth else (p + np.float32(1)) * np.float32(2)
    np.testing.assert_allclose(run(b.graph, [p, np.array(truth)])[0], expected, rtol=1e-6)


def counting_loop(step: Value, start: Value, times: Value) -> tuple[Builder, Graph]:
    """Adds `step` so many times; in each iteration a branch adds it or doesn't."""
    body = Builder(prefix="body")
    body.input("i", DType.INT64, ())
    going = body.input("going", DType.BOOL, ())
    total = body.input("total", shape=(N,))
    then = Builder(prefix="then")
    then.graph.outputs = [then.add(total, step)]
    other = Graph([], [], [total])
    (grown,) = getattr(body, "if")(going, then_branch=then.graph, else_branch=other)
    body.graph.outputs = [body.identity(going), grown, body.mul(grown, 2.0)]
    b = Builder(Graph([step, start, times]))
    b.graph.outputs = list(b.loop(times, None, (start,), body=body.graph))
    return b, body.graph


def test_loops_carry_and_scan() -> None:
    types = TensorType(DType.FLOAT32, (N,))
    step, start = Value("step", types), Value("start", types)
    times = Value("times", TensorType(DType.INT64, ()))
    b, _ = counting_loop(step, start, times)
    p, q = array(3), np.zeros(3, np.float32)
    total, doubled = run(b.graph, [p, q, np.array(4)])
    np.testing.assert_allclose(total, 4 * p, rtol=1e-6)
    np.testing.assert_allclose(doubled, np.outer([2, 4, 6, 8], p), rtol=1e-6)


def test_sizes_in_a_body_may_differ_from_one_iteration_to_the_next() -> None:
    body = Builder(prefix="body")
    i, _ = body.input("i", DType.INT64, ()), body.input("going", DType.BOOL, ())
    carried = body.input("carried", shape=(symbol("grows"),))
    longer = body.concat([carried, carried], axis=0)
    body.graph.outputs = [body.less(i, 5), longer]
    b = Builder()
    x = b.input("x", shape=(N,))
    node = Node("loop", {"trip_count": None, "initial": (x,), "body": body.graph}, [Value("y")])
    b.graph.nodes.append(node)
    b.graph.outputs = node.results
    assert run(b.graph, [array(3)])[0].shape == (3 * 2**6,)


def test_values_come_in_order_inputs_first() -> None:
    b = Builder()
    x = b.input("x", shape=(2,))
    y = b.neg(x)
    z = b.abs(y)
    b.graph.outputs = [z]
    found = list(values(b.graph, [array(2)]))
    assert [value for value, _ in found] == [x, y, z]
    np.testing.assert_array_equal(found[1][1], -array(2))


def chain(length: int) -> Graph:
    b = Builder()
    x = b.input("x", shape=(N,))
    for _ in range(length):
        x = b.neg(x)
    b.graph.outputs = [x]
    return b.graph


def test_values_are_freed_after_their_last_use() -> None:
    (found,) = run(chain(50), [array(1000)], limit_bytes=8000)
    np.testing.assert_array_equal(found, array(1000))
    with pytest.raises(OverLimit, match=r"node 'v1' \(neg\): its results take 4000 bytes beside"):
        run(chain(50), [array(1000)], limit_bytes=7999)


def test_memory_is_refused_before_it_is_taken() -> None:
    b = Builder()
    x = b.input("x", shape=(1,))
    b.graph.outputs = [b.exp(b.expand(x, (1 << 40,)))]
    with pytest.raises(OverLimit, match=r"\(expand\): its results take 4398046511104 bytes"):
        run(b.graph, [array(1)], limit_bytes=1 << 30)


def test_bodies_give_their_memory_back() -> None:
    types = TensorType(DType.FLOAT32, (N,))
    step, start = Value("step", types), Value("start", types)
    b, _ = counting_loop(step, start, Value("times", TensorType(DType.INT64, ())))
    run(b.graph, [array(100), array(100), np.array(20)], limit_bytes=10_000)


def one_input(shape: tuple[Any, ...] = (N, 3)) -> Graph:
    b = Builder()
    b.graph.outputs = [b.relu(b.input("x", shape=shape))]
    return b.graph


def two_inputs() -> Graph:
    b = Builder()
    b.graph.outputs = [b.add(b.input("x", shape=(N,)), b.input("y", shape=(N,)))]
    return b.graph


@pytest.mark.parametrize(
    ("graph", "inputs", "message"),
    [
        (one_input(), [], "it takes 1 inputs, not 0"),
        (one_input(), {"y": array(1, 3)}, r"the inputs are \['x'\], not \['y'\]"),
        (one_input(), [array(2, 3, dtype=np.float64)], "%x.* is declared as float32, but is flo"),
        (one_input(), [array(2, 4)], r"%x\[N, 3\] has the shape \(2, 4\)"),
        (one_input(), [array(3)], r"%x\[N, 3\] has the shape \(3,\)"),
        (two_inputs(), [array(2), array(3)], r"%y\[N\] has the shape \(3,\), where .*'N': 2"),
        (Model(one_input(), symbols={"N": Symbol("N", 2)}), [array(1, 3)], "N is 1, where .*min=2"),
        (Model(one_input(), symbols={"N": Symbol("N", 0, 8)}), [array(9, 3)], "N is 9, where"),
        (Model(one_input(), symbols={"N": Symbol("N", 0, None, 2)}), [array(3, 3)], "N is 3, wh"),
    ],
)  # fmt: skip
def test_inputs_must_be_what_is_declared(graph: Graph | Model, inputs: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run(graph, inputs)


def broken(op: str, type_: TensorType | None = None, **args: Any) -> Graph:
    """A graph of one node whose type is taken on trust."""
    x = Value("x")
    node = Node(op, {"x": x, **args}, [Value("y", type_)], "n", origins=("Op_7",))
    return Graph([x], [node], node.results)


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (broken("mxnet::Crop"), r"node 'n' \(mxnet::Crop, from Op_7\): only its framework can"),
        (broken("relu", slope=1), r"node 'n' \(relu.*: TypeError: relu has no argument slope"),
        (broken("reshape", shape=(7,)), r"node 'n' .*: ValueError: cannot reshape"),
        (broken("reshape", shape=(N,)), r"node 'n' .*: no value for the symbol N of the size N"),
        (broken("relu", TensorType(DType.INT8)), "%y.* is declared as int8, but is float32"),
        (broken("relu", TensorType(DType.FLOAT32, (5,))), r"%y\[5\] has the shape \(2, 3\)"),
        (broken("add", y=Value("lost")), r"%lost\[\*\] is read, but nothing before it computes"),
        (broken("split", count=2), "it computes 2 results, but has 1"),
    ],
)
def test_a_node_that_fails_is_named(graph: Graph, message: str) -> None:
    with pytest.raises(RunError, match=message):
        run(graph, [array(2, 3)])


def test_a_node_in_a_body_is_named_with_the_nodes_around_it() -> None:
    inner = Node("reshape", {"x": (x := Value("x")), "shape": (7,)}, [Value("y")], "inner")
    body = Graph([], [inner], inner.results)
    outer = Node(
        "if", {"condition": Value("c"), "then_branch": body, "else_branch": body}, [Value("z")]
    )
    graph = Graph([x, outer.condition], [outer], outer.results)
    with pytest.raises(RunError, match=r"node 'z' \(if\): node 'inner' \(reshape\): ValueError"):
        run(graph, [array(2, 3), np.array(True)])
