"""Recurrent layers are written as Gluon's own, however a source lays out their states."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.mxnet.tests.models import ADAPTER, error
from ir_hub.ir import serde
from ir_hub.ir.graph import Model
from ir_hub.ops.build import Builder
from ir_hub.ops.op import OPSET
from ir_hub.sdk.subject import InProcess
from ir_hub.simplify import reference

GATES = {"lstm": 4, "gru": 3, "rnn": 1}
SWAP = (1, 0, 2)
HIDDEN, INPUTS, BATCH, TIME = 3, 4, 2, 5
RANDOM = np.random.RandomState(11)


def constants(b: Builder, op: str, ways: int) -> list[Any]:
    rows = GATES[op] * HIDDEN
    shapes = {"weight": (ways, rows, INPUTS), "recurrent": (ways, rows, HIDDEN),
              "bias": (ways, 2 * rows)}  # fmt: skip
    drawn = {name: RANDOM.normal(0, 0.5, shape) for name, shape in shapes.items()}
    return [b.constant(array.astype(np.float32), name=name) for name, array in drawn.items()]


def network(op: str, ways: int, by_batch: bool, given: str, read: str) -> Model:
    """A layer; its first states none, as it takes them, or turned to that; what is read of it its
    result, its last states, or these turned."""
    b = Builder()
    x = b.input("x", shape=(BATCH, TIME, INPUTS) if by_batch else (TIME, BATCH, INPUTS))
    own = (BATCH, ways, HIDDEN) if by_batch else (ways, BATCH, HIDDEN)
    swapped = (own[1], own[0], own[2])
    names = ["h", "c"] if op == "lstm" else ["h"]
    states: list[Any] = []
    if given:
        turn = given == "turned"
        states = [b.input(name, shape=swapped if turn else own) for name in names]
        states = [b.transpose(state, perm=SWAP) for state in states] if turn else states
    literals: dict[str, Any] = {"hidden_size": HIDDEN, "layout": int(by_batch)}
    if ways == 2:
        usual = {"lstm": ("sigmoid", "tanh", "tanh"), "gru": ("sigmoid", "tanh"), "rnn": ("tanh",)}
        literals |= {"direction": "bidirectional", "activations": usual[op] * 2}
    if op == "gru":
        literals["linear_before_reset"] = True
    y, *lasts = b.call(op, x, *constants(b, op, ways), None, *states, **literals)
    turned = [b.transpose(last, perm=SWAP) for last in lasts]
    b.graph.outputs = {"result": [y], "states": [*lasts, y], "turned": turned}[read]
    return Model(b.graph)


@pytest.mark.parametrize("read", ["result", "states", "turned"])
@pytest.mark.parametrize("given", ["", "own", "turned"])
@pytest.mark.parametrize("by_batch", [False, True])
@pytest.mark.parametrize(("op", "ways"), [("lstm", 1), ("gru", 2), ("rnn", 1)])
def test_states(op: str, ways: int, by_batch: bool, given: str, read: str, tmp_path: Path) -> None:
    model = network(op, ways, by_batch, given, read)
    feeds = {
        value.name: RANDOM.normal(size=[int(str(size)) for size in value.shape or ()]).astype("f4")
        for value in model.graph.inputs
    }
    wanted = reference.run(model, list(feeds.values()))
    subject = InProcess(ADAPTER, tmp_path)
    blob = subject.store.put_bytes(serde.dump_bytes(model, subject.store.put_bytes, OPSET))
    files = subject.emit(blob)
    assert error(list(subject.run(files, feeds).values()), wanted) < 1e-5
    code = bytes(subject.store.open(files[0].blob)).decode()
    if by_batch and read == "turned":
        assert "transpose" not in code
        assert "_by_way" not in code
