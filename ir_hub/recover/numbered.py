"""Which layers form a block, as far as their names tell it by a number: `block_1_expand` is the
layer `expand` of `block_1`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from typing import NamedTuple

MOST_NUMBERS = 4  # that are looked at in one name
ALIKE = 2  # layers of a block that others of its kind must have too

_NUMBER = re.compile(r"(?<![0-9])[0-9]+[a-z]?(?=_)")


class Member(NamedTuple):
    """A layer of a block, and what it is called there: `expand` of `block_` `1`."""

    kind: str
    number: str
    name: str

    @property
    def block(self) -> str:
        """What the block is called."""
        return self.kind + self.number


def numbered(names: Collection[str]) -> dict[str, Member]:
    """Those of some layers beside each other that are in blocks, by their names.

    A block has a number, perhaps with a letter, and layers that others of its kind have too. Of
    several numbers in a name, the first that makes blocks counts. A layer that is called as its
    block is has the name of the kind in it.
    """
    left = set(names)
    found: dict[str, Member] = {}
    for place in range(MOST_NUMBERS):
        members = {name: split[place] for name in left if len(split := _splits(name)) > place}
        for kind, number, _ in list(members.values()):
            if kind + number in left:
                members.setdefault(kind + number, Member(kind, number, kind.strip("_")))
        repeated = _repeated(members)
        found |= repeated
        left -= repeated.keys()
    return {name: found[name] for name in names if name in found}


def _splits(name: str) -> list[Member]:
    """The ways to say a name as a block's and a layer's, those with the shortest block first."""
    numbers = list(_NUMBER.finditer(name))[:MOST_NUMBERS]
    splits = [Member(name[: n.start()], n[0], name[n.end() + 1 :]) for n in numbers]
    return [s for s in splits if all(re.search("[A-Za-z]", part) for part in (s.kind, s.name))]


def _repeated(members: dict[str, Member]) -> dict[str, Member]:
    """The members of blocks that aren't the only ones of their kind."""
    times = Counter(members.values())
    unclear = {member.block for member in members.values() if times[member] > 1}
    blocks = Counter((member.kind, member.name) for member in times)
    shared = Counter(m.block for m in times if blocks[m.kind, m.name] > 1)
    return {
        name: member
        for name, member in members.items()
        if shared[member.block] >= ALIKE and member.block not in unclear
    }
