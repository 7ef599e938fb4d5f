"""Models as protobuf: what is written comes back, and what is malformed is refused by name."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ir_hub.ir import pack, serde
from ir_hub.ir.dims import symbol
from ir_hub.ir.graph import Graph, Model, Node, Value, constant
from ir_hub.ir.limits import MAX_TUPLES
from ir_hub.ir.tensor import BlobTensor, encode
from ir_hub.ir.types import DType, TensorType
from tests.ir.memory import MemoryBlobs
from tests.ir.models import make_model, tuples

OPSET = 7
H, N = symbol("H"), symbol("N")


def round_trip(model: Model, blobs: MemoryBlobs) -> Model:
    return serde.load_bytes(serde.dump_bytes(model, blobs.put, OPSET), blobs.open, OPSET)


def plain(model: Model) -> list[object]:
    """All that a model says, in terms that can be compared."""
    return [
        _plain_graph(model.graph),
        model.scopes,
        model.source,
        model.symbols,
        model.constraints,
    ]


def _plain_graph(graph: Graph) -> list[object]:
    nodes = [
        (
            node.name,
            node.op,
            node.scope,
            node.origins,
            [(name, _plain(a)) for name, a in node.args.items() if a is not None],
            [_plain(result) for result in node.results],
        )
        for node in graph.nodes
    ]
    return [list(map(_plain, graph.inputs)), nodes, list(map(_plain, graph.outputs))]


def _plain(argument: object) -> object:
    if isinstance(argument, Value):
        array = argument.array() if argument.is_constant else None
        elements = None if array is None else (array.dtype, array.shape, array.tolist())
        return argument.name, argument.type, elements
    if isinstance(argument, Graph):
        return _plain_graph(argument)
    if isinstance(argument, tuple):
        return [_plain(item) for item in argument]
    return type(argument), argument


def test_everything_comes_back() -> None:
    blobs = MemoryBlobs()
    model = make_model(blobs)
    assert plain(round_trip(model, blobs)) == plain(model)


def test_values_know_their_producers_and_bodies_read_around_them() -> None:
    graph = round_trip(make_model(blobs := MemoryBlobs()), blobs).graph
    conv, loop = graph.nodes
    deep = loop.body.nodes[0].then_branch.nodes[0]
    assert deep.y is conv.result
    assert conv.result.producer is conv
    assert loop.body.captures() == [conv.result]


def test_neither_writing_nor_reading_opens_a_blob() -> None:
    blobs = MemoryBlobs()
    round_trip(make_model(blobs), blobs)
    assert blobs.opened == 0


def test_the_same_model_is_the_same_bytes() -> None:
    blobs = MemoryBlobs()
    written = serde.dump_bytes(make_model(blobs), blobs.put, OPSET)
    assert serde.dump_bytes(make_model(blobs), blobs.put, OPSET) == written
    read = serde.load_bytes(written, blobs.open, OPSET)
    assert serde.dump_bytes(read, blobs.put, OPSET) == written


def test_a_permutation_that_is_no_involution_keeps_its_direction() -> None:
    blobs = MemoryBlobs()
    array = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    blob = blobs.put(encode(array))
    tensor = BlobTensor(blob, 0, DType.INT16, (2, 3, 4), blobs.open).permuted((2, 0, 1))
    model = Model(Graph([], [], [constant(tensor)]))
    (weight,) = serde.dump(model, blobs.put, OPSET).graph.weights
    assert [d.size for d in weight.type.shape] == [4, 2, 3]
    assert list(weight.data.permutation) == [2, 0, 1]
    read = round_trip(model, blobs).graph.outputs[0].array()
    np.testing.assert_array_equal(read, array.transpose(2, 0, 1))


def test_names_are_made_unique_and_the_outside_keeps_its_own() -> None:
    x, y = Value("x"), Value("y")
    hidden = [Value("y"), Value("x"), Value(""), Value("x_1")]
    nodes = [Node("relu", {"x": x}, [v]) for v in hidden]
    nodes.append(Node("relu", {"x": hidden[-1]}, [y], "last"))
    proto = serde.dump(Model(Graph([x], nodes, [y])), MemoryBlobs().put, OPSET)
    assert [node.results[0].name for node in proto.graph.nodes] == [
        "y_1", "x_2", "value", "x_1", "y",
    ]  # fmt: skip
    assert [node.name for node in proto.graph.nodes] == [
        "relu", "relu_1", "relu_2", "relu_3", "last",
    ]  # fmt: skip


def test_what_is_none_is_left_out() -> None:
    x = Value("x")
    node = Node("clip", {"x": x, "low": None, "pair": (None,)}, [Value("y")])
    model = round_trip(Model(Graph([x], [node], node.results)), MemoryBlobs())
    assert list(model.graph.nodes[0].args) == ["x", "pair"]
    assert model.graph.nodes[0].pair == (None,)


def test_small_constants_share_a_blob_and_large_ones_have_their_own() -> None:
    blobs = MemoryBlobs()
    small = [np.full(3, i, np.float32) for i in range(3)]
    large = np.zeros(pack.LARGE_BYTES, np.uint8)
    values = [constant(array) for array in (small[0], large, *small[1:])]
    proto = serde.dump(Model(Graph([], [], values)), blobs.put, OPSET)
    places = [(w.data.blob.size_bytes, w.data.offset) for w in proto.graph.weights]
    assert places == [(140, 0), (pack.LARGE_BYTES, 0), (140, 64), (140, 128)]
    assert len(blobs.contents) == 2


def test_a_pack_does_not_grow_beyond_its_limit() -> None:
    blobs = MemoryBlobs()
    arrays = [np.full(pack.LARGE_BYTES - 1, i, np.uint8) for i in range(40)]
    read = round_trip(Model(Graph([], [], [constant(a) for a in arrays])), blobs)
    sizes = [blob.size for blob in blobs.contents]
    assert len(sizes) == 3
    assert max(sizes) <= pack.PACK_BYTES
    assert [int(v.array()[-1]) for v in read.graph.outputs] == list(range(40))


def test_constants_that_share_a_tensor_share_its_bytes() -> None:
    tensor = constant(np.arange(5)).data
    assert tensor is not None
    values = [constant(tensor, "a"), constant(tensor, "b")]
    proto = serde.dump(Model(Graph([], [], values)), MemoryBlobs().put, OPSET)
    assert proto.graph.weights[0].data == proto.graph.weights[1].data


LITERALS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8")) | st.sampled_from(DType)
    | st.builds(lambda a, b: H * a + N + b, st.integers(1, 9), st.integers(-9, 9)),
    lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=8,
)  # fmt: skip
SIZES = st.integers(0, 2**40) | st.builds(lambda k: (H + k) // 3, st.integers(0, 9))
TYPES = st.none() | st.builds(
    TensorType, st.sampled_from(DType), st.none() | st.lists(SIZES, max_size=3).map(tuple)
)


@st.composite
def graphs(draw: st.DrawFn, outer: tuple[Value, ...] = (), depth: int = 0) -> Graph:
    """Random well-formed graphs whose names clash; ops and arguments mean nothing."""
    names = st.sampled_from(["a", "b", "", "a_1"])
    inputs = [Value(draw(names), draw(TYPES)) for _ in range(draw(st.integers(0, 2)))]
    numbers = draw(st.lists(st.integers(-8, 7), max_size=4))
    dtype = draw(st.sampled_from([DType.INT4, DType.BFLOAT16, DType.INT32, DType.STRING]))
    array = np.array([str(n) for n in numbers] if dtype is DType.STRING else numbers, object)
    visible = [*outer, *inputs, constant(array.astype(dtype.numpy), draw(names))]
    graph = Graph(inputs)
    for _ in range(draw(st.integers(0, 3))):
        value = st.sampled_from(visible)
        kinds = [value, st.lists(value, max_size=3).map(tuple), LITERALS]
        if depth < 2:
            kinds.append(graphs(tuple(visible), depth + 1))
        arguments = draw(st.lists(st.one_of(kinds), max_size=3))
        results = [Value(draw(names), draw(TYPES)) for _ in range(draw(st.integers(0, 2)))]
        args = {f"arg{i}": argument for i, argument in enumerate(arguments)}
        graph.nodes.append(Node(draw(names) or "op", args, results, draw(names)))
        visible.extend(results)
    graph.outputs = draw(st.lists(st.sampled_from(visible), max_size=3))
    return graph


@settings(max_examples=150, deadline=None)
@given(graph=graphs())
def test_random_graphs_come_back(graph: Graph) -> None:
    blobs = MemoryBlobs()
    once = round_trip(Model(graph), blobs)
    assert _nameless(graph) == _nameless(once.graph)
    assert plain(round_trip(once, blobs)) == plain(once)


def _nameless(graph: Graph) -> object:
    """A graph with values and nodes numbered in order of appearance instead of named."""
    numbers: dict[object, int] = {}

    def strip(item: object) -> object:
        if isinstance(item, Value):
            _, type_, elements = _plain(item)  # type: ignore[misc]
            return numbers.setdefault(item, len(numbers)), type_, elements
        if isinstance(item, Graph):
            nodes = [
                (n.op, [(k, strip(a)) for k, a in n.args.items() if a is not None],
                 [strip(r) for r in n.results])
                for n in item.nodes
            ]  # fmt: skip
            return [strip(v) for v in item.inputs], nodes, [strip(v) for v in item.outputs]
        if isinstance(item, tuple):
            return [strip(part) for part in item]
        return type(item), item

    return strip(graph)


def test_the_deepest_model_allowed_is_within_protobufs_limit() -> None:
    model = tuples(MAX_TUPLES)
    assert plain(round_trip(model, MemoryBlobs())) == plain(model)
