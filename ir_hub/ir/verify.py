"""Refuses a malformed graph, with up to twenty messages that say which node and why."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ir_hub.ir.dims import Dim, Expr, symbols_of
from ir_hub.ir.errors import BadIR
from ir_hub.ir.graph import Argument, Graph, Model, Node, Value
from ir_hub.ir.limits import MAX_GRAPHS, MAX_RANK, MAX_SIZE
from ir_hub.ir.order import order_problem
from ir_hub.ir.schema import OpSchema, argument_problem, given
from ir_hub.ir.text import node_label
from ir_hub.ir.types import DType, TensorType

MAX_PROBLEMS = 20

_FOREIGN = re.compile(r"[a-z][a-z0-9_]*::\S+")


def verify(
    model: Model,
    ops: Mapping[str, OpSchema],
    allow_foreign: bool = True,
    typed: bool = False,
) -> None:
    """Checks that a model is well-formed: every value defined once and before it is read, every
    call as its op declares it, every constant what its type says, every name known.

    Args:
        model: the model; arguments at their defaults may be left out.
        ops: what the ops declare, by name.
        allow_foreign: whether there may be ops of one framework alone ("mxnet::ROIPooling").
        typed: whether every value has to have a type; else only the model's inputs have to.

    Raises:
        BadIR: with the first twenty problems.
    """
    verifier = _Verifier(model, ops, allow_foreign, typed)
    verifier.graph(model.graph)
    for name, symbol in model.symbols.items():
        if name != symbol.name:
            verifier.problem(None, f"the symbol {symbol.name!r} is filed under {name!r}")
    if verifier.count:
        more = verifier.count - len(verifier.problems)
        rest = [f"... and {more} more"] if more else []
        raise BadIR("\n".join(["the model is malformed:", *verifier.problems, *rest]))


def complete(graph: Graph, ops: Mapping[str, OpSchema]) -> None:
    """Gives every node all arguments that its op declares, in that order, defaults filled in.

    Raises:
        BadIR: an argument is unknown or missing.
    """
    for node in graph.walk():
        if node.op in ops:
            try:
                node.args = ops[node.op].complete(node.args)
            except TypeError as error:
                raise BadIR(f"{node_label(node)}: {error}") from error


class _Verifier:
    """`_path` holds each graph around the current place, with the node that it has got to."""

    def __init__(
        self, model: Model, ops: Mapping[str, OpSchema], allow_foreign: bool, typed: bool
    ) -> None:
        self.problems: list[str] = []
        self.count = 0
        self._scopes = model.scopes
        self._ops = ops
        self._allow_foreign = allow_foreign
        self._typed = typed
        self._path: list[tuple[Graph, Node | None]] = []
        self._visible: set[Value] = set()
        self._defined: set[Value] = set()
        self._constants: set[Value] = set()
        self._sizes: set[Dim] = set()
        self._symbols: set[str] = set(model.symbols)

    def problem(self, node: Node | None, text: str) -> None:
        self.count += 1
        if self.count <= MAX_PROBLEMS:
            self.problems.append(text if node is None else f"{node_label(node)}: {text}")

    def graph(self, graph: Graph) -> None:
        caller = self._path[-1][1] if self._path else None
        if len(self._path) == MAX_GRAPHS:
            self.problem(caller, f"bodies are nested over {MAX_GRAPHS} deep")
            return
        self._path.append((graph, None))
        for value in graph.inputs:
            if value.is_constant or value.producer is not None:
                self.problem(caller, f"the input {value!r} is a constant or a node's result")
            if value.type is None and len(self._path) == 1:
                self.problem(caller, f"the input {value!r} has no type")
            self.define(caller, value)
        for node in graph.nodes:
            self._path[-1] = (graph, node)
            self.node(node)
        self._path[-1] = (graph, None)
        for value in graph.outputs:
            self.read(caller, "an output", value)
        self._visible.difference_update(graph.inputs, *(n.results for n in graph.nodes))
        self._path.pop()

    def node(self, node: Node) -> None:
        op = self._ops.get(node.op)
        if op is None and not (self._allow_foreign and _FOREIGN.fullmatch(node.op)):
            self.problem(node, "there is no such op")
        if node.scope and node.scope not in self._scopes:
            self.problem(node, f"its scope {node.scope!r} isn't among the model's")
        before = self.count
        for name, argument in node.args.items():
            self.argument(node, name, argument)
        if op is not None:
            self.call(node, op, well_formed=self.count == before)
        for result in node.results:
            if result.producer is not node or result.is_constant:
                self.problem(node, f"its result {result!r} is another's, or a constant")
            self.define(node, result)

    def call(self, node: Node, op: OpSchema, well_formed: bool) -> None:
        """Compares a call with what its op declares."""
        params, args = op.params, node.args
        for name, argument in args.items():
            param = params.get(name)
            found = "is unknown" if param is None else argument_problem(param, argument)
            if found:
                well_formed = False
                self.problem(node, f"argument {name} {found}")
        for name, param in params.items():
            if param.required and args.get(name) is None:
                well_formed = False
                self.problem(node, f"argument {name} is missing")
        if well_formed:
            expected = op.result_count(given(op, args))
            if expected != len(node.results):
                self.problem(node, f"has {len(node.results)} results, its op has {expected}")

    def argument(self, node: Node, name: str, argument: Argument) -> None:
        """Checks the values that an argument reads, and the symbols of its sizes."""
        if isinstance(argument, Value):
            self.read(node, name, argument)
        elif isinstance(argument, Graph):
            self.graph(argument)
        elif isinstance(argument, tuple):
            for item in argument:
                if not isinstance(item, int):
                    self.argument(node, name, item)
        elif isinstance(argument, Expr):
            unknown = ", ".join(sorted(symbols_of(argument) - self._symbols))
            if unknown:
                self.problem(node, f"{name} is written with {unknown}, which no value's size has")

    def define(self, node: Node | None, value: Value) -> None:
        if value in self._defined:
            self.problem(node, f"{value!r} is defined twice")
        self._defined.add(value)
        self._visible.add(value)
        if value.type is not None:
            self.type(node, value, value.type)
        elif self._typed:
            self.problem(node, f"{value!r} has no type")

    def read(self, node: Node | None, name: str, value: Value) -> None:
        if value in self._visible:
            return
        if value.data is not None:
            self.constant(node, name, value)
        elif value in self._defined:
            self.problem(node, f"{name} is {value!r}, which is defined in another body")
        else:
            # Looking for a cycle costs a walk over the graph; what isn't shown isn't looked for.
            reason = order_problem(value, self._path) if self.count < MAX_PROBLEMS else ""
            self.problem(node, f"{name} is {value!r}, {reason}")

    def constant(self, node: Node | None, name: str, value: Value) -> None:
        if value in self._constants or value.data is None:
            return
        self._constants.add(value)
        try:
            found = TensorType(value.data.dtype, tuple(value.data.shape))
        except TypeError as error:
            self.problem(node, f"{name} is {value!r}: {error}")
            return
        if value.type != found:
            said = value.type or "nothing"
            self.problem(node, f"{name} is {value!r}, whose type says {said}, its data {found}")

    def type(self, node: Node | None, value: Value, type_: Any) -> None:
        if not isinstance(type_, TensorType) or not isinstance(type_.dtype, DType):
            self.problem(node, f"{value!r} has no element type")
            return
        if len(type_.shape or ()) > MAX_RANK:
            self.problem(node, f"{value!r} has more than {MAX_RANK} axes")
        for size in type_.shape or ():
            if isinstance(size, Expr):
                if size not in self._sizes:
                    self._sizes.add(size)
                    self._symbols |= symbols_of(size)
            elif type(size) is not int or not 0 <= size <= MAX_SIZE:
                self.problem(node, f"{value!r} has the size {size!r}")
