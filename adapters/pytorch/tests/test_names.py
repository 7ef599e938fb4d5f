"""Names in a model file are a stranger's: whatever they say, they stay data."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

from adapters.pytorch.tests.saved import run_saved, write
from ir_hub.ir.graph import Model, Source
from ir_hub.ops.build import Builder

EVIL = [
    'x"); import os; os.system("touch pwned") #',
    '"""\nimport os\nos.system("touch pwned")\n"""',
    "a\nopen('pwned', 'w')\n",
    "\\",
    "'",
    "{0}{x}{layer}{name}",
    "%s%(name)s",
    "class",
    "None",
    "self",
    "torch",
    "float",
    "__init__",
    "__class__",
    "_windows",
    "forward",
    "état_größe_名前",
    "\u202e\u0000\x1b[31m",
    "f" * 10_000,
    "",
    " ",
    "0",
]


def evil_model(name: str) -> Model:
    """A model that says `name` wherever a model file has a name."""
    b = Builder()
    x, y = b.input(name, shape=(2, 3)), b.input(f"{name}2", shape=(2, 3))
    weight = b.constant(np.eye(3, dtype=np.float32), name=f"{name}.weight")
    table = b.constant(np.arange(6, dtype=np.float32).reshape(2, 3), name=f"{name}.table")
    with b.within(f"{name}.{name}", (name,)):
        z = b.relu(b.linear(b.add(x, table), weight))
    with b.within(name, (name,)):
        first, second = b.split(b.add(z, y), axis=1, count=2)
    b.graph.outputs = [first, second, x]
    for index, value in enumerate(b.graph.outputs[:2]):
        value.name = f"{name}.{index}"
    for node in b.graph.nodes:
        node.name = name
    scopes = {"": name, name: name, f"{name}.{name}": f"{name}.{name}"}
    return Model(b.graph, scopes, Source(name, name, name))


@pytest.mark.parametrize("name", EVIL, ids=range(len(EVIL)))
def test_names_are_harmless(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    model = evil_model(name)
    outputs = [value.name for value in model.graph.outputs]
    write(model, tmp_path)
    code = (tmp_path / "model.py").read_text("utf-8")
    x = np.array([[1, -2, 3], [-4, 5, 6]], np.float32)
    found = run_saved(tmp_path, {name: x, f"{name}2": x})
    assert list(found) == outputs
    wanted = np.maximum(x + np.arange(6).reshape(2, 3), 0) + x
    np.testing.assert_array_equal(found[outputs[0]], wanted[:, :2])
    np.testing.assert_array_equal(found[outputs[1]], wanted[:, 2:])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.py", "model.safetensors"]
    assert _says_only_what_it_should(code)
    assert len(code) < 3000


def _says_only_what_it_should(code: str) -> bool:
    """Whether a file has one docstring, known imports, classes and one function, in ASCII."""
    body = ast.parse(code).body
    kinds = [type(statement) for statement in body]
    modules = [s.module for s in body if isinstance(s, ast.ImportFrom)]
    modules += [alias.name for s in body if isinstance(s, ast.Import) for alias in s.names]
    known = {"torch", "torch.nn", "safetensors.torch"}
    return (
        code.isascii()
        and kinds[0] is ast.Expr
        and set(kinds[1:]) <= {ast.Import, ast.ImportFrom, ast.ClassDef, ast.FunctionDef}
        and kinds.count(ast.FunctionDef) == 1
        and set(modules) <= known
    )
