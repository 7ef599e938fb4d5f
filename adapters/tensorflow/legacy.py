"""The configs of models in HDF5 files, of Keras 2 and 3, as Keras 3 has them in .keras files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ir_hub.sdk.errors import BadModel

Config = dict[str, Any]
_MODELS = ("Functional", "Sequential", "Model")
_RECURRENT = ("LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional")
# Settings that Keras 3 hasn't, and what they have to be for it to compute the same.
_GONE: dict[str, tuple[Any, ...]] = {
    "time_major": (False,),
    "implementation": (1, 2),
    "sparse": (False, None),
    "ragged": (False, None),
    "groups": (1,),
    "softmax_robust_masking": (False,),
}
_FOR_BUILDING = ("query_shape", "key_shape", "value_shape", "build_input_shape")
_ENDS = ("_initializer", "_regularizer", "_constraint")
# What Keras 2 made of the operators of Python.
_OPERATORS = {
    "math.add": "Add",
    "__operators__.add": "Add",
    "math.subtract": "Subtract",
    "math.multiply": "Multiply",
    "math.divide": "TrueDivide",
    "math.truediv": "TrueDivide",
}


def described(layer: Any, version: str) -> Config:
    """A layer or model as Keras 3 describes it: where its class is from, how it is called.

    Raises:
        BadModel: it isn't described as one, or Keras 3 would compute something else.
    """
    if not isinstance(layer, dict) or "class_name" not in layer:
        raise BadModel("a layer of the model isn't described as one")
    name, config = str(layer["class_name"]), layer.get("config") or {}
    if isinstance(config, list):  # a Sequential of Keras before 2.2
        config = {"name": "sequential", "layers": config}
    own = str(layer.get("name") or config.get("name"))
    calls = [_call(call, name) for call in layer.get("inbound_nodes") or []]
    if name == "TFOpLambda" and config.get("function") in _OPERATORS:
        name, config = _OPERATORS[config["function"]], {"name": own}
    module = _module(name, config)
    if name in _MODELS and isinstance(config.get("layers"), list):
        name = "Sequential" if name == "Sequential" else "Functional"
        config = _model(name, config, version)
    else:
        config = _settings(name, config, version)
    return {
        "class_name": name, "module": module, "registered_name": None, "name": own,
        "config": config, "inbound_nodes": calls,
    }  # fmt: skip


def _module(name: str, config: Config) -> str:
    """Where a class is from: what has a package in its name isn't Keras' own, and an op has no
    settings but its name."""
    if ">" in name:
        return "custom"
    if name in _MODELS:
        return "keras" if name == "Sequential" else "keras.src.models.functional"
    return "keras.layers" if "dtype" in config or "trainable" in config else "keras.src.ops.numpy"


def _settings(name: str, config: Config, version: str) -> Config:
    """A layer's settings in Keras 3's words."""
    found = {
        key: value
        for key, value in config.items()
        if not key.endswith(_ENDS) and key not in _FOR_BUILDING
    }
    if version.startswith("2") and "hard_sigmoid" in found.values():
        raise BadModel(
            f"{found.get('name')} ({name}) has the activation hard_sigmoid, which is 0.2 x + 0.5 "
            f"in Keras {version}, but x / 6 + 0.5 in Keras 3, which is read here"
        )
    found = {key: value for key, value in found.items() if value not in _GONE.get(key, ())}
    for part in ("layer", "backward_layer", "cell"):
        if isinstance(found.get(part), dict):
            found[part] = described(found[part], version)
    shape = found.pop("batch_input_shape", None)
    if name == "InputLayer" and shape is not None:
        found["batch_shape"] = shape
    if name == "LeakyReLU" and "alpha" in found:
        found["negative_slope"] = found.pop("alpha")
    if name == "BatchNormalization" and isinstance(found.get("axis"), list):
        (found["axis"],) = found["axis"]
    if isinstance(found.get("dtype"), dict):
        found["dtype"] = found["dtype"]["config"]["name"]
    return found


def _model(name: str, config: Config, version: str) -> Config:
    if name == "Functional":
        layers = [described(inner, version) for inner in config["layers"]]
        found = {**config, "layers": layers}
        if version.startswith("2"):
            _count_calls_from_0(found)
            for ends in ("input_layers", "output_layers"):
                one = len(found[ends]) == 1  # which Keras 3 doesn't write as a list
                found[ends] = found[ends][0] if one else found[ends]
        return found
    first = config["layers"][0]
    given = list(config["layers"])
    shape = first["config"].get("batch_input_shape")
    if first["class_name"] != "InputLayer" and shape is not None:
        made = {"name": f"{first['config']['name']}_input", "dtype": "float32"}
        given.insert(0, {"class_name": "InputLayer", "config": made | {"batch_shape": shape}})
    layers = [described(inner, version) for inner in given]
    for layer in layers:
        del layer["inbound_nodes"]
    return {"name": config.get("name"), "layers": layers}


def _count_calls_from_0(config: Config) -> None:
    """Keras 2 counts the calls of a model in a model from 1, as it was made by a call too; Keras 3
    does so where a model says that it returns what a functional one gives, and nowhere else."""
    layers = config["layers"]
    models = {inner["name"]: inner["class_name"] for inner in layers
              if inner["class_name"] in _MODELS}  # fmt: skip
    nodes = [list(call.values()) for inner in layers for call in inner["inbound_nodes"]]
    used = [tensor["config"]["keras_history"] for tensor in _tensors(nodes)]
    ends = config["output_layers"]
    ends = ends if any(isinstance(end, list) for end in ends) else [ends]
    from_0 = {place[0] for place in (*used, *ends) if place[1] == 0}
    for place in used:
        place[1] -= place[0] in models and place[0] not in from_0
    for place in ends:
        place[1] -= models.get(place[0]) == "Sequential" and place[0] not in from_0


def renamed(nested: Any) -> Any:
    """A described model with names of layers that Keras 3 takes: it has no "/" in them."""
    if isinstance(nested, list):
        if len(nested) == 3 and isinstance(nested[0], str) and isinstance(nested[1], int):
            return [_plain(nested[0]), *nested[1:]]
        return [renamed(item) for item in nested]
    if not isinstance(nested, dict):
        return nested
    return {
        key: _plain(item) if key == "name" and isinstance(item, str) else renamed(item)
        for key, item in nested.items()
    }


def _plain(name: str) -> str:
    return name.replace("/", "_")


def _tensors(nested: Any) -> Iterator[Config]:
    if isinstance(nested, dict):
        if nested.get("class_name") == "__keras_tensor__":
            yield nested
            return
        nested = list(nested.values())
    if isinstance(nested, list):
        for item in nested:
            yield from _tensors(item)


def _call(call: Any, kind: str) -> Any:
    """A call; Keras 2 writes it as [[layer, call, result, named arguments], ...]."""
    if not isinstance(call, list):
        return call
    entries = [call] if call and isinstance(call[0], str) else call
    given = [_argument(entry[:3]) for entry in entries]
    kwargs: Mapping[str, Any] = entries[0][3] if entries and len(entries[0]) > 3 else {}
    named = {name: _argument(value) for name, value in kwargs.items() if value is not None}
    if kind == "TFOpLambda":
        named.pop("name", None)
        return {"args": [*given, *named.values()], "kwargs": {}}
    if kind in _RECURRENT and len(given) > 1:
        return {"args": given[:1], "kwargs": {**named, "initial_state": given[1:]}}
    return {"args": given if len(given) == 1 else [given], "kwargs": named}


def _argument(value: Any) -> Any:
    """An argument with tensors as Keras 3 writes them."""
    if not isinstance(value, list):
        return value
    if len(value) == 3 and isinstance(value[0], str) and isinstance(value[1], int):
        if value[0] == "_CONSTANT_VALUE":
            return value[2]
        tensor = {"shape": [None], "dtype": "float32", "keras_history": value}
        return {"class_name": "__keras_tensor__", "config": tensor}
    return [_argument(item) for item in value]
