"""What depends on no input: computed when the model is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from adapters.tensorflow.adapter import TensorFlowAdapter
from adapters.tensorflow.idle import compute_idle
from ir_hub.ir import serde
from ir_hub.ir.dims import symbol
from ir_hub.ir.graph import Model, Value
from ir_hub.ops.build import Builder
from ir_hub.ops.op import OPSET
from ir_hub.sdk.subject import InProcess
from ir_hub.simplify import reference

_RANDOM = np.random.default_rng(0)


def _floats(b: Builder, *shape: int) -> Value:
    return b.constant(_RANDOM.normal(size=shape).astype(np.float32))


def _gathered(b: Builder) -> Value:
    indices = b.constant(_RANDOM.integers(0, 5, (3, 3)))
    return b.transpose(b.gather(_floats(b, 5, 4), indices, axis=0), perm=(2, 0, 1))


def _convolved(b: Builder) -> Value:
    windows = {"strides": (1, 1), "pads": ((1, 1),) * 2, "dilations": (1, 1)}
    order = "N*C,*IO->N*C"
    found = b.conv(_floats(b, 1, 3, 4, 2), _floats(b, 3, 3, 2, 3), axes=order, **windows)
    return b.reshape(b.dropout(found, rate=0.1), (4, 3, 3))


@pytest.mark.parametrize("build", [_gathered, _convolved])
def test_what_depends_on_no_input_is_computed(
    build: Callable[[Builder], Value], tmp_path: Path
) -> None:
    b = Builder()
    x = b.input("x", shape=(2, 4, 3, 3))
    b.graph.outputs = [b.relu(b.add(x, build(b)))]
    model, feed = Model(b.graph), _RANDOM.normal(size=(2, 4, 3, 3)).astype(np.float32)
    subject = InProcess(TensorFlowAdapter(), tmp_path)
    blob = subject.store.put_bytes(serde.dump_bytes(model, subject.store.put_bytes, OPSET))
    (found,) = subject.run(subject.emit(blob), {"x": feed}).values()
    (wanted,) = reference.run(model, [feed])
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_what_only_the_run_knows_stays() -> None:
    b = Builder()
    x = b.input("x", shape=(symbol("N"), 3))
    b.graph.outputs = [b.add(b.expand(_floats(b, 1, 3), b.shape_of(x)), x)]
    compute_idle(b.graph)
    assert "expand" in [node.op for node in b.graph.nodes]
