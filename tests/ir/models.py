"""Models for the tests of reading and writing."""

from __future__ import annotations

import math

import numpy as np

from ir_hub.ir.dims import Symbol, minimum, symbol
from ir_hub.ir.graph import Constraint, Graph, Model, Node, Source, Value, constant
from ir_hub.ir.limits import MAX_GRAPHS
from ir_hub.ir.tensor import BlobTensor, encode
from ir_hub.ir.types import DType, TensorType
from tests.ir.memory import MemoryBlobs

H, N = symbol("H"), symbol("N")
F32 = TensorType(DType.FLOAT32, (N, 3))


def make_model(blobs: MemoryBlobs) -> Model:
    """A model with everything that can be written in it; its names are unique."""
    x = Value("x", F32)
    weight = constant(np.arange(9, dtype=np.float32).reshape(3, 3), "weight")
    content = encode(np.arange(6, dtype=np.int64))
    stored = BlobTensor(blobs.put(b"head" + content), 4, DType.INT64, (2, 3), blobs.open)
    table = constant(stored.permuted((1, 0)), "table")
    y = Value("y", TensorType(DType.FLOAT32, (minimum(N, 8) * 2 + 1, (H + 31) // 32)))
    literals = (None, True, 1, -2.5, math.inf, "é", DType.INT4, H * 2, (), ((0, 1), (N,)))
    conv = Node("conv", {"x": x, "weight": weight, "k": literals}, [y], "c", "layer1", ("Conv_1",))
    inner = Value("inner", F32)
    carried = Value("carried")
    deep = Node("add", {"x": inner, "y": y}, [Value("deep", TensorType(DType.BOOL))], "deep_add")
    nested = Node("if", {"then_branch": Graph([], [deep], [*deep.results, table])}, [carried], "if")
    loop = Node("loop", {"initial": (x, y), "body": Graph([inner], [nested], [carried])}, [], "l")
    return Model(
        Graph([x], [conv, loop], [y, table]),
        {"layer1": "nn.Sequential", "": ""},
        Source("onnx", "pytorch 2.13.0", "opset 20"),
        {"N": Symbol("N", 1, None, 1), "H": Symbol("H", 32, 640, 32)},
        [Constraint(H, N * 2, "c")],
    )


def nested(depth: int) -> Model:
    """Graphs in bodies, `depth` of them in all."""
    graph = Graph()
    for level in range(1, depth):
        graph = Graph([], [Node("if", {"body": graph}, [], f"if{level}")])
    return Model(graph)


def tuples(depth: int) -> Model:
    """Tuples in tuples, `depth` of them, in the deepest body there may be."""
    literal: tuple[object, ...] = ()
    for _ in range(depth - 1):
        literal = (literal,)
    model = nested(MAX_GRAPHS)
    innermost = [*model.graph.walk()][-1].body
    innermost.nodes.append(Node("op", {"k": literal}, [], "op"))
    return model
