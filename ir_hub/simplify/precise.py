"""A model in float64: what it would compute if nothing were rounded, as nearly as can be."""

from __future__ import annotations

import numpy as np

from ir_hub.ir.graph import Argument, Graph, Model, Value
from ir_hub.ir.tensor import ArrayTensor
from ir_hub.ir.types import DType, TensorType

WIDENED = frozenset({DType.FLOAT16, DType.BFLOAT16, DType.FLOAT32})


def in_float64(model: Model) -> Model:
    """The model itself, with every real number in 64 bits: inputs, weights, results, casts."""
    seen: set[Value] = set()
    _widen(model.graph, seen)
    return model


def _widen(graph: Graph, seen: set[Value]) -> None:
    for value in (*graph.inputs, *graph.constants(), *graph.outputs):
        _widen_value(value, seen)
    for node in graph.nodes:
        node.args = {name: _widened(argument) for name, argument in node.args.items()}
        for result in node.results:
            _widen_value(result, seen)
        for body in node.bodies():
            _widen(body, seen)


def _widen_value(value: Value, seen: set[Value]) -> None:
    if value in seen or value.type is None or value.type.dtype not in WIDENED:
        return
    seen.add(value)
    value.type = TensorType(DType.FLOAT64, value.type.shape)
    if value.data is not None:
        value.data = ArrayTensor(value.array().astype(np.float64))


def _widened(argument: Argument) -> Argument:
    return DType.FLOAT64 if isinstance(argument, DType) and argument in WIDENED else argument
