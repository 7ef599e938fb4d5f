"""Layers of Keras with settings that change what they compute: they mean what Keras computes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from adapters.tensorflow.adapter import TensorFlowAdapter
from adapters.tensorflow.tests.models import inputs_of, outputs_of, randomise, saved
from ir_hub.sdk.client import NamedBlob
from ir_hub.sdk.conformance import difference
from ir_hub.sdk.errors import UnsupportedNodes
from ir_hub.sdk.stages import load_model
from ir_hub.sdk.subject import InProcess
from ir_hub.simplify import reference

ADAPTER = TensorFlowAdapter()
ADAPTER.warm()
Apply = Callable[..., Any]
_IMAGE, _STEPS, _ROW = (7, 6, 3), (5, 3), (6,)

# A name, the sizes of the inputs, and what is made of them.
LAYERS: list[tuple[str, list[tuple[int, ...]], Apply]] = [
    *[(f"activation_{name}", [_ROW], lambda x, name=name: layers.Activation(name)(x))
      for name in ("hard_tanh", "sparse_sigmoid", "log_sigmoid", "tanh_shrink", "hard_shrink",
                   "soft_shrink", "squareplus", "glu", "celu", "hard_swish")],
    ("activation_layer", [_IMAGE], lambda x: layers.Conv2D(4, 3, activation=layers.ReLU(0.5))(x)),
    ("relu_slope_highest", [_ROW],
     lambda x: layers.ReLU(max_value=0.4, negative_slope=0.1)(x)),
    ("relu_threshold", [_ROW],
     lambda x: layers.ReLU(max_value=0.9, negative_slope=0.2, threshold=0.3)(x)),
    ("softmax_axes", [_STEPS], lambda x: layers.Softmax(axis=(1, 2))(x)),
    ("softmax_mask", [_ROW, _ROW], lambda x, y: layers.Softmax()(x, mask=y > 0)),
    ("layer_norm_axes", [_IMAGE], lambda x: layers.LayerNormalization(axis=[1, 3])(x)),
    ("unit_norm", [_STEPS], lambda x: layers.UnitNormalization(axis=(1, 2))(x)),
    ("spectral_norm", [_IMAGE], lambda x: layers.SpectralNormalization(layers.Conv2D(4, 3))(x)),
    ("einsum_matrix", [_STEPS],
     lambda x: layers.EinsumDense("abc,cde->abde", (None, 4, 2), bias_axes="de")(x)),
    ("einsum_rest", [_STEPS], lambda x: layers.EinsumDense("...x,xy->...y", 4, bias_axes="y")(x)),
    ("einsum_other", [_STEPS], lambda x: layers.EinsumDense("abc,bd->adc", (4, 3))(x)),
    ("embedding_of_floats", [_ROW], lambda x: layers.Embedding(9, 4)(x * x)),
    ("transposed_dilated", [_IMAGE], lambda x: layers.Conv2DTranspose(4, 3, dilation_rate=2)(x)),
    *[(f"transposed_{padding}_{extra}", [_IMAGE], lambda x, padding=padding, extra=extra:
       layers.Conv2DTranspose(4, 3, strides=2, padding=padding, output_padding=extra)(x))
      for padding in ("same", "valid") for extra in (None, 0, 1)],
    ("adaptive_pool", [_IMAGE], lambda x: layers.AdaptiveAveragePooling2D((1, 3))(x)),
    ("center_crop", [_IMAGE], lambda x: layers.CenterCrop(4, 4)(x)),
    ("resizing_cropped", [_IMAGE], lambda x: layers.Resizing(4, 5, crop_to_aspect_ratio=True)(x)),
    ("random", [_IMAGE], lambda x: layers.RandomRotation(0.2)(layers.RandomFlip()(x))),
    ("normalization_back", [_STEPS],
     lambda x: layers.Normalization(mean=[1, 2, 3], variance=[1, 4, 9], invert=True)(x)),
    *[(f"bins_{mode}", [_ROW], lambda x, mode=mode:
       layers.Discretization([-1.0, 0.0, 0.5], output_mode=mode)(x))
      for mode in ("int", "one_hot", "multi_hot", "count")],
    *[(f"lookup_{mode}", [_ROW], lambda x, mode=mode:
       layers.IntegerLookup(vocabulary=[0, 2, 1], output_mode=mode)(keras.ops.floor(x)))
      for mode in ("int", "multi_hot", "count")],
    ("categories", [_ROW], lambda x: layers.CategoryEncoding(9, output_mode="count")(x * x)),
    *[(f"join_{kind.__name__}", [_STEPS, (3,)], lambda x, y, kind=kind: kind()([x, y]))
      for kind in (layers.Add, layers.Subtract, layers.Multiply, layers.Average, layers.Maximum)],
    ("dot_matrix_row", [_STEPS, (3,)], lambda x, y: layers.Dot((2, 1))([x, y])),
    ("dot_of_four_axes", [(2, 5, 3), (2, 4, 3)], lambda x, y: layers.Dot(3)([x, y])),
    *[(f"both_ways_{mode}", [_STEPS], lambda x, mode=mode: layers.Bidirectional(
        layers.LSTM(4, return_sequences=True), merge_mode=mode)(x))
      for mode in ("sum", "mul", "ave", None)],
    ("both_ways_of_their_own", [_STEPS], lambda x: layers.Bidirectional(
        layers.GRU(4, return_state=True),
        backward_layer=layers.GRU(5, go_backwards=True, return_state=True))(x)),
    ("both_ways_states", [_STEPS], lambda x: layers.Bidirectional(
        layers.LSTM(4, return_sequences=True, return_state=True))(x)),
    ("recurrent_linear", [_STEPS], lambda x: layers.SimpleRNN(4, activation="linear")(x)),
    ("recurrent_hard", [_STEPS], lambda x: layers.LSTM(4, recurrent_activation="hard_sigmoid")(x)),
    ("cell", [_STEPS], lambda x: layers.RNN(layers.GRUCell(4), return_sequences=True)(x)),
    ("cells", [_STEPS], lambda x: layers.RNN(
        [layers.LSTMCell(4), layers.LSTMCell(3)], go_backwards=True, return_sequences=True)(x)),
    ("steps_of_images", [(2, *_IMAGE)], lambda x: layers.TimeDistributed(
        layers.Conv2D(4, 3, activation="relu"))(x)),
    ("steps_of_rows", [(2, *_STEPS)], lambda x: layers.TimeDistributed(layers.Dense(4))(x)),
    ("steps_of_sequences", [(2, *_STEPS)], lambda x: layers.TimeDistributed(layers.LSTM(4))(x)),
    ("steps_of_a_model", [(2, *_IMAGE)], lambda x: layers.TimeDistributed(keras.Sequential(
        [keras.Input(_IMAGE), layers.Conv2D(4, 3), layers.BatchNormalization(), layers.Flatten()],
    ))(x)),
    ("attention_scaled", [_STEPS, (4, 3)], lambda x, y: layers.Attention(use_scale=True)([x, y])),
    ("attention_causal", [_STEPS], lambda x: layers.Attention()(
        [x, x], use_causal_mask=True, return_attention_scores=True)),
    ("attention_of_sums", [_STEPS, (4, 3)],
     lambda x, y: layers.Attention(score_mode="concat")([x, y])),
    ("attention_additive", [_STEPS, (4, 3)], lambda x, y: layers.AdditiveAttention()([x, y])),
    *[(f"heads_masked_{rate}", [_STEPS, (5, 5)], lambda x, y, rate=rate: layers.MultiHeadAttention(
        2, 4, dropout=rate)(x, x, attention_mask=y > 0.8, use_causal_mask=True))
      for rate in (0.0, 0.2)],
    ("heads_weights", [_STEPS], lambda x: layers.MultiHeadAttention(2, 4)(
        x, x, return_attention_scores=True)),
    ("heads_grouped", [_STEPS], lambda x: layers.GroupQueryAttention(3, 4, 2)(x, x)),
]  # fmt: skip


def _read(source: keras.Model, tmp_path: Path) -> Any:
    subject = InProcess(ADAPTER, tmp_path / "store")
    path = saved(source, tmp_path)
    found = subject.parse([NamedBlob(path.name, subject.store.put_bytes(path.read_bytes()))], {})
    return load_model(subject.store.open(found), subject.store)


def _check(source: keras.Model, inputs: dict[str, Any], tmp_path: Path) -> None:
    wanted = outputs_of(source, inputs)
    found = reference.run(_read(source, tmp_path), list(inputs.values()))
    assert [array.dtype for array in found] == [array.dtype for array in wanted]
    problems = [difference(ours, theirs, 1e-5) for ours, theirs in zip(wanted, found, strict=True)]
    assert not any(problems), problems


def _model(sizes: list[tuple[int, ...]], apply: Apply) -> keras.Model:
    keras.utils.clear_session()
    inputs = [keras.Input(size, name=f"x{i}") for i, size in enumerate(sizes)]
    built = keras.Model(inputs, apply(*inputs))
    randomise(built)
    return built


@pytest.mark.parametrize(
    ("sizes", "apply"), [row[1:] for row in LAYERS], ids=[r[0] for r in LAYERS]
)
def test_layer(sizes: list[tuple[int, ...]], apply: Apply, tmp_path: Path) -> None:
    source = _model(sizes, apply)
    _check(source, inputs_of(source), tmp_path)


@pytest.mark.parametrize("name", ["LayerScale", "StochasticDepth", "CustomScaleLayer"])
def test_layers_of_keras_own_networks(name: str, tmp_path: Path) -> None:
    """Their code is known, though they aren't among the layers that Keras offers."""
    from keras.src.applications import convnext, inception_resnet_v2

    made: dict[str, Apply] = {
        "LayerScale": lambda x: convnext.LayerScale(1e-6, 3)(x),
        "StochasticDepth": lambda x: convnext.StochasticDepth(0.3)(x) + 1.0,
        "CustomScaleLayer": lambda x: inception_resnet_v2.CustomScaleLayer(0.3)([x, x * x]),
    }
    source = _model([_STEPS], made[name])
    _check(source, inputs_of(source), tmp_path)


@pytest.mark.parametrize("kind", [layers.Rescaling, layers.CenterCrop])
def test_bytes_become_floats(kind: type[keras.Layer], tmp_path: Path) -> None:
    x = keras.Input(_IMAGE, dtype="uint8", name="x")
    settings = {"scale": 1 / 255} if kind is layers.Rescaling else {"height": 4, "width": 5}
    source = keras.Model(x, kind(**settings)(x))
    rng = np.random.default_rng(5)
    _check(source, {"x": rng.integers(0, 256, (2, *_IMAGE)).astype("uint8")}, tmp_path)


@pytest.mark.parametrize("policy", ["mixed_float16", "float16", "bfloat16", "float64"])
def test_other_floats_become_float32(policy: str, tmp_path: Path) -> None:
    """As Keras makes of them when it loads the model, if its layers are said to compute in that."""
    x = keras.Input(_STEPS, name="x")
    source = keras.Model(x, layers.Dense(4, dtype=policy)(x))
    randomise(source)
    with pytest.raises(UnsupportedNodes, match=f"it computes in {policy}: set dtype_policy"):
        _read(source, tmp_path)
    source.layers[1].dtype_policy = "float32"
    loaded = keras.saving.load_model(saved(source, tmp_path))
    inputs = inputs_of(loaded)
    (found,) = reference.run(_read(source, tmp_path), list(inputs.values()))
    assert not difference(outputs_of(loaded, inputs)[0], found, 1e-5)


def test_inputs_by_name_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    """So Keras flattens a dictionary, however it was written."""
    a, b = keras.Input((4,), name="a"), keras.Input((3,), name="b")
    second, first = layers.Dense(2)(b), layers.Dense(2)(a)
    inner = keras.Model({"b": b, "a": a}, {"t": second, "s": first}, name="inner")
    x, y = keras.Input((4,), name="x"), keras.Input((3,), name="y")
    found = inner({"b": y, "a": x})
    source = keras.Model([x, y], layers.Subtract()([found["s"], found["t"]]))
    _check(source, inputs_of(source), tmp_path)


@pytest.mark.parametrize(
    ("apply", "reason"),
    [
        (lambda x: layers.TimeDistributed(layers.LSTM(4))(x, mask=x[:, :, 0, 0] > 0), "mask"),
        (lambda x: layers.LSTM(4)(x[:, 0], mask=x[:, 0, :, 0] > 0), "it is called with mask"),
        (lambda x: layers.AdaptiveMaxPooling1D(2)(x[:, 0]), "windows are of several sizes"),
        (lambda x: layers.Resizing(4, 4, interpolation="bicubic")(x), "TensorFlow rounds"),
        (lambda x: layers.CenterCrop(8, 9)(x), "the images are smaller"),
    ],
)
def test_what_is_refused(apply: Apply, reason: str, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedNodes, match=reason):
        _read(_model([(2, *_STEPS)], apply), tmp_path)
