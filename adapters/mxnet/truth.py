"""Truth values as 1 and 0: MXNet's comparisons give numbers, and its other ops take no booleans."""

from __future__ import annotations

from typing import Any

import numpy as np

from ir_hub.codegen.derived import derived
from ir_hub.codegen.spelling import Expr
from ir_hub.ir.graph import Graph, Node, Value
from ir_hub.ir.types import DType, TensorType

_NUMBER = DType.FLOAT32


def as_numbers(graph: Graph) -> dict[Node, Expr]:
    """Retypes every truth value of a graph as a number; those that go in or out are cast where
    they do. Returns how the casts are written."""
    _add_masks(graph)
    spelled: dict[Node, Expr] = {}
    replaced: dict[Value, Value] = {}
    for value in graph.inputs:
        if value.dtype is DType.BOOL:
            node = _cast(value, TensorType(_NUMBER, value.shape))
            spelled[node] = Expr('{0}.astype("float32")', [value])
            replaced[value] = node.result
    for value in graph.constants():
        if value.dtype is DType.BOOL:
            replaced[value] = derived(value, value.data.shape, _numbers, _NUMBER)  # type: ignore[union-attr]
    graph.substitute(replaced)
    outputs = [_retyped(value) for node in graph.nodes for value in node.results]
    truths = {value for value in outputs if value is not None} | set(replaced.values())
    graph.nodes[:0] = list(spelled)
    for place, value in enumerate(graph.outputs):
        if value in truths:
            node = _cast(value, TensorType(DType.BOOL, value.shape))
            spelled[node] = Expr('{0}.astype("bool")', [value])
            graph.nodes.append(node)
            graph.outputs[place] = node.result
    return spelled


def _add_masks(graph: Graph) -> None:
    """Masks of truth values as what is added to scores: the logarithms of 1 and 0."""
    nodes = []
    for node in graph.nodes:
        mask = node.args.get("mask") if node.op == "attention" else None
        if isinstance(mask, Value) and mask.dtype is DType.BOOL:
            added = Value(f"{mask.name}_scores", TensorType(_NUMBER, mask.shape))
            nodes.append(Node("log", {"x": mask}, [added], added.name, node.scope))
            node.args["mask"] = added
        nodes.append(node)
    graph.nodes = nodes


def _numbers(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return array.astype(np.float32)


def _cast(value: Value, type_: TensorType) -> Node:
    return Node("identity", {"x": value}, [Value(value.name, type_)], value.name)


def _retyped(value: Value) -> Value | None:
    """The value, if it was one of truth values; now it is one of numbers."""
    if value.dtype is not DType.BOOL:
        return None
    value.type = TensorType(_NUMBER, value.shape)
    return value
