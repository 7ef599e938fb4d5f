"""Whole models in HDF5 files, of Keras 2 and 3: they mean what the Keras that wrote them computes.

`keras2.h5` was written by tf_keras 2.21; what that computed of some inputs is in it too.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from adapters.tensorflow.adapter import TensorFlowAdapter
from adapters.tensorflow.tests.models import inputs_of, made, outputs_of
from ir_hub.sdk.client import NamedBlob
from ir_hub.sdk.conformance import difference
from ir_hub.sdk.errors import BadModel, UnsupportedNodes
from ir_hub.sdk.stages import load_model
from ir_hub.sdk.subject import InProcess
from ir_hub.simplify import reference

ADAPTER = TensorFlowAdapter()
ADAPTER.warm()
_KERAS_2 = Path(__file__).with_name("keras2.h5")


def _check(path: Path, inputs: dict[str, Any], wanted: list[Any], tmp_path: Path) -> None:
    """Both the graph that is read and the runtime give what is wanted."""
    subject = InProcess(ADAPTER, tmp_path / "store")
    file = NamedBlob(path.name, subject.store.put_bytes(path.read_bytes()))
    model = load_model(subject.store.open(subject.parse([file], {})), subject.store)
    assert [value.name for value in model.graph.inputs] == list(inputs)
    for found in (reference.run(model, list(inputs.values())),
                  list(subject.run([file], inputs).values())):  # fmt: skip
        problems = [difference(ours, theirs, 1e-5)
                    for ours, theirs in zip(wanted, found, strict=True)]  # fmt: skip
        assert not any(problems), problems


@pytest.mark.parametrize(
    "name",
    ["conv_flatten_dense", "nested_model", "shared_layer", "two_inputs", "two_outputs", "lstm",
     "gru", "separable", "depthwise_relu6", "attention", "leaky_relu_and_prelu"],
)  # fmt: skip
def test_files_of_keras_3(name: str, tmp_path: Path) -> None:
    source = made(name)
    inputs = inputs_of(source)
    source.save(tmp_path / "model.h5")
    _check(tmp_path / "model.h5", inputs, outputs_of(source, inputs), tmp_path)


def test_file_of_keras_2(tmp_path: Path) -> None:
    """Models in it that are called several times, frozen ones, operators, states, both ways, heads,
    names with slashes, and settings that Keras 3 spells otherwise."""
    with h5py.File(_KERAS_2) as opened:
        inputs = {name: data[()] for name, data in opened["expected/inputs"].items()}
        wanted = [data[()] for _, data in sorted(opened["expected/outputs"].items())]
    _check(_KERAS_2, inputs, wanted, tmp_path)


def _parse(path: Path, tmp_path: Path) -> None:
    subject = InProcess(ADAPTER, tmp_path / "store")
    subject.parse([NamedBlob(path.name, subject.store.put_bytes(path.read_bytes()))], {})


def test_weights_alone(tmp_path: Path) -> None:
    made("mlp").save_weights(tmp_path / "mlp.weights.h5")
    with pytest.raises(BadModel, match="holds no whole model, but weights"):
        _parse(tmp_path / "mlp.weights.h5", tmp_path)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.95])
def test_truncated(part: float, tmp_path: Path) -> None:
    whole = _KERAS_2.read_bytes()
    (tmp_path / "cut.h5").write_bytes(whole[: int(len(whole) * part)])
    with pytest.raises(BadModel, match="cut off"):
        _parse(tmp_path / "cut.h5", tmp_path)


def test_lambda_is_never_run(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    path = str(ran)
    x = keras.Input((4,), name="x")
    source = keras.Model(x, layers.Lambda(lambda t: (Path(path).touch(), t)[1])(x))
    source.save(tmp_path / "lambda.h5")
    ran.unlink()
    with pytest.raises(UnsupportedNodes, match="Lambda layer holds code"):
        _parse(tmp_path / "lambda.h5", tmp_path)
    subject = InProcess(ADAPTER, tmp_path / "store")
    file = NamedBlob("lambda.h5", subject.store.put_bytes((tmp_path / "lambda.h5").read_bytes()))
    with pytest.raises(Exception, match="Keras can't load the model"):
        subject.run([file], {"x": np.zeros((1, 4), np.float32)})
    assert not ran.exists()


def _without_a_weight(opened: h5py.File) -> None:
    del opened["model_weights/dense/dense/kernel"]


def _with_a_link(opened: h5py.File) -> None:
    opened["model_weights/dense/link"] = h5py.ExternalLink("/etc/passwd", "/")


def _with_another_hard_sigmoid(opened: h5py.File) -> None:
    opened.attrs["keras_version"] = "2.11.0"
    config = opened.attrs["model_config"]
    opened.attrs["model_config"] = config.replace(
        '"activation": "relu"', '"activation": "hard_sigmoid"'
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_without_a_weight, "can't be read, or is cut off: 'dense/dense/kernel'"),
        (_with_a_link, "dense/link in its weights is a link"),
        (_with_another_hard_sigmoid, r"hard_sigmoid, which is 0\.2 x \+ 0\.5 in Keras 2\.11"),
    ],
)
def test_bad_files(change: Callable[[h5py.File], None], reason: str, tmp_path: Path) -> None:
    keras.utils.clear_session()
    x = keras.Input((4,), name="x")
    path = tmp_path / "model.h5"
    keras.Model(x, layers.Dense(3, activation="relu")(x)).save(path)
    with h5py.File(path, "r+") as opened:
        change(opened)
    with pytest.raises(BadModel, match=reason):
        _parse(path, tmp_path)


def test_several_models(tmp_path: Path) -> None:
    subject = InProcess(ADAPTER, tmp_path / "store")
    blob = subject.store.put_bytes(_KERAS_2.read_bytes())
    files = [NamedBlob(name, blob) for name in ("a.h5", "b.keras")]
    with pytest.raises(BadModel, match=r"there are 2 models, of which one has to be given: a\.h5"):
        subject.parse(files, {})
    with pytest.raises(BadModel, match="there are 2 models"):
        subject.run(files, {})
