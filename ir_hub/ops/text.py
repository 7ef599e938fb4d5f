"""Ops on strings."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ir_hub.ir.types import DType, Shape
from ir_hub.ops.families import OpenShape, Ranked
from ir_hub.ops.op import Array, Layout, op
from ir_hub.ops.shape_rules import broadcast_rule, same_rule


def _strings(items: Sequence[str], shape: Sequence[int]) -> Array:
    found = np.empty(len(items), object)
    found[:] = items
    return found.reshape(shape)


@op(layout=Layout.ELEMENTWISE, shape=broadcast_rule)
def string_concat(x: Array, y: Array) -> Array:
    """The strings of y put behind those of x."""
    left, right = np.broadcast_arrays(x.astype(object), y.astype(object))
    pairs = zip(left.reshape(-1), right.reshape(-1), strict=True)
    return _strings([f"{a}{b}" for a, b in pairs], left.shape)


def _split_shapes(x: Ranked, **_: object) -> list[OpenShape]:
    return [(*x.shape, None), x.shape]


@op(results=("y", "counts"), dtypes=("x", DType.INT64), shape=_split_shapes)
def string_split(
    x: Array, *, delimiter: str = "", maxsplit: int | None = None
) -> tuple[Array, Array]:
    """The parts of each string along a further last axis, filled up with empty strings; how many.

    No delimiter splits at white space. At most `maxsplit` splits are made.
    """
    most = -1 if maxsplit is None else maxsplit
    parts = [str(item).split(delimiter or None, most) for item in x.reshape(-1)]
    longest = max(map(len, parts), default=0)
    filled = [part + [""] * (longest - len(part)) for part in parts]
    counts = np.array([len(part) for part in parts], np.int64).reshape(x.shape)
    return _strings(list(itertools.chain(*filled)), (*x.shape, longest)), counts


def _normalizer_shape(x: Ranked, **_: object) -> OpenShape:
    return *x.shape[:-1], None


_CASES: dict[str, Callable[[str], str]] = {"none": str, "lower": str.lower, "upper": str.upper}


@op(shape=_normalizer_shape)
def string_normalizer(
    x: Array,
    *,
    case_change_action: str = "none",
    is_case_sensitive: bool = False,
    stopwords: tuple[str, ...] = (),
) -> Array:
    """The strings of x ([C] or [1, C]) that aren't stop words, in another case: none, lower, upper.

    When none is left, one empty string is.
    """
    fold = _CASES["none" if is_case_sensitive else "lower"]
    dropped = {fold(word) for word in stopwords}
    change = _CASES[case_change_action]
    kept = [change(str(item)) for item in x.reshape(-1) if fold(str(item)) not in dropped]
    kept = kept or [""]
    return _strings(kept, (*x.shape[:-1], len(kept)))


@op(layout=Layout.ELEMENTWISE, dtypes=(DType.BOOL,), shape=same_rule)
def regex_full_match(x: Array, *, pattern: str) -> Array:
    """Whether a regular expression matches the whole of each string."""
    expression = re.compile(pattern)
    found = [expression.fullmatch(str(item)) is not None for item in x.reshape(-1)]
    return np.array(found, bool).reshape(x.shape)


def _tf_idf_shape(x: Ranked, *, ngram_indexes: tuple[int, ...], **_: object) -> Shape:
    return *x.shape[:-1], max(ngram_indexes) + 1


@op(dtypes=(DType.FLOAT32,), shape=_tf_idf_shape)
def tf_idf_vectorizer(
    x: Array,
    *,
    mode: str,
    min_gram_length: int,
    max_gram_length: int,
    max_skip_count: int,
    ngram_counts: tuple[int, ...],
    ngram_indexes: tuple[int, ...],
    pool_int64s: tuple[int, ...] = (),
    pool_strings: tuple[str, ...] = (),
    weights: tuple[float, ...] = (),
) -> Array:
    """ONNX TfIdfVectorizer: how often each n-gram of a pool occurs in x ([C] or [B, C]).

    The pool holds all 1-grams, then all 2-grams...; `ngram_counts` says where each kind begins,
    `ngram_indexes` the column of each n-gram, `weights` its weight. Up to `max_skip_count` items
    between two of an n-gram may be passed over. `mode`: tf counts, idf gives the weight of what
    occurs, tfidf their product.
    """
    pool: Sequence[Any] = pool_int64s or pool_strings
    columns = _columns(pool, ngram_counts, ngram_indexes)
    rows = x.reshape(1, -1) if x.ndim < 2 else x
    counts = np.zeros((len(rows), max(ngram_indexes) + 1), np.float32)
    lengths = range(min_gram_length, max_gram_length + 1)
    for number, row in enumerate(rows.tolist()):
        for skip, length in itertools.product(range(max_skip_count + 1), lengths):
            if length == 1 and skip:
                continue  # a single item has no gaps: it counts once
            reach = (length - 1) * (skip + 1) + 1
            for start in range(len(row) - reach + 1):
                column = columns.get(tuple(row[start : start + reach : skip + 1]))
                if column is not None:
                    counts[number, column] += 1
    scale = np.ones(counts.shape[1], np.float32)
    if weights:
        scale[list(ngram_indexes)] = weights
    return _weighted(counts, mode, scale).reshape(*x.shape[:-1], -1)


def _columns(
    pool: Sequence[Any], starts: Sequence[int], indexes: Sequence[int]
) -> dict[tuple[Any, ...], int]:
    """The column of each n-gram of the pool."""
    grams: list[tuple[Any, ...]] = []
    for length, (start, end) in enumerate(itertools.pairwise((*starts, len(pool))), 1):
        grams.extend(tuple(pool[i : i + length]) for i in range(start, end, length))
    return dict(zip(grams, indexes, strict=True))


def _weighted(counts: Array, mode: str, scale: Array) -> Array:
    if mode == "tf":
        return counts
    if mode == "idf":
        return np.where(counts > 0, scale, np.float32(0))
    if mode == "tfidf":
        return np.asarray(counts * scale)
    raise ValueError(f"no mode {mode!r}; there are tf, idf, tfidf")
