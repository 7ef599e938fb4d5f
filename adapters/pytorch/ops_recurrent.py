"""Recurrent layers: PyTorch's own where they compute the same, else a loop over the steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from adapters.pytorch.dialect import Draft, pytorch
from ir_hub.codegen.derived import derived
from ir_hub.codegen.spelling import Code, Expr, Layer
from ir_hub.ir.graph import Node, Value
from ir_hub.sdk.operands import only, rank_of

# Where PyTorch's gates are in ours: i o f g as i f g o, z r n as r z n.
_GATES = {"lstm": (0, 2, 3, 1), "gru": (1, 0, 2), "rnn": (0,)}
_USUAL = {"lstm": ("sigmoid", "tanh", "tanh"), "gru": ("sigmoid", "tanh"), "rnn": ("tanh",)}
_CLASSES = {"lstm": "nn.LSTM", "gru": "nn.GRU", "rnn": "nn.RNN"}
_FUNCTIONS = {
    "sigmoid": "torch.sigmoid",
    "tanh": "torch.tanh",
    "relu": "torch.relu",
    "softsign": "F.softsign",
    "softplus": "F.softplus",
}
_WITH_COEFFICIENTS = {  # and their defaults: alpha, then beta
    "leaky_relu": ("lambda x: F.leaky_relu(x, {0})", (0.01,)),
    "thresholded_relu": ("lambda x: torch.where(x > {0}, x, 0.0)", (1.0,)),
    "elu": ("lambda x: F.elu(x, {0})", (1.0,)),
    "hard_sigmoid": ("lambda x: ({0} * x + {1}).clamp(0, 1)", (0.2, 0.5)),
    "affine": ("lambda x: {0} * x + {1}", (1.0, 0.0)),
    "scaled_tanh": ("lambda x: {0} * ({1} * x).tanh()", (1.0, 1.0)),
}


@pytorch.write("lstm", "gru", "rnn")
def _(node: Node) -> Layer | Expr:
    return _layer(node) if is_layer(node) else _loop(node)


def is_layer(node: Node) -> bool:
    """Whether one of PyTorch's own layers computes what a recurrent node does."""
    names = _activation_names(node)
    count = len(_USUAL[node.op])
    usual = all(names[i : i + count] == _USUAL[node.op] for i in range(0, len(names), count))
    relu = node.op == "rnn" and set(names) == {"relu"}
    weights = (node.weight, node.recurrent, *([] if node.bias is None else [node.bias]))
    plain = node.clip is None and not node.args.get("input_forget") and node.sequence_lens is None
    plain = plain and node.args.get("peephole") is None and node.direction != "reverse"
    plain = plain and node.args.get("linear_before_reset", True) is True
    return plain and (usual or relu) and all(v.is_constant for v in weights)


def _layer(node: Node) -> Layer:
    directions, _, inputs = node.weight.shape
    kwargs = {
        "input_size": inputs,
        "hidden_size": node.hidden_size,
        "bias": node.bias is not None,
        "batch_first": bool(node.layout),
        "bidirectional": directions == 2,
    }
    if node.op == "rnn":
        kwargs["nonlinearity"] = _activation_names(node)[0]
    defaults = {"bias": True, "batch_first": False, "bidirectional": False, "nonlinearity": "tanh"}
    states = [node.initial_h, *([node.initial_c] if node.op == "lstm" else [])]
    inputs_ = [node.x, *(state for state in states if state is not None)]
    call = _call(node, states)
    params = dict(_params(node, directions))
    return Layer(_CLASSES[node.op], inputs_, kwargs, defaults, params, 2, call)


def _call(node: Node, states: list[Value | None]) -> str:
    """The call of the layer; unless only the sequence is read, with results in ONNX's form: an
    axis for the directions."""
    turned = ".transpose(0, 1).contiguous()" if node.layout else ""
    given = [f"{{{i + 1}}}{turned}" for i, _ in enumerate(s for s in states if s is not None)]
    if any(state is None for state in states):
        only(all(state is None for state in states), "only one of its two states is given")
    hidden = f", ({', '.join(given)})" if len(given) == 2 else "".join(f", {g}" for g in given)
    if len(node.results) == 1:  # see sequences.py
        return f"{{layer}}({{0}}{hidden})[0]"
    directions = node.weight.shape[0]
    return f"_with_directions({{layer}}({{0}}{hidden}), {directions}, {bool(node.layout)})"


def _params(node: Node, directions: int) -> Any:
    """The layer's parameters: each direction's rows, in PyTorch's order of gates."""
    size = node.hidden_size
    for index in range(directions):
        suffix = "_l0_reverse" if index else "_l0"
        for key, value in (("weight_ih", node.weight), ("weight_hh", node.recurrent)):
            rows, columns = value.shape[1:]
            yield f"{key}{suffix}", derived(value, (rows, columns), _ordered(node.op, index, size))
        if node.bias is not None:
            half = node.bias.shape[1] // 2
            for part, key in enumerate(("bias_ih", "bias_hh")):
                change = _ordered(node.op, index, size, slice(part * half, (part + 1) * half))
                yield f"{key}{suffix}", derived(node.bias, (half,), change)


def _ordered(op: str, index: int, size: int, part: slice = slice(None)) -> Any:
    def change(array: np.ndarray) -> np.ndarray:
        rows = array[index][part]
        return np.concatenate([rows[gate * size : (gate + 1) * size] for gate in _GATES[op]])

    return change


def _activation_names(node: Node) -> tuple[str, ...]:
    directions = 2 if node.direction == "bidirectional" else 1
    names = tuple(node.activations)
    return names * directions if len(names) == len(_USUAL[node.op]) else names


def _activations(node: Node, names: tuple[str, ...]) -> str:
    """The activations as code; coefficients belong in turn to those that take one."""
    left = iter(node.activation_alpha), iter(node.activation_beta)
    found = []
    for name in names:
        only(name in _FUNCTIONS or name in _WITH_COEFFICIENTS, f"the activation {name}")
        if name in _FUNCTIONS:
            found.append(_FUNCTIONS[name])
            continue
        text, defaults = _WITH_COEFFICIENTS[name]
        pairs = zip(left, defaults, strict=False)
        numbers = [repr(float(next(values, usual))) for values, usual in pairs]
        found.append(text.format(*numbers))
    return f"[{', '.join(found)}]"


def _loop(node: Node) -> Expr:
    rank_of(node.x)
    draft = Draft()
    states = "initial_h", *(("initial_c", "peephole") if node.op == "lstm" else ())
    tensors = draft.tensors(node.x, node.weight, node.recurrent, node.bias, node.sequence_lens)
    given = [tensors, *(draft.tensors(node.args[name]) for name in states)]  # type: ignore[arg-type]
    literals = {"direction": node.direction, "batch_first": bool(node.layout), "clip": node.clip}
    if node.op == "lstm":
        literals["input_forget"] = bool(node.input_forget)
    if node.op == "gru":
        literals["linear_before_reset"] = bool(node.linear_before_reset)
    usual = {"direction": "forward", "clip": None}
    for name, item in literals.items():
        if item != usual.get(name, False):
            given.append(f"{name}={draft.literal(item, name)}")
    functions = Code(_activations(node, _activation_names(node)))
    given.append(f"activations={draft.literal(functions, 'functions')}")
    return draft.done(f"_{node.op}({', '.join(given)})")
