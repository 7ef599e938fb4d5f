"""All the rules that read PyTorch's own ops: importing this fills the dialect."""

from adapters.pytorch import (
    read_activation,
    read_cells,
    read_conv,
    read_creation,
    read_elementwise,
    read_indexing,
    read_join,
    read_linear,
    read_norm,
    read_patches,
    read_pool,
    read_putting,
    read_recurrent,
    read_reduce,
    read_resize,
    read_shape,
)

__all__ = [
    "read_activation",
    "read_cells",
    "read_conv",
    "read_creation",
    "read_elementwise",
    "read_indexing",
    "read_join",
    "read_linear",
    "read_norm",
    "read_patches",
    "read_pool",
    "read_putting",
    "read_recurrent",
    "read_reduce",
    "read_resize",
    "read_shape",
]
