"""The ops that there are, seen as the checks see them."""

from __future__ import annotations

import pytest

from ir_hub.ir.graph import Graph, Model, Value
from ir_hub.ir.schema import OpSchema, argument_problem
from ir_hub.ir.types import DType, TensorType
from ir_hub.ir.verify import complete, verify
from ir_hub.ops.build import Builder
from ir_hub.ops.catalogue import OPS


@pytest.mark.parametrize("name", OPS)
def test_defaults_are_what_their_annotations_say(name: str) -> None:
    op: OpSchema = OPS[name]
    for param in op.params.values():
        assert param.required or argument_problem(param, param.default) == ""


def test_what_the_builder_builds_is_well_formed() -> None:
    b = Builder()
    x = b.input("x", DType.FLOAT32, (2, 6))
    parts = b.split(b.clip(x, low=0.0), count=2, axis=1)
    b.graph.outputs = [b.softmax(b.concat(parts, axis=0)), b.cast(x, to=DType.INT32)]
    verify(Model(b.graph), OPS, typed=True)


def test_what_is_left_out_is_completed() -> None:
    x = Value("x", TensorType(DType.FLOAT32, (2, 6)))
    b = Builder(Graph([x]))
    b.graph.outputs = [b.softmax(x)]
    node = b.graph.nodes[0]
    del node.args["axis"]
    verify(Model(b.graph), OPS)
    complete(b.graph, OPS)
    assert node.axis == -1
