"""MXNet's codes for shapes mean what MXNet makes of them; those that are found say the shape."""

from __future__ import annotations

import math

import mxnet as mx
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from adapters.mxnet.reshape_codes import BadCodes, apply_codes, find_codes
from ir_hub.ir.dims import symbol

N, T = symbol("n"), symbol("t")
shapes = st.lists(st.integers(1, 4), min_size=1, max_size=5)
codes = st.lists(st.integers(-4, 4), min_size=1, max_size=6)


@settings(max_examples=300, deadline=None)
@given(shapes, codes, st.booleans())
def test_same_as_mxnet(shape: list[int], code: list[int], reverse: bool) -> None:
    try:
        found = apply_codes(shape, code, reverse)
    except BadCodes:
        return
    assume(math.prod(found) == math.prod(shape) and not (reverse and -4 in code))
    try:
        wanted = mx.nd.zeros(shape).reshape(shape=code, reverse=reverse).shape
    except mx.MXNetError:
        return  # it refuses more than we do
    assert found == wanted


@pytest.mark.parametrize(
    ("shape", "wanted", "found"),
    [
        ((N, 3, 4), (N, 12), (0, 12)),
        ((N, T, 8), (N, T, 2, 4), (0, 0, 2, 4)),
        ((N, T, 2, 4), (N, T, 8), (0, 0, 8)),
        ((N, T, 8), (N * T, 8), (-1, 8)),
        ((N, 2, T, 4), (2 * N, T, 4), (-3, 0, 0)),
        ((2 * N, T, 4), (N, 2, T, 4), (-4, -1, 2, 0, 0)),
        ((N, 6), (6 * N,), (-1,)),
        ((2, 3), (6,), (6,)),
        ((N, T), (T, N), None),
    ],
)
def test_found(shape: tuple[object, ...], wanted: tuple[object, ...], found: object) -> None:
    assert find_codes(shape, wanted) == found  # type: ignore[arg-type]


@given(shapes, st.permutations([0, 1, 2, 3, 4]), st.integers(0, 4))
def test_what_is_found_says_the_shape(shape: list[int], order: list[int], cut: int) -> None:
    """Some sizes are open; the codes then give the sizes that the numbers would."""
    symbols = [symbol(f"s{i}") for i in range(len(shape))]
    open_shape = [symbols[i] if i in order[:cut] else size for i, size in enumerate(shape)]
    joined = [*open_shape[:-2], open_shape[-2] * open_shape[-1]] if len(shape) > 1 else open_shape
    for start, wanted in ((open_shape, joined), (joined, open_shape)):
        found = find_codes(start, wanted)
        numbers = {str(s): n for s, n in zip(symbols, shape, strict=True)}
        if found is not None:
            assert apply_codes(_filled(start, numbers), found) == _filled(wanted, numbers)


def _filled(shape: list[object], numbers: dict[str, int]) -> tuple[int, ...]:
    from ir_hub.ir.dims import evaluate

    return tuple(evaluate(size, numbers) for size in shape)  # type: ignore[arg-type]
