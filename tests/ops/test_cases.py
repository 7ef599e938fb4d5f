"""Every op has cases; its body runs them, and its types and shapes are what the body gives."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ir_hub.ir.dims import Dim, evaluate, symbol, symbols_of
from ir_hub.ir.graph import Graph, Value
from ir_hub.ir.types import DType, TensorType
from ir_hub.ops.cases import CASES, Case, case_arguments, case_graph
from ir_hub.ops.catalogue import OPS
from ir_hub.ops.op import Kind

EVERY_CASE = [
    pytest.param(name, case, id=f"{name}-{i}")
    for name, cases in sorted(CASES.items())
    for i, case in enumerate(cases)
]
# Sizes that depend on the elements, or on sizes that must be known for the rank to be.
OPEN = {
    "compress": "as many as conditions are true",
    "non_max_suppression": "as many as are kept",
    "non_zero": "as many as elements aren't zero",
    "range": "as many as fit",
    "resize": "by scales that only the run knows",
    "unique": "as many as differ",
    "slice": "steps backwards need the size",
    "squeeze": "without axes it asks which sizes are 1",
    "string_normalizer": "as many as aren't stop words",
    "string_split": "as many as the parts of the longest",
}


@pytest.mark.parametrize("name", sorted(OPS))
def test_op_is_documented_and_has_cases(name: str) -> None:
    assert OPS[name].doc.endswith((".", ")"))
    bodies = any(param.kind is Kind.BODY for param in OPS[name].params.values())
    assert CASES.get(name) or bodies  # who runs bodies tests those: a case has no runtime


def test_catalogue_has_every_family() -> None:
    code = (
        "import importlib, pkgutil, ir_hub.ops; from ir_hub.ops.catalogue import OPS;"
        "known = set(OPS);"
        "[importlib.import_module(f'ir_hub.ops.{m.name}')"
        " for m in pkgutil.iter_modules(ir_hub.ops.__path__)];"
        "print(*sorted(OPS.keys() - known))"
    )
    root = Path(__file__).parents[2]
    found = subprocess.check_output([sys.executable, "-c", code], text=True, cwd=root)
    assert found.split() == []


def test_cases_are_of_ops() -> None:
    assert not CASES.keys() - OPS.keys()


@pytest.mark.parametrize("name", sorted(CASES))
def test_every_argument_varies(name: str) -> None:
    """Optional tensors are there and left out; literals are away from their defaults."""
    calls = [case_arguments(name, case) for case in CASES[name]]
    for param in OPS[name].params.values():
        given = [call[param.name] for call in calls]
        if param.kind is Kind.LITERAL and not param.required:
            assert any(value != param.default for value in given), f"{param.name} never varies"
        if param.kind is not Kind.LITERAL and not param.required:
            assert any(value is None for value in given), f"{param.name} is never left out"
            assert any(value is not None for value in given), f"{param.name} is never there"


@pytest.mark.parametrize(("name", "case"), EVERY_CASE)
def test_inferred_types_are_the_results(name: str, case: Case) -> None:
    graph, _ = case_graph(name, case)
    results = OPS[name].call(case_arguments(name, case))
    assert len(results) == len(graph.outputs)
    for output, result in zip(graph.outputs, results, strict=True):
        assert output.dtype is DType.of(result.dtype)
        assert output.shape is not None
        assert len(output.shape) == result.ndim
        known = [(a, b) for a, b in zip(output.shape, result.shape, strict=True) if _is_known(a)]
        assert all(a == b for a, b in known)
        assert name in OPEN or len(known) == result.ndim


@pytest.mark.parametrize(("name", "case"), EVERY_CASE)
def test_shapes_with_symbols_are_the_results(name: str, case: Case) -> None:
    """The first operand's sizes become symbols: for these sizes the rule gives the same shapes."""
    op = OPS[name]
    arguments, bindings = _with_symbols(name, case)
    types = op.infer(
        op.complete(arguments), map(symbol, map("u{}".format, itertools.count())).__next__
    )
    for found, result in zip(types, op.call(case_arguments(name, case)), strict=True):
        assert found is not None
        assert found.shape is not None or name in OPEN
        for size, actual in zip(found.shape or (), result.shape, strict=False):
            if symbols_of(size) <= bindings.keys():
                assert evaluate(size, bindings) == actual
            else:
                assert name in OPEN


def _is_known(size: Dim) -> bool:
    return isinstance(size, int)


def _with_symbols(name: str, case: Case) -> tuple[dict[str, Any], dict[str, int]]:
    """The arguments as values, a symbol for each size above 1 of the first; the symbols' values."""
    graph, _ = case_graph(name, case)
    arguments = dict(graph.nodes[0].args)
    bindings: dict[str, int] = {}
    for value in _first_operands(graph):
        assert value.type is not None
        assert value.shape is not None
        bindings |= {f"s{size}": size for size in value.shape if _is_known(size) and size > 1}
        sizes = tuple(symbol(f"s{n}") if f"s{n}" in bindings else n for n in value.shape)
        value.type = TensorType(value.type.dtype, sizes)
    return arguments, bindings


def _first_operands(graph: Graph) -> Iterator[Value]:
    operands = list(graph.nodes[0].operands())
    return (value for argument, value in operands if argument == operands[0][0])


def test_samples_are_neither_all_zeros_nor_all_ones() -> None:
    arrays = [a for cases in CASES.values() for case in cases for a in _arrays(case.tensors)]
    assert len(arrays) > 1000
    for array in arrays:
        if array.size > 2 and array.dtype != object:
            assert len(np.unique(array.astype(np.float64))) > 1


def _arrays(items: tuple[Any, ...]) -> Iterator[np.ndarray]:
    for item in items:
        if isinstance(item, tuple):
            yield from _arrays(item)
        elif isinstance(item, np.ndarray):
            yield item
