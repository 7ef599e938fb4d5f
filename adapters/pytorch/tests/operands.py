"""Cases of ops with other kinds of operands than conformance has: no constants, sizes that only
the run knows, open shapes."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from ir_hub.ir.dims import symbol
from ir_hub.ir.graph import Graph, Value
from ir_hub.ir.types import DType, TensorType
from ir_hub.ops.cases import Case, case_graph
from ir_hub.ops.op import OPS, Kind

Feeds = dict[str, np.ndarray]
Variant = Callable[[str, Case], tuple[Graph, Feeds] | None]


def inputs_only(name: str, case: Case) -> tuple[Graph, Feeds]:
    """All tensors are inputs."""
    return case_graph(name, case)


def constants_but_first(name: str, case: Case) -> tuple[Graph, Feeds] | None:
    """All tensors but the first are constants."""
    tensors = [p.name for p in OPS[name].params.values() if p.kind in (Kind.TENSOR, Kind.TENSORS)]
    return case_graph(name, case, tensors[1:]) if len(tensors) > 1 else None


def sizes_at_run_time(name: str, case: Case) -> tuple[Graph, Feeds] | None:
    """Sizes are inputs, which only the run knows."""
    graph, feeds = case_graph(name, case)
    node = graph.nodes[0]
    found = False
    for param in OPS[name].params.values():
        sizes = node.args[param.name]
        if param.kind is Kind.SIZES and isinstance(sizes, tuple):
            value = Value(param.name, TensorType(DType.INT64, (len(sizes),)))
            graph.inputs.append(value)
            node.args[param.name], found = value, True
            feeds[param.name] = np.array(sizes, np.int64)
    _infer(graph)
    return (graph, feeds) if found else None


def open_shapes(name: str, case: Case) -> tuple[Graph, Feeds] | None:
    """Every size of every tensor is a symbol of its own."""
    graph, feeds = case_graph(name, case)
    numbers = itertools.count()
    for value in graph.inputs:
        assert value.type is not None
        shape = tuple(symbol(f"s{next(numbers)}") for _ in value.type.shape or ())
        value.type = value.type.with_shape(shape)
    try:
        _infer(graph)
    except (ValueError, TypeError):  # the op needs to know some of its sizes
        return None
    return graph, feeds


def _infer(graph: Graph) -> None:
    node, numbers = graph.nodes[0], itertools.count()
    types = OPS[node.op].infer(node.args, lambda: symbol(f"u{next(numbers)}"))
    for result, type_ in zip(node.results, types, strict=True):
        result.type = type_


VARIANTS: dict[str, Variant] = {
    function.__name__: function
    for function in (inputs_only, constants_but_first, sizes_at_run_time, open_shapes)
}
