"""Writes what a module does as statements: which results have variables, what is nested in what."""

from __future__ import annotations

import ast
import functools
import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ir_hub.codegen.names import identifier, unique
from ir_hub.codegen.spelling import Expr, Layer
from ir_hub.codegen.steps import Block, Step
from ir_hub.ir.graph import Value

WIDEST = 78  # of a nested expression; wider ones get a variable
DEEPEST = 3  # how many calls are nested in one another

ATOM, POWER, UNARY, COMPARISON = 9, 8, 7, 0
PRECEDENCE = {
    "**": POWER, "*": 6, "/": 6, "//": 6, "%": 6, "@": 6, "+": 5, "-": 5, "<<": 4, ">>": 4, "&": 3,
    "^": 2, "|": 1, **dict.fromkeys(("<", "<=", ">", ">=", "==", "!="), COMPARISON),
}  # fmt: skip
BINARY = {
    ast.Pow: "**", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.MatMult: "@",
    ast.Add: "+", ast.Sub: "-", ast.LShift: "<<", ast.RShift: ">>", ast.BitAnd: "&",
    ast.BitXor: "^", ast.BitOr: "|",
}  # fmt: skip
_UNTELLING = re.compile(r"getitem|.*\d")  # a name that only counts says nothing
LETTERS = ("x", "y", "z", "u", "v", "w")  # what variables are called
LiteralText = Callable[[int, str, object], str]


@dataclass(frozen=True)
class Text:
    """An expression, how tightly its outermost operator binds, how deeply calls are nested."""

    code: str
    binds: int = ATOM
    depth: int = 0


class Forward:
    """The statements of one block. `literal` gives the code of a step's literal."""

    def __init__(self, block: Block, literal: LiteralText, arguments: Sequence[str]) -> None:
        self.block, self.literal = block, literal
        self.texts = {v: Text(name) for v, name in zip(block.inputs, arguments, strict=True)}
        self.reads = self._read_counts()
        self.makers = {s.results[0]: (n, s) for n, s in enumerate(block.steps)}
        self.lines: list[str] = []

    def _read_counts(self) -> dict[Value, int]:
        counts: dict[Value, int] = {}
        for step in self.block.steps:
            repeated = re.findall(r"\{(\d+)\}", _text_of(step))
            operands = [_operands(step)[int(i)] for i in repeated] if repeated else step.inputs
            for value in operands:
                counts[value] = counts.get(value, 0) + 1
        for value in self.block.outputs:
            counts[value] = counts.get(value, 0) + 1
        return counts

    def write(self) -> list[str]:
        """The statements, the return among them."""
        nested = self._nested()
        statements = [(n, s) for n, s in enumerate(self.block.steps) if s.results[0] not in nested]
        last_read = self._last_reads(statements, nested)
        for order, (number, step) in enumerate(statements):
            for inner_number, inner in self._inner(step, nested):
                self.texts[inner.results[0]] = self._expression(inner_number, inner)
            self.define(number, step)
            text = self._expression(number, step)
            last = order == len(statements) - 1
            alone = self.block.outputs == step.results and not _targets(step)
            if last and alone and self.nests(step):
                self.lines.append(self.returned([text.code]))
                return self.lines
            read = [v for s in (step, *(i for _, i in self._inner(step, nested))) for v in s.inputs]
            self._assign(step, text, order, last_read, read)
            for value in {*read, *step.results}:
                if last_read.get(value, -1) <= order:
                    self.texts.pop(value, None)
        self.lines.append(self.returned([self.texts[v].code for v in self.block.outputs]))
        return self.lines

    def define(self, number: int, step: Step) -> None:
        """Statements that come before the one of a step."""

    def returned(self, codes: Sequence[str]) -> str:
        """The last statement, for the code of each output."""
        return f"return {', '.join(codes)}"

    def nests(self, step: Step) -> bool:
        """Whether a step may be written inside the expression that reads its result."""
        return True

    def object(self, number: int, step: Step, operands: Sequence[str]) -> str:
        """The layer or block of a step, which is called with those operands."""
        return f"self.{step.name}"

    def called(self, step: Step, operands: str) -> str:
        """How a layer or a block is called, where it doesn't say so itself."""
        return f"{{layer}}({operands})"

    def constant(self, name: str) -> str:
        """A constant of the block by its name."""
        return f"self.{name}"

    def _nested(self) -> set[Value]:
        """The values that are written inside the one expression that reads them."""
        widths: dict[Value, tuple[int, int]] = {}
        nested: set[Value] = set()
        readers = {v: s for s in self.block.steps for v in s.inputs}
        outputs = set(self.block.outputs)
        for number, step in enumerate(self.block.steps):
            own = len(self._expression(number, step, plain=True).code)
            inner = [widths[v] for v in step.inputs if v in nested]
            width = own + sum(w for w, _ in inner)
            depth = 1 + max((d for _, d in inner), default=0)
            if width > WIDEST or depth > DEEPEST:
                nested.difference_update(step.inputs)
                width, depth = own, 1
            result = step.results[0]
            widths[result] = width, depth
            alone = len(step.results) == 1 and self.reads.get(result) == 1
            read = alone and result not in outputs and result in readers
            if read and not _targets(step) and self.nests(step):
                nested.add(result)
        return nested

    def _last_reads(
        self, statements: list[tuple[int, Step]], nested: set[Value]
    ) -> dict[Value, int]:
        last: dict[Value, int] = {}
        for order, (_, step) in enumerate(statements):
            steps = [step, *(inner for _, inner in self._inner(step, nested))]
            last.update((value, order) for s in steps for value in s.inputs)
        last.update((value, len(statements)) for value in self.block.outputs)
        return last

    def _inner(self, step: Step, nested: set[Value]) -> list[tuple[int, Step]]:
        """The steps nested in a step, inner ones first."""
        found: list[tuple[int, Step]] = []
        pending = [value for value in step.inputs if value in nested]
        while pending:
            number, inner = self.makers[pending.pop()]
            found.append((number, inner))
            pending += [value for value in inner.inputs if value in nested]
        return sorted(dict.fromkeys(found), key=lambda item: item[0])

    def _assign(
        self,
        step: Step,
        text: Text,
        order: int,
        last_read: Mapping[Value, int],
        read: Sequence[Value],
    ) -> None:
        alive = {
            t.code
            for v, t in self.texts.items()
            if last_read.get(v, -1) > order and t.binds == ATOM
        }
        names = []
        for result in step.results:
            if last_read.get(result, -1) <= order:
                names.append("_")
                continue
            name = self._variable(step, result, alive, read)
            alive.add(name)
            self.texts[result] = Text(name)
            names.append(name)
        targets = _targets(step)
        left = _fill(targets, names) if targets else ", ".join(names)
        self.lines.append(f"{left} = {text.code}")

    def _variable(self, step: Step, result: Value, alive: set[str], read: Sequence[Value]) -> str:
        """The variable of an operand that is done with; else a new one. Of several results none
        takes a name that says what the operand was."""
        several = len(step.results) > 1
        if several and not _UNTELLING.fullmatch(result.name):
            return unique(identifier(result.name, "y"), alive)
        names = [self.texts[value].code for value in read if value in self.texts]
        names = [name for name in names if name in LETTERS or not several]
        free = [name for name in names if name.isidentifier() and name not in alive]
        return (
            min(free, key=len)
            if free
            else next(
                (letter for letter in LETTERS if letter not in alive),
                unique(identifier(step.op, "y"), alive),
            )
        )

    def _expression(self, number: int, step: Step, plain: bool = False) -> Text:
        operands = [self._operand(number, step, i, v, plain) for i, v in enumerate(_operands(step))]
        what = step.what
        if not isinstance(what, Expr):
            holes = ", ".join(f"{{{i}}}" for i in range(len(operands)))
            call = getattr(what, "call", "") or self.called(step, holes)
            codes = [operand.code for operand in operands]
            return Text(_fill(call, codes, {"layer": self.object(number, step, codes)}))
        if what.text == "{0}":
            return operands[0]
        literals = {name: self.literal(number, name, item) for name, item in what.literals.items()}
        literals = {n: _fill(t, [o.code for o in operands]) for n, t in literals.items()}
        guarded = {n: _guarded(what.text, n, Text(t, _binding(t))) for n, t in literals.items()}
        guarded |= {f"*{n}": text[1:-1].rstrip(",") for n, text in literals.items()}
        codes = [_guarded(what.text, str(i), t) for i, t in enumerate(operands)]
        return Text(_fill(what.text, codes, guarded), _binding(what.text))

    def operands(self, number: int, step: Step) -> list[str]:
        """The code of what a layer or a block is called with."""
        given = enumerate(_operands(step))
        return [self._operand(number, step, index, value, False).code for index, value in given]

    def _operand(self, number: int, step: Step, index: int, value: Value, plain: bool) -> Text:
        if isinstance(step.what, Expr) and value.is_constant:
            if value in step.constants:
                return Text(self.constant(step.constants[value]))
            code = self.literal(number, f"#{index}", value)
            return Text(code, _binding(code))
        return Text("x") if plain and value not in self.texts else self.texts[value]


def _operands(step: Step) -> Sequence[Value]:
    return step.inputs if isinstance(step.what, Block) else step.what.inputs


def _text_of(step: Step) -> str:
    if isinstance(step.what, Expr):
        return step.what.text + "".join(map(repr, step.what.literals.values()))
    return step.what.call if isinstance(step.what, Layer) else ""


def _targets(step: Step) -> str:
    return "" if isinstance(step.what, Block) else step.what.targets


def _fill(template: str, operands: Sequence[str], named: Mapping[str, str] | None = None) -> str:
    def piece(match: re.Match[str]) -> str:
        key = match[1]
        return operands[int(key)] if key.isdigit() else (named or {})[key]

    return re.sub(r"\{(\*?\w+)\}", piece, template)


@functools.lru_cache(maxsize=4096)
def _binding(text: str) -> int:
    """How tightly the outermost operator of an expression or a template binds."""
    if text.isidentifier() or not text:
        return ATOM
    node = ast.parse(re.sub(r"\{(\*?)(\w+)\}", r"\1_\2", text), mode="eval").body
    if isinstance(node, ast.BinOp):
        return PRECEDENCE[BINARY[type(node.op)]]
    if isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Not):
        return UNARY
    loose = ast.Compare | ast.BoolOp | ast.UnaryOp | ast.IfExp | ast.Lambda
    return COMPARISON if isinstance(node, loose) else ATOM


def _guarded(template: str, hole: str, operand: Text) -> str:
    """An operand, in parentheses where it needs them; sums keep their grouping, for rounding."""
    if operand.binds == ATOM:
        return operand.code
    pieces = template.split(f"{{{hole}}}")
    around = itertools.pairwise(pieces)
    fits = all(_fits_after(operand.binds, b) and _fits_before(operand.binds, a) for b, a in around)
    return operand.code if fits else f"({operand.code})"


def _fits_after(binds: int, before: str) -> bool:
    """Whether an operand needs no parentheses behind this part of a template."""
    word = before.rstrip(" ").rpartition(" ")[2]
    operator = PRECEDENCE.get(word) if before.endswith(" ") else None
    if operator is None:
        return before.rstrip(" ")[-1:] in ("", "(", "[", ",", ":") or before.endswith("=")
    return binds >= UNARY if operator == POWER else binds > operator


def _fits_before(binds: int, after: str) -> bool:
    """Whether an operand needs no parentheses before this part of a template."""
    operator = PRECEDENCE.get(after.lstrip(" ").partition(" ")[0])
    if operator is None:
        return after[:1] in ("", ")", "]", ",", ":")
    return binds > operator or (binds == operator and operator not in (POWER, COMPARISON))
