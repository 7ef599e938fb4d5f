"""SavedModels that are broken, or that can't be read, are refused by what is wrong with them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from tensorflow.core.protobuf import saved_model_pb2

from adapters.tensorflow.adapter import TensorFlowAdapter
from adapters.tensorflow.saved.checksum import crc32c
from adapters.tensorflow.tests.saved_nets import files_in
from ir_hub.ir.types import DType, TensorType
from ir_hub.sdk.adapter import Work
from ir_hub.sdk.errors import BadModel, BadRequest, UnsupportedNodes
from ir_hub.sdk.source import read

ADAPTER = TensorFlowAdapter()
ADAPTER.warm()

GRAPH, INDEX = "saved_model.pb", "variables/variables.index"
DATA = "variables/variables.data-00000-of-00001"
Change = Callable[[Any], None]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network as a SavedModel."""
    folder = tmp_path_factory.mktemp("small") / "net"
    x = keras.Input((6, 5, 3), name="x")
    y = layers.Flatten()(layers.Conv2D(4, 3, strides=2, padding="same", name="stem")(x))
    keras.Model(x, layers.Dense(2, name="head")(y)).export(folder, verbose=False)
    return folder


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    """A copy of it that may be broken."""
    return Path(shutil.copytree(saved, tmp_path / "net"))


def _read(folder: Path, signature: str = "", inputs: dict[str, TensorType] | None = None) -> None:
    files = files_in(folder)
    work = Work({"signature": signature}, lambda message, part: None, folder)
    graph = ADAPTER.walk(ADAPTER.load(files), files, inputs or {}, work)
    read(graph, ADAPTER.dialect())


def _change(folder: Path, change: Change) -> None:
    """Changes the graph."""
    model = saved_model_pb2.SavedModel.FromString((folder / GRAPH).read_bytes())
    change(model.meta_graphs[0])
    (folder / GRAPH).write_bytes(model.SerializeToString())


def _node(meta: Any, op: str) -> Any:
    functions = meta.graph_def.library.function
    return next(node for f in functions for node in f.node_def if node.op == op)


def _cut(name: str) -> Callable[[Path], None]:
    def cut(folder: Path) -> None:
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: len(data) // 2])

    return cut


def _flip(name: str, at: int) -> Callable[[Path], None]:
    def flip(folder: Path) -> None:
        data = bytearray((folder / name).read_bytes())
        data[at] ^= 4
        (folder / name).write_bytes(bytes(data))

    return flip


def _changed(change: Change) -> Callable[[Path], None]:
    return lambda folder: _change(folder, change)


def _other_shape(meta: Any) -> None:
    for node in meta.object_graph_def.nodes:
        if node.variable.name == "head/bias":
            node.variable.shape.dim[0].size = 3


def _other_type(meta: Any) -> None:
    for node in meta.object_graph_def.nodes:
        if node.variable.name == "head/bias":
            node.variable.dtype = 2


def _cycle(meta: Any) -> None:
    _node(meta, "Conv2D").input[0] = _node(meta, "BiasAdd").name + ":output:0"


def _itself(meta: Any) -> None:
    for function in meta.graph_def.library.function:
        for node in function.node_def:
            if node.op == "StatefulPartitionedCall":
                node.attr["f"].func.name = function.signature.name


def _unknown_constant(meta: Any) -> None:
    node = _node(meta, "Reshape")
    node.input[1] = "nowhere:output:0"


def _huge_constant(meta: Any) -> None:
    node = next(
        n
        for f in meta.graph_def.library.function
        for n in f.node_def
        if n.op == "Const" and n.name.endswith("Reshape/shape")
    )
    node.attr["value"].tensor.tensor_shape.dim[0].size = 1 << 40


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_cut(GRAPH), "saved_model.pb (is no SavedModel, or is cut off|has no graph for serving)"),
        (_cut(DATA), "ends before the variable .* does: it is cut off"),
        (_cut(INDEX), "variables.index can't be read: it isn't a table, or is cut off"),
        (_flip(DATA, 5), "the variable .* doesn't fit its checksum"),
        (_flip(INDEX, 20), "variables.index can't be read: a block of it doesn't fit its checksum"),
        (lambda f: shutil.rmtree(f / "variables"), "variables/variables.index wasn't given"),
        (lambda f: (f / DATA).unlink(), "variables.data-00000-of-00001 wasn't given"),
        (lambda f: (f / GRAPH).write_bytes(b"PK\3\4 not a graph"), "is no SavedModel"),
        (lambda f: (f / GRAPH).write_bytes(b""), "has no graph for serving"),
        (_changed(_other_shape), r"as float32\[2\], the graph as float32\[3\]"),
        (_changed(_other_type), r"as float32\[2\], the graph as float64\[2\]"),
        (_changed(_cycle), "has a cycle"),
        (_changed(_itself), "more than 100 deep"),
        (_changed(_unknown_constant), "reads nowhere:output:0, which nothing computes"),
        (_changed(_huge_constant), "says that its shape is"),
        (_changed(lambda meta: meta.signature_def.clear()), "no signature 'serving_default'"),
    ],
)  # fmt: skip
def test_broken(spoil: Callable[[Path], None], message: str, folder: Path) -> None:
    spoil(folder)
    with pytest.raises(BadModel, match=message):
        _read(folder)


def test_attribute_that_is_not_known(folder: Path) -> None:
    def change(meta: Any) -> None:
        _node(meta, "Conv2D").attr["turbo"].i = 3

    _change(folder, change)
    with pytest.raises(UnsupportedNodes, match=r"tf\.Conv2D with turbo = 3"):
        _read(folder)


def test_shape_that_the_file_does_not_keep(folder: Path) -> None:
    def change(meta: Any) -> None:
        _node(meta, "Conv2D").attr["padding"].s = b"VALID"

    _change(folder, change)
    with pytest.raises(UnsupportedNodes, match=r"Conv2D read as .*, while the file says"):
        _read(folder)


def test_all_that_is_not_read_is_listed(tmp_path: Path) -> None:
    """A loop, a change of a variable, and an op without a rule, at once."""

    class Module(tf.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.count = tf.Variable(0.0)

        @tf.function(input_signature=[tf.TensorSpec((2, 3), tf.float32, name="x")])  # type: ignore[untyped-decorator]
        def call(self, x: Any) -> Any:
            self.count.assign_add(1.0)
            total = tf.while_loop(lambda t: tf.reduce_sum(t) < 9.0, lambda t: (t + 1,), (x,))
            return {"y": total[0] + tf.math.igamma(x, x)}

    module = Module()
    tf.saved_model.save(module, tmp_path, signatures={"serving_default": module.call})
    with pytest.raises(UnsupportedNodes) as caught:
        _read(tmp_path)
    said = " ".join(problem.description for problem in caught.value.problems)
    assert "save the Keras model as .keras" in said
    assert "no rule reads tf.Igamma" in said
    assert "it changes a variable" in said


@pytest.mark.parametrize(
    "act",
    [
        lambda x: tf.io.write_file("never-written", tf.io.serialize_tensor(x)),
        lambda x: tf.print(tf.io.read_file("never-read")),
        lambda x: tf.raw_ops.SaveV2(
            prefix="never-written", tensor_names=["x"], shape_and_slices=[""], tensors=[x]
        ),
        lambda x: tf.py_function(print, [x], []),
    ],
    ids=["write", "read", "save", "python"],
)
def test_graph_that_does_more_than_compute(act: Callable[[Any], Any], tmp_path: Path) -> None:
    """Neither read nor run."""

    def call(x: Any) -> Any:
        act(x)
        return {"y": x * 2}

    function = tf.function(call, input_signature=[tf.TensorSpec((2,), tf.float32, name="x")])
    tf.saved_model.save(
        tf.Module(), tmp_path, signatures={"serving_default": function.get_concrete_function()}
    )
    with pytest.raises(BadModel, match="may do more than compute"):
        _read(tmp_path)
    work = Work({"threads": "1", "signature": ""}, lambda message, part: None, tmp_path)
    with pytest.raises(BadModel, match="may do more than compute"):
        ADAPTER.run(files_in(tmp_path), {"x": np.zeros(2, np.float32)}, work)


def test_signatures(tmp_path: Path) -> None:
    """Without a usual one the error lists them; the option chooses."""
    module = tf.Module()
    spec = tf.TensorSpec((2,), tf.float32, name="x")
    signatures = {
        name: tf.function(lambda x: {"y": x * 2}, input_signature=[spec]).get_concrete_function()
        for name in ("first", "second")
    }
    tf.saved_model.save(module, tmp_path, signatures=signatures)
    with pytest.raises(BadModel, match="it has first, second; say which one with the option"):
        _read(tmp_path)
    with pytest.raises(BadModel, match="no signature 'third': it has first, second"):
        _read(tmp_path, "third")
    _read(tmp_path, "second")


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("y", TensorType(DType.FLOAT32, (1, 6, 5, 3)), "no input y; its inputs are x"),
        ("x", TensorType(DType.FLOAT32, (1, 7, 5, 3)), r"x is float32\['\?', 6, 5, 3\], not"),
        ("x", TensorType(DType.INT32, (1, 6, 5, 3)), "not int32"),
    ],
)
def test_given_type_that_does_not_fit(
    name: str, given: TensorType, message: str, folder: Path
) -> None:
    with pytest.raises(BadRequest, match=message):
        _read(folder, inputs={name: given})


def test_open_size_that_padding_depends_on(tmp_path: Path) -> None:
    x = keras.Input((None, None, 3), name="x")
    y = layers.Conv2D(4, 3, strides=2, padding="same")(x)
    keras.Model(x, y).export(tmp_path, verbose=False)
    with pytest.raises(UnsupportedNodes, match="give the input's type"):
        _read(tmp_path)
    _read(tmp_path, inputs={"x": TensorType(DType.FLOAT32, (1, 9, 8, 3))})


def test_checksum() -> None:
    """The check value of CRC-32C, and pieces side by side as one after the other."""
    assert crc32c(b"123456789") == 0xE3069283
    data = np.random.default_rng(0).integers(0, 256, 5_000_003, dtype=np.uint8).tobytes()
    tail = crc32c(data)
    assert tail == _plainly(data)


def _plainly(data: bytes) -> int:
    register = 0xFFFFFFFF
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    for byte in data:
        register = table[(register ^ byte) & 0xFF] ^ register >> 8
    return register ^ 0xFFFFFFFF
