"""Unique names out of hints, the same for the same hints."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T", bound=Hashable)


def unique_names(hints: Iterable[tuple[T, str]]) -> dict[T, str]:
    """A name for each thing. The first one with a hint gets just that; those that come later get
    `hint_1`, `hint_2`... but never what is another's hint. Hints mustn't be empty."""
    wanted = dict(hints)
    names: dict[T, str] = {}
    owners: dict[str, T] = {}
    for thing, hint in wanted.items():
        owners.setdefault(hint, thing)
    taken = set(owners)
    numbers: dict[str, Iterator[int]] = defaultdict(lambda: itertools.count(1))
    for thing, hint in wanted.items():
        name = hint
        if owners[hint] != thing:
            name = next(n for i in numbers[hint] if (n := f"{hint}_{i}") not in taken)
            taken.add(name)
        names[thing] = name
    return names
