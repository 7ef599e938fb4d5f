"""Cases of every op: what tests and adapters' conformance run."""

from __future__ import annotations

from ir_hub.ops.cases import (
    activation,
    attention,
    conv,
    elementwise,
    indexing,
    join,
    linear,
    logic,
    loss,
    norm,
    pool,
    quantize,
    recurrent,
    reduce,
    resize,
    sampling,
    shape,
    signal,
    text,
)
from ir_hub.ops.cases.case import Case, Samples, case_arguments, case_graph

__all__ = ["CASES", "Case", "Samples", "case_arguments", "case_graph"]

_FAMILIES = (
    activation,
    attention,
    conv,
    elementwise,
    indexing,
    join,
    linear,
    logic,
    loss,
    norm,
    pool,
    quantize,
    recurrent,
    reduce,
    resize,
    sampling,
    shape,
    signal,
    text,
)

CASES: dict[str, list[Case]] = {
    name: cases for family in _FAMILIES for name, cases in family.CASES.items()
}
