"""What serde refuses: each mutation of a good model, with the message that says where and why."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ir_hub.ir import serde
from ir_hub.ir.errors import BadIR, VersionSkew
from ir_hub.ir.graph import Graph, Model, Node, Value, constant
from ir_hub.ir.limits import MAX_GRAPHS, MAX_TUPLES
from irhub.ir.v1 import ir_pb2
from tests.ir.memory import MemoryBlobs
from tests.ir.models import make_model, nested, tuples

OPSET = 7


def _result_of(**args: object) -> Model:
    return Model(Graph([], [Node("op", dict(args), [], "n")]))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (nested(MAX_GRAPHS + 1), "bodies are nested over 24 deep"),
        (tuples(MAX_TUPLES + 1), r"node 'op' \(op\): k: tuples are nested over 10 deep"),
        (Model(Graph([], [], [Value("lost")])), r"%lost\[\*\] is read, but nothing defines it"),
        (_result_of(x=Value("v")), r"node 'n' \(op\): %v\[\*\] is read, but nothing defines it"),
        (_result_of(xs=(constant(np.ones(1)), 3)), "xs mixes values with 3"),
        (_result_of(k=[1, 2]), r"node 'n' \(op\): k: a list is no literal of the IR: \[1, 2\]"),
        (_result_of(k=(np.int64(3),)), "k: a int64 is no literal"),
        (_result_of(k=2**70), "k: .*out of range"),
        (Model(Graph([constant(np.ones(1))])), "the input .* is a constant"),
    ],
)
def test_what_cannot_be_written_is_refused(model: Model, message: str) -> None:
    with pytest.raises(BadIR, match=message):
        serde.dump(model, MemoryBlobs().put, OPSET)


def _set(path: str, value: object) -> Callable[[ir_pb2.Model], None]:
    """A mutation that sets a field: "graph.nodes[0].name"."""

    def mutate(proto: ir_pb2.Model) -> None:
        *holders, field = path.replace("[", ".").replace("]", "").split(".")
        message: object = proto
        for name in holders:
            message = message[int(name)] if name.isdigit() else getattr(message, name)  # type: ignore
        setattr(message, field, value)

    return mutate


CONV, LOOP = "graph.nodes[0]", "graph.nodes[1]"
MALFORMED: list[tuple[Callable[[ir_pb2.Model], object], str]] = [
    (lambda m: m.ClearField("graph"), "the model has no graph"),
    (_set(f"{CONV}.op", ""), "node 'c' .*: it names no op"),
    (_set(f"{CONV}.name", ""), "node 0: a call of 'conv' has no name"),
    (_set(f"{CONV}.name", "l"), "node 'l' .loop.: another node has the same name"),
    (_set(f"{CONV}.results[0].name", "x"), "'c'.*value 'x': another value has the same name"),
    (_set(f"{CONV}.results[0].name", ""), "value '': it has no name"),
    (_set(f"{CONV}.arguments[0].value", "y"), "argument 'x': there is no value 'y': define it"),
    (_set(f"{CONV}.arguments[1].name", "x"), "argument 'x': it is given twice"),
    (_set(f"{CONV}.arguments[1].name", ""), "argument '': it has no name"),
    (lambda m: m.graph.nodes[0].arguments[0].ClearField("value"), "neither a value nor"),
    (lambda m: m.graph.outputs.append("deep"), "outputs: there is no value 'deep' here"),
    (lambda m: m.graph.outputs.append("nix"), "outputs: there is no value 'nix': define"),
    (lambda m: m.graph.inputs.append(m.graph.inputs[0]), "'x': another value has the same"),
    (lambda m: m.graph.inputs.append(m.graph.weights[0]), "'weight': it has data, but isn't"),
    (lambda m: m.graph.weights[0].ClearField("data"), "'weight': it says no blob"),
    (lambda m: m.graph.weights[0].data.ClearField("blob"), "'weight': it says no blob"),
    (lambda m: m.graph.weights[0].ClearField("type"), "weight 'weight': it has no type"),
    (_set("graph.weights[0].type.data_type", 0), "'weight': its element type isn't specified"),
    (_set("graph.weights[0].type.data_type", 99), "has the number 99, which is unknown here"),
    (_set("graph.weights[0].type.shape[0].expression", "N"), "needs a shape of numbers, not floa"),
    (_set("graph.weights[0].data.offset", 1), "36 bytes at offset 1 don't fit its blob of 36"),
    (_set("graph.weights[0].data.offset", -1), "at offset -1 don't fit"),
    (_set("graph.weights[0].type.shape[0].size", 4), "48 bytes at offset 0 don't fit"),
    (_set("graph.weights[0].type.data_type", 16), "its 72 bytes at offset 0 don't fit"),
    (_set("graph.weights[0].data.blob.digest", "A" * 64), "is no SHA-256 digest"),
    (_set("graph.weights[0].data.blob.size_bytes", -1), "of -1 bytes is no SHA-256 digest"),
    (lambda m: m.graph.weights[0].data.permutation.extend([0, 0]), r"\(0, 0\) doesn't perm"),
    (lambda m: m.graph.weights[0].data.permutation.extend([0]), r"\(0,\) doesn't permute 2"),
    (lambda m: m.graph.weights[0].data.permutation.extend([1, -1]), "doesn't permute 2"),
    (_set("graph.inputs[0].type.shape[1].size", -1), "'x': axis 1 has the size -1: it must be 0"),
    (_set("graph.inputs[0].type.shape[1].size", 2**48 + 1), "axis 1 has the size 28147497671065"),
    (_set("graph.inputs[0].type.shape[0].expression", "N +"), "'x': cannot read the size 'N .'"),
    (_set("graph.inputs[0].type.shape[0].expression", "3 - 5"), "axis 0 has the size -2"),
    (_set("graph.inputs[0].type.shape[0].expression", "N // 0"), "division by zero"),
    (lambda m: m.graph.inputs[0].type.shape.add(), "axis 2 has neither a size nor an expr"),
    (_set("graph.inputs[0].type.unknown_rank", True), "its rank is said to be unknown, yet"),
    (lambda m: m.graph.inputs[0].type.shape.extend([ir_pb2.Dimension(size=1)] * 63),
     "'x': it has 65 axes; at most 64"),
    (lambda m: m.graph.inputs[0].type.ClearField("data_type"), "'x': its element type isn't"),
    (_set(f"{CONV}.arguments[2].literal.list_value.items[7].dimension_value", "__import__(1)"),
     "'k': cannot read the size"),
    (_set(f"{CONV}.arguments[2].literal.list_value.items[6].data_type_value", 0),
     "'k': its element type isn't specified"),
    (lambda m: m.scopes.append(m.scopes[0]), "scope 'layer1' is declared twice"),
    (lambda m: m.symbols.append(m.symbols[0]), "symbol 'N' is declared twice"),
    (_set("symbols[0].name", "a b"), "symbol 'a b': 'a b' cannot name a size"),
    (_set("symbols[0].min", -1), "symbol 'N': .* a size needs min >= 0"),
    (_set("symbols[1].max", 3), "symbol 'H': .* no size satisfies"),
    (_set("constraints[0].left", "1.5"), "a constraint of node 'c': cannot read the size '1.5'"),
    (_set(f"{LOOP}.arguments[1].body.nodes[0].op", ""),
     "node 'l' .loop.: argument 'body': node 'if' .*: it names no op"),
]  # fmt: skip


@pytest.mark.parametrize(("mutate", "message"), MALFORMED)
def test_what_is_malformed_is_refused(
    mutate: Callable[[ir_pb2.Model], object], message: str
) -> None:
    blobs = MemoryBlobs()
    proto = serde.dump(make_model(blobs), blobs.put, OPSET)
    mutate(proto)
    with pytest.raises(BadIR, match=message):
        serde.load(proto, blobs.open, OPSET)


def test_bodies_and_lists_that_are_too_deep_are_refused() -> None:
    proto = ir_pb2.Model(opset=OPSET)
    graph = proto.graph
    for depth in range(MAX_GRAPHS):
        node = graph.nodes.add(name=str(depth), op="if")
        graph = node.arguments.add(name="body").body
    graph.SetInParent()
    with pytest.raises(BadIR, match="bodies are nested over 24 deep"):
        serde.load(proto, MemoryBlobs().open, OPSET)
    proto = ir_pb2.Model(opset=OPSET)
    literal = proto.graph.nodes.add(name="n", op="op").arguments.add(name="k").literal
    for _ in range(MAX_TUPLES):
        literal = literal.list_value.items.add()
    literal.list_value.SetInParent()
    with pytest.raises(BadIR, match="'k': lists are nested over 10 deep"):
        serde.load(proto, MemoryBlobs().open, OPSET)


def test_values_of_one_body_are_not_seen_in_the_next() -> None:
    proto = ir_pb2.Model(opset=OPSET)
    node = proto.graph.nodes.add(name="n", op="if")
    then = node.arguments.add(name="then_branch").body
    then.nodes.add(name="a", op="relu").results.add(name="v")
    node.arguments.add(name="else_branch").body.outputs.append("v")
    with pytest.raises(BadIR, match="'else_branch': outputs: there is no value 'v' here"):
        serde.load(proto, MemoryBlobs().open, OPSET)


def test_another_version_of_the_op_set_is_refused() -> None:
    data = serde.dump_bytes(Model(Graph()), MemoryBlobs().put, 1)
    with pytest.raises(VersionSkew, match="version 1 of the op set, this is version 2"):
        serde.load_bytes(data, MemoryBlobs().open, 2)


@pytest.mark.parametrize("data", [b"\xff\xff", b"\x0a\x05abc"])
def test_bytes_that_are_no_model_are_refused(data: bytes) -> None:
    with pytest.raises(BadIR, match=r"are no irhub.ir.v1.Model"):
        serde.load_bytes(data, MemoryBlobs().open, OPSET)
