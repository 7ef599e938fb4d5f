"""Symbolic sizes: canonical forms, text, bounds and what is refused."""

from __future__ import annotations

import copy
import operator
import pickle
from collections.abc import Callable

import numpy as np
import pytest

from ir_hub.ir.dims import (
    Dim,
    Expr,
    ExpressionTooLarge,
    Symbol,
    bounds,
    ceildiv,
    complexity,
    divide_exactly,
    evaluate,
    maximum,
    minimum,
    parse_dim,
    provably_equal,
    solve,
    symbol,
    symbols_of,
)

H, W, N, C, Z = map(symbol, "HWNCZ")


@pytest.mark.parametrize(
    ("dim", "text"),
    [
        (2 * N + 1, "2*N + 1"),
        (1 - H, "1 - H"),
        (W - H, "W - H"),
        (-H, "-H"),
        (-(H // 2), "-(H//2)"),
        (3 * (H % 4) - W // 2, "3*(H%4) - W//2"),
        ((H + 31) // 32, "(H + 31)//32"),
        (ceildiv(H, 32), "(H + 31)//32"),
        ((H + 33) // 32, "(H + 1)//32 + 1"),
        ((2 * H + 3) // 4, "(H + 1)//2"),
        ((2 * H + W + 5) // 2, "H + (W + 1)//2 + 2"),
        (((H + 1) // 2 + 1) // 2, "(H + 3)//4"),
        (H // N // C, "H//(C*N)"),
        ((W - H) // 2, "(W - H)//2"),
        ((4 * H + 6) % 4, "2"),
        ((7 * H + 9) % 8, "(1 - H)%8"),
        ((2 * H + 3) % 4, "2*((H + 1)%2) + 1"),
        (H % 8 // 8, "0"),
        (H % 32 % 8, "H%8"),
        (H // 1, "H"),
        (H % 1, "0"),
        (H // -2, "-((H + 1)//2)"),
        (H - H, "0"),
        (H // H, "H//H"),
        (H % H, "H%H"),
        ((H + 1) // (H + 1), "1"),
        (H // (H + 1), "0"),
        ((2 * H) // (2 * W), "H//W"),
        (maximum(H, W, maximum(N, H)), "max(H, N, W)"),
        (maximum(H + 1, H, 0), "H + 1"),
        (minimum(H, W, H + W, 7, 9), "min(H, W, 7)"),
        (maximum(H, 3), "max(H, 3)"),
    ],
)
def test_canonical_text(dim: Dim, text: str) -> None:
    assert str(dim) == text


@pytest.mark.parametrize("dim", [H - H, H - H + 3, (H + 2) - H, H % 8 // 8, 0 * H, minimum(4, 3)])
def test_constants_are_plain_integers(dim: Dim) -> None:
    assert type(dim) is int


@pytest.mark.parametrize(
    ("a", "b", "symbols"),
    [
        (H // 8 * 8, H, {"H": Symbol("H", multiple_of=8)}),
        ((H + 31) // 32 * 2, (H + 15) // 16, {"H": Symbol("H", multiple_of=32)}),
        (H // 8 * 8 + H % 8, H, {}),
        (H, 4, {"H": Symbol("H", min=3, max=5, multiple_of=2)}),
    ],
)
def test_provably_equal_uses_what_is_known(a: Dim, b: Dim, symbols: dict[str, Symbol]) -> None:
    assert provably_equal(a, b, symbols)
    assert not provably_equal(a, b + 1, symbols)


def test_not_provably_equal_without_what_must_be_known() -> None:
    assert not provably_equal(H // 8 * 8, H)
    assert not provably_equal(H, W)


@pytest.mark.parametrize(
    ("dim", "expected"),
    [
        ((H - 3) // 2 + 1, (3, 111)),
        (H * W, (0, None)),
        (-W, (None, 0)),
        (H % 7, (0, 6)),
        (minimum(W, 5), (0, 5)),
        (maximum(H, 20), (20, 224)),
        (100 // (W + 1), (0, 100)),
        (-5 // (W + 1), (-5, -1)),
        (H // (W % 5 - 2), (-224, 224)),
        (H % (W % 5 + 1), (0, 4)),
        (H // Z, (-224, 224)),
        (7, (7, 7)),
    ],
)
def test_bounds(dim: Dim, expected: tuple[int | None, int | None]) -> None:
    assert bounds(dim, {"H": Symbol("H", min=8, max=224), "Z": Symbol("Z", max=0)}) == expected


@pytest.mark.parametrize(
    ("a", "b", "quotient"),
    [
        (N * C * H, C * H, N),
        (H, H, 1),
        (H * H - W * W, H + W, H - W),
        (6 * (H // 2), 2, 3 * (H // 2)),
        (0, H, 0),
        (12, 4, 3),
        (H, 2, None),
        (H + 1, H, None),
        (H, W, None),
        (3, H, None),
        (H, 0, None),
    ],
)
def test_divide_exactly(a: Dim, b: Dim, quotient: Dim | None) -> None:
    assert divide_exactly(a, b) == quotient


@pytest.mark.parametrize(
    ("dim", "size", "solution"),
    [
        (H, 7, ("H", 7)),
        (2 * H + 1, 7, ("H", 3)),
        (10 - H, 7, ("H", 3)),
        (2 * H, 7, None),
        (H + 9, 7, None),
        (H * H, 9, None),
        (H + W, 9, None),
        (H // 2, 3, None),
        (7, 7, None),
    ],
)
def test_solve(dim: Dim, size: int, solution: tuple[str, int] | None) -> None:
    assert solve(dim, size) == solution


@pytest.mark.parametrize(
    ("text", "dim"),
    [
        ("Max(1, s0) - Min(s0, 9)", maximum(symbol("s0"), 1) - minimum(symbol("s0"), 9)),
        ("FloorDiv(H + 1, 2) + Mod(W, 4)", (H + 1) // 2 + W % 4),
        ("-H//2", -H // 2),
        ("2*H//3%5", 2 * H // 3 % 5),
        ("- -H", H),
        (" ( H ) ", H),
        ("max*min", symbol("max") * symbol("min")),
        ("a.b_1", symbol("a.b_1")),
    ],
)
def test_parse(text: str, dim: Dim) -> None:
    assert parse_dim(text) == dim


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "position 0, expected a number"),
        ("H +", "position 3, expected a number"),
        ("(H", "position 2, expected '\\)'"),
        ("H W", "position 2, expected the end, found 'W'"),
        ("H/2", "position 1, '/' isn't in the grammar"),
        ("H**2", "position 1, '\\*\\*' isn't in the grammar"),
        ("1.5*H", "position 1, '.' isn't in the grammar"),
        ("1 + floor(H)", "position 4, unknown function floor"),
        ("__import__('os')", "unknown function __import__"),
        ("Mod(H)", "takes two sizes, not 1"),
        ("(H, W)", "expected '\\)'"),
        ("2*H//(3 - 3)", "position 3, division by zero"),
        ("(" * 100 + "H" + ")" * 100, "nested over 64 deep"),
        ("9" * 50, "over 40 digits"),
        ("-" * 5000 + "H", "at most 4096"),
        ("²", "isn't in the grammar"),
    ],
)
def test_what_is_not_a_size_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_dim(text)


def test_sizes_in_numpy_object_arrays() -> None:
    shape = np.array([H, 2, W], dtype=object)
    assert list(shape * 2) == [2 * H, 4, 2 * W]
    assert list(shape + np.array([1, 2, 3], dtype=np.int64)) == [H + 1, 4, W + 3]
    assert list(np.int64(3) * shape) == [3 * H, 6, 3 * W]
    assert list(H * shape) == [H * H, 2 * H, H * W]
    assert shape.prod() == 2 * H * W
    assert list(np.concatenate([shape[:1], [5]])) == [H, 5]
    assert np.take(shape, [2, 0]).tolist() == [W, H]
    assert (shape // 2).tolist() == [H // 2, 1, W // 2]
    assert (shape == np.array([H, 2, N], dtype=object)).tolist() == [True, True, False]


@pytest.mark.parametrize("number", [np.int64(3), np.uint8(3), np.int32(3)])
def test_numpy_integers_are_integers(number: int) -> None:
    results = [H + number, number + H, H - number, number - H, number * H, H // number, H % number]
    assert results == [H + 3, 3 + H, H - 3, 3 - H, 3 * H, H // 3, H % 3]
    assert all(isinstance(result, Expr) for result in results)
    assert ceildiv(number, 2) == 2
    assert type(ceildiv(number, 2)) is int
    assert maximum(number, H) == maximum(3, H)


@pytest.mark.parametrize(
    "decide",
    [
        bool,
        int,
        lambda dim: dim < 3,
        lambda dim: dim >= W,
        lambda dim: operator.le(3, dim),
        lambda dim: sorted([dim, W]),
        lambda dim: np.array([dim], dtype=np.int64),
    ],
)
def test_nothing_is_decided_silently(decide: Callable[[Dim], object]) -> None:
    with pytest.raises(TypeError, match=r"symbolic|must be"):
        decide(2 * H + 1)


@pytest.mark.parametrize("other", [1.5, "2", None])
def test_only_sizes_combine_with_sizes(other: object) -> None:
    for combine in (operator.add, operator.sub, operator.mul, operator.floordiv, operator.mod):
        with pytest.raises(TypeError):
            combine(H, other)
        with pytest.raises(TypeError):
            combine(other, H + 1)
    with pytest.raises(TypeError):
        operator.truediv(H, 2)
    with pytest.raises(TypeError, match="a size is an int or an expression"):
        maximum(H, other)  # type: ignore[arg-type]


def test_sizes_are_immutable_values() -> None:
    dim = (H + 31) // 32 * maximum(W, 3)
    assert pickle.loads(pickle.dumps(dim)) == dim == copy.deepcopy(dim)
    assert {dim: 1}[maximum(3, W) * ((31 + H) // 32)] == 1
    assert dim != 3
    assert dim != "H"
    assert operator.ne(3, dim)
    with pytest.raises(AttributeError, match="immutable"):
        dim.terms = ()  # type: ignore[union-attr]


def test_evaluate_refuses_missing_and_negative_values() -> None:
    with pytest.raises(KeyError, match="no value for the symbol W"):
        evaluate(H + W // 2, {"H": 1})
    with pytest.raises(ValueError, match="cannot be -1"):
        evaluate(H, {"H": -1})
    with pytest.raises(ZeroDivisionError):
        evaluate(H // W, {"H": 1, "W": 0})
    with pytest.raises(ZeroDivisionError):
        H // 0


def test_symbols_and_complexity() -> None:
    dim = maximum(H // W, 3) * N + H
    assert symbols_of(dim) == {"H", "W", "N"}
    assert symbols_of(3) == frozenset()
    assert [complexity(3), complexity(H), complexity(2 * N + 1)] == [0, 1, 2]
    assert complexity(dim) > complexity(H // W)


@pytest.mark.parametrize(
    "limits",
    [
        {"min": -1},
        {"min": 3, "max": 2},
        {"min": 1, "max": 7, "multiple_of": 8},
        {"multiple_of": 0},
        {"name": "a b"},
        {"name": ""},
    ],
)
def test_symbols_that_cannot_be_are_refused(limits: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"size"):
        Symbol(**{"name": "H", **limits})  # type: ignore[arg-type]


def _sum_of_many() -> Dim:
    return sum((symbol(f"s{i}") for i in range(300)), start=0)


def _product_of_sums() -> Dim:
    dim: Dim = 1
    for i in range(20):
        dim = dim * (symbol(f"s{i}") + 1)
    return dim


def _doubling() -> Dim:
    dim: Dim = H
    for i in range(60):
        dim = dim // symbol(f"s{i}") + dim % 7
    return dim


def _deep() -> Dim:
    dim: Dim = H
    for _ in range(200):
        dim = (dim * 3 + W) // 7
    return dim


def _large_factor() -> Dim:
    dim: Dim = H
    for _ in range(200):
        dim = dim * 1024
    return dim


def _wide() -> Dim:
    return maximum(*(symbol(f"s{i}") for i in range(100_000)))


@pytest.mark.parametrize(
    "grow", [_sum_of_many, _product_of_sums, _doubling, _deep, _large_factor, _wide]
)
def test_growth_is_limited(grow: Callable[[], Dim]) -> None:
    with pytest.raises(ExpressionTooLarge):
        grow()
