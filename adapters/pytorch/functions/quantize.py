"""Quantising with a scale that depends on the data."""

from __future__ import annotations

import torch
from torch import Tensor

from adapters.pytorch.functions.pasted import pasted


@pasted
def _dynamic_quantize(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """x as uint8, with the scale and zero point that make the most of its range."""
    low, high = x.min().clamp(max=0), x.max().clamp(min=0)
    span = torch.where(high == low, 1.0, high - low)
    scale = span / 255
    zero_point = (-low / scale).round().clamp(0, 255)
    y = ((x / scale).round() + zero_point).clamp(0, 255)
    return y.to(torch.uint8), scale, zero_point.to(torch.uint8)
