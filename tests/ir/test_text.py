"""The text of a model: every line as people and messages get it."""

from __future__ import annotations

import numpy as np

from ir_hub.ir.dims import Symbol, symbol
from ir_hub.ir.graph import Constraint, Graph, Model, Node, Source, Value, constant
from ir_hub.ir.text import model_text, node_label
from ir_hub.ir.types import DType, TensorType

N = symbol("N")


def test_a_model_as_text() -> None:
    x = Value("x", TensorType(DType.FLOAT32, (N, 3)))
    half = constant(np.array(0.5, np.float32))
    weight = constant(np.zeros((3, 4), np.float16), "w")
    literals = {"axes": "N*C", "pads": ((0, 1), (N * 2, 1)), "one": (1,), "none": (), "to": None}
    y = Value("y", TensorType(DType.BFLOAT16, (N * 2 + 1, 4)))
    conv = Node("conv", {"x": x, "w": weight, "half": half, **literals}, [y], scope="layer1.0")
    cast = Node("cast", {"x": y, "to": DType.INT4}, [Value("i", TensorType(DType.INT4))])
    body = Graph([], [Node("relu", {"x": y}, [unknown := Value("u")])], [unknown])
    branch = Node("if", {"then_branch": body, "rate": 1.0, "flag": True}, [Value("z")])
    model = Model(
        Graph([x], [conv, cast, branch], [y, *branch.results]),
        source=Source("onnx", "pytorch", "opset 20"),
        symbols={"N": Symbol("N", 1, 64, 8), "M": Symbol("M")},
        constraints=[Constraint(N, symbol("M") * 8, "conv_1")],
    )
    assert model_text(model).splitlines() == [
        "# from onnx opset 20",
        "# 1 <= N <= 64, a multiple of 8",
        "# 0 <= M, a multiple of 1",
        "# N == 8*M for conv_1",
        "inputs %x[N, 3]",
        "%y[2*N + 1, 4]:bfloat16 = conv(x=%x, w=%w, half=0.5, axes=\"N*C\","
        " pads=((0, 1), (2*N, 1)), one=(1,), none=(), to=None)    # layer1.0",
        "%i[*]:int4 = cast(x=%y, to=int4)",
        "%z:? = if(then_branch=<body of 1 nodes>, rate=1.0, flag=True)",
        "    inputs ",
        "    %u:? = relu(x=%y)",
        "    outputs %u",
        "outputs %y, %z",
    ]  # fmt: skip


def test_elements_of_weights_are_never_shown() -> None:
    weight = constant(np.full((1000, 1000), 7.5), "w")
    node = Node("relu", {"x": weight}, [Value("y")])
    assert repr(node) == "%y:? = relu(x=%w)"
    assert repr(weight) == "%w[1000, 1000]"


def test_a_node_is_called_by_what_it_has() -> None:
    results = [Value("a"), Value("b")]
    assert node_label(Node("split", {}, results, "n", "", ("Split_3",))) == (
        "node 'n' (split, from Split_3)"
    )
    assert node_label(Node("split", {}, results)) == "node 'a, b' (split)"
    assert node_label(Node("split", {})) == "a node (split)"
