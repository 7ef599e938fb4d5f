"""All of MXNet's rows: importing this fills the dialect."""

from adapters.mxnet import (  # noqa: F401 (each adds its rows)
    ops_activation,
    ops_elementwise,
    ops_linear,
    ops_norm,
    ops_recurrent,
    ops_reduce,
    ops_resize,
    ops_sampling,
    ops_shape,
    ops_spatial,
    read_activation,
    read_elementwise,
    read_linear,
    read_norm,
    read_recurrent,
    read_reduce,
    read_sampling,
    read_shape,
    read_spatial,
)
from adapters.mxnet.dialect import mxnet

__all__ = ["mxnet"]
