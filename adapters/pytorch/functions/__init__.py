"""Functions that PyTorch lacks, written with PyTorch; generated code brings those it calls."""

from adapters.pytorch.functions import (  # noqa: F401 (each registers its functions)
    attention,
    control,
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

__all__ = ["sources"]
