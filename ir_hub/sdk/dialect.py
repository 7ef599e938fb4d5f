"""A framework's spelling of the IR's ops: tables, read in both directions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ir_hub.ir.graph import Graph, Node, Value
from ir_hub.ops.build import Builder
from ir_hub.ops.catalogue import OPS
from ir_hub.ops.op import Kind, Op, Param

Function = TypeVar("Function", bound=Callable[..., Any])


class Unsupported(Exception):
    """Raised by a rule for a node that it can't say faithfully; the text is the reason."""


# What a rule notes that reads as the identity what isn't one while training.
TRAINS_WITHOUT = (
    "it acts in training alone, in a way that isn't kept: what is converted computes the same, but "
    "trains without it"
)


@dataclass(frozen=True)
class Call:
    """A node of a source model, as a read rule sees it."""

    type: str  # "Conv"; outside the framework's main domain "com.microsoft::Gelu"
    version: int  # of the op set that the node's domain is written in
    inputs: tuple[Value | None, ...]  # None: left out
    outputs: tuple[str, ...]  # names; "" for one that is left out
    attrs: Mapping[str, Any]  # Python scalars, texts, tuples, Tensors
    body: Callable[[str], Graph]  # reads the graph in the attribute of that name

    def input(self, index: int) -> Value | None:
        """An input; None when it was left out, at the end too."""
        return self.inputs[index] if index < len(self.inputs) else None

    def wants(self, index: int) -> bool:
        """Whether the source names, and so may use, an output."""
        return index < len(self.outputs) and bool(self.outputs[index])


ReadRule = Callable[[Call, Builder], Any]


@dataclass
class Dialect:
    """The rules of one framework. `axes` is the order it runs spatial ops in, by op; `unread`
    says why types that begin so are read by no rule."""

    name: str
    axes: Mapping[str, str] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)
    reads: dict[str, dict[int, ReadRule]] = field(default_factory=dict)
    writes: dict[str, dict[int, Callable[..., Any]]] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)

    def read(self, *theirs: str, since: int = 1) -> Callable[[Function], Function]:
        """Registers how nodes of the types `theirs` become ours, from a version on. The rule gets
        a Call and a Builder, and returns the value of each output, or raises Unsupported."""

        def register(rule: Function) -> Function:
            for type_ in theirs:
                versions = self.reads.setdefault(type_, {})
                if since in versions:
                    raise ValueError(f"{self.name}: {type_} is read twice from version {since} on")
                versions[since] = rule
            return rule

        return register

    def write(self, *ours: str, since: int = 1) -> Callable[[Function], Function]:
        """Registers how nodes of the ops `ours` are written, from a version on. What the rule gets
        and returns is the target's own affair; it raises Unsupported where it can't."""

        def register(rule: Function) -> Function:
            for op in ours:
                if op not in OPS:
                    raise ValueError(f"{self.name}: the IR has no op {op!r}")
                versions = self.writes.setdefault(op, {})
                if since in versions:
                    raise ValueError(f"{self.name}: {op} is written twice from version {since} on")
                versions[since] = rule
            return rule

        return register

    def same(self, ours: str, theirs: str, *, since: int = 1, **literals: str) -> None:
        """One row for both directions: equal meaning, tensors in equal order, literals renamed
        ours=theirs. The writing side calls `emitter.node(theirs, tensors, attributes, count)`."""
        op = OPS.get(ours)
        if op is None:
            raise ValueError(f"{self.name}: the IR has no op {ours!r}")
        params = {mine: op.params.get(mine) for mine in literals}
        wrong = [
            mine for mine, param in params.items() if not param or param.kind is not Kind.LITERAL
        ]
        if wrong:
            raise ValueError(f"{self.name}: {ours} has no literal {', '.join(wrong)}")
        row = Row(op, theirs, since, dict(literals))
        self.rows.append(row)
        self.read(theirs, since=since)(row.read)
        if ours not in self.writes or since not in self.writes[ours]:
            self.write(ours, since=since)(row.write)

    def reader(self, theirs: str, version: int) -> ReadRule:
        """The rule for a node type at a version: the newest that isn't newer.

        Raises:
            Unsupported: there is none.
        """
        versions = self.reads.get(theirs)
        if not versions:
            said = (f": {why}" for start, why in self.unread.items() if theirs.startswith(start))
            raise Unsupported(f"no rule reads {theirs}{next(said, '')}")
        fits = [since for since in versions if since <= version]
        if not fits:
            raise Unsupported(
                f"{theirs} is read from version {min(versions)} on, this is {version}"
            )
        return versions[max(fits)]

    def writer(self, ours: str, version: int = 1 << 30) -> Callable[..., Any]:
        """The rule that writes an op at a version of the target.

        Raises:
            Unsupported: there is none.
        """
        fits = [since for since in self.writes.get(ours, ()) if since <= version]
        if not fits:
            raise Unsupported(f"{self.name} has no op for {ours}")
        return self.writes[ours][max(fits)]

    def check_axes(self, node: Node) -> None:
        """Refuses a node whose axes are in another order than the framework runs them in; an op
        that `axes` doesn't name is run in its default order.

        Raises:
            Unsupported: they are.
        """
        axes = node.args.get("axes")
        if not isinstance(axes, str) or node.op not in OPS:
            return
        own = self.axes.get(node.op, OPS[node.op].params["axes"].default)
        # Other axes altogether, as of a resize of all of them, are the rule's own affair.
        if axes != own and sorted(axes) == sorted(own):
            raise Unsupported(f"its axes are {axes}, {self.name}'s are {own}")

    def written(self, version: int = 1 << 30) -> list[str]:
        """The ops that can be written at a version of the target, sorted."""
        return sorted(op for op, versions in self.writes.items() if min(versions) <= version)


@dataclass(frozen=True)
class Row:
    """A row of `same`."""

    op: Op
    theirs: str
    since: int
    literals: Mapping[str, str]

    def read(self, call: Call, b: Builder) -> Any:
        """Reads a node by this row."""
        known = set(self.literals.values())
        strange = [name for name in call.attrs if name not in known]
        if strange:
            raise Unsupported(f"{call.type} has the attribute {', '.join(strange)}")
        given = {
            mine: as_declared(self.op.params[mine], call.attrs[other])
            for mine, other in self.literals.items()
            if other in call.attrs
        }
        return b.call(self.op.name, *self._tensors(call), **given)

    def write(self, node: Any, emitter: Any) -> Any:
        """Writes a node by this row."""
        tensors: list[Any] = []
        for param in self.op.params.values():
            argument = node.args[param.name]
            if param.kind is Kind.TENSORS:
                tensors.extend(argument)
            elif param.kind is not Kind.LITERAL:
                tensors.append(argument)
        attributes = {other: node.args[mine] for mine, other in self.literals.items()}
        return emitter.node(self.theirs, tensors, attributes, len(node.results))

    def _tensors(self, call: Call) -> tuple[Any, ...]:
        variadic = any(p.kind is Kind.TENSORS for p in self.op.params.values())
        return (call.inputs,) if variadic else call.inputs


def as_declared(param: Param, value: Any) -> Any:
    """A source's attribute as the literal that an op declares: 1 as True, a list as a tuple."""
    if param.annotation == "bool":
        return bool(value)
    if isinstance(value, list):
        return tuple(value)
    return value
