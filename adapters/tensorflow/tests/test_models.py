"""Keras models, read by layers: they mean what Keras computes, and so does what is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from adapters.tensorflow.adapter import TensorFlowAdapter
from adapters.tensorflow.files import load
from adapters.tensorflow.tests.models import MODELS, inputs_of, made, outputs_of, saved
from adapters.tensorflow.tests.saved_nets import files_in
from adapters.tensorflow.walk import walk
from ir_hub.ir.graph import Model
from ir_hub.sdk.client import NamedBlob
from ir_hub.sdk.conformance import difference
from ir_hub.sdk.source import read
from ir_hub.sdk.stages import load_model
from ir_hub.sdk.subject import InProcess
from ir_hub.simplify import reference

ADAPTER = TensorFlowAdapter()
ADAPTER.warm()
TOLERANCE = 1e-5  # of the greatest element of an output


def _parsed(subject: InProcess, path: Path) -> tuple[Any, Model]:
    blob = subject.store.put_bytes(path.read_bytes())
    found = subject.parse([NamedBlob(path.name, blob)], {})
    return found, load_model(subject.store.open(found), subject.store)


def _check(wanted: list[Any], found: list[Any], tolerance: float = TOLERANCE) -> None:
    assert len(wanted) == len(found)
    problems = [
        difference(ours, theirs, tolerance) for ours, theirs in zip(wanted, found, strict=True)
    ]
    assert not any(problems), problems


@pytest.mark.parametrize("name", MODELS)
def test_model(name: str, tmp_path: Path) -> None:
    """Source, reference runtime, written model, and that one read again compute the same."""
    source = made(name)
    inputs = inputs_of(source)
    wanted = outputs_of(source, inputs)
    subject = InProcess(ADAPTER, tmp_path / "store")
    ir, model = _parsed(subject, saved(source, tmp_path))
    assert all(value.type is not None for value in model.graph.outputs)
    _check(wanted, reference.run(model, list(inputs.values())))
    given = NamedBlob(
        "source.keras", subject.store.put_bytes((tmp_path / "source.keras").read_bytes())
    )
    _check(wanted, list(subject.run([given], inputs).values()), 1e-6)
    files = subject.emit(ir)
    _check(wanted, list(subject.run(files, inputs).values()))
    other_batch = {name: array[:1] for name, array in inputs.items()}
    _check([array[:1] for array in wanted], list(subject.run(files, other_batch).values()))
    written = next(file for file in files if file.name.endswith(".keras"))
    again = load_model(subject.store.open(subject.parse([written], {})), subject.store)
    _check(wanted, reference.run(again, list(inputs.values())))


@pytest.mark.parametrize("name", ["nested_model", "gru", "shared_layer", "attention"])
def test_written_code_stands_alone(name: str, tmp_path: Path) -> None:
    """The code builds the model and loads its weights, with nothing but Keras."""
    source = made(name)
    inputs = inputs_of(source)
    wanted = outputs_of(source, inputs)
    subject = InProcess(ADAPTER, tmp_path / "store")
    ir, _ = _parsed(subject, saved(source, tmp_path))
    for file in subject.emit(ir):
        (tmp_path / file.name).write_bytes(subject.store.open(file.blob))
    code = (tmp_path / "model.py").read_text()
    assert "irhub" not in code.partition("\n")[2]
    namespace: dict[str, Any] = {"__name__": "model", "__file__": str(tmp_path / "model.py")}
    exec(compile(code, "model.py", "exec"), namespace)
    rebuilt = namespace["load"](tmp_path / "model.keras")
    _check(wanted, outputs_of(rebuilt, inputs))
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    _check(wanted, outputs_of(again, inputs))


def test_weights_are_pointed_to(tmp_path: Path) -> None:
    """Parsing copies no weights: they lie in the source file's own blob."""
    subject = InProcess(ADAPTER, tmp_path / "store")
    path = saved(made("conv_flatten_dense"), tmp_path)
    _, model = _parsed(subject, path)
    size = path.stat().st_size
    blobs = {value.data.blob.size for value in model.graph.constants()}  # type: ignore[union-attr]
    assert blobs == {size}


def test_scopes_and_training_settings_survive(tmp_path: Path) -> None:
    """Layers' names are scopes, nested ones dotted; dropout, momentum and epsilon are kept."""
    subject = InProcess(ADAPTER, tmp_path / "store")
    _, nested = _parsed(subject, saved(made("nested_model"), tmp_path))
    assert {"stem.conv", "stem.bn", "head.dense"} <= nested.scopes.keys()
    assert nested.scopes["stem"] == "stem"
    ir, _ = _parsed(subject, saved(made("depthwise_relu6"), tmp_path))
    code = bytes(subject.store.open(subject.emit(ir)[0].blob)).decode()
    assert "momentum=0.9, epsilon=0.0001" in code
    ir, _ = _parsed(subject, saved(made("dropout"), tmp_path))
    assert "layers.Dropout(0.3" in bytes(subject.store.open(subject.emit(ir)[0].blob)).decode()


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.Dropout(0.3, noise_shape=(None, 1, 4)),
        keras.layers.AlphaDropout(0.3, noise_shape=(None, 1, 4)),
        keras.layers.SpatialDropout1D(0.3),
        keras.layers.GaussianNoise(0.3),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_what_acts_in_training_in_a_way_of_its_own_is_noted(
    layer: keras.Layer, tmp_path: Path
) -> None:
    x = keras.Input((7, 4), name="x")
    saved(keras.Model(x, keras.layers.ReLU()(layer(x))), tmp_path)
    graph = walk(load(files_in(tmp_path)), {})
    model = read(graph, ADAPTER.dialect())
    assert [node.op for node in model.graph.nodes] == ["identity", "relu"]
    (note,) = graph.notes
    assert note.startswith(f"{layer.name} ({type(layer).__name__}): it acts in training alone")


def test_training_step_gives_the_source_gradients(tmp_path: Path) -> None:
    """One step from the same weights moves them as the source's would."""
    import tensorflow as tf

    source = made("depthwise_relu6")
    inputs = inputs_of(source)
    subject = InProcess(ADAPTER, tmp_path / "store")
    ir, _ = _parsed(subject, saved(source, tmp_path))
    written = next(file for file in subject.emit(ir) if file.name.endswith(".keras"))
    (tmp_path / "model.keras").write_bytes(subject.store.open(written.blob))
    target = keras.saving.load_model(tmp_path / "model.keras")
    found = []
    for each in (source, target):
        with tf.GradientTape() as tape:
            y = each(inputs["x"], training=True)
            loss = keras.ops.mean(keras.ops.square(y - 0.3))
        gradients = tape.gradient(loss, each.trainable_variables)
        found.append([*map(np.asarray, gradients), *map(np.asarray, each.non_trainable_variables)])
    _check(found[0], found[1], 1e-4)
