"""Networks of keras.applications lie flat, but their layers' names tell the blocks: each kind of
block is written once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import applications

from adapters.tensorflow.adapter import TensorFlowAdapter
from adapters.tensorflow.tests.models import inputs_of, randomise, saved
from ir_hub.hub import pipeline
from ir_hub.ir import serde
from ir_hub.ops.op import OPSET
from ir_hub.sdk.client import NamedBlob
from ir_hub.sdk.conformance import difference
from ir_hub.sdk.stages import load_model
from ir_hub.sdk.subject import InProcess

ADAPTER = TensorFlowAdapter()
ADAPTER.warm()
SETTINGS = {"weights": None, "classes": 5, "classifier_activation": None}


@pytest.mark.parametrize(
    ("build", "size", "block", "uses", "kinds", "lines"),
    [
        (applications.ResNet50, 32, "block", 16, 2, 70),
        (applications.MobileNetV2, 32, "block", 16, 1, 70),
    ],
)
def test_blocks_are_written_once(
    build: Callable[..., keras.Model],
    size: int,
    block: str,
    uses: int,
    kinds: int,
    lines: int,
    tmp_path: Path,
) -> None:
    """The code has few functions, which are called many times, and computes the same."""
    keras.utils.clear_session()
    source = build(input_shape=(size, size, 3), **SETTINGS)
    randomise(source)
    (image,) = inputs_of(source, 2).values()
    subject = InProcess(ADAPTER, tmp_path / "store")
    content = subject.store.put_bytes(saved(source, tmp_path).read_bytes())
    parsed = subject.parse([NamedBlob("source.keras", content)], {})
    model = load_model(subject.store.open(parsed), subject.store)
    pipeline.recover(pipeline.simplify(model))
    assert list(model.scopes.values()).count(block) == uses
    put = subject.store.put_bytes
    files = subject.emit(put(serde.dump_bytes(model, put, OPSET)))
    code = bytes(subject.store.open(files[0].blob)).decode()
    assert code.count(f"\ndef {block}") == kinds
    assert len(code.splitlines()) <= lines
    (found,) = subject.run(files, {"input_layer": image}).values()
    assert not difference(np.asarray(source(image, training=False)), found, 1e-5)
