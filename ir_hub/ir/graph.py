"""The graph in memory: values, nodes, graphs, models. Knows no op and no file format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Union

import numpy as np

from ir_hub.ir.dims import Dim, Expr, Symbol
from ir_hub.ir.tensor import ArrayTensor, Tensor
from ir_hub.ir.types import DType, Shape, TensorType

Literal = Union[None, bool, int, float, str, DType, Expr, tuple["Literal", ...]]  # noqa: UP007 (names itself)
Argument = Union["Value", tuple["Value", ...], "Graph", Literal]


@dataclass(eq=False)
class Value:
    """A tensor that flows through a graph: an input, a node's result, or a constant.

    Values are compared by identity; a name is a hint for people, made unique when written.
    """

    name: str
    type: TensorType | None = None
    producer: Node | None = None
    data: Tensor | None = None

    def __repr__(self) -> str:
        sizes = "[*]" if self.shape is None else f"[{', '.join(map(str, self.shape))}]"
        return f"%{self.name}{sizes}"

    @property
    def shape(self) -> Shape | None:
        """The sizes; None when the rank isn't known."""
        return self.type.shape if self.type else None

    @property
    def dtype(self) -> DType | None:
        """The type of an element; None when it isn't known."""
        return self.type.dtype if self.type else None

    @property
    def is_constant(self) -> bool:
        """Whether its elements are known."""
        return self.data is not None

    @property
    def scalar(self) -> bool | int | float | None:
        """The one element of a real constant that has one; None for all else."""
        if self.data is None or any(size != 1 for size in self.data.shape):
            return None
        if self.data.dtype in (DType.STRING, DType.COMPLEX64, DType.COMPLEX128):
            return None
        item = self.data.numpy().reshape(()).item()
        return item if isinstance(item, bool | int | float) else float(item)

    def array(self) -> np.ndarray:
        """The elements of a constant; ValueError when it isn't one."""
        if self.data is None:
            raise ValueError(f"{self!r} is not a constant")
        return self.data.numpy()


def constant(array: np.ndarray | Tensor, name: str = "constant") -> Value:
    """A value with known elements."""
    data = ArrayTensor(array) if isinstance(array, np.ndarray) else array
    return Value(name, TensorType(data.dtype, tuple(data.shape)), data=data)


@dataclass(eq=False)
class Node:
    """One call of one op: named arguments in, results out.

    An argument is a value, a tuple of values (variadic), a graph (a body), or a literal.
    """

    op: str
    args: dict[str, Argument]
    results: list[Value] = field(default_factory=list)
    name: str = ""
    scope: str = ""
    origins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for result in self.results:
            result.producer = self

    def __repr__(self) -> str:
        from ir_hub.ir.text import node_text  # text knows graphs; here only for messages

        return node_text(self)

    def __getattr__(self, name: str) -> Any:
        """An argument by its name: `node.strides`; None when an optional one was left out."""
        if name.startswith("__") or name == "args":
            raise AttributeError(name)
        try:
            return self.args[name]
        except KeyError:
            raise AttributeError(f"{self.op} has no argument {name!r}") from None

    @property
    def result(self) -> Value:
        """The first result; for most ops the only one."""
        return self.results[0]

    def operands(self) -> Iterator[tuple[str, Value]]:
        """The values among its arguments, with the argument's name; variadic ones one by one."""
        for name, argument in self.args.items():
            if isinstance(argument, Value):
                yield name, argument
            elif isinstance(argument, tuple):
                yield from ((name, item) for item in argument if isinstance(item, Value))

    def bodies(self) -> Iterator[Graph]:
        """The graphs among its arguments."""
        for argument in self.args.values():
            if isinstance(argument, Graph):
                yield argument

    def reads(self) -> Iterator[Value]:
        """Every value that it needs: its operands, and what its bodies take from around them."""
        for _, value in self.operands():
            yield value
        for body in self.bodies():
            yield from body.captures()

    def substitute(self, replacements: Mapping[Value, Value]) -> None:
        """Replaces operands, in its bodies too."""
        if not replacements:
            return
        for name, argument in self.args.items():
            if isinstance(argument, Value):
                self.args[name] = replacements.get(argument, argument)
            elif isinstance(argument, tuple) and argument and isinstance(argument[0], Value):
                self.args[name] = tuple(replacements.get(v, v) for v in argument)
            elif isinstance(argument, Graph):
                argument.substitute(replacements)


@dataclass(eq=False)
class Graph:
    """Inputs, nodes in topological order, outputs. Constants are values with data."""

    inputs: list[Value] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    outputs: list[Value] = field(default_factory=list)

    def __repr__(self) -> str:
        from ir_hub.ir.text import graph_text  # text knows graphs; here only for messages

        return graph_text(self)

    def walk(self) -> Iterator[Node]:
        """Every node, those in bodies too, each before its bodies' nodes."""
        stack = [iter(self.nodes)]
        while stack:
            node = next(stack[-1], None)
            if node is None:
                stack.pop()
                continue
            yield node
            stack.extend(iter(body.nodes) for body in reversed(list(node.bodies())))

    def users(self) -> dict[Value, list[Node]]:
        """Who reads each value; bodies count as their node. Outputs aren't users."""
        found: dict[Value, list[Node]] = {}
        for node in self.nodes:
            for value in dict.fromkeys(node.reads()):
                found.setdefault(value, []).append(node)
        return found

    def constants(self) -> list[Value]:
        """The constants that the graph reads or returns, once each, in order of first use."""
        read = (value for node in self.walk() for _, value in node.operands())
        bodies = (body for node in self.walk() for body in node.bodies())
        returned = [value for graph in (self, *bodies) for value in graph.outputs]
        return [v for v in dict.fromkeys([*read, *returned]) if v.is_constant]

    def captures(self) -> list[Value]:
        """The values that a body takes from around it, constants left out."""
        own = set(self.inputs)
        taken: dict[Value, None] = {}
        for node in self.nodes:
            taken.update((v, None) for v in node.reads() if v not in own and not v.is_constant)
            own.update(node.results)
        taken.update((v, None) for v in self.outputs if v not in own and not v.is_constant)
        return list(taken)

    def substitute(self, replacements: Mapping[Value, Value]) -> None:
        """Replaces values wherever they are read or returned."""
        if not replacements:
            return
        for node in self.nodes:
            node.substitute(replacements)
        self.outputs = [replacements.get(value, value) for value in self.outputs]

    def prune(self) -> None:
        """Drops the nodes whose results nobody needs."""
        needed = set(self.outputs)
        kept: list[Node] = []
        for node in reversed(self.nodes):
            if any(result in needed for result in node.results):
                kept.append(node)
                needed.update(node.reads())
        self.nodes = kept[::-1]


@dataclass(frozen=True)
class Source:
    """What a model was before it became IR: framework, who wrote the file, which format."""

    framework: str = ""
    producer: str = ""
    format_version: str = ""


@dataclass(frozen=True)
class Constraint:
    """Two sizes that a node needs equal though they aren't provably so."""

    left: Dim
    right: Dim
    node: str


@dataclass(eq=False)
class Model:
    """A graph with the modules its nodes came from, and what is known of its symbols."""

    graph: Graph
    scopes: dict[str, str] = field(default_factory=dict)  # dotted path -> class name
    source: Source = field(default_factory=Source)
    symbols: dict[str, Symbol] = field(default_factory=dict)
    constraints: list[Constraint] = field(default_factory=list)
