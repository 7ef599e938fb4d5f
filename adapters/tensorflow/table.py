"""The whole table: importing this registers every op."""

from __future__ import annotations

from adapters.tensorflow import (  # noqa: F401 (each adds its rows)
    ops_activation,
    ops_conv,
    ops_elementwise,
    ops_linear,
    ops_norm,
    ops_pool,
    ops_recurrent,
    ops_reduce,
    ops_resize,
    ops_shape,
    read_activation,
    read_attention,
    read_join,
    read_linear,
    read_ops,
    read_ops_search,
    read_ops_shape,
    read_ops_windows,
    read_preprocessing,
    read_recurrent,
    read_spatial,
    wrappers,
)
from adapters.tensorflow.dialect import STYLE, tensorflow

__all__ = ["STYLE", "tensorflow"]
