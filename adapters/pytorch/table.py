"""All of PyTorch's rows: importing this fills the dialect."""

from adapters.pytorch import ops_basic, ops_layers, ops_shape
from adapters.pytorch.dialect import AXES, STYLE, pytorch

__all__ = ["AXES", "STYLE", "ops_basic", "ops_layers", "ops_shape", "pytorch"]
