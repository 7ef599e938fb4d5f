"""All of PyTorch's rows: importing this fills the dialect."""

from adapters.pytorch import (  # noqa: F401 (each adds its rows)
    ops_activation,
    ops_control,
    ops_conv,
    ops_elementwise,
    ops_indexing,
    ops_join,
    ops_linear,
    ops_norm,
    ops_pool,
    ops_quantize,
    ops_recurrent,
    ops_reduce,
    ops_resize,
    ops_sampling,
    ops_shape,
)
from adapters.pytorch.dialect import AXES, STYLE, pytorch

__all__ = ["AXES", "STYLE", "pytorch"]
