"""Files that aren't whole models, or hold what can't be read: each is refused, and says why."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from adapters.tensorflow.adapter import TensorFlowAdapter
from adapters.tensorflow.tests.models import made, saved
from ir_hub.ir.types import DType, TensorType
from ir_hub.sdk.client import NamedBlob
from ir_hub.sdk.errors import AdapterError, BadModel, BadRequest, UnsupportedNodes
from ir_hub.sdk.subject import InProcess

ADAPTER = TensorFlowAdapter()
ADAPTER.warm()


def _parse(data: bytes, tmp_path: Path, inputs: Any = None) -> None:
    subject = InProcess(ADAPTER, tmp_path / "store")
    blob = subject.store.put_bytes(data)
    subject.parse([NamedBlob("model.keras", blob)], inputs or {})


def _members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _packed(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def _changed(path: Path, change: Callable[[dict[str, Any]], None]) -> bytes:
    members = _members(path)
    config = json.loads(members["config.json"])
    change(config)
    members["config.json"] = json.dumps(config).encode()
    return _packed(members)


@pytest.fixture
def conv(tmp_path: Path) -> Path:
    return saved(made("conv_flatten_dense"), tmp_path)


@pytest.mark.parametrize("data", [b"", b"\x08\x09", b"PK\x03\x04" + b"\0" * 40])
def test_wrong_file_type(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(BadModel, match=r"is not a \.keras file, or is cut off"):
        _parse(data, tmp_path)


@pytest.mark.parametrize("part", [0.3, 0.9, 0.99])
def test_truncated(part: float, conv: Path, tmp_path: Path) -> None:
    whole = conv.read_bytes()
    with pytest.raises(BadModel, match="cut off"):
        _parse(whole[: int(len(whole) * part)], tmp_path)


def test_without_weights(conv: Path, tmp_path: Path) -> None:
    members = _members(conv)
    del members["model.weights.h5"]
    with pytest.raises(BadModel, match=r"has no model\.weights\.h5 in it"):
        _parse(_packed(members), tmp_path)


def test_weights_cut_off(conv: Path, tmp_path: Path) -> None:
    members = _members(conv)
    members["model.weights.h5"] = members["model.weights.h5"][:3000]
    with pytest.raises(BadModel, match=r"model\.weights\.h5"):
        _parse(_packed(members), tmp_path)


def test_a_layer_without_weights(conv: Path, tmp_path: Path) -> None:
    members = _members(conv)
    stream = io.BytesIO(members["model.weights.h5"])
    with h5py.File(stream, "r+") as opened:
        del opened["layers/dense"]
    members["model.weights.h5"] = stream.getvalue()
    with pytest.raises(BadModel, match=r"dense.*its weight 0 isn't in the file"):
        _parse(_packed(members), tmp_path)


def test_weights_of_a_layer_that_the_model_lacks(conv: Path, tmp_path: Path) -> None:
    members = _members(conv)
    stream = io.BytesIO(members["model.weights.h5"])
    with h5py.File(stream, "r+") as opened:
        opened["layers/dense_7/vars/0"] = np.zeros((3, 5), np.float32)
    members["model.weights.h5"] = stream.getvalue()
    with pytest.raises(BadModel, match=r"weights for layers/dense_7, which are no layers of"):
        _parse(_packed(members), tmp_path)


def test_a_weight_that_its_layer_lacks(conv: Path, tmp_path: Path) -> None:
    def change(config: dict[str, Any]) -> None:
        config["config"]["layers"][-1]["config"]["use_bias"] = False

    with pytest.raises(BadModel, match="has weights 1 for it that its settings don't have"):
        _parse(_changed(conv, change), tmp_path)


def test_pickle_is_never_opened(tmp_path: Path) -> None:
    weights = [np.asarray(weight) for weight in made("mlp").weights]
    with pytest.raises(BadModel, match=r"is a pickle, which runs as a program.* save the model"):
        _parse(pickle.dumps(weights), tmp_path)


def test_keras_2(conv: Path, tmp_path: Path) -> None:
    members = _members(conv)
    members["metadata.json"] = b'{"keras_version": "2.15.0", "date_saved": "2024-01-01@00:00:00"}'
    with pytest.raises(BadModel, match=r"was written by Keras 2\.15\.0, and Keras 3 is read"):
        _parse(_packed(members), tmp_path)


def test_shapes_of_graph_and_weights_differ(conv: Path, tmp_path: Path) -> None:
    def change(config: dict[str, Any]) -> None:
        config["config"]["layers"][-1]["config"]["units"] = 6

    with pytest.raises(
        BadModel, match=r"dense.*its weight 0 is \[\d+, 5\], its settings make it \[\d+, 6\]"
    ):
        _parse(_changed(conv, change), tmp_path)


def test_every_unsupported_layer_is_listed(conv: Path, tmp_path: Path) -> None:
    def change(config: dict[str, Any]) -> None:
        inner = config["config"]["layers"]
        inner[1]["class_name"] = "FrobnicateLayer"
        inner[3]["class_name"] = "Hashing"

    with pytest.raises(UnsupportedNodes) as caught:
        _parse(_changed(conv, change), tmp_path)
    said = str(caught.value)
    assert "FrobnicateLayer" in said
    assert "Hashing" in said


def test_lambda_is_never_run(tmp_path: Path) -> None:
    x = keras.Input((4,), name="x")
    ran = tmp_path / "ran"
    path = str(ran)
    model = keras.Model(x, layers.Lambda(lambda t: (Path(path).touch(), t)[1])(x))
    model.save(tmp_path / "lambda.keras")
    ran.unlink()
    with pytest.raises(UnsupportedNodes, match="Lambda layer holds code"):
        _parse((tmp_path / "lambda.keras").read_bytes(), tmp_path)
    assert not ran.exists()


def test_custom_object(tmp_path: Path) -> None:
    @keras.saving.register_keras_serializable("mine")
    class Doubled(layers.Layer):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return 2 * x

    x = keras.Input((4,), name="x")
    keras.Model(x, Doubled()(x)).save(tmp_path / "custom.keras")
    with pytest.raises(UnsupportedNodes, match="'mine>Doubled' is a custom object"):
        _parse((tmp_path / "custom.keras").read_bytes(), tmp_path)


def test_unknown_setting_is_refused(conv: Path, tmp_path: Path) -> None:
    def change(config: dict[str, Any]) -> None:
        config["config"]["layers"][-1]["config"]["turbo"] = 3

    with pytest.raises(UnsupportedNodes, match="its setting turbo = '3' isn't known"):
        _parse(_changed(conv, change), tmp_path)


def test_half_precision_policy_is_refused(conv: Path, tmp_path: Path) -> None:
    def change(config: dict[str, Any]) -> None:
        config["config"]["layers"][-1]["config"]["dtype"]["config"]["name"] = "mixed_float16"

    with pytest.raises(UnsupportedNodes, match="it computes in mixed_float16"):
        _parse(_changed(conv, change), tmp_path)


@pytest.mark.parametrize(
    ("layer", "change", "reason"),
    [
        (layers.Rescaling(2.0), {"config": {"scale": None}}, "given None where numbers belong"),
        (layers.Normalization(mean=1.0, variance=4.0), {"config": {"mean": 1.0}},
         "given None where numbers belong"),
        (layers.Discretization([0.0, 1.0]), {"config": {"bin_boundaries": [0.0, None]}},
         r"given \(0\.0, None\) where numbers belong"),
        (layers.Dense(3), {"config": "relu"}, "a layer of the model isn't described as one"),
        (layers.Dense(3), {"config": [1]}, "a layer of the model isn't described as one"),
        (lambda x: keras.ops.einsum("ij->i", x), {"inbound_nodes": [{"args": [1.0]}]},
         "it is called with 1 arguments"),
    ],
    ids=["scale", "variance", "boundaries", "text", "list", "no_tensor"],
)  # fmt: skip
def test_layers_that_make_no_sense(
    layer: Callable[[Any], Any], change: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    x = keras.Input((4,), name="x")
    keras.Model(x, layer(x)).save(tmp_path / "model.keras")
    data = _changed(
        tmp_path / "model.keras", lambda config: config["config"]["layers"][-1].update(change)
    )
    with pytest.raises((BadModel, UnsupportedNodes), match=reason):
        _parse(data, tmp_path)


def test_masks_are_refused(tmp_path: Path) -> None:
    x = keras.Input((4,), dtype="int32", name="ids")
    keras.Model(x, layers.Embedding(9, 3, mask_zero=True)(x)).save(tmp_path / "mask.keras")
    with pytest.raises(UnsupportedNodes, match="mask_zero"):
        _parse((tmp_path / "mask.keras").read_bytes(), tmp_path)


def test_link_out_of_the_weights(conv: Path, tmp_path: Path) -> None:
    members = _members(conv)
    stream = io.BytesIO(members["model.weights.h5"])
    with h5py.File(stream, "r+") as opened:
        del opened["layers/dense/vars/0"]
        opened["layers/dense/vars/0"] = h5py.ExternalLink("/etc/passwd", "/")
    members["model.weights.h5"] = stream.getvalue()
    with pytest.raises(BadModel, match="is a link"):
        _parse(_packed(members), tmp_path)


def test_archive_bomb(conv: Path, tmp_path: Path) -> None:
    members = _members(conv)
    members["config.json"] = b" " * (8 << 20)
    with pytest.raises(BadModel, match="packed too tightly"):
        _parse(_packed(members, zipfile.ZIP_DEFLATED), tmp_path)


def test_cycle(conv: Path, tmp_path: Path) -> None:
    def change(config: dict[str, Any]) -> None:
        last = config["config"]["layers"][-1]
        tensor = last["inbound_nodes"][0]["args"][0]
        tensor["config"]["keras_history"] = [last["name"], 0, 0]

    with pytest.raises(BadModel, match="wait for tensors that nothing computes"):
        _parse(_changed(conv, change), tmp_path)


def test_compressed_weights_are_read(conv: Path, tmp_path: Path) -> None:
    """A copy is the fall-back where bytes don't lie plainly in the file."""
    _parse(_packed(_members(conv), zipfile.ZIP_DEFLATED), tmp_path)


def test_given_type_of_an_input_that_is_not_there(conv: Path, tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="no input y; its inputs are x"):
        _parse(conv.read_bytes(), tmp_path, {"y": TensorType(DType.FLOAT32, (1,))})


def test_open_size_that_padding_depends_on(tmp_path: Path) -> None:
    x = keras.Input((None, None, 3), name="x")
    model = keras.Model(x, layers.Conv2D(4, 3, strides=2, padding="same")(x))
    model.save(tmp_path / "open.keras")
    data = (tmp_path / "open.keras").read_bytes()
    with pytest.raises(UnsupportedNodes, match="give the input's type"):
        _parse(data, tmp_path)
    _parse(data, tmp_path, {"x": TensorType(DType.FLOAT32, (1, 9, 8, 3))})


def test_run_with_other_inputs(conv: Path, tmp_path: Path) -> None:
    subject = InProcess(ADAPTER, tmp_path / "store")
    file = NamedBlob("model.keras", subject.store.put_bytes(conv.read_bytes()))
    with pytest.raises(BadRequest, match=r"the model's inputs are \['x'\], not \['z'\]"):
        subject.run([file], {"z": np.zeros((1, 11, 9, 3), np.float32)})
    with pytest.raises(AdapterError, match="Keras can't run the model"):
        subject.run([file], {"x": np.zeros((1, 2), np.float32)})
