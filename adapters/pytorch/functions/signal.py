"""Windows, frames and filters of signals."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from adapters.pytorch.functions.pasted import pasted


@pasted
def _cosine_window(size: int, periodic: bool, weights: tuple[float, ...]) -> Tensor:
    """A sum of cosines of 0, 1, 2... turns over the window."""
    turns = 2 * math.pi * torch.arange(size, dtype=torch.float64) / (size if periodic else size - 1)
    return torch.stack([w * (k * turns).cos() for k, w in enumerate(weights)]).sum(0)


@pasted
def _stft(
    signal: Tensor, window: Tensor | None, step: int, length: int | None, onesided: bool
) -> Tensor:
    """The Fourier transforms of the frames of a signal (N, length, 1 or 2), times the window."""
    if length is None:
        length = signal.shape[1] if window is None else len(window)
    if signal.shape[-1] == 1:
        frames = signal[..., 0].unfold(1, length, step)
    else:
        frames = torch.view_as_complex(signal.contiguous()).unfold(1, length, step)
    spectrum = torch.fft.fft(frames if window is None else frames * window)
    return torch.view_as_real(spectrum[..., : length // 2 + 1] if onesided else spectrum)


@pasted
def _mel_weight_matrix(bins: int, length: int, rate: int, low: float, high: float) -> Tensor:
    """Triangles over the spectrum, as wide as one another in mels."""
    first, last = (2595 * math.log10(1 + edge / 700) for edge in (low, high))
    mels = first + torch.arange(bins + 2, dtype=torch.float64) * ((last - first) / (bins + 2))
    edges = ((length + 1) * (700 * (10 ** (mels / 2595) - 1)) // rate).long()
    at = torch.arange(length // 2 + 1, dtype=torch.float64)[:, None]
    start, centre, end = edges[:-2], edges[1:-1], edges[2:]
    rise = (at - start) / (centre - start).clamp(min=1)
    fall = (end - at) / (end - centre).clamp(min=1)
    y = torch.where((at >= start) & (at < centre), rise, 0.0)
    y = torch.where((at >= centre) & (at < end), fall, y)
    return torch.where((at == centre) & (end == centre), 1.0, y)
