"""Every op: importing this fills the registry."""

from __future__ import annotations

from ir_hub.ops import (
    activation,
    attention,
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

FAMILIES = (
    activation,
    attention,
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

__all__ = ["FAMILIES", "OPS"]
