"""The weights of models in HDF5 files, by the groups that Keras 3 has them in in .keras files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from adapters.tensorflow.config import groups_of, is_model
from ir_hub.ir.tensor import Tensor
from ir_hub.sdk.errors import BadModel

Named = list[tuple[str, Tensor]]  # a layer's variables by their names, which are paths
_HEADS = {
    "query": "query_dense",
    "key": "key_dense",
    "value": "value_dense",
    "attention_output": "output_dense",
}


def placed_weights(
    config: Mapping[str, Any], named: Mapping[str, Named]
) -> Iterator[tuple[str, list[Tensor]]]:
    """The weights of a model by the paths of their groups.

    Raises:
        BadModel: some belong to no layer of it.
    """
    if not is_model(config):  # which is refused, with its class, where its layers are read
        return
    layers = config["config"]["layers"]
    groups = groups_of(layers, "")
    strays = [name for name, found in named.items() if found and name not in groups]
    if strays:
        raise BadModel(
            f"the file has weights for {', '.join(strays[:5])}, which are no layers of the model"
        )
    for layer in layers:
        name = str(layer["name"])
        yield from _placed(layer, groups.get(name, ""), named.get(name, []))


def _placed(
    layer: Mapping[str, Any], group: str, named: Named
) -> Iterator[tuple[str, list[Tensor]]]:
    """The weights of a layer, those of the layers in it in groups of their own."""
    config, kind = layer["config"], layer["class_name"]
    if not named:
        return
    if is_model(layer):
        groups = groups_of(config["layers"], group)
        for inner in config["layers"]:
            name = str(inner["name"])
            # Keras 3 writes the names of models around a layer, Keras 2 that of the layer alone.
            own = _of(named, name) or [e for part in _leaves(inner) for e in _of(named, part)]
            yield from _placed(inner, groups.get(name, ""), own)
    elif kind in ("TimeDistributed", "SpectralNormalization"):
        yield from _placed(config["layer"], f"{group}/layer", named)
    elif kind == "Bidirectional":
        forward = [entry for entry in named if "/forward_" in f"/{entry[0]}"]
        backward = [entry for entry in named if "/backward_" in f"/{entry[0]}"]
        yield f"{group}/forward_layer/cell", _data(forward)
        yield f"{group}/backward_layer/cell", _data(backward)
    elif kind == "MultiHeadAttention":
        for part, place in _HEADS.items():
            yield f"{group}/{place}", _data(_of(named, part))
    else:
        yield f"{group}/cell" if kind in ("LSTM", "GRU", "SimpleRNN") else group, _data(named)


def _of(named: Named, part: str) -> Named:
    """The variables that have a part in their path; names of layers may be paths themselves."""
    return [entry for entry in named if f"/{part}/" in f"/{entry[0]}"]


def _leaves(layer: Mapping[str, Any]) -> Iterator[str]:
    """The names of the layers in a model that are no models, none for another layer."""
    for inner in layer["config"]["layers"] if is_model(layer) else ():
        if is_model(inner):
            yield from _leaves(inner)
        else:
            yield str(inner["name"])


def _data(named: Named) -> list[Tensor]:
    return [tensor for _, tensor in named]
