"""A graph with its functions inlined: from which node a tensor really comes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tensorflow.core.framework import node_def_pb2, op_def_pb2
from tensorflow.python.framework import op_def_registry

from adapters.tensorflow.saved.model import CALLS, GraphModel
from ir_hub.sdk.errors import BadModel

# What gives one of its inputs as it is.
PASSING = frozenset({
    "CheckNumerics", "EnsureShape", "Identity", "IdentityN", "PreventGradient", "ReadVariableOp",
    "Snapshot", "StopGradient",
})  # fmt: skip
READING = "ReadVariableOp"
_MOST_FRAMES = 10_000
_DIGITS = 9  # of the number of a result
_DEEPEST = 100  # functions in functions


@dataclass(eq=False)
class Frame:
    """The nodes of a graph, or of one call of a function, by name. `arguments` are the function's
    inputs as tensors of the frame around it, `results` its outputs as tensors of its own."""

    nodes: Mapping[str, node_def_pb2.NodeDef]
    outer: Frame | None = None
    arguments: Mapping[str, str] = field(default_factory=dict)
    results: tuple[str, ...] = ()
    scope: str = ""
    depth: int = 0
    calls: dict[str, Frame] = field(default_factory=dict)

    def path(self, name: str) -> str:
        """A node's name, with the scope that the function was called in."""
        return "/".join(filter(None, (self.scope, name)))


@dataclass(frozen=True)
class Place:
    """A result of a node; `port` is its number."""

    frame: Frame
    node: node_def_pb2.NodeDef
    port: int

    @property
    def key(self) -> tuple[int, str]:
        """What tells the node from all others."""
        return id(self.frame), self.node.name


class Frames:
    """The frames of a model."""

    def __init__(self, model: GraphModel) -> None:
        self.model = model
        self.main = Frame(_by_name(model.graph.node))
        self.all = [self.main]

    def place(self, frame: Frame, tensor: str, through: list[str] | None = None) -> Place:
        """Where a tensor comes from, through calls and what passes it on; the paths of the nodes
        that read a variable on the way go into `through`.

        Raises:
            BadModel: nothing computes it.
        """
        seen: set[tuple[int, str]] = set()
        while True:
            if (id(frame), tensor) in seen:
                raise BadModel(f"{tensor} is computed from itself: the graph has a cycle")
            seen.add((id(frame), tensor))
            if tensor in frame.arguments:
                assert frame.outer is not None
                frame, tensor = frame.outer, frame.arguments[tensor]
                continue
            name, _, rest = tensor.partition(":")
            node = frame.nodes.get(name)
            if node is None:
                raise BadModel(f"a node reads {tensor}, which nothing computes")
            port = self.port(frame, node, rest)
            if node.op in CALLS:
                frame, tensor = self.called(frame, node, port)
            elif node.op in PASSING:
                if node.op == READING and through is not None:
                    through.append(frame.path(name))
                given = data_inputs(node)
                tensor = given[port] if port < len(given) else _missing(node)
            else:
                return Place(frame, node, port)

    def called(self, frame: Frame, node: node_def_pb2.NodeDef, port: int) -> tuple[Frame, str]:
        """The tensor that a call gives as one of its results."""
        inner = frame.calls.get(node.name)
        if inner is None:
            inner = frame.calls[node.name] = self._frame(frame, node)
            self.all.append(inner)
        if len(self.all) > _MOST_FRAMES:
            raise BadModel(f"the model calls more than {_MOST_FRAMES} functions")
        if port >= len(inner.results):
            raise BadModel(f"the call {node.name} has no result {port}")
        return inner, inner.results[port]

    def _frame(self, frame: Frame, node: node_def_pb2.NodeDef) -> Frame:
        name = node.attr["f"].func.name
        function = self.model.functions.get(name)
        given = data_inputs(node)
        if function is None:
            raise BadModel(f"{node.name} calls {name!r}, which isn't in the file")
        if len(given) != len(function.signature.input_arg):
            raise BadModel(f"{node.name} calls {name!r} with {len(given)} inputs")
        if frame.depth == _DEEPEST:
            raise BadModel(f"functions call each other more than {_DEEPEST} deep")
        names = (argument.name for argument in function.signature.input_arg)
        return Frame(
            nodes=_by_name(function.node_def),
            outer=frame,
            arguments=dict(zip(names, given, strict=True)),
            results=tuple(function.ret.get(o.name, "") for o in function.signature.output_arg),
            scope=frame.path(node.name).rpartition("/")[0],
            depth=frame.depth + 1,
        )

    def port(self, frame: Frame, node: node_def_pb2.NodeDef, rest: str) -> int:
        """The number of a result: "1" in a graph, "indices:0" in a function."""
        group, _, number = rest.rpartition(":")
        if not (number or "0").isdecimal():
            raise BadModel(f"{node.name}:{rest} is no tensor's name")
        before = 0
        definition = op_def_registry.get(node.op)
        if group and definition is not None:
            names = [output.name for output in definition.output_arg]
            if group not in names:
                raise BadModel(f"{node.name} ({node.op}) has no result {group}")
            earlier = definition.output_arg[: names.index(group)]
            before = sum(len(types_of(output, node)) for output in earlier)
        port = before + int((number or "0")[:_DIGITS])
        if port > _MOST_FRAMES:
            raise BadModel(f"{node.name} has no result {port}")
        return port


def data_inputs(node: node_def_pb2.NodeDef) -> list[str]:
    """The tensors that a node reads; what it only waits for is left out."""
    return [name for name in node.input if not name.startswith("^")]


def types_of(output: op_def_pb2.OpDef.ArgDef, node: node_def_pb2.NodeDef) -> list[int]:
    """The types, by number, of the tensors that an output of a node stands for."""
    if output.type_list_attr:
        return list(node.attr[output.type_list_attr].list.type)
    type_ = output.type or attribute(node, output.type_attr).type
    count = attribute(node, output.number_attr).i if output.number_attr else 1
    return [type_] * min(max(count, 0), _MOST_FRAMES)


def attribute(node: node_def_pb2.NodeDef, name: str) -> Any:
    """An attribute of a node, or its default."""
    if name in node.attr:
        return node.attr[name]
    definition = op_def_registry.get(node.op)
    found = [each for each in definition.attr if each.name == name] if definition else []
    return found[0].default_value if found else node.attr[name]


def _by_name(nodes: Iterable[node_def_pb2.NodeDef]) -> dict[str, node_def_pb2.NodeDef]:
    found: dict[str, node_def_pb2.NodeDef] = {}
    for node in nodes:
        if found.setdefault(node.name, node) is not node:
            raise BadModel(f"two nodes have the name {node.name}")
    return found


def _missing(node: node_def_pb2.NodeDef) -> str:
    raise BadModel(f"the node {node.name} ({node.op}) has no input")
