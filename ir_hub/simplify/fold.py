"""Computes once what doesn't depend on the inputs, as long as the result stays small."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ir_hub.ir.dims import symbol
from ir_hub.ir.fix import fix_sizes
from ir_hub.ir.graph import Argument, Graph, Model, Node, Value, constant
from ir_hub.ir.tensor import byte_size
from ir_hub.ir.types import DType, TensorType
from ir_hub.ops.catalogue import OPS
from ir_hub.ops.op import Kind, Layout
from ir_hub.simplify.sizes import Sizes

LARGEST_BYTES = 1 << 20  # A folded result may be this large, or as large as what it is made of.
ALLOWANCE = 1 << 28  # Of bytes read and written for one model, beside what its constants allow,
PER_BYTE = 16  # which is this much for each of their bytes.
KEPT = frozenset({"dequantize_linear", "dropout"})  # what they say is lost in their result
PATTERNS = frozenset({"regex_full_match", "string_concat"})  # their work is in no proportion
PRODUCTS = frozenset({"matmul", "linear", "gemm"})
LINEAR = frozenset(
    {"constant_of_shape", "cum_sum", "cum_prod", "depth_to_space", "einsum", "embedding", "expand",
     "eye_like", "flatten", "gather", "gather_elements", "gather_nd", "layer_norm",
     "one_hot", "pad", "quantize_linear", "range", "reshape", "rms_norm", "scatter_elements",
     "scatter_nd", "shape_of", "size_of", "space_to_depth", "squeeze", "tile", "transpose",
     "trilu", "unsqueeze"}
)  # fmt: skip
BY_LAYOUT = frozenset(
    op.name for op in OPS.values() if op.layout in (Layout.ELEMENTWISE, Layout.AXIS)
)
FOLDED = (BY_LAYOUT - KEPT - PATTERNS) | LINEAR | PRODUCTS

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
    sizes = [_bytes(value.type) or 0 for value in model.graph.constants()]
    folder = _Folder(kept, ALLOWANCE + PER_BYTE * sum(sizes))
    folder.graph(model.graph)
    fix_sizes(model.graph, folder.found.known)
    model.graph.prune()
    return model


@dataclass
class _Folder:
    """Folds graphs until its allowance of bytes is used up: a file of a few lines could else ask
    for any amount of work and memory."""

    kept: frozenset[str]
    allowance: int
    found: Sizes = field(default_factory=Sizes)  # what the sizes of folded results came to
    # What layers made of constants: those are gone, so there is nothing for a dropout to train.
    layers: set[Value] = field(default_factory=set)

    def graph(self, graph: Graph) -> None:
        replaced: dict[Value, Value] = {}
        for node in graph.nodes:
            node.substitute(replaced)
            for body in node.bodies():
                self.graph(body)
            if node.op not in self.kept or not _is_weight(node.result):
                found = self.computed(node)
                replaced.update(zip(node.results, found, strict=False))
                if node.op in PRODUCTS or any(v in self.layers for _, v in node.operands()):
                    self.layers.update(found)
        graph.outputs = [replaced.get(value, value) for value in graph.outputs]

    def computed(self, node: Node) -> list[Value]:
        """The results of a node as constants; empty when it isn't to be folded."""
        if node.op == "dropout" and node.x in self.layers:
            return [node.x]
        if node.op not in FOLDED or not all(v.is_constant for _, v in node.operands()):
            return []
        if node.op == "transpose" and node.x.data is not None:
            return [constant(node.x.data.permuted(node.perm), node.result.name)]
        if any(True for _ in node.bodies()) or any(map(_has_symbols, node.args.values())):
            return []
        try:
            return self.run(node)
        except (ArithmeticError, LookupError, TypeError, ValueError):
            return []  # what can't be computed stays, for the model's run to fail there

    def run(self, node: Node) -> list[Value]:
        op = OPS[node.op]
        args = {name: _sizes(op.params[name].kind, each) for name, each in node.args.items()}
        cost = _cost(node, _result_types(node, args))
        if cost is None or cost > self.allowance:
            return []
        self.allowance -= cost
        with np.errstate(all="ignore"):
            arrays = op.call({name: _plain(argument) for name, argument in args.items()})
        for array, result in zip(arrays, node.results, strict=True):
            self.found.bind(result.shape or (), array.shape)
        return [
            constant(np.ascontiguousarray(array).reshape(array.shape), result.name)
            for array, result in zip(arrays, node.results, strict=True)
        ]


def _is_weight(value: Value) -> bool:
    is_float = value.dtype is not None and value.dtype.is_float
    return is_float and any(size != 1 for size in value.shape or ())


def _result_types(node: Node, args: dict[str, Any]) -> list[TensorType | None]:
    """The results' types as they follow from the operands alone: a source may say anything."""
    if node.op == "range":
        start, limit, delta = (args[name].array().reshape(()).item() for name in args)
        count = max(math.ceil((limit - start) / delta), 0)
        return [TensorType(node.start.dtype, (count,))]
    return OPS[node.op].infer(args, lambda: symbol("unknown"))


def _cost(node: Node, results: list[TensorType | None]) -> int | None:
    """The bytes that are read and written, as far as they are known and in proportion."""
    operands = [value for _, value in node.operands()]
    read = [_bytes(value.type) or 0 for value in dict.fromkeys(operands)]
    written = [_bytes(result) for result in results]
    known = [size for size in written if size is not None and size <= max(LARGEST_BYTES, sum(read))]
    if len(known) < len(written):
        return None
    if node.op == "einsum":
        return math.prod(map(_elements, operands))
    if node.op in PRODUCTS:
        return math.isqrt(_elements(operands[0]) * _elements(operands[1]) * sum(known))
    return sum(read) + sum(known)


def _elements(value: Value) -> int:
    return math.prod(size for size in value.shape or () if isinstance(size, int))


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


def _sizes(kind: Kind, argument: Argument) -> Argument:
    """A constant where sizes belong, as those sizes."""
    if kind is Kind.SIZES and isinstance(argument, Value):
        return tuple(int(size) for size in argument.array().reshape(-1))
    return argument


def _plain(argument: Argument) -> object:
    """An argument as the op's body takes it."""
    if isinstance(argument, Value):
        return argument.array()
    if isinstance(argument, tuple) and argument and isinstance(argument[0], Value):
        return tuple(value.array() for value in argument if isinstance(value, Value))
    return argument
