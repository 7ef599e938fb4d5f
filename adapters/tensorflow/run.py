"""Runs Keras models and SavedModels, and takes tensors to TensorFlow and back."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from adapters.tensorflow.files import is_hdf5, load, model_file
from adapters.tensorflow.hdf5 import save_as_keras
from adapters.tensorflow.names import input_names
from adapters.tensorflow.saved import graph_file, is_frozen
from adapters.tensorflow.saved.frozen import graph_of, inputs_of, outputs_of
from adapters.tensorflow.saved.model import by_number, choose, meta_graph
from ir_hub.sdk.adapter import Files, SourceFile
from ir_hub.sdk.errors import BadModel, BadRequest, RunFailed

Array = np.ndarray[Any, Any]


def run(
    files: Files, inputs: Mapping[str, Array], scratch: Path, threads: int, signature: str
) -> dict[str, Array]:
    """The outputs by name, of the Keras model, the SavedModel or the graph among the files.

    `signature` is the SavedModel's that is run, "" its usual one.

    Raises:
        BadModel: there is neither, or it can't be loaded.
        BadRequest: the inputs aren't the model's.
        RunFailed: the model failed.
    """
    _set_threads(threads)
    graph = graph_file(files)
    if graph is not None and is_frozen(files, graph):
        return _run_graph(bytes(files.open_blob(graph.blob)), graph.name, inputs)
    if graph is not None:
        meta_graph(files, graph)  # refuses what does more than compute
        folder = _unpacked(files, PurePosixPath(graph.name).parent, scratch)
        return _run_saved(folder, signature, inputs)
    file = model_file(files)
    if file is not None:
        return run_keras(_keras_file(files, file, scratch), inputs)
    given = ", ".join(file.name for file in files.files)
    raise BadModel(f"there is no Keras model and no SavedModel among {given}")


def _keras_file(files: Files, file: SourceFile, scratch: Path) -> Path:
    """A model's file as Keras 3 opens it: by the suffix, which a store's names haven't, and not as
    HDF5, of which it opens few of Keras 2."""
    path = scratch / "model.keras"
    if is_hdf5(files, file):
        model = load(files)
        save_as_keras(model.config, model.weights, path)
    else:
        path.symlink_to(file.path.absolute())
    return path


def run_keras(path: Path, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """The outputs of a Keras model, which is loaded without running any code in it."""
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises anything
        raise RunFailed(f"Keras can't load the model: {_said(error)}") from error
    tensors = [tf.constant(inputs[name]) for name in in_order(model.inputs, inputs)]
    try:
        results = model(tensors if len(tensors) > 1 else tensors[0], training=False)
    except Exception as error:
        raise RunFailed(f"Keras can't run the model: {_said(error)}") from error
    return named(model, results)


def named(model: Any, results: Any) -> dict[str, Array]:
    """A model's results by the names of its outputs."""
    flat = keras.tree.flatten(results)
    names: list[str] = []
    for name in output_names(model):
        while name in names:
            name += "_"
        names.append(name)
    return {name: np.asarray(value) for name, value in zip(names, flat, strict=True)}


def output_names(model: Any) -> list[str]:
    """What Keras calls a model's outputs: as the layers that give them."""
    if isinstance(model, keras.Sequential):
        return [model.layers[-1].name]
    return list(model.output_names)


def in_order(tensors: Sequence[Any], inputs: Mapping[str, Array]) -> list[str]:
    """The given names in the order of a model's inputs.

    Raises:
        BadRequest: they aren't the names of its inputs.
    """
    wanted = [tensor.name.partition(":")[0] for tensor in tensors]
    if sorted(wanted) == sorted(inputs):
        return wanted
    written = dict(zip(input_names(list(inputs)), inputs, strict=True))
    if sorted(wanted) != sorted(written):
        raise BadRequest(f"the model's inputs are {wanted}, not {sorted(inputs)}")
    return [written[name] for name in wanted]


def _unpacked(files: Files, folder: PurePosixPath, scratch: Path) -> Path:
    """The files below a folder, by their names again."""
    saved = scratch / "saved_model"
    for file in files.files:
        name = PurePosixPath(file.name)
        if name.is_relative_to(folder) and ".." not in name.parts:
            target = saved / name.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file.path, target)
    return saved


def _run_saved(folder: Path, signature: str, inputs: Mapping[str, Array]) -> dict[str, Array]:
    try:
        loaded = tf.saved_model.load(str(folder))
    except Exception as error:
        raise RunFailed(f"TensorFlow can't load the model: {_said(error)}") from error
    function = loaded.signatures[choose(list(loaded.signatures), signature)]
    specs = function.structured_input_signature[1]
    order = in_order(list(specs.values()), inputs)
    given = {key: tf.constant(inputs[name]) for key, name in zip(specs, order, strict=True)}
    try:
        results = function(**given)
    except Exception as error:
        raise RunFailed(f"TensorFlow can't run the model: {_said(error)}") from error
    return {name: np.asarray(results[name]) for name in sorted(results, key=by_number)}


def _run_graph(data: bytes, name: str, inputs: Mapping[str, Array]) -> dict[str, Array]:
    graph = graph_of(data, name)
    order = [port.name for port in inputs_of(graph)]
    if sorted(order) != sorted(inputs):
        raise BadRequest(f"the model's inputs are {order}, not {sorted(inputs)}")
    outputs = [port.name for port in outputs_of(graph)]
    try:
        wrapped = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(graph, name=""), [])
        pruned = wrapped.prune([f"{key}:0" for key in order], [f"{key}:0" for key in outputs])
        results = pruned(*(tf.constant(inputs[key]) for key in order))
    except Exception as error:
        raise RunFailed(f"TensorFlow can't run the graph: {_said(error)}") from error
    return {key: np.asarray(value) for key, value in zip(outputs, results, strict=True)}


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:500]


def _set_threads(count: int) -> None:
    """TensorFlow takes these only before its first op; later calls leave them as they are."""
    try:
        tf.config.threading.set_intra_op_parallelism_threads(count)
        tf.config.threading.set_inter_op_parallelism_threads(count)
    except RuntimeError:
        return
