"""Every op: importing this fills the registry."""

from __future__ import annotations

from ir_hub.ops import (  # noqa: F401 (each registers its ops)
    activation,
    attention,
    attention_spelling,
    casting,
    control,
    conv,
    creation,
    elementwise,
    indexing,
    join,
    linear,
    logic,
    loss,
    norm,
    pool,
    quantize,
    rearrange,
    recurrent,
    reduce,
    regions,
    resize,
    sampling,
    search,
    shape,
    signal,
    text,
    trigonometry,
)
from ir_hub.ops.op import OPS

__all__ = ["OPS", "PASSING"]

# Ops whose result holds elements of their first operand, and no others.
PASSING = frozenset(
    {"cast", "expand", "flatten", "gather", "identity", "reshape", "slice", "squeeze", "tile",
     "transpose", "unsqueeze"}
)  # fmt: skip
