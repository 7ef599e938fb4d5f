"""Names of a model's inputs and layers as Keras takes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ir_hub.codegen.names import attribute, unique
from ir_hub.codegen.spelling import Expr, Spelling
from ir_hub.ir.graph import Model

# What Keras calls the node of an operator of Python.
# fmt: off
_OPERATORS = (
    "add", "subtract", "multiply", "true_divide", "divide", "floor_divide", "negative", "power",
    "greater", "greater_equal", "less", "less_equal", "get_item", "cast",
)
# fmt: on


def input_names(names: Sequence[str]) -> list[str]:
    """The names of inputs, changed where Keras couldn't take them."""
    found: list[str] = []
    for name in names:
        found.append(unique(attribute(name, "input", (), ".-"), found))
    return found


def op_names(spellings: Iterable[Spelling]) -> frozenset[str]:
    """What Keras calls the ops of expressions by itself; no layer may be called so."""
    used: set[str] = set()
    for what in spellings:
        text = what.text if isinstance(what, Expr) else what.call
        used.update(re.findall(r"\bops\.(?:\w+\.)*(\w+)\(", text))
        if isinstance(what, Expr):
            used.update(_OPERATORS)
    return frozenset(used)


def rename_scopes(model: Model, taken: frozenset[str]) -> None:
    """Renames the scopes that are called like ops, numbers at their ends aside."""

    def renamed(scope: str) -> str:
        parts = scope.split(".") if scope else []
        return ".".join(f"{p}_" if re.sub(r"_\d+$", "", p) in taken else p for p in parts)

    for node in model.graph.nodes:
        node.scope = renamed(node.scope)
    model.scopes = {renamed(path): name for path, name in model.scopes.items()}


def fresh(name: str, taken: set[str]) -> str:
    """A name for a tensor that is read, which from now on is taken."""
    number, found = 0, name
    while found in taken:
        number += 1
        found = f"{name}~{number}"
    taken.add(found)
    return found
