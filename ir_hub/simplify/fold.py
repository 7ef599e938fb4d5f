"""Computes once what doesn't depend on the inputs, as long as the result stays small."""

from __future__ import annotations

import math

import numpy as np

from ir_hub.ir.graph import Argument, Graph, Model, Node, Value, constant
from ir_hub.ir.tensor import byte_size
from ir_hub.ir.types import DType, TensorType
from ir_hub.ops.catalogue import OPS
from ir_hub.ops.op import Kind

LARGEST_BYTES = 1 << 20  # A folded result may be this large, or as large as what it is made of.
KEPT = frozenset({"dequantize_linear", "dropout"})  # what they say is lost in their result

ARITHMETIC = frozenset({"add", "sub", "mul", "div", "pow", "sqrt", "rsqrt", "reciprocal", "neg"})


def fold(model: Model) -> Model:
    """Replaces nodes whose operands are constants by constants; a transposed constant is the same
    bytes read in another order."""
    return _folded(model, frozenset())


def fold_all_but_weights(model: Model) -> Model:
    """Folds all but arithmetic on weights: batch norms that were spelled out can be told only
    while their variances are still there."""
    return _folded(model, ARITHMETIC)


def _folded(model: Model, kept: frozenset[str]) -> Model:
    _fold(model.graph, kept)
    model.graph.prune()
    return model


def _fold(graph: Graph, kept: frozenset[str]) -> None:
    replaced: dict[Value, Value] = {}
    for node in graph.nodes:
        node.substitute(replaced)
        for body in node.bodies():
            _fold(body, kept)
        if node.op not in kept or not _is_weight(node.result):
            replaced.update(zip(node.results, _computed(node), strict=False))
    graph.outputs = [replaced.get(value, value) for value in graph.outputs]


def _is_weight(value: Value) -> bool:
    is_float = value.dtype is not None and value.dtype.is_float
    return is_float and any(size != 1 for size in value.shape or ())


def _computed(node: Node) -> list[Value]:
    """The results of a node as constants; empty when it isn't to be folded."""
    operands = [value for _, value in node.operands()]
    if node.op not in OPS or node.op in KEPT or not all(v.is_constant for v in operands):
        return []
    if node.op == "transpose" and node.x.data is not None:
        return [constant(node.x.data.permuted(node.perm), node.result.name)]
    if not _is_worth_it(node, operands):
        return []
    args = {name: _plain(name, node, argument) for name, argument in node.args.items()}
    with np.errstate(all="ignore"):
        arrays = OPS[node.op].call(args)
    return [
        constant(np.ascontiguousarray(array).reshape(array.shape), result.name)
        for array, result in zip(arrays, node.results, strict=True)
    ]


def _is_worth_it(node: Node, operands: list[Value]) -> bool:
    if any(True for _ in node.bodies()) or any(map(_has_symbols, node.args.values())):
        return False
    budget = max(LARGEST_BYTES, sum(_bytes(value.type) or 0 for value in operands))
    sizes = [_bytes(result.type) for result in node.results]
    return all(size is not None and size <= budget for size in sizes)


def _bytes(type_: TensorType | None) -> int | None:
    if type_ is None or not type_.is_static or type_.shape is None:
        return None
    shape = tuple(size for size in type_.shape if isinstance(size, int))
    if type_.dtype is DType.STRING:
        return 64 * math.prod(shape)  # a guess at the length of a text, only to have a limit
    return byte_size(type_.dtype, shape)


def _has_symbols(argument: Argument) -> bool:
    if isinstance(argument, tuple):
        return any(_has_symbols(item) for item in argument)
    return not isinstance(argument, Value | int | float | str | DType | None)


def _plain(name: str, node: Node, argument: Argument) -> object:
    """An argument as the op's body takes it."""
    if isinstance(argument, Value):
        array = argument.array()
        is_sizes = OPS[node.op].params[name].kind is Kind.SIZES
        return tuple(int(size) for size in array.reshape(-1)) if is_sizes else array
    if isinstance(argument, tuple) and argument and isinstance(argument[0], Value):
        return tuple(value.array() for value in argument if isinstance(value, Value))
    return argument
