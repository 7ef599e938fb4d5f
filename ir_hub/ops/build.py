"""Builds graphs by calling ops: `b.conv(x, weight, strides=(2, 2), ...)`; types follow at once."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from ir_hub.ir.dims import Dim, symbol
from ir_hub.ir.graph import Argument, Graph, Node, Value, constant
from ir_hub.ir.types import DType, Shape, TensorType
from ir_hub.ops.op import OPS, Kind, Op


class Builder:
    """Appends nodes to a graph. Every op is a method: tensors by position, literals by name.

    `scope` and `origins` are given to the nodes that are made until they are changed. `notes` are
    what a person should know of what was built, with the origins that each one is about.
    """

    def __init__(self, graph: Graph | None = None, prefix: str = "v") -> None:
        self.graph = graph if graph is not None else Graph()
        self.scope = ""
        self.origins: tuple[str, ...] = ()
        self.notes: dict[str, list[str]] = {}
        self._prefix = prefix
        self._numbers = itertools.count()
        self._symbols = itertools.count()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in OPS:
            raise AttributeError(f"there is no op {name!r}")
        return lambda *tensors, **literals: self.call(name, *tensors, **literals)

    def fresh(self) -> Dim:
        """A symbol for a size that only the run knows."""
        return symbol(f"u{next(self._symbols)}")

    def input(self, name: str, dtype: DType = DType.FLOAT32, shape: Shape | None = None) -> Value:
        """A new input of the graph."""
        value = self.value(name, TensorType(dtype, shape))
        self.graph.inputs.append(value)
        return value

    def value(self, name: str, type_: TensorType | None) -> Value:
        """A new value; what a subclass overrides to have values of its own kind."""
        return Value(name, type_)

    def constant(self, array: Any, dtype: DType | None = None, name: str = "constant") -> Value:
        """A constant, of the given type or of the array's own."""
        return constant(np.asarray(array, dtype.numpy if dtype else None), name)

    @contextlib.contextmanager
    def within(self, scope: str = "", origins: tuple[str, ...] = ()) -> Iterator[None]:
        """Gives the nodes made inside a scope and origins."""
        before = self.scope, self.origins
        self.scope, self.origins = scope, origins
        try:
            yield
        finally:
            self.scope, self.origins = before

    def note(self, text: str) -> None:
        """Says something of what is being built."""
        self.notes.setdefault(text, []).extend(self.origins)

    def call(self, name: str, *tensors: Any, **named: Any) -> Any:
        """Appends a call of an op; returns its result, or a tuple when it declares several.

        A Python number or array where a tensor belongs becomes a constant, of the type of the
        first tensor; a constant where sizes belong becomes a literal.

        Raises:
            TypeError: an argument is unknown or missing.
            ValueError: the operands don't fit the op or each other.
        """
        results = self.append(name, self._bind(OPS[name], tensors, named)).results
        return tuple(results) if len(results) > 1 or callable(OPS[name].results) else results[0]

    def append(self, name: str, args: Mapping[str, Argument]) -> Node:
        """Appends a call of an op with all its arguments by name."""
        op = OPS[name]
        complete = op.complete(args)
        types = self.types(op, complete)
        results = [self.value(f"{self._prefix}{next(self._numbers)}", t) for t in types]
        node = Node(name, complete, results, "", self.scope, self.origins)
        self.graph.nodes.append(node)
        return node

    def types(self, op: Op, args: Mapping[str, Argument]) -> list[TensorType | None]:
        """The types of a call's results; what a subclass overrides to take what doesn't fit."""
        return op.infer(args, self.fresh)

    def _bind(self, op: Op, tensors: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Argument]:
        positional = [p for p in op.params.values() if p.kind not in (Kind.LITERAL, Kind.BODY)]
        if len(tensors) > len(positional):
            raise TypeError(f"{op.name} takes {len(positional)} tensors, not {len(tensors)}")
        args = dict(zip((p.name for p in positional), tensors, strict=False))
        twice = ", ".join(args.keys() & named.keys())
        if twice:
            raise TypeError(f"{op.name} got {twice} twice")
        args.update(named)
        # A condition says nothing of the numbers that it chooses between.
        types = (a.dtype for a in args.values() if isinstance(a, Value))
        like = next((dtype for dtype in types if dtype is not DType.BOOL), None)
        for param in positional:
            if param.name in args:
                args[param.name] = self._operand(param.kind, args[param.name], like)
        return args

    def _operand(self, kind: Kind, argument: Any, like: DType | None) -> Argument:
        if argument is None:
            return None
        if kind is Kind.SIZES:
            return sizes_literal(argument)
        if kind is Kind.TENSORS:
            return tuple(argument)
        return argument if isinstance(argument, Value) else self.constant(argument, like)


def sizes_literal(argument: Any) -> Argument:
    """A sizes argument as a literal tuple if its elements are known, as the value if not."""
    if isinstance(argument, Value):
        if argument.data is None:
            return argument
        return tuple(int(size) for size in argument.array().reshape(-1))
    return (argument,) if isinstance(argument, int) else tuple(argument)
