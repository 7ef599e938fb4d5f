"""All the rules that read PyTorch's own ops: importing this fills the dialect."""

from adapters.pytorch import (
    read_activation,
    read_creation,
    read_elementwise,
    read_indexing,
    read_linear,
    read_norm,
    read_recurrent,
    read_reduce,
    read_shape,
    read_spatial,
)

__all__ = [
    "read_activation",
    "read_creation",
    "read_elementwise",
    "read_indexing",
    "read_linear",
    "read_norm",
    "read_recurrent",
    "read_reduce",
    "read_shape",
    "read_spatial",
]
