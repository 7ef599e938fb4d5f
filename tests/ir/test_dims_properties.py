"""Symbolic sizes hold for random expressions: value, text, bounds, equality and division."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ir_hub.ir.dims import (
    Dim,
    Symbol,
    bounds,
    ceildiv,
    divide_exactly,
    evaluate,
    maximum,
    minimum,
    parse_dim,
    provably_equal,
    provably_positive,
    python_code,
    substitute,
    symbol,
)

NAMES = ("A", "B", "C")

# A tree is an int, a name, or (operation, left, right); it is computed with the very same
# functions once on ints, as Python has it, and once on symbols.
Tree = int | str | tuple[str, "Tree", "Tree"]
OPERATIONS: dict[str, Callable[[Dim, Dim], Dim]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
    "min": minimum,
    "max": maximum,
    "ceildiv": ceildiv,
}
PLAIN: dict[str, Callable[[int, int], int]] = {
    **OPERATIONS,
    "min": min,
    "max": max,
    "ceildiv": lambda a, b: -(-a // b),
}

leaves = st.sampled_from(NAMES) | st.integers(-9, 9) | st.sampled_from([16, 31, 32])
trees = st.recursive(
    leaves,
    lambda inner: st.tuples(st.sampled_from(list(OPERATIONS)), inner, inner),
    max_leaves=9,
)
sizes = st.integers(0, 9) | st.integers(0, 300)
untimed = settings(deadline=None)  # the machine's speed isn't what is tested
values = st.fixed_dictionaries(dict.fromkeys(NAMES, sizes))


def plain(tree: Tree, bindings: Mapping[str, int]) -> int:
    if isinstance(tree, tuple):
        op, left, right = tree
        return PLAIN[op](plain(left, bindings), plain(right, bindings))
    return bindings[tree] if isinstance(tree, str) else tree


def built(tree: Tree) -> Dim:
    if isinstance(tree, tuple):
        op, left, right = tree
        return OPERATIONS[op](built(left), built(right))
    return symbol(tree) if isinstance(tree, str) else tree


def built_or_skipped(tree: Tree) -> Dim:
    try:
        return built(tree)
    except ZeroDivisionError:
        assume(False)
        raise


def plain_or_skipped(tree: Tree, bindings: Mapping[str, int]) -> int:
    try:
        return plain(tree, bindings)
    except ZeroDivisionError:
        assume(False)
        raise


@untimed
@given(trees, values)
def test_the_canonical_form_has_the_value_of_what_was_written(
    tree: Tree, bindings: dict[str, int]
) -> None:
    expected = plain_or_skipped(tree, bindings)
    assert evaluate(built_or_skipped(tree), bindings) == expected


@untimed
@given(trees)
def test_text_reads_back_as_the_same_size(tree: Tree) -> None:
    dim = built_or_skipped(tree)
    assert parse_dim(str(dim)) == dim


@untimed
@given(trees, values)
def test_text_and_code_mean_to_python_what_the_size_means(
    tree: Tree, bindings: dict[str, int]
) -> None:
    dim, expected = built_or_skipped(tree), plain_or_skipped(tree, bindings)
    snippets = {"A": "x.shape[0]", "B": "b - 1", "C": "c if c else 0"}
    code = python_code(dim, snippets)
    x = np.empty((bindings["A"], 0))
    assert eval(str(dim), {}, dict(bindings)) == expected
    assert eval(code, {}, {"x": x, "b": bindings["B"] + 1, "c": bindings["C"]}) == expected


@untimed
@given(trees, values, st.data())
def test_bounds_enclose_the_value(
    tree: Tree, bindings: dict[str, int], data: st.DataObject
) -> None:
    dim, value = built_or_skipped(tree), plain_or_skipped(tree, bindings)
    symbols = {name: data.draw(symbol_allowing(name, bindings[name])) for name in NAMES[:2]}
    low, high = bounds(dim, symbols)
    assert low is None or low <= value
    assert high is None or value <= high
    assert value >= 1 or not provably_positive(dim, symbols)


@st.composite
def symbol_allowing(draw: st.DrawFn, name: str, value: int) -> Symbol:
    divisors = [k for k in range(1, 33) if value % k == 0]
    return Symbol(
        name,
        min=draw(st.integers(0, value)),
        max=draw(st.none() | st.integers(value, value + 50)),
        multiple_of=draw(st.sampled_from(divisors)),
    )


@untimed
@given(trees, trees, values, st.data())
def test_what_is_provably_equal_is_equal(
    left: Tree, right: Tree, bindings: dict[str, int], data: st.DataObject
) -> None:
    symbols = {name: data.draw(symbol_allowing(name, bindings[name])) for name in NAMES}
    a, b = built_or_skipped(left), built_or_skipped(right)
    expected = plain_or_skipped(left, bindings) == plain_or_skipped(right, bindings)
    assert expected or not (provably_equal(a, b, symbols) or provably_equal(a, b))
    remade = substitute(a, {"A": symbol("A") + 0})
    assert remade == a
    assert hash(remade) == hash(a)


@untimed
@given(trees, trees, values)
def test_exact_division_undoes_multiplication(
    left: Tree, right: Tree, bindings: dict[str, int]
) -> None:
    a, b = built_or_skipped(left), built_or_skipped(right)
    assume(b != 0)
    assert divide_exactly(a * b, b) == a
    quotient = divide_exactly(a, b)
    assert quotient is None or quotient * b == a


@untimed
@given(trees, trees, values)
def test_substituting_then_evaluating_is_evaluating_the_replacement(
    tree: Tree, replacement: Tree, bindings: dict[str, int]
) -> None:
    inner = plain_or_skipped(replacement, bindings)
    assume(inner >= 0)
    expected = plain_or_skipped(tree, {**bindings, "A": inner})
    try:
        outer = substitute(built_or_skipped(tree), {"A": built_or_skipped(replacement)})
    except ZeroDivisionError:
        assume(False)
    assert evaluate(outer, bindings) == expected


@untimed
@given(st.text(alphabet="HW09()+-*/%,. maxinfloordv_", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        dim = parse_dim(text)
    except ValueError:
        return
    assert parse_dim(str(dim)) == dim
