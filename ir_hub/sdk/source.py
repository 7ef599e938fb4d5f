"""Reads a framework's graph into the IR by its dialect, and lists all that it can't read."""

from __future__ import annotations

import itertools
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ir_hub.ir.dims import Symbol
from ir_hub.ir.graph import Argument, Graph, Model, Source, Value, constant
from ir_hub.ir.tensor import Tensor
from ir_hub.ir.types import TensorType
from ir_hub.ops.any_size import types_at_any_size
from ir_hub.ops.build import Builder
from ir_hub.ops.op import OPS, Op
from ir_hub.sdk.dialect import Call, Dialect, Unsupported
from ir_hub.sdk.errors import BadModel, Problem, UnsupportedNodes

_NAMED = 3  # origins that a note names


@dataclass(frozen=True)
class SourceNode:
    """A node as the source has it; inputs and outputs are names, "" for one left out."""

    type: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attrs: Mapping[str, Any] = field(default_factory=dict)  # a body is a SourceGraph
    version: int = 1
    name: str = ""
    scope: str = ""


@dataclass
class SourceGraph:
    """A graph as the source has it: what an adapter's `walk` makes of a loaded model."""

    inputs: dict[str, TensorType | None]
    constants: Mapping[str, Tensor]
    nodes: Iterable[SourceNode]
    outputs: list[str]
    output_types: Mapping[str, TensorType] = field(default_factory=dict)
    scopes: dict[str, str] = field(default_factory=dict)
    symbols: dict[str, Symbol] = field(default_factory=dict)
    source: Source = field(default_factory=Source)
    notes: list[str] = field(default_factory=list)  # what a person should know


def read(source: SourceGraph, dialect: Dialect) -> Model:
    """Reads a source graph into a model; what rules note is added to the source's notes.

    Raises:
        UnsupportedNodes: some nodes can't be read; each that is at fault itself is listed, those
            behind them are counted.
        BadModel: the graph contradicts itself; the message says where.
    """
    reader = _Reader(dialect)
    graph = reader.graph(source, {})
    if reader.problems:
        raise UnsupportedNodes(dialect.name, reader.problems, reader.behind)
    source.notes += [_note(text, origins) for text, origins in reader.notes.items()]
    return Model(graph, _scopes(graph, source.scopes), source.source, source.symbols)


def _note(text: str, origins: Sequence[str]) -> str:
    more = len(origins) - _NAMED
    shown = ", ".join(origins[:_NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"{shown}: {text}"


def _origin(node: SourceNode) -> str:
    return f"{node.name} ({node.type})" if node.name else node.type


def _scopes(graph: Graph, known: Mapping[str, str]) -> dict[str, str]:
    """The scopes of all nodes and those around them; where the source says no class, "" is it."""
    scopes = dict(known)
    for scope in dict.fromkeys(node.scope for node in graph.walk()):
        parts = scope.split(".") if scope else []
        for length in range(1, len(parts) + 1):
            scopes.setdefault(".".join(parts[:length]), "")
    return scopes


class _BehindUnread(Exception):
    """A rule looked at what a node that isn't read would have computed."""


class _Unread(Value):
    """A result of a node that isn't read, and of what is built on it. A rule that fails before it
    looks at one fails for the sake of its own node; one that looks at it can't go on."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getattribute__(self, name: str) -> Any:
        if name in ("type", "producer", "data"):
            raise _BehindUnread
        return super().__getattribute__(name)


class _Reader:
    """Reads a graph and its bodies; behind a node that can't be read it goes on, as far as that
    tells more."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.problems: list[Problem] = []
        self.behind = 0  # nodes that aren't read for the sake of others alone
        self.notes: dict[str, list[str]] = {}
        self.named: set[Value] = set()
        self.symbols = itertools.count()
        self.values = itertools.count()

    def graph(self, source: SourceGraph, outer: Mapping[str, Value]) -> Graph:
        b = _SharedBuilder(self, optional=bool(outer))
        names: dict[str, Value] = dict(outer)
        names.update((name, constant(t, name)) for name, t in source.constants.items())
        for name, type_ in source.inputs.items():
            names[name] = Value(name, type_)
            b.graph.inputs.append(names[name])
        for node in source.nodes:
            self.node(node, b, names)
        missing = [name for name in source.outputs if name not in names]
        if missing:
            raise BadModel(f"the graph returns {', '.join(missing)}, which nothing computes")
        b.graph.outputs = [self.output(name, names, b) for name in source.outputs]
        return b.graph

    def node(self, node: SourceNode, b: Builder, names: dict[str, Value]) -> None:
        origin = _origin(node)
        missing = [name for name in node.inputs if name and name not in names]
        if missing:
            raise BadModel(
                f"node {origin} reads {', '.join(missing)}, which nothing before it computes: "
                "the graph has a cycle, isn't sorted, or was cut off"
            )
        inputs = tuple(names[name] if name else None for name in node.inputs)
        bodies = {name: item for name, item in node.attrs.items() if isinstance(item, SourceGraph)}

        def body(attr: str) -> Graph:
            bodies.pop(attr, None)
            return self.graph(node.attrs[attr], names)

        call = Call(node.type, node.version, inputs, node.outputs, node.attrs, body)
        try:
            with b.within(node.scope, (origin,)):
                found = self.dialect.reader(node.type, node.version)(call, b)
        except (_BehindUnread, Unsupported, ValueError, TypeError) as error:
            self.refuse(origin, error)
            self.check_rules(bodies.values())
            found = tuple(map(_Unread, node.outputs))
        self.bind(node, found if isinstance(found, tuple | list) else (found,), names)

    def refuse(self, origin: str, error: Exception) -> None:
        """Lists a node with the reason why it isn't read, if that is its own."""
        if isinstance(error, _BehindUnread):
            self.behind += 1
        elif isinstance(error, Unsupported) or self.problems:
            self.problems.append(Problem(origin, str(error)))
        else:
            raise BadModel(f"node {origin}: {error}") from error

    def check_rules(self, bodies: Iterable[SourceGraph]) -> None:
        """Lists the nodes that have no rule in bodies that aren't read; counts the others."""
        for node in itertools.chain.from_iterable(body.nodes for body in bodies):
            try:
                self.dialect.reader(node.type, node.version)
            except Unsupported as error:
                self.refuse(_origin(node), error)
            else:
                self.behind += 1
            self.check_rules(item for item in node.attrs.values() if isinstance(item, SourceGraph))

    def bind(self, node: SourceNode, found: Iterable[Value], names: dict[str, Value]) -> None:
        wanted = [name for name in node.outputs if name]
        values = dict(zip(node.outputs, found, strict=False))
        lost = [name for name in wanted if name not in values]
        if lost:
            reason = f"its output {', '.join(lost)} is not computed"
            self.problems.append(Problem(_origin(node), reason))
            values.update((name, _Unread(name)) for name in lost)
        for name in wanted:
            value = names[name] = values[name]
            if isinstance(value, _Unread) or value.producer is None or value in self.named:
                continue
            value.name = name
            self.named.add(value)

    def output(self, name: str, names: Mapping[str, Value], b: Builder) -> Value:
        """The value that an output names. One that is also an input, a constant, or returned
        under another name already passes through an identity, so that it keeps its name."""
        value = names[name]
        if isinstance(value, _Unread):
            return value
        if value.name == name and value.producer is not None and value not in b.graph.outputs:
            return value
        if value.type is None:
            return value
        passed: Value = b.identity(value)
        passed.name = name
        return passed


class _SharedBuilder(Builder):
    """A builder whose names and symbols are distinct from those of all others of one reader, and
    whose notes are the reader's. What an `optional` one builds may never run, and need not fit."""

    def __init__(self, reader: _Reader, optional: bool) -> None:
        super().__init__()
        self.optional = optional
        self._numbers, self._symbols = reader.values, reader.symbols
        self.notes = reader.notes

    def call(self, name: str, *tensors: Any, **named: Any) -> Any:
        try:
            return super().call(name, *tensors, **named)
        except _BehindUnread:
            results = OPS[name].results
            if callable(results):
                raise
            found = tuple(map(_Unread, results))
            return found if len(found) > 1 else found[0]

    def types(self, op: Op, args: Mapping[str, Argument]) -> list[TensorType | None]:
        try:
            return super().types(op, args)
        except ValueError:
            if not self.optional:
                raise
            return types_at_any_size(op, args, self.fresh)


def symbol_name(text: str, taken: Container[str]) -> str:
    """A source's own name for a size, as an identifier that is new and can't be a fresh one."""
    name = re.sub(r"\W", "_", text, flags=re.ASCII) or "size"
    if name[0].isdigit() or re.fullmatch(r"u\d+", name):
        name = f"n_{name}"
    while name in taken:
        name += "_"
    return name
