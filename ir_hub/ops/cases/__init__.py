"""Cases of every op: what tests and adapters' conformance run."""

from __future__ import annotations

from ir_hub.ops.cases import (  # noqa: F401 (each adds its cases)
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
from ir_hub.ops.cases.case import CASES, Case, Samples, case_arguments, case_graph

__all__ = ["CASES", "Case", "Samples", "case_arguments", "case_graph"]
