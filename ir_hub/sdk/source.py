"""Reads a framework's graph into the IR by its dialect, and lists all that it can't read."""

from __future__ import annotations

import itertools
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ir_hub.ir.dims import Symbol
from ir_hub.ir.graph import Graph, Model, Source, Value, constant
from ir_hub.ir.tensor import Tensor
from ir_hub.ir.types import TensorType
from ir_hub.ops.build import Builder
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
        UnsupportedNodes: some nodes have no rule; every one of them is listed.
        BadModel: the graph contradicts itself; the message says where.
    """
    reader = _Reader(dialect)
    graph = reader.graph(source, {})
    if reader.problems:
        raise UnsupportedNodes(dialect.name, reader.problems)
    source.notes += [_note(text, origins) for text, origins in reader.notes.items()]
    return Model(graph, _scopes(graph, source.scopes), source.source, source.symbols)


def _note(text: str, origins: Sequence[str]) -> str:
    more = len(origins) - _NAMED
    shown = ", ".join(origins[:_NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"{shown}: {text}"


def _scopes(graph: Graph, known: Mapping[str, str]) -> dict[str, str]:
    """The scopes of all nodes and those around them; where the source says no class, "" is it."""
    scopes = dict(known)
    for scope in dict.fromkeys(node.scope for node in graph.walk()):
        parts = scope.split(".") if scope else []
        for length in range(1, len(parts) + 1):
            scopes.setdefault(".".join(parts[:length]), "")
    return scopes


class _Reader:
    """Reads a graph and its bodies; the values of a node without a rule are left untyped, so that
    the nodes behind it are still looked at."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.problems: list[Problem] = []
        self.notes: dict[str, list[str]] = {}
        self.named: set[Value] = set()
        self.symbols = itertools.count()
        self.values = itertools.count()

    def graph(self, source: SourceGraph, outer: Mapping[str, Value]) -> Graph:
        b = _SharedBuilder(self)
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
        origin = f"{node.name} ({node.type})" if node.name else node.type
        missing = [name for name in node.inputs if name and name not in names]
        if missing:
            raise BadModel(
                f"node {origin} reads {', '.join(missing)}, which nothing before it computes: "
                "the graph has a cycle, isn't sorted, or was cut off"
            )
        inputs = tuple(names[name] if name else None for name in node.inputs)
        body = lambda attr: self.graph(node.attrs[attr], names)  # noqa: E731
        call = Call(node.type, node.version, inputs, node.outputs, node.attrs, body)
        try:
            with b.within(node.scope, (origin,)):
                found = self.dialect.reader(node.type, node.version)(call, b)
        except Unsupported as error:
            self.problems.append(Problem(origin, str(error)))
            found = tuple(Value(name) for name in node.outputs)
        except (ValueError, TypeError) as error:
            if self.problems:  # what follows an unread node may fail for that alone
                found = tuple(Value(name) for name in node.outputs)
            else:
                raise BadModel(f"node {origin}: {error}") from error
        self.bind(node, found if isinstance(found, tuple | list) else (found,), names, b)

    def bind(
        self, node: SourceNode, found: Iterable[Value], names: dict[str, Value], b: Builder
    ) -> None:
        wanted = [name for name in node.outputs if name]
        values = dict(zip(node.outputs, found, strict=False))
        lost = [name for name in wanted if name not in values]
        if lost:
            origin = f"{node.name} ({node.type})" if node.name else node.type
            self.problems.append(Problem(origin, f"its output {', '.join(lost)} is not computed"))
            values.update((name, Value(name)) for name in lost)
        for name in wanted:
            value = values[name]
            if value.producer is not None and value not in self.named:
                value.name = name
                self.named.add(value)
            names[name] = value

    def output(self, name: str, names: Mapping[str, Value], b: Builder) -> Value:
        """The value that an output names. One that is also an input, a constant, or returned
        under another name already passes through an identity, so that it keeps its name."""
        value = names[name]
        if value.name == name and value.producer is not None and value not in b.graph.outputs:
            return value
        if value.type is None:
            return value
        passed: Value = b.identity(value)
        passed.name = name
        return passed


class _SharedBuilder(Builder):
    """A builder whose names and symbols are distinct from those of all others of one reader, and
    whose notes are the reader's."""

    def __init__(self, reader: _Reader) -> None:
        super().__init__()
        self._numbers, self._symbols = reader.values, reader.symbols
        self.notes = reader.notes


def symbol_name(text: str, taken: Container[str]) -> str:
    """A source's own name for a size, as an identifier that is new and can't be a fresh one."""
    name = re.sub(r"\W", "_", text, flags=re.ASCII) or "size"
    if name[0].isdigit() or re.fullmatch(r"u\d+", name):
        name = f"n_{name}"
    while name in taken:
        name += "_"
    return name
