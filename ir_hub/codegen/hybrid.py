"""Prints a tree of blocks as classes whose forward is given its constants: Gluon's HybridBlocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ir_hub.codegen.classes import Class, classes_of
from ir_hub.codegen.forward import Forward
from ir_hub.codegen.names import class_name, unique
from ir_hub.codegen.outline import outline
from ir_hub.codegen.settle import is_sequence, settle
from ir_hub.codegen.spelling import Spelling, Style
from ir_hub.codegen.steps import Block, Step, needed_steps, returned_values, steps_of
from ir_hub.codegen.write import (
    Writer,
    Written,
    argument_names,
    inner_argument_names,
    weights_of,
)
from ir_hub.ir.graph import Model, Node, Value

_WITHIN = "with self.name_scope():"


def write_hybrid(
    model: Model, spellings: Mapping[Node, Spelling], style: Style, name: str = "Model"
) -> Written:
    """Writes a model as nested classes.

    Raises:
        UnboundSize: a literal is a size with a symbol, which such code can't say.
    """
    steps = steps_of(model, spellings)
    outputs = returned_values(model.graph.outputs, steps)
    root = outline(needed_steps(steps, outputs), model.graph.inputs, outputs, model.scopes)
    settle(root, style)
    root_name = unique(class_name(model.scopes.get("", ""), name), style.names)
    classes = classes_of(root, root_name, style)
    arguments = _apart(argument_names(model.graph.inputs), root)
    writer = _Hybrid(classes, style)
    made = [c for c in dict.fromkeys(classes.values()) if not c.inline]
    texts = [writer.definition(c, arguments) for c in made]
    return Written("\n\n\n".join(texts), root_name, arguments, dict(weights_of(root, "")))


def _constants(block: Block) -> list[str]:
    """The names of the constants that a block's forward is given."""
    return list(dict.fromkeys(name for s in block.steps for name in s.constants.values()))


def _apart(arguments: Sequence[str], root: Block) -> tuple[str, ...]:
    """The arguments' names, none of them a constant's."""
    taken = list(_constants(root))
    for name in arguments:
        taken.append(unique(name, taken))
    return tuple(taken[len(taken) - len(arguments) :])


class _Hybrid(Writer):
    def definition(self, made: Class, root_arguments: tuple[str, ...]) -> str:
        """A class as text."""
        parameters = ["self", *self.parameters(made), "**kwargs"]
        sequence = is_sequence(made.block)
        body = self.members(made, made.block, "self", {}) if sequence else self.attributes(made)
        base = self.style.sequential if sequence else self.style.base
        lines = [
            f"class {made.name}({base}):",
            f"    def __init__({', '.join(parameters)}):",
            "        super().__init__(**kwargs)",
            *([f"        {_WITHIN}"] if body else []),
            *(f"            {line}" for line in body),
        ]
        return "\n".join(lines if sequence else [*lines, *self.forward(made, root_arguments)])

    def forward(self, made: Class, root_arguments: tuple[str, ...]) -> list[str]:
        """What a block does."""
        names = root_arguments if made.block.path == "" else inner_argument_names(made.block)
        given = ["self", "F", *names, *_constants(made.block)]
        statements = _Statements(made.block, self.literals(made), names).write()
        head = f"    def {self.style.forward}({', '.join(given)}):"
        return ["", head, *(f"        {line}" for line in statements)]

    def parameters(self, made: Class) -> list[str]:
        """The constructor's parameters that say what differs between the blocks of a class."""
        return [
            f"{p.name}={self.text(p.default)}" if p.has_default else p.name for p in made.parameters
        ]

    def attributes(self, made: Class) -> list[str]:
        """The statements that make the members of a block."""
        lines = super().attributes(made)
        texts = {p.name: p.name for p in made.parameters}
        inline: dict[str, list[str]] = {}
        for number, step in enumerate(made.block.steps):
            if isinstance(step.what, Block) and self.classes[step.what].inline:
                child, inner = self.classes[step.what], self.inner(made, number, step, texts)
                inline[step.name] = self.filled(
                    f"self.{step.name}", step.name, child, step.what, inner
                )
        found = []
        for line in lines:
            name = line.partition(" = ")[0].removeprefix("self.")
            found += inline.get(name, [line])
        return found

    def inner(
        self, made: Class, number: int, step: Step, texts: Mapping[str, str]
    ) -> dict[str, str]:
        """What the parameters of a step's block are in terms of those in reach."""
        assert isinstance(step.what, Block)
        values = self.classes[step.what].arguments(step.what)
        return {k: self.said(made, (number, k), v, texts) for k, v in values.items()}

    def filled(
        self, target: str, name: str, child: Class, block: Block, texts: Mapping[str, str]
    ) -> list[str]:
        """The statements that make a sequence and fill it."""
        return [
            f'{target} = {self.style.sequential}(prefix="{name}_")',
            f"with {target}.name_scope():",
            *(f"    {line}" for line in self.members(child, block, target, texts)),
        ]

    def members(
        self, made: Class, block: Block, target: str, texts: Mapping[str, str]
    ) -> list[str]:
        """The statements that add the members of a sequence to it."""
        return [f"{target}.add({', '.join(self.children(made, block, texts))})"]

    def object(self, made: Class, number: int, step: Step, texts: Mapping[str, str]) -> str:
        """How the layer or block of a step is constructed."""
        if isinstance(step.what, Block) and self.classes[step.what].inline:
            inner = self.inner(made, number, step, texts)
            items = self.children(self.classes[step.what], step.what, inner)
            return f"_sequential({', '.join(items)})"
        return super().object(made, number, step, texts)

    def shape(self, sizes: Sequence[str]) -> str:
        """A constant's shape, which is a tuple."""
        return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"


class _Statements(Forward):
    """Constants are arguments of the forward, so that no variable may have their names."""

    def constant(self, name: str) -> str:
        """How a constant is read."""
        return name

    def _variable(self, step: Step, result: Value, alive: set[str], read: Sequence[Value]) -> str:
        return super()._variable(step, result, alive.union(_constants(self.block)), read)
