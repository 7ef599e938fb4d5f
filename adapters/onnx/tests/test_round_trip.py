"""Models through the IR and back compute the same, in ONNX Runtime."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from adapters.onnx.tests.models import INT64, model_of, parsed, run, same_outputs, written
from ir_hub.ir.dims import evaluate, symbol
from ir_hub.ir.graph import Model
from ir_hub.ir.tensor import encode
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.sdk.errors import UnsupportedNodes

RNG = np.random.default_rng(0)


def floats(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


def test_a_convolution_net(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], auto_pad="SAME_UPPER", strides=[2, 1]),
        helper.make_node("BatchNormalization", ["c", "s", "o", "m", "v"], ["n"], epsilon=1e-3),
        helper.make_node("AveragePool", ["n"], ["p"], kernel_shape=[3, 2], auto_pad="SAME_LOWER"),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Softmax", ["f"], ["y"]),
    ]
    positive = np.abs(floats(5)) + 0.5
    weights = {"w": floats(5, 3, 4, 3), "b": floats(5), "s": floats(5), "o": floats(5)}
    weights |= {"m": floats(5), "v": positive}
    same_outputs(model_of(nodes, {"x": ["n", 3, 7, 6]}, weights=weights), tmp_path,
                 x=floats(2, 3, 7, 6))  # fmt: skip


def test_outputs_that_are_inputs_constants_or_twice(tmp_path: Path) -> None:
    nodes = [helper.make_node("Relu", ["x"], ["r"]), helper.make_node("Identity", ["r"], ["s"])]
    model = model_of(nodes, {"x": [3]}, ["x", "k", "r", "s"], {"k": floats(2)})
    found = parsed(model)
    outputs = run(written(found, tmp_path), {"x": np.array([-1, 0, 2], np.float32)})
    assert [value.name for value in found.graph.outputs] == ["x", "k", "r", "s"]
    assert len(outputs) == 4
    np.testing.assert_array_equal(list(outputs.values())[3], [0, 0, 2])


def test_branches_and_loops(tmp_path: Path) -> None:
    def branch(op: str, name: str) -> onnx.GraphProto:
        node = helper.make_node(op, ["x", "w"], [name])
        return helper.make_graph([node], name, [], [onnx.ValueInfoProto(name=name)])

    step = helper.make_graph(
        [
            helper.make_node("Add", ["a", "x"], ["a2"]),
            helper.make_node("Identity", ["go"], ["go2"]),
            helper.make_node("Mul", ["a2", "w"], ["seen"]),
        ],
        "step",
        [
            helper.make_tensor_value_info("i", INT64, []),
            helper.make_tensor_value_info("go", onnx.TensorProto.BOOL, []),
            helper.make_tensor_value_info("a", 1, [3]),
        ],
        [onnx.ValueInfoProto(name=name) for name in ("go2", "a2", "seen")],
    )
    nodes = [
        helper.make_node("ReduceSum", ["x"], ["sum"], keepdims=0),
        helper.make_node("Greater", ["sum", "zero"], ["positive"]),
        helper.make_node("If", ["positive"], ["chosen"], then_branch=branch("Add", "p"),
                         else_branch=branch("Mul", "q")),
        helper.make_node("Loop", ["count", "", "chosen"], ["y", "all"], body=step),
    ]  # fmt: skip
    weights = {"w": floats(3), "zero": np.float32(0).reshape(()), "count": np.array(3)}
    model = model_of(nodes, {"x": [3]}, ["y", "all"], weights)
    for sign in (1, -1):
        same_outputs(model, tmp_path, x=sign * np.abs(floats(3)))


def test_nodes_in_any_order(tmp_path: Path) -> None:
    """As converters to half precision leave them: ONNX Runtime sorts them."""

    def branch(op: str, name: str) -> onnx.GraphProto:
        node = helper.make_node(op, ["late"], [name])
        return helper.make_graph([node], name, [], [onnx.ValueInfoProto(name=name)])

    nodes = [
        helper.make_node("If", ["go"], ["chosen"], then_branch=branch("Exp", "p"),
                         else_branch=branch("Neg", "q")),
        helper.make_node("Add", ["chosen", "late"], ["y"]),
        helper.make_node("Greater", ["s", "zero"], ["go"]),
        helper.make_node("ReduceSum", ["x"], ["s"], keepdims=0),
        helper.make_node("Cos", ["x"], ["late"]),
    ]  # fmt: skip
    model = model_of(nodes, {"x": [3]}, weights={"zero": np.float32(0)})
    for sign in (1, -1):
        same_outputs(model, tmp_path, x=sign * np.abs(floats(3)))


def test_scales_in_half_precision_are_still_scales(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Resize", ["x", "", "scales"], ["y"], mode="nearest"),
        helper.make_node("Cast", ["stored"], ["scales"], to=onnx.TensorProto.FLOAT),
    ]
    weights = {"stored": np.array([1, 1, 2, 1.5], np.float16)}
    model = model_of(nodes, {"x": ["n", 2, 4, 6]}, weights=weights)
    (resize,) = same_outputs(model, tmp_path, x=floats(2, 2, 4, 6)).graph.nodes
    assert resize.scale_factors == (2.0, 1.5)


def test_weights_apart(tmp_path: Path) -> None:
    weights = {"w": floats(40, 30), "b": floats(30), "k": np.array("text", object)}
    nodes = [helper.make_node("Gemm", ["x", "w", "b"], ["y"])]
    model = parsed(model_of(nodes, {"x": [2, 40]}, ["y", "k"], weights))
    whole = tmp_path / "whole"
    whole.mkdir()
    one, two = written(model, whole), written(model, tmp_path, limit=3000)
    assert [file.name for file in two.files] == ["model.onnx", "model.onnx.data"]
    x = floats(2, 40)
    np.testing.assert_array_equal(run(one, {"x": x})["y"], run(two, {"x": x})["y"])
    stored = [file.path.rename(tmp_path / f"digest{i}") for i, file in enumerate(two.files)]
    named = [replace(file, path=path) for file, path in zip(two.files, stored, strict=True)]
    found = run(replace(two, files=tuple(named)), {"x": x})  # as a store has them
    np.testing.assert_array_equal(found["y"], run(one, {"x": x})["y"])
    again = parsed(two)
    weight = next(v for v in again.graph.constants() if v.name == "w")
    np.testing.assert_array_equal(weight.array(), weights["w"])


@pytest.mark.parametrize("dtype", [d for d in DType if d is not DType.STRING])
def test_constants_of_all_types(tmp_path: Path, dtype: DType) -> None:
    b = Builder()
    array = np.array([0, 1, 1, 0, 1], np.float32).astype(dtype.numpy)
    b.graph.outputs = [b.constant(array, name="k")]
    model = Model(b.graph)
    (found,) = parsed(written(model, tmp_path, opset=28)).graph.constants()
    assert found.dtype is dtype
    assert encode(found.array()) == encode(array)


def test_permuted_weights(tmp_path: Path) -> None:
    b = Builder()
    x = b.input("x", shape=(2, 4))
    weight = b.constant(floats(3, 4))
    weight.data = weight.data.permuted((1, 0))
    weight.type = weight.type.with_shape((4, 3))
    b.graph.outputs = [b.matmul(x, weight)]
    value = floats(2, 4)
    (found,) = run(written(Model(b.graph), tmp_path), {"x": value}).values()
    np.testing.assert_allclose(found, value @ weight.array(), rtol=1e-5)


N, H = symbol("N"), symbol("H")


@pytest.mark.parametrize(
    "shape",
    [
        (N, H * 6),
        (N * H, 6),
        (H, N, 6),
        (N, H, 3, 2),
        (H // 2 * 2 + H % 2, 6, N),
        (1, N + H - H, H * 2, 3),
    ],
)
def test_sizes_with_symbols(tmp_path: Path, shape: tuple) -> None:
    b = Builder()
    x = b.input("x", shape=(N, H * 2, 3))
    y = b.reshape(x, shape)
    z = b.expand(b.constant(np.float32(1)), (N, H + 1, N * H - 1))
    b.graph.outputs = [y, z]
    files = written(Model(b.graph), tmp_path)
    for n, h in ((2, 5), (3, 4)):
        found_y, found_z = run(files, {"x": floats(n, 2 * h, 3)}).values()
        assert found_y.shape == tuple(evaluate(s, {"N": n, "H": h}) for s in shape)
        assert found_z.shape == (n, h + 1, n * h - 1)


def test_a_size_nobody_has(tmp_path: Path) -> None:
    b = Builder()
    x = b.input("x", shape=(3,))
    b.graph.outputs = [b.expand(x, (symbol("Q"), 3))]
    with pytest.raises(UnsupportedNodes, match="the size Q is not a size of anything"):
        written(Model(b.graph), tmp_path)


def test_names_are_data(tmp_path: Path) -> None:
    node = helper.make_node("Relu", ['x"); import os #'], ["a\nb"], name="../n")
    model = model_of([node], {'x"); import os #': [2]}, ["a\nb"])
    found = parsed(model)
    outputs = run(written(found, tmp_path), {'x"); import os #': np.array([-1, 1], np.float32)})
    np.testing.assert_array_equal(next(iter(outputs.values())), [0, 1])


def test_newer_ops_name_the_opset_they_need(tmp_path: Path) -> None:
    b = Builder()
    b.graph.outputs = [b.bit_cast(b.input("x", shape=(2,)), to=DType.INT32)]
    with pytest.raises(UnsupportedNodes, match="needs the option opset=26"):
        written(Model(b.graph), tmp_path)


def test_resize_says_which_axes(tmp_path: Path) -> None:
    scales = numpy_helper.to_array(helper.make_tensor("s", 1, [4], [1, 1, 2, 1.5]))
    node = helper.make_node("Resize", ["x", "", "s"], ["y"], mode="linear")
    model = model_of([node], {"x": ["n", 2, 5, 4]}, weights={"s": scales})
    middle = same_outputs(model, tmp_path, x=floats(1, 2, 5, 4))
    (resize,) = middle.graph.nodes
    assert resize.axes == "NC*->NC*"
    assert resize.scale_factors == (2.0, 1.5)
