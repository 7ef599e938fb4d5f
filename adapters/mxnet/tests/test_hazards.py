"""Names from a model are data: whatever they are, the code is harmless and computes the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adapters.mxnet.tests.models import ADAPTER, error
from ir_hub.ir import serde
from ir_hub.ir.graph import Model
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.ops.op import OPSET
from ir_hub.sdk.errors import UnsupportedNodes
from ir_hub.sdk.subject import InProcess
from ir_hub.simplify import reference

HOSTILE = (
    'x"); import os; os._exit(9) #', "F", "self", "weight", "params", "hybrid_forward", "lambda",
    "", "{0}", "x\n", "名前", "bias", "scale", "nn",
)  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_names(name: str, tmp_path: Path) -> None:
    random = np.random.RandomState(0)
    b = Builder()
    x = b.input(name or "_", shape=(2, 4))
    with b.within(name.replace(".", "_") and f"{name.replace('.', '_')}.inner"):
        scaled = b.mul(x, b.constant(random.normal(size=4).astype(np.float32), name=name or "_"))
        y = b.add(scaled, b.constant(random.normal(size=(1, 4)).astype(np.float32), name="bias"))
    weight = b.constant(random.normal(size=(3, 4)).astype(np.float32), name=f"{name}.weight")
    b.graph.outputs = [b.linear(y, weight)]
    b.graph.outputs[0].name = name or "_"
    parts = {path for node in b.graph.nodes for path in (node.scope.partition(".")[0], node.scope)}
    model = Model(b.graph, dict.fromkeys(parts | {""}, name))
    subject = InProcess(ADAPTER, tmp_path)
    blob = subject.store.put_bytes(serde.dump_bytes(model, subject.store.put_bytes, OPSET))
    feed = random.normal(size=(2, 4)).astype(np.float32)
    found = subject.run(subject.emit(blob), {name or "_": feed})
    assert error(list(found.values()), reference.run(model, [feed])) < 1e-6


def test_truth_values_go_in_and_out(tmp_path: Path) -> None:
    """MXNet computes with numbers; a model of ours takes and gives truth values."""
    b = Builder()
    mask, x = b.input("mask", DType.BOOL, (2, 3)), b.input("x", shape=(2, 3))
    both = b.logical_and(mask, b.greater(x, 0.0))
    b.graph.outputs = [b.where(both, x, b.neg(x)), b.logical_not(both), b.identity(mask)]
    subject = InProcess(ADAPTER, tmp_path)
    model = Model(b.graph)
    blob = subject.store.put_bytes(serde.dump_bytes(model, subject.store.put_bytes, OPSET))
    feeds = {"mask": np.array([[1, 0, 1], [0, 1, 1]], bool),
             "x": np.array([[1, 2, -3], [4, -5, 6]], np.float32)}  # fmt: skip
    found = list(subject.run(subject.emit(blob), feeds).values())
    wanted = reference.run(model, list(feeds.values()))
    assert [a.dtype for a in found] == [np.float32, bool, bool]
    for ours, theirs in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_class_of_the_model_is_called_as_ours(tmp_path: Path) -> None:
    """The block that the code brings along keeps its name, the model's class gets another one."""
    random = np.random.RandomState(0)
    b = Builder()
    x = b.input("x", shape=(2, 4, 3, 3))
    weight, bias = (b.constant(random.normal(size=4).astype(np.float32)) for _ in range(2))
    with b.within("norm"):
        b.graph.outputs = [b.relu(b.group_norm(b.tanh(x), weight, bias, groups=2))]
    model = Model(b.graph, {"": "Net", "norm": "GroupNorm"})
    subject = InProcess(ADAPTER, tmp_path)
    blob = subject.store.put_bytes(serde.dump_bytes(model, subject.store.put_bytes, OPSET))
    feed = random.normal(size=(2, 4, 3, 3)).astype(np.float32)
    found = subject.run(subject.emit(blob), {"x": feed})
    assert error(list(found.values()), reference.run(model, [feed])) < 1e-5


def test_a_module_without_inputs_is_no_block(tmp_path: Path) -> None:
    random = np.random.RandomState(0)
    b = Builder()
    x = b.input("x", shape=(2, 4, 3, 3))
    places, weight = (
        b.constant(random.normal(size=size).astype(np.float32))
        for size in ((1, 5, 3, 3), (4, 5, 1, 1))
    )
    with b.within("block.positions"):
        added = b.conv(places, weight, strides=(1, 1), pads=((0, 0),) * 2, dilations=(1, 1))
    with b.within("block"):
        b.graph.outputs = [b.relu(b.add(x, added))]
    model = Model(b.graph, {"": "Net", "block": "Block", "block.positions": "Positions"})
    subject = InProcess(ADAPTER, tmp_path)
    blob = subject.store.put_bytes(serde.dump_bytes(model, subject.store.put_bytes, OPSET))
    feed = random.normal(size=(2, 4, 3, 3)).astype(np.float32)
    found = subject.run(subject.emit(blob), {"x": feed})
    assert error(list(found.values()), reference.run(model, [feed])) < 1e-6


def test_an_input_that_nothing_reads_is_refused(tmp_path: Path) -> None:
    b = Builder()
    x, _ = b.input("x", shape=(2, 3)), b.input("unused", shape=(2, 3))
    b.graph.outputs = [b.relu(x)]
    subject = InProcess(ADAPTER, tmp_path)
    blob = subject.store.put_bytes(serde.dump_bytes(Model(b.graph), subject.store.put_bytes, OPSET))
    with pytest.raises(UnsupportedNodes, match="nothing computes with it") as caught:
        subject.emit(blob)
    assert [problem.subject for problem in caught.value.problems] == ["unused"]


def test_ops_that_mxnet_lacks_are_listed(tmp_path: Path) -> None:
    b = Builder()
    x = b.input("x", shape=(2, 3, 3))
    b.graph.outputs = [b.det(x), b.unique(x)[0], b.relu(x)]
    subject = InProcess(ADAPTER, tmp_path)
    blob = subject.store.put_bytes(serde.dump_bytes(Model(b.graph), subject.store.put_bytes, OPSET))
    with pytest.raises(UnsupportedNodes) as caught:
        subject.emit(blob)
    found = [problem.description for problem in caught.value.problems]
    assert found == ["mxnet has no op for det", "mxnet has no op for unique"]


def test_nodes_that_cannot_be_said_are_listed(tmp_path: Path) -> None:
    b = Builder()
    x = b.input("x", shape=(2, 3))
    b.graph.outputs = [b.reduce_sum(x, keepdims=False), b.reduce_max(x, keepdims=False)]
    subject = InProcess(ADAPTER, tmp_path)
    blob = subject.store.put_bytes(serde.dump_bytes(Model(b.graph), subject.store.put_bytes, OPSET))
    with pytest.raises(UnsupportedNodes, match="tensors without axes") as caught:
        subject.emit(blob)
    assert len(caught.value.problems) == 2
