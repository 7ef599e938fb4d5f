"""Prints a tree of blocks as classes, and names the weights as those classes do."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ir_hub.codegen.alike import number_of
from ir_hub.codegen.classes import Class, classes_of
from ir_hub.codegen.forward import Forward
from ir_hub.codegen.names import class_name, identifier, unique
from ir_hub.codegen.outline import outline
from ir_hub.codegen.settle import is_list, is_sequence, passed_on, settle
from ir_hub.codegen.spelling import Code, Expr, Layer, Spelling, Style
from ir_hub.codegen.steps import Block, Step, needed_steps, returned_values, steps_of
from ir_hub.ir.graph import Model, Node, Value
from ir_hub.ir.types import DType


@dataclass(frozen=True)
class Written:
    """Class definitions, the last one the model's own; weights by their names in them; the names
    of the model's arguments, in the order of the graph's inputs."""

    code: str
    class_name: str
    arguments: tuple[str, ...]
    weights: dict[str, Value]


def write(
    model: Model, spellings: Mapping[Node, Spelling], style: Style, name: str = "Model"
) -> Written:
    """Writes a model as nested classes.

    Raises:
        UnboundSize: a size with a symbol can't be said in terms of tensors at hand.
    """
    graph = model.graph
    steps = steps_of(model, spellings)
    outputs = returned_values(graph.outputs, steps)
    root = outline(needed_steps(steps, outputs), graph.inputs, outputs, model.scopes)
    settle(root, style)
    root_name = unique(class_name(model.scopes.get("", ""), name), style.names)
    classes = classes_of(root, root_name, style)
    writer = Writer(classes, style)
    arguments = argument_names(graph.inputs)
    texts = [
        writer.definition(c, arguments) for c in dict.fromkeys(classes.values()) if not c.inline
    ]
    return Written("\n\n\n".join(texts), root_name, arguments, dict(weights_of(root, "")))


def argument_names(inputs: Sequence[Value]) -> tuple[str, ...]:
    taken: list[str] = []
    for value in inputs:
        taken.append(unique(identifier(value.name, "x"), taken))
    return tuple(taken)


def weights_of(block: Block, prefix: str) -> Iterator[tuple[str, Value]]:
    for step in block.steps:
        here = f"{prefix}{step.name}"
        if isinstance(step.what, Block):
            yield from weights_of(step.what, f"{here}.")
        elif isinstance(step.what, Layer):
            yield from ((f"{here}.{key}", value) for key, value in step.what.params.items())
        else:
            yield from ((f"{prefix}{name}", value) for value, name in step.constants.items())


class Writer:
    """Writes classes, and whatever else is put together from the same pieces."""

    def __init__(self, classes: Mapping[Block, Class], style: Style) -> None:
        self.classes, self.style = classes, style

    def definition(self, made: Class, root_arguments: tuple[str, ...]) -> str:
        """A class as text."""
        parameters = ["self"]
        for p in made.parameters:
            default = f"={self.text(p.default)}" if p.has_default else ""
            parameters.append(f"{p.name}{default}")
        head = f"    def __init__({', '.join(parameters)}):"
        if is_sequence(made.block):
            items = ", ".join(self.children(made, made.block, {}))
            lines = [f"class {made.name}({self.style.sequential}):", head]
            return "\n".join([*lines, f"        super().__init__({items})"])
        if is_list(made.block, self.style):
            return self.list_definition(made, head)
        body = ["super().__init__()", *self.attributes(made)]
        names = root_arguments if made.block.path == "" else inner_argument_names(made.block)
        statements = Forward(made.block, self.literals(made), names).write()
        return "\n".join(
            [
                f"class {made.name}({self.style.base}):",
                head,
                *(f"        {line}" for line in body),
                "",
                f"    def {self.style.forward}({', '.join(['self', *names])}):",
                *(f"        {line}" for line in statements),
            ]
        )

    def list_definition(self, made: Class, head: str) -> str:
        """A list of modules that run one after another as text."""
        block, items = made.block, self.children(made, made.block, {})
        given = f"[{', '.join(items)}]"
        if len(items) == 1:
            given = items[0].removeprefix("*(").removesuffix(")")
        names = dict(zip(block.inputs, inner_argument_names(block), strict=True))
        passed = passed_on(block)
        assert passed is not None
        call = f"layer({', '.join(names[value] for value in block.steps[0].inputs)})"
        return "\n".join(
            [
                f"class {made.name}({self.style.listed}):",
                head,
                f"        super().__init__({given})",
                "",
                f"    def {self.style.forward}({', '.join(['self', *names.values()])}):",
                "        for layer in self:",
                f"            {names[passed]} = {call}",
                f"        return {names[passed]}",
            ]
        )

    def attributes(self, made: Class) -> list[str]:
        lines: dict[str, str] = {}
        for number, step in enumerate(made.block.steps):
            if isinstance(step.what, Expr):
                for value, name in step.constants.items():
                    sizes = [
                        made.said.get((number, f"~{name}.{axis}"), str(size))
                        for axis, size in enumerate(value.shape or ())
                    ]
                    lines.setdefault(name, self.constant(name, value, sizes))
                continue
            texts = {p.name: p.name for p in made.parameters}
            made_of = self.object(made, number, step, texts)
            if number in made.optional:
                made_of += f" if {made.optional[number]} else {self.style.absent}"
            lines.setdefault(step.name, f"self.{step.name} = {made_of}")
        for name in self.kept(made):
            lines.setdefault(name, f"self.{name} = {name}")
        return list(lines.values())

    def constant(self, name: str, value: Value, sizes: Sequence[str]) -> str:
        assert value.dtype is not None
        template = self.style.parameter if value.dtype.is_float else self.style.buffer
        pieces = {
            "name": name,
            "shape": self.shape(sizes),
            "dtype": "" if value.dtype is DType.FLOAT32 else f", dtype={self.text(value.dtype)}",
        }
        return re.sub(r"\{(\w+)\}", lambda match: pieces[match[1]], template)

    def shape(self, sizes: Sequence[str]) -> str:
        """A constant's shape as its declaration says it."""
        return ", ".join(sizes) or "()"

    def kept(self, made: Class) -> list[str]:
        """The constructor's parameters that the forward needs."""
        used = [
            said
            for (number, name), said in made.said.items()
            if isinstance(made.block.steps[number].what, Expr) and not name.startswith("~")
        ]
        return [
            p.name for p in made.parameters if any(p.name in re.findall(r"\w+", s) for s in used)
        ]

    def object(self, made: Class, number: int, step: Step, texts: Mapping[str, str]) -> str:
        """How the layer or block of a step is constructed; `texts` are the parameters' in reach."""
        what = step.what
        assert not isinstance(what, Expr)
        if isinstance(what, Layer):
            said = {k: self.said(made, (number, k), v, texts) for k, v in what.kwargs.items()}
            return self.call(what, said)
        child = self.classes[what]
        values = child.arguments(what)
        inner = {k: self.said(made, (number, k), v, texts) for k, v in values.items()}
        if child.inline:
            return f"{self.style.sequential}({', '.join(self.children(child, what, inner))})"
        return f"{child.name}({', '.join(self.given(child, inner))})"

    def given(self, child: Class, inner: Mapping[str, str]) -> list[str]:
        """The arguments of a class's constructor, those at their default left out."""
        given: list[str] = []
        for position, p in enumerate(child.parameters):
            if p.has_default and inner[p.name] == self.text(p.default):
                continue
            skipped = position > len(given)
            named = skipped or position > 1 or p.name in child.optional.values()
            given.append(f"{p.name}={inner[p.name]}" if named else inner[p.name])
        return given

    def children(self, made: Class, block: Block, texts: Mapping[str, str]) -> list[str]:
        """The members of a sequence; three or more equal ones in a row are written as a loop."""
        names = texts or {p.name: p.name for p in made.parameters}
        found = [self.object(made, n, step, names) for n, step in enumerate(block.steps)]
        if any(step.name != str(place) for place, step in enumerate(block.steps)):
            return [self.style.named.replace("{items}", _named(block, found))]
        items: list[str] = []
        while found:
            count = next((i for i, text in enumerate(found) if text != found[0]), len(found))
            items += [f"*({found[0]} for _ in range({count}))"] if count > 2 else found[:count]
            del found[:count]
        return items

    def said(
        self, made: Class, place: tuple[int, str], value: Any, texts: Mapping[str, str]
    ) -> str:
        """What stands in a literal's place: itself, or what it is in terms of parameters."""
        said = made.said.get(place)
        if said is None:
            return self.text(value)
        name = next(word for word in re.findall(r"[A-Za-z_]\w*", said))
        text = texts.get(name, name)
        if text.isidentifier():
            return re.sub(rf"\b{name}\b", text, said)
        if said == name or text.isdigit():
            return text if said == name else self.text(value)
        return said.replace(name, f"({text})")

    def call(self, layer: Layer, said: Mapping[str, str]) -> str:
        given = []
        for position, (name, text) in enumerate(said.items()):
            if position < layer.positional:
                given.append(text)
            elif name not in layer.defaults or text != self.text(layer.defaults[name]):
                given.append(f"{name}={text}")
        return f"{layer.ctor}({', '.join(given)})"

    def literals(self, made: Class) -> Any:
        """How a literal of an expression in the forward is written."""

        def literal(number: int, name: str, item: Any) -> str:
            if name.startswith("#"):
                said = made.said.get((number, name))
                return self.text(number_of(item)) if said is None else self.parameter(said)
            if isinstance(item, tuple):
                items = [literal(number, f"{name}.{i}", each) for i, each in enumerate(item)]
                return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
            said = made.said.get((number, name))
            return self.text(item) if said is None else self.parameter(said)

        return literal

    def parameter(self, said: str) -> str:
        """A constructor's parameter, or a multiple of one, as what the module does reads it."""
        return re.sub(r"\b([A-Za-z_]\w*)\b", r"self.\1", said)

    def text(self, literal: Any) -> str:
        """A literal as code."""
        if isinstance(literal, Code):
            return literal.text
        if isinstance(literal, DType):
            return self.style.dtypes[literal.value]
        if isinstance(literal, tuple):
            items = ", ".join(map(self.text, literal))
            return f"({items}{',' if len(literal) == 1 else ''})"
        if isinstance(literal, float) and not math.isfinite(literal):
            return f'float("{literal}")'
        if isinstance(literal, str):  # braces are the holes of templates
            return repr(literal).replace("{", r"\x7b").replace("}", r"\x7d")
        return repr(literal)


def _named(block: Block, objects: Sequence[str]) -> str:
    """Named members of a sequence; equal ones whose names count up are written as a loop."""
    stem = block.steps[0].name.rstrip("0123456789")
    counted = [f"{stem}{number}" for number in range(len(objects))]
    if len(objects) > 2 and len(set(objects)) == 1 and [s.name for s in block.steps] == counted:
        return f'(f"{stem}{{i}}", {objects[0]}) for i in range({len(objects)})'
    pairs = (f'("{s.name}", {text})' for s, text in zip(block.steps, objects, strict=True))
    return f"[{', '.join(pairs)}]"


def inner_argument_names(block: Block) -> tuple[str, ...]:
    letters = ("x", "y", "z")
    count = len(block.inputs)
    if count <= len(letters):
        return letters[:count]
    return tuple(f"x{number}" for number in range(1, count + 1))
