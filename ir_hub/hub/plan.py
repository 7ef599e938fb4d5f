"""Which stages a conversion goes through, and which it leaves out and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

IR = "ir"
STAGES = ("parse", "check", "simplify", "recover", "relay", "lower", "emit", "compare")

_SPEAKS_IR = "the IR has every op, in any order of axes"


@dataclass(frozen=True)
class Plan:
    """A source, a target, and what isn't done between them: the stage and the reason."""

    source: str
    target: str
    left_out: Mapping[str, str] = field(default_factory=dict)


def plan(source: str, target: str, skip_check: bool = False) -> Plan:
    """The plan for a pair of frameworks, each of which may be "ir"."""
    left_out: dict[str, str] = {}
    if target == IR:
        left_out |= {"relay": _SPEAKS_IR, "lower": _SPEAKS_IR}
    if skip_check:
        left_out["compare"] = "the check was left out on request: nothing is proven"
    return Plan(source, target, left_out)
