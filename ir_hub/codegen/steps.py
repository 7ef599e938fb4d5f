"""What a module does, as data: steps in order, each a layer, an expression or a block of steps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ir_hub.codegen.spelling import Code, Expr, Layer
from ir_hub.ir.dims import Dim, python_code, symbol, symbols_of
from ir_hub.ir.dims import Expr as Size
from ir_hub.ir.graph import Model, Node, Value
from ir_hub.ir.text import node_label

DEEPEST = 32  # levels of modules in modules; what lies deeper belongs to the last of them


@dataclass(eq=False)
class Step:
    """One line of thought: what is done, to which values, giving which. `inputs` has no constant
    that is a layer's parameter or a number; `op` is the IR's, for names."""

    what: Layer | Expr | Block
    inputs: list[Value]
    results: list[Value]
    op: str = ""
    scope: str = ""
    name: str = ""  # of the attribute, for layers and blocks; "" until it has one
    constants: dict[Value, str] = field(default_factory=dict)  # -> attribute, for expressions


@dataclass(eq=False)
class Block:
    """A module: what it takes, what it does in order, what it returns."""

    path: str
    class_name: str
    steps: list[Step]
    inputs: list[Value] = field(default_factory=list)
    outputs: list[Value] = field(default_factory=list)

    def blocks(self) -> Iterator[Block]:
        """The blocks inside, innermost first, and then itself."""
        for step in self.steps:
            if isinstance(step.what, Block):
                yield from step.what.blocks()
        yield self


class UnboundSize(ValueError):
    """A size with a symbol that no tensor at hand carries."""


def steps_of(model: Model, spellings: Mapping[Node, Layer | Expr]) -> list[Step]:
    """The graph as flat steps; every size with symbols is said in terms of a tensor's shape.

    Raises:
        UnboundSize: a symbol is the size of nothing that the model computes before it needs it.
    """
    carriers = _Carriers(model.graph.inputs)
    steps: list[Step] = []
    for node in model.graph.nodes:
        what = spellings[node]
        scope = ".".join(_home(what, node.scope, model.scopes).split(".")[:DEEPEST])
        try:
            what = carriers.resolved(what)
        except UnboundSize as error:
            raise UnboundSize(f"{node_label(node)}: {error}") from error
        if isinstance(what, Layer):
            what = _fed(what, scope, steps)
        steps.append(Step(what, _operands(what), list(node.results), node.op, scope))
        carriers.see(node.results)
    return steps


def returned_values(outputs: Sequence[Value], steps: list[Step]) -> list[Value]:
    """The values that are returned; a constant is returned by a step that reads it."""
    returned = []
    for value in outputs:
        if value.is_constant:
            passed = Value(value.name, value.type)
            steps.append(Step(Expr("{0}", [value]), [value], [passed], "identity"))
            value = passed
        returned.append(value)
    return returned


def needed_steps(steps: list[Step], outputs: Sequence[Value]) -> list[Step]:
    """The steps that what is returned depends on."""
    needed = set(outputs)
    kept = []
    for step in reversed(steps):
        if needed.intersection(step.results):
            needed.update(step.inputs)
            kept.append(step)
    return kept[::-1]


def is_number(value: Value) -> bool:
    """Whether a constant may stand in the code as a number. A vector of one element with many
    digits was learned; it is a weight."""
    scalar = value.scalar
    if scalar is None or (isinstance(scalar, int) and scalar >= 1 << 63):  # frameworks overflow
        return False
    digits = re.sub(r"[-.]|e.*", "", f"{scalar:.9g}").strip("0")
    return value.shape == () or isinstance(scalar, int) or len(digits) < 6


def _home(what: Layer | Expr, scope: str, classes: Mapping[str, str]) -> str:
    """The scope of a step. Its weight's name says more than its own scope where a module was
    dissolved: attention's `out_proj` is called as a function, and exporters that fold a norm into
    a convolution leave that in the norm's scope."""
    if isinstance(what, Expr) or not what.params or not scope:
        return scope
    owner = next(iter(what.params.values())).name.rpartition(".")[0]
    around = scope.rpartition(".")[0] if "Norm" in classes.get(scope, "") else scope
    return owner if owner and owner.rpartition(".")[0] == around else scope


def _fed(what: Layer, scope: str, steps: list[Step]) -> Layer:
    """The layer with its constant inputs passed through steps, which keep them as weights."""
    inputs = []
    for value in what.inputs:
        if value.is_constant and what.function is None:
            passed = Value(value.name, value.type)
            steps.append(Step(Expr("{0}", [value]), [value], [passed], "identity", scope))
            value = passed
        inputs.append(value)
    return replace(what, inputs=inputs)


def _operands(what: Layer | Expr) -> list[Value]:
    if isinstance(what, Layer):
        return list(what.inputs)
    return [v for i, v in enumerate(what.inputs) if not (i in what.numbers and is_number(v))]


class _Carriers:
    """Which tensor's shape shows each size. A symbol alone is preferred; the model's inputs come
    first, so that a size is read where a person would look for it."""

    def __init__(self, inputs: Sequence[Value]) -> None:
        self.at: dict[Size, tuple[Value, int]] = {}
        self.see(inputs)

    def see(self, values: Sequence[Value]) -> None:
        for value in values:
            for axis, size in enumerate(value.shape or ()):
                if isinstance(size, Size):
                    self.at.setdefault(size, (value, axis))

    def resolved(self, what: Layer | Expr) -> Layer | Expr:
        """An expression with sizes as code: `{2}.shape[0]`, the tensor being an operand more. A
        layer is constructed before there is a tensor: it can't have any."""
        if isinstance(what, Layer):
            literals = what.function.literals if what.function else {}
            if any(True for _ in _sizes((*what.kwargs.values(), *literals.values()))):
                raise UnboundSize(f"{what.ctor} takes sizes with symbols")
            return what
        inputs = list(what.inputs)
        literals = {name: self.said(item, inputs) for name, item in what.literals.items()}
        return Expr(what.text, inputs, literals, what.numbers, what.targets)

    def said(self, literal: Any, inputs: list[Value]) -> Any:
        if isinstance(literal, tuple):
            return tuple(self.said(item, inputs) for item in literal)
        if not isinstance(literal, Size):
            return literal
        here = self.shown(literal, inputs)
        if here is not None:
            return Code(here)
        names = {}
        for name in sorted(symbols_of(literal)):
            shown = self.shown(symbol(name), inputs)
            if shown is None:
                raise UnboundSize(f"the size {literal} has {name}, which no tensor shows")
            names[name] = shown
        return Code(python_code(literal, names))

    def shown(self, size: Dim, inputs: list[Value]) -> str | None:
        for position, value in enumerate(inputs):
            if value.shape and size in value.shape and not value.is_constant:
                return f"{{{position}}}.shape[{value.shape.index(size)}]"
        if not isinstance(size, Size) or size not in self.at:
            return None
        value, axis = self.at[size]
        inputs.append(value)
        return f"{{{len(inputs) - 1}}}.shape[{axis}]"


def _sizes(literal: Any) -> Iterator[Size]:
    if isinstance(literal, tuple):
        for item in literal:
            yield from _sizes(item)
    elif isinstance(literal, Size):
        yield literal
