"""Prints a tree of blocks as functions that call layers, each of which returns a model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ir_hub.codegen.classes import Class, classes_of
from ir_hub.codegen.forward import LETTERS, Forward, LiteralText
from ir_hub.codegen.names import CALLED, class_name, identifier, unique
from ir_hub.codegen.outline import outline
from ir_hub.codegen.settle import is_sequence, settle
from ir_hub.codegen.spelling import Expr, Layer, Spelling, Style
from ir_hub.codegen.steps import Block, Step, needed_steps, returned_values, steps_of
from ir_hub.codegen.write import (
    Writer,
    argument_names,
    inner_argument_names,
    weights_of,
)
from ir_hub.ir.graph import Model, Node, Value
from ir_hub.ir.types import DType

CONSTANTS = "constants"  # what the code calls the mapping that its constants are in
_ROW = re.compile(r'(?P<head>.*\bname=)"(?P<stem>[^"{}]*?)(?P<number>\d+)"(?P<tail>.*)')


@dataclass(frozen=True)
class Functions:
    """Function definitions, the last one the model's own; the weights of layers, and the constants
    of expressions, by their dotted names in that very code."""

    code: str
    function: str
    weights: dict[str, Value]
    constants: dict[str, Value]


def write_functional(
    model: Model,
    spellings: Mapping[Node, Spelling],
    style: Style,
    inputs: Sequence[str],
    name: str = "model",
) -> Functions:
    """Writes a model as functions; `inputs` is the code that makes each of its inputs.

    Raises:
        UnboundSize: a size with a symbol can't be said in terms of tensors at hand.
    """
    graph = model.graph
    steps = steps_of(model, spellings)
    outputs = returned_values(graph.outputs, steps)
    root = outline(needed_steps(steps, outputs), graph.inputs, outputs, model.scopes)
    _flatten(root)
    settle(root, style)
    root_name = unique(class_name(model.scopes.get("", ""), class_name(name)), style.names)
    classes = classes_of(root, root_name, style)
    arguments = argument_names(graph.inputs)
    writer = _Functions(classes, style, inputs, arguments)
    made = list(dict.fromkeys(classes.values()))
    texts = [writer.function(c, arguments) for c in made]
    kept = dict(_constants_of(root, ""))
    weights = {key: value for key, value in weights_of(root, "") if key not in kept}
    return Functions("\n\n\n".join(texts), writer.names[classes[root]], weights, kept)


def _constants_of(block: Block, prefix: str) -> Iterator[tuple[str, Value]]:
    for step in block.steps:
        if isinstance(step.what, Block):
            yield from _constants_of(step.what, f"{prefix}{step.name}.")
        elif isinstance(step.what, Expr):
            yield from ((f"{prefix}{name}", value) for value, name in step.constants.items())


def _flatten(block: Block) -> None:
    """Writes sequences without a class of their own where they are used: their layers are then
    called `downsample.0`."""
    steps: list[Step] = []
    for step in block.steps:
        inner = step.what
        if not isinstance(inner, Block):
            steps.append(step)
            continue
        _flatten(inner)
        if is_sequence(inner) and class_name(inner.class_name, "") in (
            "",
            "Sequential",
            "ModuleList",
        ):
            for number, member in enumerate(inner.steps):
                member.name = f"{step.name}.{member.name or number}"
            steps += inner.steps
        else:
            steps.append(step)
    block.steps = steps


class _Functions(Writer):
    def __init__(
        self,
        classes: Mapping[Block, Class],
        style: Style,
        inputs: Sequence[str],
        arguments: Sequence[str],
    ) -> None:
        super().__init__(classes, style)
        self.inputs = inputs
        self.names: dict[Class, str] = {}
        taken = {*style.names, *style.reserved, *CALLED, CONSTANTS, *arguments}
        for made in dict.fromkeys(classes.values()):
            taken.update(p.name for p in made.parameters)
        for made in dict.fromkeys(classes.values()):
            self.names[made] = unique(_snake(made.name), taken)
            taken.add(self.names[made])
        self.taken = taken.difference(arguments)

    def function(self, made: Class, root_arguments: tuple[str, ...]) -> str:
        """A block as a function that returns a model."""
        is_root = made.block.path == ""
        names = root_arguments if is_root else inner_argument_names(made.block)
        parameters = [] if is_root else [*names, *self.parameters(made), "name=None"]
        body = _Statements(self, made, self.literals(made), names).write()
        lines = [*self.made_inputs(made, names), *_loops(body)]
        return "\n".join(
            [
                f"def {self.names[made]}({', '.join(parameters)}):",
                *(f"    {line}" for line in lines),
            ]
        )

    def parameters(self, made: Class) -> list[str]:
        """The parameters that say what differs between the blocks of a class."""
        return [
            f"{p.name}={self.text(p.default)}" if p.has_default else p.name for p in made.parameters
        ]

    def made_inputs(self, made: Class, names: Sequence[str]) -> list[str]:
        """The statements that make a function's inputs."""
        if made.block.path == "":
            created = list(self.inputs)
        else:
            plain = all(v.dtype is DType.FLOAT32 for block in made.blocks for v in block.inputs)
            typed = "" if plain else ", dtype={0}.dtype"
            template = f"keras.Input(batch_shape={{0}}.shape{typed})"
            created = [template.replace("{0}", name) for name in names]
        if len(names) == 1:
            return [f"{names[0]} = inputs = {created[0]}"]
        return [f"inputs = [{', '.join(created)}]", f"{', '.join(names)} = inputs"]

    def has_constants(self, made: Class) -> bool:
        """Whether a block of a class, or one inside it, needs its path to find its constants."""
        return next(_constants_of(made.block, ""), None) is not None

    def layer(self, made: Class, number: int, step: Step, operands: Sequence[str]) -> str:
        """The code that makes the layer or the model of a step."""
        what = step.what
        texts = {p.name: p.name for p in made.parameters}
        if isinstance(what, Layer):
            said = {k: self.said(made, (number, k), v, texts) for k, v in what.kwargs.items()}
            return self.call(what, said | {"name": f'"{step.name}"'})
        assert isinstance(what, Block)
        child = self.classes[what]
        values = child.arguments(what)
        inner = {k: self.said(made, (number, k), v, texts) for k, v in values.items()}
        name = f'"{step.name}"'
        if made.block.path and self.has_constants(child):
            name = f'f"{{name}}.{step.name}"'
        given = [*operands, *self.given(child, inner), f"name={name}"]
        return f"{self.names[child]}({', '.join(given)})"

    def parameter(self, said: str) -> str:
        return said


class _Statements(Forward):
    """The statements of a function. A layer that is called more than once gets a variable."""

    def __init__(
        self, writer: _Functions, made: Class, literal: LiteralText, arguments: Sequence[str]
    ) -> None:
        super().__init__(made.block, literal, arguments)
        self.writer, self.made = writer, made
        calls = Counter(s.name for s in made.block.steps if not isinstance(s.what, Expr))
        taken = {*writer.taken, *(p.name for p in made.parameters)}
        # What a block is called with is written twice.
        blocks = [step for step in made.block.steps if isinstance(step.what, Block)]
        self.given = {value for step in blocks for value in step.inputs}
        self.shared: dict[str, str] = {}
        for name, count in calls.items():
            if count > 1:
                self.shared[name] = unique(identifier(name, "layer"), taken)
                taken.add(self.shared[name])
        self.defined: set[str] = set()
        # No variable may hide a function; what an input is called says what it is.
        self.hidden = {*writer.taken, *self.shared.values(), *arguments}.difference(LETTERS)

    def _variable(self, step: Step, result: Value, alive: set[str], read: Sequence[Value]) -> str:
        return super()._variable(step, result, alive | self.hidden, read)

    def returned(self, codes: Sequence[str]) -> str:
        outputs = codes[0] if len(codes) == 1 else f"[{', '.join(codes)}]"
        name = f'"{self.writer.names[self.made]}"' if self.is_root else "name"
        return f"return keras.Model(inputs, {outputs}, name={name})"

    @property
    def is_root(self) -> bool:
        return self.made.block.path == ""

    def nests(self, step: Step) -> bool:
        return isinstance(step.what, Expr) and not self.given.intersection(step.results)

    def object(self, number: int, step: Step, operands: Sequence[str]) -> str:
        if step.name in self.defined:
            return self.shared[step.name]
        return self.writer.layer(self.made, number, step, operands)

    def called(self, step: Step, operands: str) -> str:
        several = isinstance(step.what, Block) and len(step.inputs) > 1
        return f"{{layer}}([{operands}])" if several else f"{{layer}}({operands})"

    def constant(self, name: str) -> str:
        key = self.writer.text(name) if self.is_root else f'f"{{name}}.{name}"'
        return f"{CONSTANTS}[{key}]"

    def define(self, number: int, step: Step) -> None:
        """Gives a layer its variable where it is called first, if it is called again."""
        if step.name in self.shared and step.name not in self.defined:
            made = self.writer.layer(self.made, number, step, self.operands(number, step))
            self.lines.append(f"{self.shared[step.name]} = {made}")
            self.defined.add(step.name)


def _loops(lines: Sequence[str]) -> list[str]:
    """Three or more statements in a row that differ in the number of a name, as a loop."""
    found: list[str] = []
    start = 0
    while start < len(lines):
        row = _row(lines, start)
        if row is None:
            found.append(lines[start])
            start += 1
            continue
        count, first, text = row
        begin = f"{first}, " if first else ""
        found += [f"for i in range({begin}{first + count}):", f"    {text}"]
        start += count
    return found


def _row(lines: Sequence[str], start: int) -> tuple[int, int, str] | None:
    """How many statements from one on count up, from which number, and what they have in common."""
    match = _ROW.fullmatch(lines[start])
    if match is None or "i" in re.findall(r"\w+", lines[start]):
        return None
    head, stem, tail = match["head"], match["stem"], match["tail"]
    first = int(match["number"])
    count = 0
    while start + count < len(lines):
        if lines[start + count] != f'{head}"{stem}{first + count}"{tail}':
            break
        count += 1
    return (count, first, f'{head}f"{stem}{{i}}"{tail}') if count > 2 else None


def _snake(name: str) -> str:
    """A class's name as a function's: `BasicBlock` as `basic_block`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return identifier(words, "block")
