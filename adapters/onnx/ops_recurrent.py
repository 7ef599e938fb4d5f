"""ONNX's recurrent layers."""

from __future__ import annotations

from typing import Any

from adapters.onnx.dialect import only, table
from ir_hub.ir.graph import Node
from ir_hub.ops.build import Builder
from ir_hub.ops.op import OPS
from ir_hub.sdk.dialect import Call, Unsupported

_OPS = {"LSTM": "lstm", "GRU": "gru", "RNN": "rnn"}
_SAME = ("direction", "layout", "clip", "activation_alpha", "activation_beta")
_FLAGS = ("input_forget", "linear_before_reset")
# ONNX knows them by these names in any case; ours are those of the ops.
_ACTIVATIONS = {
    "relu": "Relu",
    "tanh": "Tanh",
    "sigmoid": "Sigmoid",
    "affine": "Affine",
    "leaky_relu": "LeakyRelu",
    "thresholded_relu": "ThresholdedRelu",
    "scaled_tanh": "ScaledTanh",
    "hard_sigmoid": "HardSigmoid",
    "elu": "Elu",
    "softsign": "Softsign",
    "softplus": "Softplus",
}
_BY_THEIR_NAME = {theirs.lower(): ours for ours, theirs in _ACTIVATIONS.items()}


@table.read("LSTM", "GRU", "RNN", since=7)
def recurrent(call: Call, b: Builder) -> Any:
    only(call, *_SAME, *_FLAGS, "activations", "hidden_size")
    literals = {name: call.attrs[name] for name in _SAME if name in call.attrs}
    literals.update((name, bool(call.attrs[name])) for name in _FLAGS if name in call.attrs)
    if "activations" in call.attrs:
        literals["activations"] = _once(_ours(call.attrs["activations"]), call)
    return b.call(_OPS[call.type], *call.inputs, hidden_size=_hidden(call), **literals)


def _hidden(call: Call) -> int:
    if "hidden_size" in call.attrs:
        return int(call.attrs["hidden_size"])
    recurrent_weight = call.inputs[2]
    shape = recurrent_weight.shape if recurrent_weight is not None else None
    if not shape or not isinstance(shape[-1], int):
        raise Unsupported(f"the hidden size of {call.type} isn't known")
    return shape[-1]


def _ours(names: tuple[str, ...]) -> tuple[str, ...]:
    unknown = ", ".join(name for name in names if name.lower() not in _BY_THEIR_NAME)
    if unknown:
        raise Unsupported(f"the activation {unknown}")
    return tuple(_BY_THEIR_NAME[name.lower()] for name in names)


def _once(names: tuple[str, ...], call: Call) -> tuple[str, ...]:
    """The activations without those of a direction that isn't there, or is like the first."""
    count = len(OPS[_OPS[call.type]].params["activations"].default)
    first, rest = names[:count], names[count:]
    both = call.attrs.get("direction", "forward") == "bidirectional"
    return names if both and rest != first else first


@table.write("lstm", "gru", "rnn", since=14)
def write_recurrent(node: Node, emitter: Any) -> Any:
    op = OPS[node.op]
    names = [p.name for p in op.params.values() if p.name not in _literal_names(node)]
    # ONNX Runtime runs no other order than the time first.
    turned = {"x", "initial_h", "initial_c"} if node.layout else set()
    tensors = [_turned(node.args[name], name in turned, emitter) for name in names]
    attributes: dict[str, Any] = {name: node.args[name] or None for name in _SAME}
    attributes["layout"] = None
    attributes.update((name, node.args[name]) for name in _FLAGS if name in op.params)
    attributes["hidden_size"] = node.hidden_size
    once = len(node.activations) == len(op.params["activations"].default)
    twice = 2 if once and node.direction == "bidirectional" else 1
    attributes["activations"] = tuple(_ACTIVATIONS[name] for name in node.activations) * twice
    found = emitter.node(node.op.upper(), tensors, attributes, len(node.results))
    if not node.layout:
        return found
    y, *states = found
    first = emitter.node("Transpose", [y], {"perm": (2, 0, 1, 3)})
    return [*first, *(_turned(state, True, emitter) for state in states)]


def _turned(tensor: Any, turned: bool, emitter: Any) -> Any:
    """A sequence or a state with its first two axes exchanged, if it is to be."""
    if not turned or tensor is None:
        return tensor
    return emitter.node("Transpose", [tensor], {"perm": (1, 0, 2)})[0]


def _literal_names(node: Node) -> set[str]:
    return {*_SAME, *_FLAGS, "hidden_size", "activations"} & node.args.keys()
