"""Constants of one element stand in the code as numbers, which changes neither types nor values."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from adapters.pytorch.tests.saved import run_saved, write
from ir_hub.ir.graph import Model
from ir_hub.ir.types import DType
from ir_hub.ops.build import Builder
from ir_hub.sdk.conformance import difference
from ir_hub.simplify import reference

FLOATS = (DType.FLOAT16, DType.BFLOAT16, DType.FLOAT32, DType.FLOAT64)
INTEGERS = (DType.INT8, DType.INT16, DType.INT32, DType.INT64, DType.UINT8, DType.UINT32)
OPS = (
    "add", "sub", "mul", "div", "minimum", "maximum", "equal", "not_equal", "less", "less_equal",
    "greater", "greater_equal", "mod", "floor_div",
)  # fmt: skip
# Shortest decimals, long ones, and what has no decimal at all; what wraps, and what doesn't fit.
NUMBERS = {True: (0.1, 1 / 3, -7.0, 60000.0, np.inf, np.nan), False: (1, 3, 100)}


@pytest.mark.parametrize("dtype", FLOATS + INTEGERS)
@pytest.mark.parametrize("op", OPS)
def test_operands(op: str, dtype: DType, tmp_path: Path) -> None:
    x = np.array([[0.1, 1, -3, 7, 100]]).astype(np.float32)
    x = (np.abs(x) + 1 if not dtype.is_float else x).astype(dtype.numpy)
    b = Builder()
    value = b.input("x", dtype, x.shape)
    for number, shape, left in itertools.product(NUMBERS[dtype.is_float], ((), (1,)), (0, 1)):
        constant = b.constant(np.full(shape, number), dtype)
        result = b.call(op, *((constant, value) if left else (value, constant)))
        result.name = f"{number}{shape}{left}"
        b.graph.outputs.append(result)
    wanted = dict(zip((v.name for v in b.graph.outputs), reference.run(b.graph, [x]), strict=True))
    write(Model(b.graph), tmp_path)
    found = run_saved(tmp_path, {"x": x})
    for name, ours in wanted.items():
        problem = difference(ours, found[name])
        assert not problem, f"{op} of {dtype} and {name}: {problem}: {ours}, not {found[name]}"


@pytest.mark.parametrize("dtype", [*FLOATS, DType.INT32, DType.UINT8, DType.BOOL])
def test_both_sides_of_a_choice(dtype: DType, tmp_path: Path) -> None:
    b = Builder()
    condition = b.input("c", DType.BOOL, (2,))
    b.graph.outputs = [b.where(condition, b.constant(1, dtype), b.constant(0, dtype))]
    write(Model(b.graph), tmp_path)
    (found,) = run_saved(tmp_path, {"c": np.array([True, False])}).values()
    np.testing.assert_array_equal(found, np.array([1, 0]).astype(dtype.numpy))
    assert found.dtype == dtype.numpy


@pytest.mark.parametrize("base", [*FLOATS, DType.INT32, DType.INT64])
@pytest.mark.parametrize("exponent", [DType.FLOAT32, DType.FLOAT64, DType.INT32, DType.INT64])
def test_powers_have_the_type_of_their_base(base: DType, exponent: DType, tmp_path: Path) -> None:
    x, y = np.array([2, 3, 1]).astype(base.numpy), np.array([3, 2, 0]).astype(exponent.numpy)
    b = Builder()
    p, q = b.input("x", base, (3,)), b.input("y", exponent, (3,))
    results = (b.pow(p, q), b.pow(p, b.constant(2, exponent)), b.pow(b.constant(2, base), q))
    b.graph.outputs = list(results)
    wanted = reference.run(b.graph, [x, y])
    write(Model(b.graph), tmp_path)
    for ours, theirs in zip(wanted, run_saved(tmp_path, {"x": x, "y": y}).values(), strict=True):
        assert not difference(ours, theirs)
