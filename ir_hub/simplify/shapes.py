"""Types of every value, and integer tensors as expressions over sizes: what turns the spelled-out
Shape -> Gather -> Concat -> Reshape into a reshape to sizes with symbols."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ir_hub.ir.dims import (
    Dim,
    Expr,
    ExpressionTooLarge,
    ceildiv,
    complexity,
    maximum,
    symbol,
    symbols_of,
)
from ir_hub.ir.graph import Argument, Graph, Model, Node, Value, constant
from ir_hub.ir.types import DType, TensorType
from ir_hub.ops.any_size import types_at_any_size
from ir_hub.ops.catalogue import OPS
from ir_hub.ops.op import Array, Kind

LARGEST = 64  # Elements of a tensor that is followed; shapes are short, weights are not.
FOLLOWED = (DType.INT32, DType.INT64, DType.UINT32, DType.UINT64, DType.BOOL)


def infer_shapes(model: Model) -> Model:
    """Gives every value the best type that follows from the inputs', and every sizes argument
    whose elements follow from sizes the literal that says so.

    Raises:
        ValueError: a node's operands don't fit it; the message names the node.
    """
    _Shapes(fresh_symbols(model)).graph(model.graph)
    model.graph.prune()
    return model


def fresh_symbols(model: Model) -> Iterator[Dim]:
    """Symbols that the model doesn't have yet."""
    taken = set(model.symbols)
    nodes = list(model.graph.walk())
    inputs = [v for node in nodes for body in node.bodies() for v in body.inputs]
    results = [v for node in nodes for v in node.results]
    for value in [*model.graph.inputs, *inputs, *results]:
        for size in value.shape or ():
            taken |= symbols_of(size)
    number = 0
    while True:
        name = f"u{number}"
        if name not in taken:
            yield symbol(name)
        number += 1


class _Shapes:
    def __init__(self, fresh: Iterator[Dim]) -> None:
        self.fresh = fresh
        self.made: set[Dim] = set()
        self.known: dict[Value, Array] = {}

    def graph(self, graph: Graph, optional: bool = False) -> None:
        """Types the nodes of a graph, in whose place a branch that is always taken is put.
        One that is `optional` may never run, and need not fit."""
        pending, graph.nodes = graph.nodes[::-1], []
        while pending:
            node = pending.pop()
            branch = self.branch_of(node)
            if branch is not None:
                pending += [*branch.nodes, *_passed_on(branch.outputs, node)][::-1]
                continue
            graph.nodes.append(node)
            self.node(node, optional)
        self.settle(graph)

    def node(self, node: Node, optional: bool) -> None:
        """Types a node's results, and computes them where they follow from sizes."""
        if node.op not in OPS:
            return
        for body in node.bodies():
            self.graph(body, optional or node.op == "if")
        self.literals(node)
        try:
            types = self.types(node)
        except ExpressionTooLarge:
            return
        except ValueError as error:
            if not optional:
                raise ValueError(f"node {node.name or node.origins or node.op}: {error}") from error
            types = types_at_any_size(OPS[node.op], node.args, self.symbol)
        for result, type_ in zip(node.results, types, strict=True):
            result.type = self.better(result.type, type_)
        self.follow(node)

    def branch_of(self, node: Node) -> Graph | None:
        """The branch that a node takes whatever the inputs are."""
        condition = self.elements(node.condition) if node.op == "if" else None
        if condition is None or condition.size != 1:
            return None
        taken: Graph = node.then_branch if condition.item() else node.else_branch
        return taken

    def settle(self, graph: Graph) -> None:
        """Has nodes read a constant where what they read came to mere numbers."""
        numbers: dict[Value, Value] = {}
        for result in (result for node in graph.nodes for result in node.results):
            array = self.known.get(result)
            if array is not None and result.dtype is not None and _is_known(array):
                numbers[result] = constant(array.astype(result.dtype.numpy), result.name)
        for node in graph.nodes:
            node.substitute(numbers)

    def types(self, node: Node) -> list[TensorType | None]:
        """The results' types as they follow from the operands."""
        if node.op == "range" and node.start.dtype is not None:
            parts = [self.elements(value) for value in (node.start, node.limit, node.delta)]
            size = _count(*(p.reshape(()).item() for p in parts if p is not None and p.size == 1))
            if size is not None:
                return [TensorType(node.start.dtype, (size,))]
        return OPS[node.op].infer(node.args, self.symbol)

    def symbol(self) -> Dim:
        made = next(self.fresh)
        self.made.add(made)
        return made

    def literals(self, node: Node) -> None:
        """Turns sizes arguments into literals where their elements are known by now."""
        for name, param in OPS[node.op].params.items():
            argument = node.args.get(name)
            if param.kind is Kind.SIZES and isinstance(argument, Value):
                sizes = self.elements(argument)
                if sizes is not None:
                    node.args[name] = tuple(sizes.reshape(-1).tolist())
        if node.op == "range":
            self.count(node)

    def count(self, node: Node) -> None:
        """Says of a range of whole numbers from 0 on how many they are, where sizes tell."""
        bounds = [self.elements(value) for value in (node.start, node.limit, node.delta)]
        if node.start.dtype is not DType.INT64 or any(b is None or b.size != 1 for b in bounds):
            return
        start, limit, delta = (bound.item() for bound in bounds if bound is not None)
        if (start, delta) == (0, 1) and isinstance(limit, Expr):
            node.op, node.args = "positions", {"size": (maximum(limit, 0),)}

    def better(self, old: TensorType | None, new: TensorType | None) -> TensorType | None:
        """Of two types the one that says more, axis by axis."""
        if old is None or new is None or old.shape is None or new.shape is None:
            return new if old is None or (new is not None and new.shape is not None) else old
        if len(old.shape) != len(new.shape):
            return new
        pairs = zip(old.shape, new.shape, strict=True)
        keep = (b if isinstance(b, int) or not self.tells(a, b) else a for a, b in pairs)
        return new.with_shape(tuple(keep))

    def tells(self, old: Dim, new: Dim) -> bool:
        """Whether a size says more than one that is no number: what an op says of two sizes that
        it takes for equal has both of them."""
        if isinstance(old, int) or new in self.made:
            return True
        simpler = complexity(old) < complexity(new)
        return simpler and old not in self.made and symbols_of(old) <= symbols_of(new)

    def follow(self, node: Node) -> None:
        """Computes what a node's integer results are, in terms of sizes."""
        op = OPS[node.op]
        if node.op in ("shape_of", "size_of"):
            self.record(node, self.shape_value(node))
            return
        if not op.symbolic or not all(_is_small(result.type) for result in node.results):
            return
        args: dict[str, object] = {}
        for name, argument in node.args.items():
            known = self.argument(argument)
            if known is None and argument is not None:
                return
            args[name] = known
        try:
            found = op.call(args)
        except (TypeError, ValueError, ExpressionTooLarge, ZeroDivisionError):
            return  # what can't be decided for sizes with symbols stays a tensor
        self.record(node, found)

    def argument(self, argument: Argument) -> object:
        if isinstance(argument, Value):
            return self.elements(argument)
        if isinstance(argument, tuple) and argument and isinstance(argument[0], Value):
            items = [self.elements(v) for v in argument if isinstance(v, Value)]
            return None if any(item is None for item in items) else tuple(items)
        return argument

    def elements(self, value: Value) -> Array | None:
        """The elements of a short integer tensor, as far as they follow from sizes."""
        if value not in self.known and value.is_constant and _is_small(value.type):
            self.known[value] = value.array().astype(object)
        return self.known.get(value)

    def shape_value(self, node: Node) -> list[Array]:
        shape = node.x.shape
        if shape is None:
            return []
        if node.op == "size_of":
            return [np.array(math.prod(shape), dtype=object)]
        return [_object_vector(shape[slice(node.start, node.end)])]

    def record(self, node: Node, found: list[Array]) -> None:
        for result, array in zip(node.results, found, strict=False):
            flat = array.reshape(-1).tolist()
            if all(_is_element(item, result.dtype) for item in flat):
                self.known[result] = array.astype(object)


def _passed_on(values: list[Value], node: Node) -> list[Node]:
    """Nodes that give a node's results these values; where they are returned they keep names."""
    pairs = zip(values, node.results, strict=True)
    return [Node("identity", {"x": value}, [result], result.name, node.scope, node.origins)
            for value, result in pairs]  # fmt: skip


def _is_small(type_: TensorType | None) -> bool:
    """Whether it is a short tensor of what sizes, or choices among them, are computed with."""
    if type_ is None or type_.shape is None or type_.dtype not in FOLLOWED:
        return False
    sizes = type_.shape
    return all(isinstance(s, int) for s in sizes) and math.prod(sizes) <= LARGEST


def _is_element(item: object, dtype: DType | None) -> bool:
    """Whether it can be an element of that type, or stand for one; numbers may not overflow."""
    if dtype is DType.BOOL or isinstance(item, bool) or dtype not in FOLLOWED:
        return dtype is DType.BOOL and isinstance(item, bool)
    limits = np.iinfo(dtype.numpy)
    return isinstance(item, Expr) or (
        isinstance(item, int) and int(limits.min) <= item <= int(limits.max)
    )


def _count(*bounds: Dim) -> Dim | None:
    """How many numbers there are from the first up to the second by the third, if it is known."""
    if len(bounds) < 3:
        return None
    start, limit, delta = bounds
    if not isinstance(delta, int) or delta == 0:
        return None
    try:
        distance, step = (limit - start, delta) if delta > 0 else (start - limit, -delta)
        return maximum(ceildiv(distance, step), 0)
    except ExpressionTooLarge:
        return None


def _is_known(array: Array) -> bool:
    return all(isinstance(item, int) for item in array.reshape(-1).tolist())


def _object_vector(items: tuple[Dim, ...]) -> Array:
    vector = np.empty(len(items), dtype=object)
    vector[:] = list(items)
    return vector
