"""An opened Keras model as a source graph: the calls of its layers and ops, nested ones inlined."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from adapters.tensorflow import wrappers
from adapters.tensorflow.config import (
    EXPORT,
    Call,
    Key,
    calls_of,
    functional,
    groups_of,
    histories,
    inputs_of,
    is_model,
    is_op,
    local_name,
    outputs_of,
    placed,
    refusal,
)
from adapters.tensorflow.dtypes import dtype_named
from adapters.tensorflow.files import KerasModel
from adapters.tensorflow.names import fresh
from ir_hub.ir.dims import Dim, Symbol, symbol
from ir_hub.ir.graph import Source
from ir_hub.ir.tensor import Tensor
from ir_hub.ir.types import TensorType
from ir_hub.sdk.errors import BadModel, BadRequest
from ir_hub.sdk.source import SourceGraph, SourceNode

UNREADABLE = "unreadable"  # stands for what isn't Keras' own; says why
_DEEPEST = 64  # models in models


def walk(model: KerasModel, inputs: Mapping[str, TensorType]) -> SourceGraph:
    """The model's graph; `inputs` are types that override the file's own.

    Raises:
        BadModel: the file contradicts itself.
        BadRequest: `inputs` names no input of the model.
    """
    walker = _Walker(model)
    try:
        graph = walker.whole()
    except (KeyError, TypeError, AttributeError, IndexError, ValueError, RecursionError) as error:
        said = f"{type(error).__name__}: {error}"[:200]
        raise BadModel(f"the model's config isn't one that Keras writes ({said})") from error
    unknown = ", ".join(inputs.keys() - graph.inputs.keys())
    if unknown:
        has = ", ".join(graph.inputs)
        raise BadRequest(f"the model has no input {unknown}; its inputs are {has}")
    graph.inputs.update(inputs)
    graph.source = Source("tensorflow", f"keras {model.keras_version}".strip(), "keras")
    return graph


class _Walker:
    def __init__(self, model: KerasModel) -> None:
        self.model = model
        self.constants: dict[str, Tensor] = {}
        self.nodes: list[SourceNode] = []
        self.scopes: dict[str, str] = {}
        self.symbols: dict[str, Symbol] = {}
        self.taken: set[str] = set()
        self.groups: set[str] = set()

    def whole(self) -> SourceGraph:
        config = self.model.config
        if not is_model(config):
            name = config.get("registered_name") or config.get("class_name")
            reason = f"its class is {name!r}, which isn't Keras' own: {EXPORT}"
            self.refuse("model", (), ["model:0"], reason)
            return SourceGraph({}, {}, self.nodes, ["model:0"])
        inner = functional(config)
        inputs = {}
        for name, layer in inputs_of(inner):
            inputs[name] = self.input_type(name, layer["config"])
            self.taken.add(name)
        name = str(inner.get("name", ""))
        if not re.fullmatch(r"(functional|sequential|model)(_\d+)?", name):
            self.scopes[""] = name
        names = list(inputs)
        outputs = self.inside(inner, "", "", names, 0)
        self.check_strays()
        return SourceGraph(
            inputs, self.constants, self.nodes, outputs, {}, self.scopes, self.symbols
        )

    def input_type(self, name: str, config: Mapping[str, Any]) -> TensorType:
        shape = config.get("batch_shape", config.get("batch_input_shape"))
        if not isinstance(shape, list):
            raise BadModel(f"the input {name} has no shape in the file")
        sizes = tuple(self.size(name, axis, size) for axis, size in enumerate(shape))
        return TensorType(dtype_named(config.get("dtype", "float32"), f"the input {name}"), sizes)

    def size(self, name: str, axis: int, size: Any) -> Dim:
        if isinstance(size, int):
            return size
        text = "batch" if axis == 0 else re.sub(r"\W", "_", f"{name}_{axis}", flags=re.ASCII)
        text = text if not text[0].isdigit() else f"n_{text}"
        self.symbols.setdefault(text, Symbol(text, 1))
        return symbol(text)

    def inside(
        self, config: Mapping[str, Any], scope: str, group: str, given: list[str], depth: int
    ) -> list[str]:
        """Walks a model's layers, and gives the names of its outputs."""
        known: dict[Key, str] = {}
        for (name, _), value in zip(inputs_of(config), given, strict=True):
            known[name, 0, 0] = value
        groups = groups_of(config["layers"], group)
        self.groups.update(groups.values())
        wanted = outputs_of(config)
        waiting = list(calls_of(config["layers"], wanted))
        while waiting:
            left = [call for call in waiting if not self.ready(call, known, scope, groups, depth)]
            if len(left) == len(waiting):
                names = ", ".join(str(call.layer.get("name")) for call in left[:5])
                raise BadModel(f"the layers {names} wait for tensors that nothing computes")
            waiting = left
        missing = [f"{key[0]} ({key[1]}, {key[2]})" for key in wanted if key not in known]
        if missing:
            raise BadModel(f"the model returns {', '.join(missing)}, which nothing computes")
        return [known[key] for key in wanted]

    def ready(
        self,
        call: Call,
        known: dict[Key, str],
        scope: str,
        groups: Mapping[str, str],
        depth: int,
    ) -> bool:
        """Walks a call if its arguments are there."""
        if any(key not in known for key in call.needs):
            return False
        name = str(call.layer["name"])
        path = ".".join(filter(None, (scope, local_name(name, scope))))
        inputs = [known[key] for key in call.needs]
        results = self.call(call, path, inputs, groups.get(name, ""), depth)
        known.update({(name, call.number, i): result for i, result in enumerate(results)})
        return True

    def call(self, call: Call, path: str, inputs: list[str], group: str, depth: int) -> list[str]:
        layer = call.layer
        if depth > _DEEPEST:
            raise BadModel(f"the models are nested more than {_DEEPEST} deep")
        if is_model(layer):
            self.scopes.setdefault(path, str(layer["config"].get("name") or layer["class_name"]))
            config = functional(layer)
            if any(True for _ in histories([*call.kwargs.values()])):
                results = self.results(path, call.results)
                self.refuse(path, inputs, results, "it is a model that is called with a mask")
                return results
            if len(inputs_of(config)) != len(inputs):
                raise BadModel(f"the model {path} is called with {len(inputs)} tensors")
            return self.inside(config, path, group, inputs, depth + 1)
        refused = refusal(layer)
        if not refused and layer["class_name"] in wrappers.NAMES:
            return self.wrapper(call, path, inputs, group, depth)
        results = self.results(path, call.results)
        if refused:
            self.refuse(path, inputs, results, refused)
            return results
        numbers = iter(range(len(inputs)))
        arguments = {
            "args": placed(call.args, numbers),
            "kwargs": {name: placed(given, numbers) for name, given in call.kwargs.items()},
            "config": layer.get("config") or {},
            "weights": {},
        }
        names = list(inputs)
        for key, tensor in self.weights(group):
            name = f"{path}.{key}"
            self.constants[name] = tensor
            arguments["weights"][key] = len(names)
            names.append(name)
        op = is_op(layer)
        kind = f"ops.{layer['class_name']}" if op else str(layer["class_name"])
        self.nodes.append(
            SourceNode(
                kind, tuple(names), tuple(results), arguments,
                name=path, scope=path.rpartition(".")[0] if op else path,
            )
        )  # fmt: skip
        return results

    def results(self, path: str, count: int) -> list[str]:
        """Names for what a call gives."""
        return [fresh(f"{path}:{i}" if i else path, self.taken) for i in range(count)]

    def wrapper(
        self, call: Call, path: str, inputs: list[str], group: str, depth: int
    ) -> list[str]:
        """Walks the layer in a wrapper, between what the wrapper does before it and after it."""
        inner, before, after = wrappers.opened(call)
        given = [self.part(before, path, inputs[:1]), *inputs[1:]] if before else inputs
        found = self.call(inner, path, given, f"{group}/layer".strip("/"), depth + 1)
        return [self.part(after, path, [y, *inputs[:1]]) for y in found] if after else found

    def part(self, kind: str, path: str, inputs: list[str]) -> str:
        """A node for a part of what a wrapper does; gives the name of its result."""
        (result,) = self.results(path, 1)
        self.nodes.append(SourceNode(kind, tuple(inputs), (result,), {}, name=path, scope=path))
        return result

    def weights(self, group: str) -> Iterator[tuple[str, Tensor]]:
        """The variables of a layer and its parts, by their paths within it: "cell.0"."""
        if not group:
            return
        for path, tensors in self.model.weights.items():
            if path == group or path.startswith(f"{group}/"):
                inner = path[len(group) :].strip("/").replace("/", ".")
                for number, tensor in enumerate(tensors):
                    yield f"{inner}.{number}".strip("."), tensor

    def check_strays(self) -> None:
        """Refuses weights of layers that the model doesn't have."""
        ours = tuple(f"{group}/" for group in self.groups)
        strays = [
            path
            for path in self.model.weights
            if path.startswith("layers/") and not f"{path}/".startswith(ours)
        ]
        if strays:
            raise BadModel(
                f"the file has weights for {', '.join(strays[:5])}, which are no layers of the "
                "model: they belong to another one"
            )

    def refuse(self, path: str, inputs: Any, results: list[str], reason: str) -> None:
        self.nodes.append(
            SourceNode(UNREADABLE, tuple(inputs), tuple(results), {"reason": reason}, name=path)
        )
