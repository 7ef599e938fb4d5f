"""Functions that PyTorch lacks, written with PyTorch. Generated code brings along those it calls."""

from adapters.pytorch.functions import (
    attention,
    indexing,
    norm,
    pool,
    quantize,
    recurrent,
    regions,
    resize,
    shape,
    signal,
)
from adapters.pytorch.functions.pasted import sources

__all__ = [
    "attention",
    "indexing",
    "norm",
    "pool",
    "quantize",
    "recurrent",
    "regions",
    "resize",
    "shape",
    "signal",
    "sources",
]
