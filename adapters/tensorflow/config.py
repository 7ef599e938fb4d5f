"""A Keras model's config as data: its layers, how they are called, what they are called with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from adapters.tensorflow.dtypes import dtype_named
from ir_hub.sdk.errors import BadModel

Key = tuple[str, int, int]  # a layer's name, which call of it, which of its results
_MODELS = ("Functional", "Sequential", "Model")
_LAYER_MODULES = ("keras.layers", "keras.src.layers", "keras.models", "keras.src.models", "keras")
# Layers that Keras' own networks bring with them.
_OF_NETWORKS = (
    ("keras.src.applications.convnext", "LayerScale"),
    ("keras.src.applications.convnext", "StochasticDepth"),
    ("keras.src.applications.inception_resnet_v2", "CustomScaleLayer"),
)
EXPORT = "give the SavedModel that model.export('folder') writes, which holds its graph"
_MOST_RESULTS = 1000  # of one call


@dataclass(frozen=True)
class Input:
    """Stands for a tensor among a call's arguments: which of the node's inputs it is."""

    index: int


@dataclass
class Call:
    """A call of a layer that waits for its arguments."""

    layer: Mapping[str, Any]
    number: int
    args: Any
    kwargs: Any
    needs: list[Key] = field(default_factory=list)
    results: int = 1  # as far as others read them


def local_name(name: str, scope: str) -> str:
    """A layer's name without the path of the model that it is in, if it carries that."""
    return name.removeprefix(f"{scope}.") or name


def is_model(layer: Mapping[str, Any]) -> bool:
    module = str(layer.get("module", ""))
    own = module == "keras" or module.startswith(
        ("keras.models", "keras.src.models", "keras.src.engine")
    )
    config = layer.get("config")
    whole = isinstance(config, dict) and isinstance(config.get("layers"), list)
    return layer.get("class_name") in _MODELS and own and whole


def is_op(layer: Mapping[str, Any]) -> bool:
    module = str(layer.get("module", ""))
    return module.startswith(("keras.src.ops", "keras.ops"))


def refusal(layer: Mapping[str, Any]) -> str:
    """Why a layer can't be read whatever its type; empty if it may be."""
    module, name = str(layer.get("module")), str(layer.get("class_name"))
    if name == "Lambda":
        return f"a Lambda layer holds code of Python, which is never run: {EXPORT}"
    own = is_op(layer) or module in _LAYER_MODULES or module.startswith("keras.src.layers.")
    if not own and (module, name) not in _OF_NETWORKS:
        custom = layer.get("registered_name") or name
        return f"{custom!r} is a custom object, whose code isn't in the file: {EXPORT}"
    return ""


def functional(layer: Mapping[str, Any]) -> dict[str, Any]:
    """The config of a model; a sequential one as the functional one that it stands for."""
    config: dict[str, Any] = layer["config"]
    if layer["class_name"] != "Sequential":
        return config
    layers = [dict(inner) for inner in config["layers"] if isinstance(inner, dict)]
    if not layers or layers[0].get("class_name") != "InputLayer":
        shape = config.get("build_input_shape") or (
            layers and layers[0]["config"].get("batch_shape")
        )
        if not shape:
            raise BadModel("a sequential model doesn't say of which shape its input is: build it")
        name = f"{config.get('name', 'sequential')}_input"
        layers.insert(0, {"class_name": "InputLayer", "module": "keras.layers", "name": name,
                          "config": {"name": name, "batch_shape": list(shape)}})  # fmt: skip
    before = None
    for inner in layers:
        inner.setdefault("name", inner["config"].get("name"))
        inner["inbound_nodes"] = []
        if before is not None:
            tensor = {"class_name": "__keras_tensor__", "config": {"keras_history": [before, 0, 0]}}
            inner["inbound_nodes"] = [{"args": [tensor], "kwargs": {}}]
        before = inner["name"]
    ends = {"input_layers": [layers[0]["name"], 0, 0], "output_layers": [before, 0, 0]}
    return {**config, "layers": layers, **ends}


def inputs_of(config: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """A model's input layers, in the order in which it is called."""
    layers = {str(layer.get("name")): layer for layer in config["layers"]}
    found = []
    for entry in _entries(config.get("input_layers")):
        name = _key(entry)[0]
        if name not in layers:
            raise BadModel(f"the model's input {name} is none of its layers")
        found.append((name, layers[name]))
    return found


def outputs_of(config: Mapping[str, Any]) -> list[Key]:
    """The tensors that a model returns. Here alone Keras counts the calls of models from 1."""
    nested = {str(inner.get("name")) for inner in config["layers"]
              if inner.get("class_name") == "Functional"}  # fmt: skip
    found = [_key(entry) for entry in _entries(config.get("output_layers"))]
    return [(n, call - 1 if n in nested and call else call, result) for n, call, result in found]


def _entries(nested: Any) -> list[Any]:
    """The [name, call, result] of a nested structure, in order."""
    if isinstance(nested, list) and len(nested) == 3 and isinstance(nested[0], str):
        return [nested]
    items = _in_order(nested) if isinstance(nested, dict) else nested
    if not isinstance(nested, list | dict):
        raise BadModel("the model doesn't say what its inputs and outputs are")
    return [entry for item in items for entry in _entries(item)]


def _key(entry: Any) -> Key:
    try:
        name, call, result = entry
        return str(name), int(call), int(result)
    except (TypeError, ValueError) as error:
        raise BadModel(f"the model refers to a tensor as {entry!r}") from error


def calls_of(layers: list[Any], wanted: list[Key]) -> list[Call]:
    """Every call of every layer; `wanted` are the results that the model returns."""
    calls = list(_each_call(layers))
    counts: dict[tuple[str, int], int] = {}
    for name, number, result in [*wanted, *(key for call in calls for key in call.needs)]:
        if not 0 <= result < _MOST_RESULTS:
            raise BadModel(f"the model refers to the result {result} of {name}")
        counts[name, number] = max(counts.get((name, number), 1), result + 1)
    for call in calls:
        call.results = counts.get((str(call.layer.get("name")), call.number), 1)
    return calls


def _each_call(layers: list[Any]) -> Iterator[Call]:
    for layer in layers:
        nodes = layer.get("inbound_nodes", []) if isinstance(layer, dict) else None
        if not isinstance(nodes, list) or not isinstance(layer.get("config") or {}, dict):
            raise BadModel("a layer of the model isn't described as one")
        for number, node in enumerate(nodes):
            if not isinstance(node, dict):
                raise BadModel(
                    f"the layer {layer.get('name')} is called as in Keras 2: load the model with "
                    "Keras 3, and save it again"
                )
            call = Call(layer, number, node.get("args", []), node.get("kwargs", {}))
            call.needs = [*histories(call.args), *histories([*call.kwargs.values()])]
            yield call


def histories(nested: Any) -> Iterator[Key]:
    """The tensors among arguments, in order."""
    if isinstance(nested, dict):
        if nested.get("class_name") == "__keras_tensor__":
            yield _key(nested["config"]["keras_history"])
            return
        nested = _in_order(nested)
    if isinstance(nested, list):
        for item in nested:
            yield from histories(item)


def _in_order(nested: Mapping[str, Any]) -> list[Any]:
    """What a dictionary holds, as Keras flattens it: by key."""
    return [nested[key] for key in sorted(nested)]


def placed(nested: Any, numbers: Iterator[int]) -> Any:
    """Arguments with tensors as Input, arrays as arrays, slices as slices."""
    if isinstance(nested, list):
        return tuple(placed(item, numbers) for item in nested)
    if not isinstance(nested, dict):
        return nested
    config = nested.get("config")
    match nested.get("class_name"):
        case "__keras_tensor__":
            return Input(next(numbers))
        case "__numpy__" | "__tensor__":
            return np.asarray(config["value"], dtype_named(config["dtype"], "a constant").numpy)
        case "__slice__":
            return slice(*(config[part] for part in ("start", "stop", "step")))
        case "__tuple__":
            return tuple(placed(item, numbers) for item in nested["items"])
        case "__ellipsis__":
            return ...
    return {key: placed(nested[key], numbers) for key in sorted(nested)}


def groups_of(layers: list[Any], group: str) -> dict[str, str]:
    """The group of each layer's weights: called by the layer's class, and numbered."""
    counts: dict[str, int] = {}
    found: dict[str, str] = {}
    for layer in layers:
        if is_op(layer):
            continue
        name = snake(_RENAMED.get(layer.get("class_name", ""), str(layer.get("class_name"))))
        number = counts.get(name, 0)
        counts[name] = number + 1
        own = f"layers/{name}_{number}" if number else f"layers/{name}"
        found[str(layer.get("name"))] = f"{group}/{own}".strip("/")
    return found


# Classes that Keras exports by another name than their own.
_RENAMED = {"GroupQueryAttention": "GroupedQueryAttention"}


def snake(name: str) -> str:
    """A class's name as Keras writes it in paths."""
    words = re.sub(r"\W+", "", name)
    words = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", words)
    return re.sub("([a-z])([A-Z])", r"\1_\2", words).lower()
