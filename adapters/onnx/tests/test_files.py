"""What isn't a whole model is refused, and the message says what to do."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from adapters.onnx.tests.models import files_of, model_of, parsed, walked
from ir_hub.ir.dims import symbol
from ir_hub.ir.types import DType, TensorType
from ir_hub.sdk.errors import AdapterError, BadModel, BadRequest, UnsupportedNodes

RELU = helper.make_node("Relu", ["x"], ["y"], name="act")


def refuse(content: bytes, message: str, *more: tuple[str, bytes]) -> None:
    with pytest.raises(BadModel, match=message):
        parsed(files_of(("m.onnx", content), *more))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a whole ONNX model: it has no IR version"),
        (b"<!DOCTYPE html><html></html>", "is not an ONNX model"),
        (b"PK\x03\x04" + bytes(100), "is not an ONNX model"),
        (bytes(range(256)), "is not an ONNX model"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer"),
    ],
)
def test_not_a_model(content: bytes, message: str) -> None:
    refuse(content, message)


def test_truncated_anywhere() -> None:
    weight = np.arange(2000, dtype=np.float32)
    add = helper.make_node("Add", ["x", "w"], ["y"])
    whole = model_of([add], {"x": [2000]}, weights={"w": weight}).SerializeToString()
    parsed(files_of(("m.onnx", whole)))
    for end in [*range(0, 60), *range(60, len(whole), 97), len(whole) - 1]:
        with pytest.raises(BadModel, match=r"m\.onnx is (cut off|not a whole)|no version"):
            parsed(files_of(("m.onnx", whole[:end])))


def test_damaged_bytes_are_answered() -> None:
    whole = bytearray(model_of([RELU], {"x": [2, 3]}, opset=17).SerializeToString())
    for place in range(len(whole)):
        for value in (0, 0x7F, 0xFF):
            damaged = bytes(whole[:place] + bytes([value]) + whole[place + 1 :])
            try:
                parsed(files_of(("m.onnx", damaged)))
            except AdapterError:
                continue


@pytest.mark.parametrize("opset", [0, 999])
def test_unknown_opset(opset: int) -> None:
    refuse(
        model_of([RELU], {"x": [2]}, opset=opset).SerializeToString(), f"in opset {opset}; those"
    )


def test_no_opset() -> None:
    model = model_of([RELU], {"x": [2]})
    del model.opset_import[:]
    refuse(model.SerializeToString(), "no version of the ONNX op set")


def test_cycle() -> None:
    nodes = [helper.make_node("Add", ["x", "b"], ["a"]), helper.make_node("Relu", ["a"], ["b"])]
    refuse(model_of(nodes, {"x": [2]}, ["b"]).SerializeToString(), "reads b, which nothing before")


def test_missing_output() -> None:
    model = model_of([RELU], {"x": [2]}, ["z"])
    refuse(model.SerializeToString(), "returns z, which nothing computes")


def external(**said: str) -> bytes:
    """A model whose weight of 3 floats is external data."""
    tensor = onnx.TensorProto(name="w", data_type=1, dims=[3], data_location=1)
    for key, value in said.items():
        tensor.external_data.add(key=key, value=value)
    model = model_of([helper.make_node("Add", ["x", "w"], ["y"])], {"x": [3]})
    model.graph.initializer.append(tensor)
    return model.SerializeToString()


def test_external_data() -> None:
    data = np.arange(5, dtype=np.float32).tobytes()
    content = external(location="w.bin", offset="4", length="12")
    model = parsed(files_of(("m.onnx", content), ("w.bin", data)))
    (weight,) = model.graph.constants()
    np.testing.assert_array_equal(weight.array(), [1, 2, 3])


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"location": "w.bin", "offset": "12"}, "ends before"),
        ({"location": "w.bin", "offset": "12", "length": "12"}, "lies at bytes 12 to 24 of w.bin"),
        ({"location": "w.bin", "length": "8"}, "takes 12 bytes, but 8 are given"),
        ({"location": "w.bin", "offset": "-4"}, "says offset '-4'"),
        ({"location": "w.bin", "offset": "9" * 30}, "says offset"),
        ({"location": "other.bin"}, "which was not given"),
        ({"location": "../w.bin"}, "outside its own folder"),
        ({"location": "/etc/passwd"}, "outside its own folder"),
    ],
)
def test_bad_external_data(said: dict[str, str], message: str) -> None:
    refuse(external(**said), message, ("w.bin", bytes(20)))


def test_contradicting_tensor() -> None:
    model = model_of([RELU], {"x": [2]})
    model.graph.initializer.append(
        onnx.TensorProto(name="w", data_type=1, dims=[3], raw_data=bytes(8))
    )
    refuse(model.SerializeToString(), r"'w' of float32\[3\] takes 12 bytes, but 8")
    model.graph.initializer[0].data_type = 99
    refuse(model.SerializeToString(), "element type 99")


def test_all_unsupported_nodes_are_listed() -> None:
    nodes = [
        helper.make_node("Frob", ["x"], ["a"], name="one"),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Fancy", ["b"], ["c"], name="two", domain="com.example"),
        helper.make_node("Conv", ["c", "c"], ["y"], name="three"),
    ]
    model = model_of(nodes, {"x": [2]})
    model.opset_import.append(helper.make_opsetid("com.example", 1))
    sparse = onnx.SparseTensorProto(values=numpy_helper.from_array(np.ones(1, np.float32), "s"))
    model.graph.sparse_initializer.append(sparse)
    with pytest.raises(UnsupportedNodes) as caught:
        parsed(model)
    assert [problem.subject for problem in caught.value.problems][:3] == [
        "s (irhub::unreadable)",
        "one (Frob)",
        "two (com.example::Fancy)",
    ]
    assert "no rule reads com.example::Fancy" in str(caught.value)
    assert "sparse" in str(caught.value)


def _body(name: str, *nodes: onnx.NodeProto, inputs: tuple[str, ...] = ()) -> onnx.GraphProto:
    def value(name: str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)

    return helper.make_graph(nodes, name, [*map(value, inputs)], [value(nodes[-1].output[0])])


_node = helper.make_node
_FROB, _CONV = _node("Frob", ["x"], ["a"], "frob"), _node("Conv", ["x", "a"], ["b"], "conv")
_THEN = _body("then", _node("Conv", ["x", "a"], ["t"]), _node("Relu", ["t"], ["u"]))
_ELSE = _body("else", _node("Fancy", ["x"], ["e"], "fancy"))
_STEP = _body("step", _node("Fancy", ["a_in"], ["s"], "fancy"), inputs=("i", "c_in", "a_in"))


@pytest.mark.parametrize(
    ("nodes", "listed", "behind"),
    [
        ([_FROB, _CONV, _node("Flatten", ["b"], ["y"])], ["frob (Frob)"], 1),
        ([_FROB, _CONV, _node("Fancy", ["b"], ["y"], "fancy")],
         ["frob (Frob)", "fancy (Fancy)"], 1),
        ([_FROB, _node("Softmax", ["a"], ["y"], "own", strange=1)],
         ["frob (Frob)", "own (Softmax)"], 0),
        ([_FROB, _node("MatMul", ["x", "x2"], ["b"], "odd"), _node("Add", ["a", "b"], ["y"])],
         ["frob (Frob)", "odd (MatMul)"], 0),
        ([_FROB, _node("If", ["c"], ["y"], "if", then_branch=_THEN, else_branch=_ELSE)],
         ["frob (Frob)", "fancy (Fancy)"], 2),
        ([_FROB, _node("Loop", ["n", "c", "a"], ["y"], "loop", body=_STEP)],
         ["frob (Frob)", "fancy (Fancy)"], 1),
    ],
    ids=["behind", "no_rule_behind", "own_reason_behind", "contradiction", "branches", "loop"],
)  # fmt: skip
def test_nodes_behind_unsupported_ones_are_counted(
    nodes: list[onnx.NodeProto], listed: list[str], behind: int
) -> None:
    flags = {"c": np.array(True), "n": np.array(3)}
    model = model_of(nodes, {"x": [2, 3], "x2": [2, 3]}, weights=flags)
    with pytest.raises(UnsupportedNodes) as caught:
        parsed(model)
    assert [problem.subject for problem in caught.value.problems] == listed
    assert (f"({behind} more can't be checked" if behind else "onnx: ") in str(caught.value)


@pytest.mark.parametrize(
    ("domain", "op", "why"),
    [
        ("ai.onnx.ml", "TreeEnsembleClassifier", "a classical model"),
        ("com.microsoft", "DynamicQuantizeLSTM", "as it was before ONNX Runtime"),
        ("com.microsoft.nchwc", "ReorderInput", "as it was before ONNX Runtime"),
    ],
)
def test_why_a_kind_of_op_is_not_read(domain: str, op: str, why: str) -> None:
    model = model_of([helper.make_node(op, ["x"], ["y"], domain=domain)], {"x": [2]})
    model.opset_import.append(helper.make_opsetid(domain, 1))
    with pytest.raises(UnsupportedNodes, match=f"no rule reads {domain}::{op}: .*{why}"):
        parsed(model)


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (helper.make_node("Conv", ["x"], ["y"]), "has 1 operands, Conv takes 2 at least, 3 at"),
        (helper.make_node("Relu", ["x"], ["y", "z"]), "has 2 results, Relu gives 1 at most"),
        (helper.make_node("Conv", ["x", ""], ["y"]), "leaves out its operand 1"),
        (helper.make_node("Concat", ["x"], ["y"], name="c"), r"c \(Concat\) has no attribute axis"),
        (helper.make_node("Concat", ["x"], ["y"], axis=0.5), "axis of another type than"),
        (helper.make_node("Constant", [], ["y"], value=0.5), "an attribute value of a type that"),
        (helper.make_node("MaxPool", ["x"], ["y"], kernel_shape=[2], strides=[0]), "not positive"),
    ],
)
def test_broken_node(node: onnx.NodeProto, message: str) -> None:
    refuse(model_of([node], {"x": [1, 1, 4]}).SerializeToString(), message)


def test_unknown_domain() -> None:
    node = helper.make_node("Fancy", ["x"], ["y"], domain="com.example")
    refuse(model_of([node], {"x": [2]}).SerializeToString(), "of whose op set the file says no")


def test_inputs_by_the_caller() -> None:
    model = model_of([RELU], {"x": ["N", 3]})
    found = parsed(model, x=TensorType(DType.FLOAT32, (4, 3)))
    assert found.graph.outputs[0].shape == (4, 3)
    with pytest.raises(BadRequest, match="no input z; its inputs are x"):
        parsed(model, z=TensorType(DType.FLOAT32, (4, 3)))


def test_a_branch_that_the_callers_sizes_rule_out() -> None:
    nodes = [
        helper.make_node("Squeeze", ["x", "axes"], ["s"]),
        helper.make_node("Neg", ["s"], ["n"]),
    ]
    squeezed = helper.make_graph(nodes, "row", [], [onnx.ValueInfoProto(name="n")])
    kept = helper.make_graph(
        [helper.make_node("Neg", ["x"], ["m"])], "all", [], [onnx.ValueInfoProto(name="m")]
    )
    choice = helper.make_node("If", ["go"], ["y"], then_branch=squeezed, else_branch=kept)
    model = model_of([choice], {"x": ["rows", 4]}, weights={"axes": np.array([0])})
    model.graph.input.append(helper.make_tensor_value_info("go", onnx.TensorProto.BOOL, []))
    (node,) = parsed(model, x=TensorType(DType.FLOAT32, (3, 4))).graph.nodes
    assert [len(body.outputs[0].shape or ()) for body in node.bodies()] == [1, 2]


def test_symbols() -> None:
    model = model_of([RELU], {"x": ["batch size", "?", 3, "?", None, "u7"]})
    found = parsed(model)
    names = ("batch_size", "x_1", "x_3", "x_4", "n_u7")
    batch, first, second, third, last = map(symbol, names)
    assert found.graph.inputs[0].shape == (batch, first, 3, second, third, last)
    assert set(found.symbols) == set(names)


def test_equal_names_are_one_symbol() -> None:
    model = model_of([helper.make_node("Add", ["x", "z"], ["y"])], {"x": ["n", 3], "z": ["n", 3]})
    assert parsed(model).graph.outputs[0].shape == (symbol("n"), 3)


def test_constants_in_all_forms() -> None:
    forms = {
        "value_float": 1.5,
        "value_floats": [1.0, 2.0],
        "value_int": 3,
        "value_ints": [4, 5],
        "value_string": b"a",
        "value_strings": [b"b", b"c"],
        "value": numpy_helper.from_array(np.ones((2, 1), np.float16)),
    }
    nodes = [helper.make_node("Constant", [], [k], **{k: v}) for k, v in forms.items()]
    graph = walked(files_of(("m.onnx", model_of(nodes, {}, list(forms)).SerializeToString())))
    assert not list(graph.nodes)
    assert graph.constants["value_float"].numpy().dtype == np.float32
    assert graph.constants["value_ints"].numpy().tolist() == [4, 5]
    assert graph.constants["value_strings"].numpy().tolist() == ["b", "c"]
    assert graph.constants["value"].shape == (2, 1)
    assert graph.constants["value"].dtype is DType.FLOAT16


def test_an_initializer_that_is_also_an_input_is_a_constant() -> None:
    add = helper.make_node("Add", ["x", "w"], ["y"])
    model = model_of([add], {"x": [2], "w": [2]}, weights={"w": np.ones(2, np.float32)})
    assert [value.name for value in parsed(model).graph.inputs] == ["x"]


def test_functions_are_inlined() -> None:
    body = [helper.make_node("Relu", ["a"], ["t"]), helper.make_node("Neg", ["t"], ["b"])]
    function = helper.make_function(
        "here", "Twice", ["a"], ["b"], body, [helper.make_opsetid("", 20)]
    )
    model = model_of([helper.make_node("Twice", ["x"], ["y"], domain="here")], {"x": [2]})
    model.opset_import.append(helper.make_opsetid("here", 1))
    model.functions.append(function)
    assert [node.op for node in parsed(model).graph.nodes] == ["relu", "neg"]
