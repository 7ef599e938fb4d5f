"""A framework of nothing but texts: its style, and how it writes a few ops."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np

import ir_hub.ops.catalogue  # noqa: F401 (the builder calls the ops that it registers)
from ir_hub.codegen.spelling import Expr, Layer, Spelling, Style
from ir_hub.codegen.write import Written, write
from ir_hub.ir.dims import symbol
from ir_hub.ir.graph import Model, Node, Value
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder

N = symbol("N")

STYLE = Style(
    base="Module",
    forward="run",
    sequential="Chain",
    named="named({items})",
    parameter="self.{name} = learned({shape}{dtype})",
    buffer="self.{name} = fixed({shape}{dtype})",
    dtypes={dtype.value: dtype.value for dtype in DType},
    reserved=frozenset({"run", "train"}),
    names=frozenset({"Module"}),
    listed="List",
)
SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**"}


def spelled(node: Node) -> Spelling:
    """How the tiny framework writes a node."""
    inputs = [value for _, value in node.operands()]
    if node.op in SIGNS:
        scalars = {i for i, v in enumerate(inputs) if v.scalar is not None}
        return Expr(f"{{0}} {SIGNS[node.op]} {{1}}", inputs, numbers=frozenset(scalars))
    if node.op == "linear":
        features_out, features_in = node.weight.shape
        kwargs = {"inputs": features_in, "outputs": features_out, "bias": node.bias is not None}
        params = {"weight": node.weight} | ({"bias": node.bias} if node.bias else {})
        return Layer("Linear", [node.x], kwargs, {"bias": True}, params, positional=2)
    if node.op in ("relu", "tanh"):
        return Layer(node.op.title(), [node.x], function=Expr(f"{node.op}({{0}})", [node.x]))
    if node.op == "softmax":
        return Layer("Softmax", [node.x], {"axis": node.axis}, {"axis": -1})
    if node.op in ("reshape", "expand"):
        return Expr(f"{{0}}.{node.op}({{*shape}})", [node.x], {"shape": node.shape})
    if node.op == "split":
        return Expr("split({0}, {sizes})", [node.x], {"sizes": node.sizes})
    literals = {k: v for k, v in node.args.items() if not isinstance(v, Value | tuple)}
    said = "".join(f", {name}={{{name}}}" for name in literals)
    holes = ", ".join(f"{{{i}}}" for i in range(len(inputs)))
    return Expr(f"{node.op}({holes}{said})", inputs, literals)


def written(
    build: Callable[[Builder, Value], Any],
    scopes: dict[str, str] | None = None,
    shape: tuple[Any, ...] = (N, 4),
) -> Written:
    """The code of a function of a builder and one input."""
    b = Builder()
    made = build(b, b.input("x", DType.FLOAT32, shape))
    b.graph.outputs = list(made) if isinstance(made, list | tuple) else [made]
    spellings = {node: spelled(node) for node in b.graph.nodes}
    return write(Model(b.graph, scopes or {}), spellings, STYLE)


def body(build: Callable[[Builder, Value], Any], shape: tuple[Any, ...] = (N, 4)) -> str:
    """The statements of the model's forward."""
    _, _, found = written(build, shape=shape).code.partition("def run(self, x):\n")
    return textwrap.dedent(found)


def weight(b: Builder, *shape: int, name: str = "constant") -> Value:
    """A constant of many digits."""
    array = np.random.default_rng(0).uniform(0.1, 0.2, shape).astype(np.float32)
    return b.constant(array, name=name)


def linear(b: Builder, x: Value, width: int) -> Value:
    """A linear layer that gives rows of a width."""
    found: Value = b.linear(x, weight(b, width, (x.shape or ())[-1]), weight(b, width))
    return found
