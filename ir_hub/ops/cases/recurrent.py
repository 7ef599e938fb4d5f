"""Cases of recurrent layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ir_hub.ir.types import DType
from ir_hub.ops.cases.case import CASES, Case, Samples
from ir_hub.ops.op import Array

_draw = Samples(27)
_LENGTH, _BATCH, _INPUTS, _HIDDEN = 5, 3, 4, 7
_LENGTHS = np.array([5, 2, 4], np.int32)


def _f(*shape: int, dtype: DType = DType.FLOAT32) -> Array:
    return _draw.floats(*shape, low=-1, high=1, dtype=dtype)


def _parameters(gates: int, directions: int, dtype: DType = DType.FLOAT32) -> tuple[Array, ...]:
    """Weight, recurrent weight, bias."""
    rows = gates * _HIDDEN
    shapes = ((rows, _INPUTS), (rows, _HIDDEN), (2 * rows,))
    return tuple(_f(directions, *shape, dtype=dtype) for shape in shapes)


def _common(gates: int, states: int, activations: tuple[str, ...]) -> list[Case]:
    """What the three kinds of layers have in common; `activations` take an alpha and a beta."""
    x = _f(_LENGTH, _BATCH, _INPUTS)
    initial = tuple(_f(1, _BATCH, _HIDDEN) for _ in range(states))
    both = tuple(_f(2, _BATCH, _HIDDEN) for _ in range(states))
    batch_first = tuple(state.swapaxes(0, 1).copy() for state in both)
    one, two = _parameters(gates, 1), _parameters(gates, 2)
    named = {
        "activations": activations,
        "activation_alpha": (0.3,) * len(activations),
        "activation_beta": (0.4,) * len(activations),
    }
    chosen: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
        ((x, *one[:2]), {}),
        ((x, *one), {}),
        ((x, *one, None, *initial), {"direction": "reverse"}),
        ((x, *two, None, *both), {"direction": "bidirectional"}),
        ((x, *one, _LENGTHS, *initial), {}),
        ((x, *two, _LENGTHS, *both), {"direction": "bidirectional"}),
        ((x.swapaxes(0, 1).copy(), *two, None, *batch_first), {"layout": 1}),
        ((x, *one), {"clip": 0.2}),
        ((x, *one), named),
    ]
    chosen[6][1]["direction"] = "bidirectional"
    double = (_f(_LENGTH, _BATCH, _INPUTS, dtype=DType.FLOAT64),)
    chosen.append(((*double, *_parameters(gates, 1, DType.FLOAT64)), {}))
    return [Case(tensors, {"hidden_size": _HIDDEN, **literals}) for tensors, literals in chosen]


def _lstm() -> list[Case]:
    cases = _common(4, 2, ("hard_sigmoid", "scaled_tanh", "affine"))
    full = cases[2].tensors
    literals = {"hidden_size": _HIDDEN}
    return [
        *cases,
        Case((*full, _f(1, 3 * _HIDDEN)), literals),
        Case(full, {**literals, "input_forget": True}),
        Case(full, {**literals, "activations": ("softsign", "relu", "tanh")}),
    ]


def _gru() -> list[Case]:
    cases = _common(3, 1, ("hard_sigmoid", "scaled_tanh"))
    reset = {"linear_before_reset": True}
    return [*cases, *[Case(case.tensors, {**case.literals, **reset}) for case in cases[:4]]]


CASES |= {
    "lstm": _lstm(),
    "gru": _gru(),
    "rnn": _common(1, 1, ("hard_sigmoid",)),
}
