"""The outline of a file is the model, but for the big weights, whose places are right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper, numpy_helper
from onnx.backend.test.loader import load_model_tests

from adapters.onnx.files import tensor_of
from adapters.onnx.tests.models import files_of, model_of
from adapters.onnx.wire import BIG, Malformed, bytes_header, outline


def assert_faithful(content: bytes) -> int:
    """Every tensor read through the outline is the one onnx reads; returns how many are apart."""
    skeleton = onnx.ModelProto.FromString(outline(memoryview(content)))
    whole = onnx.ModelProto.FromString(content)
    files = files_of(("model.onnx", content))
    apart = 0
    for mine, theirs in zip(_tensors(skeleton.graph), _tensors(whole.graph), strict=True):
        apart += mine.data_location == onnx.TensorProto.EXTERNAL
        expected = numpy_helper.to_array(theirs)
        if expected.dtype != object:
            np.testing.assert_array_equal(tensor_of(mine, files, "").numpy(), expected)
    for graph in (skeleton.graph, whole.graph):
        for tensor in _tensors(graph):
            tensor.Clear()
    assert skeleton == whole
    return apart


def _tensors(graph: onnx.GraphProto) -> list[onnx.TensorProto]:
    found = list(graph.initializer)
    for node in graph.node:
        for attribute in node.attribute:
            found += [attribute.t] if attribute.HasField("t") else []
            found += _tensors(attribute.g) if attribute.HasField("g") else []
    return found


@pytest.mark.parametrize("kind", ["pytorch-converted", "pytorch-operator", "simple"])
def test_real_models(kind: str) -> None:
    contents = [Path(c.model_dir, "model.onnx").read_bytes() for c in load_model_tests(kind=kind)]
    assert sum(map(assert_faithful, contents)) > (0 if kind == "pytorch-converted" else -1)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 3 * BIG // 4), min_size=1, max_size=8), st.booleans())
def test_any_sizes(sizes: list[int], in_a_node: bool) -> None:
    arrays = [np.arange(size, dtype=np.float32) for size in sizes]
    nodes = [
        helper.make_node("Constant", [], [f"c{i}"], value=numpy_helper.from_array(array))
        for i, array in enumerate(arrays)
        if in_a_node
    ]
    weights = {} if in_a_node else {f"c{i}": array for i, array in enumerate(arrays)}
    model = model_of(nodes, {}, ["c0"], weights)
    big = sum(array.nbytes >= BIG for array in arrays)
    assert assert_faithful(model.SerializeToString()) == big


def test_a_tensor_that_says_that_it_is_here() -> None:
    """As ONNX writes one that it once read from another file."""
    model = model_of([], {}, ["c"], {"c": np.arange(1000, dtype=np.float32)})
    (tensor,) = model.graph.initializer
    tensor.data_location = onnx.TensorProto.DEFAULT
    assert assert_faithful(model.SerializeToString()) == 1


def test_weights_in_a_body_are_left_where_they_are() -> None:
    constant = numpy_helper.from_array(np.arange(1000, dtype=np.float32))
    node = helper.make_node("Constant", [], ["c"], value=constant)
    branch = helper.make_graph([node], "branch", [], [onnx.ValueInfoProto(name="c")])
    choice = helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch)
    assert assert_faithful(model_of([choice], {"x": []}).SerializeToString()) == 2


def test_nesting_has_a_limit() -> None:
    content = bytes_header(2, BIG) + bytes(BIG)  # a graph's name
    for number in [6, 5, 1] * 60 + [7]:  # a graph in an attribute of a node of a graph
        content = bytes_header(number, len(content)) + content
    with pytest.raises(Malformed, match="nested more than 100 deep"):
        outline(memoryview(content))
