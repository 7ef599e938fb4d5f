"""The whole table of TensorFlow's ops: importing this registers how they are read."""

from __future__ import annotations

from adapters.tensorflow.saved import (  # noqa: F401 (each adds its rules)
    ops_conv,
    ops_elementwise,
    ops_index,
    ops_linear,
    ops_pool,
    ops_reduce,
    ops_refused,
    ops_resize,
    ops_shape,
)
