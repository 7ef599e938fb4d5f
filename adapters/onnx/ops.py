"""ONNX's op table, complete: importing this reads all families."""

from __future__ import annotations

from adapters.onnx import (  # noqa: F401 (each adds its rows)
    ops_activation,
    ops_control,
    ops_elementwise,
    ops_linear,
    ops_loss,
    ops_norm,
    ops_oldest,
    ops_quantize,
    ops_recurrent,
    ops_reduce,
    ops_resize,
    ops_runtime,
    ops_runtime_attention,
    ops_sampling,
    ops_shape,
    ops_signal,
    ops_spatial,
    ops_text,
)
from adapters.onnx.dialect import table

__all__ = ["table"]
