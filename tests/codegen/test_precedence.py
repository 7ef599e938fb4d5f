"""Expressions written into one another keep their grouping, with no more parentheses than that
takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ir_hub.codegen.spelling import Expr
from ir_hub.codegen.write import write
from ir_hub.ir.graph import Graph, Model, Node, Value, constant
from tests.codegen.tiny import STYLE

SIGNS = ["+", "-", "*", "/", "//", "%", "@", "**", "<<", ">>", "&", "|", "^", "<", "<=", ">",
         ">=", "==", "!="]  # fmt: skip
TEMPLATES = [
    *(f"{{0}} {sign} {{1}}" for sign in SIGNS),
    "-{0}", "~{0}", "{0}.size()", "{0}[{1}]", "call({0}, {1})", "call({0}, key={1})", "{0}",
    "{0} * {2} + {1}", "({0} - {1}) / {2}", "1 / {0}", "{0}.call({1}) * {2}", "{low} * {0}",
    "{0} ** {low}", "call(({0}, {1}), {low})", "{0}[{low}:, {1}]", "{0} - {1} - {0}",
    "({low} * {0} + {0})",
]  # fmt: skip


class Seen:
    """What was computed, as text with every operation in parentheses."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __bool__(self) -> bool:
        raise TypeError("comparisons were chained")

    def __getattr__(self, name: str) -> Callable[..., Seen]:
        return lambda *args: Seen(f"{self.text}.{name}{_listed(args)}")

    def __getitem__(self, key: Any) -> Seen:
        return Seen(f"{self.text}[{_text(key)}]")

    __hash__ = None  # type: ignore[assignment]


def _text(item: Any) -> str:
    if isinstance(item, tuple):
        return _listed(item)
    return item.text if isinstance(item, Seen) else repr(item)


def _listed(items: Any) -> str:
    return f"({', '.join(map(_text, items))})"


def _operator(sign: str, swapped: bool = False) -> Callable[[Any, Any], Seen]:
    def apply(self: Any, other: Any) -> Seen:
        left, right = (other, self) if swapped else (self, other)
        return Seen(f"({_text(left)} {sign} {_text(right)})")

    return apply


for _name, _sign in {
    "add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%",
    "matmul": "@", "pow": "**", "lshift": "<<", "rshift": ">>", "and": "&", "or": "|", "xor": "^",
}.items():  # fmt: skip
    setattr(Seen, f"__{_name}__", _operator(_sign))
    setattr(Seen, f"__r{_name}__", _operator(_sign, swapped=True))
for _name, _sign in {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}.items():
    setattr(Seen, f"__{_name}__", _operator(_sign))
Seen.__neg__ = lambda self: Seen(f"(-{self.text})")  # type: ignore[attr-defined]
Seen.__invert__ = lambda self: Seen(f"(~{self.text})")  # type: ignore[attr-defined]


def call(*args: Any, **named: Any) -> Seen:
    return Seen(f"call{_listed([*args, *named.values()])}")


class Module:
    """What the generated classes are made of."""


@st.composite
def graphs(draw: Callable[..., Any]) -> tuple[Graph, dict[Node, Expr]]:
    """A graph whose nodes are written with random templates; a few operands are numbers."""
    values = [Value("a"), Value("b"), Value("c")]
    graph, spellings = Graph(inputs=values[:]), {}
    for number in range(draw(st.integers(1, 12))):
        text = draw(st.sampled_from(TEMPLATES))
        recent = st.sampled_from(values[-4:])
        operands = [draw(recent), draw(recent), draw(recent)][
            : 1 + ("{1}" in text) + ("{2}" in text)
        ]
        if "{1}" in text and draw(st.integers(0, 4)) == 0:
            operands[1] = constant(np.array(draw(st.sampled_from([-2.5, 3.0]))))
        low = draw(st.sampled_from([-4, 7]))
        literals = {"low": low} if "{low}" in text else {}
        result = Value(f"v{number}")
        node = Node("op", {f"x{i}": v for i, v in enumerate(operands)}, [result])
        spellings[node] = Expr(text, operands, literals, numbers=frozenset({1}))
        graph.nodes.append(node)
        values.append(result)
    graph.outputs = [values[-1], draw(st.sampled_from(values))]
    return graph, spellings


def evaluated(graph: Graph, spellings: dict[Node, Expr]) -> list[str]:
    """What the templates say, one at a time."""
    seen: dict[Value, Any] = {value: Seen(value.name) for value in graph.inputs}
    for node in graph.nodes:
        what = spellings[node]
        names = {f"x{i}": v.scalar if v.is_constant else seen[v] for i, v in enumerate(what.inputs)}
        names |= what.literals
        code = what.text.replace("{low}", "(low)")
        for index in range(3):
            code = code.replace(f"{{{index}}}", f"(x{index})")
        seen[node.result] = eval(code, {"call": call}, names)
    return [_text(seen[value]) for value in graph.outputs]


def run(code: str) -> list[str]:
    namespace: dict[str, Any] = {"Module": Module, "call": call}
    exec(compile(code, "model.py", "exec"), namespace)
    found = namespace["Model"]().run(Seen("a"), Seen("b"), Seen("c"))
    return [_text(item) for item in found]


@settings(deadline=None, max_examples=300)
@given(graphs())
def test_grouping_survives(made: tuple[Graph, dict[Node, Expr]]) -> None:
    graph, spellings = made
    code = write(Model(graph), spellings, STYLE).code
    assert run(code) == evaluated(graph, spellings), code


@pytest.mark.parametrize(
    ("outer", "inner", "written"),
    [
        ("{1} - {0}", "{0} - {1}", "b - (a - b)"),
        ("{0} - {1}", "{0} - {1}", "a - b - b"),
        ("{1} + {0}", "{0} + {1}", "b + (a + b)"),
        ("{0} * {1}", "{0} + {1}", "(a + b) * b"),
        ("{0} + {1}", "{0} * {1}", "a * b + b"),
        ("-{0}", "{0} ** {1}", "-(a ** b)"),
        ("{0} ** {1}", "-{0}", "(-a) ** b"),
        ("{1} ** {0}", "-{0}", "b ** -a"),
        ("-{0}", "-{0}", "-(-a)"),
        ("{0}.size()", "{0} + {1}", "(a + b).size()"),
        ("{0}.size()", "call({0}, {1})", "call(a, b).size()"),
        ("{0}[{1}]", "{0} @ {1}", "(a @ b)[b]"),
        ("call({0}, {1})", "{0} + {1}", "call(a + b, b)"),
        ("call({1}, key={0})", "{0} + {1}", "call(b, key=a + b)"),
        ("{0} == {1}", "{0} < {1}", "(a < b) == b"),
        ("{0} & {1}", "{0} < {1}", "(a < b) & b"),
        ("{1} < {0}", "{0} | {1}", "b < a | b"),
        ("{0} / {1}", "{0} * {1}", "a * b / b"),
        ("{1} * {0}", "{0} / {1}", "b * (a / b)"),
        ("{1} * 2 + {0}", "{0} + {1}", "b * 2 + (a + b)"),
        ("{0} * 2 + {1}", "{0} + {1}", "(a + b) * 2 + b"),
        ("{0} * 2", "{0}", "a * 2"),
        ("call() if {0} else {1}", "{0} + {1}", "call() if (a + b) else b"),
    ],
)
def test_parentheses(outer: str, inner: str, written: str) -> None:
    a, b, mid, result = Value("a"), Value("b"), Value("mid"), Value("result")
    nodes = [
        Node("op", {"x": a, "y": b}, [mid]),
        Node("op", {"x": mid, "y": b}, [result]),
    ]
    spellings = {
        nodes[0]: Expr(inner, [a, b] if "{1}" in inner else [a]),
        nodes[1]: Expr(outer, [mid, b] if "{1}" in outer else [mid]),
    }
    graph = Graph([a, b], nodes, [result])
    code = write(Model(graph), spellings, STYLE).code
    assert code.splitlines()[-1].strip() == f"return {written}"


def test_what_only_passes_a_value_on_doesnt_hide_its_operator() -> None:
    a, b, total, same, result = (Value(name) for name in ("a", "b", "total", "same", "result"))
    nodes = [
        Node("add", {"x": a, "y": b}, [total]),
        Node("identity", {"x": total}, [same]),
        Node("mul", {"x": same, "y": b}, [result]),
    ]
    texts = [("{0} + {1}", [a, b]), ("{0}", [total]), ("{0} * {1}", [same, b])]
    spellings = {node: Expr(*each) for node, each in zip(nodes, texts, strict=True)}
    code = write(Model(Graph([a, b], nodes, [result])), spellings, STYLE).code
    assert code.splitlines()[-1].strip() == "return (a + b) * b"
