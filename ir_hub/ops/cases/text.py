"""Cases of ops on strings."""

from __future__ import annotations

from typing import Any

import numpy as np

from ir_hub.ops.cases.case import CASES, Case, Samples
from ir_hub.ops.op import Array


def _strings(*items: Any) -> Array:
    return np.array(items, dtype=object)


_draw = Samples(32)
_WORDS = _strings("Monday", "tuesday", "wednesday", "Tuesday", "été")
_POOL: dict[str, Any] = {
    "ngram_counts": (0, 4),
    "ngram_indexes": (0, 1, 2, 3, 6, 5, 4),
    "pool_int64s": (2, 3, 5, 4, 5, 6, 2, 3, 6, 5),
}
_WEIGHTS = {"weights": (0.5, 1.5, 2.0, 0.25, 3.0, 1.0, 0.75)}


def _counted(mode: str, shortest: int, longest: int, skip: int, **more: Any) -> Case:
    lengths = {"min_gram_length": shortest, "max_gram_length": longest, "max_skip_count": skip}
    x = _draw.integers(2, 11, low=2, high=6)
    return Case((x,), {"mode": mode, **lengths, **_POOL, **more})


CASES |= {
    "string_concat": [
        Case((_strings("a", "b ", ""), _strings("x", "ü", "z"))),
        Case((_strings(["a"], ["b"]), _strings("x", "y", "z"))),
    ],
    "string_split": [
        Case((_strings("a b  c", "", "d"),)),
        Case((_strings(["a,b,,c"], ["d"]),), {"delimiter": ","}),
        Case((_strings("a-b-c", "d-e"),), {"delimiter": "-", "maxsplit": 1}),
    ],
    "string_normalizer": [
        Case((_WORDS,)),
        Case((_WORDS,), {"stopwords": ("tuesday",), "case_change_action": "upper"}),
        Case(
            (_WORDS.reshape(1, -1),),
            {"stopwords": ("tuesday",), "is_case_sensitive": True, "case_change_action": "lower"},
        ),
        Case((_strings("a", "A"),), {"stopwords": ("a",)}),
    ],
    "regex_full_match": [
        Case((_strings("ab12", "12", "ab"),), {"pattern": r"[a-z]+\d*"}),
        Case((_strings(["x@y.com"], ["x.com"]),), {"pattern": r"\w+@\w+\.com"}),
    ],
    "tf_idf_vectorizer": [
        _counted("tf", 1, 2, 0),
        _counted("tf", 2, 2, 5),
        _counted("idf", 1, 2, 1, **_WEIGHTS),
        _counted("tfidf", 1, 2, 2, **_WEIGHTS),
        Case(
            (_strings("a", "b", "a", "c"),),
            {
                "mode": "tf",
                "min_gram_length": 1,
                "max_gram_length": 2,
                "max_skip_count": 0,
                "ngram_counts": (0, 2),
                "ngram_indexes": (1, 0, 2),
                "pool_strings": ("a", "c", "a", "b"),
            },
        ),
    ],
}
