"""Fourier transforms, windows, and mel filters, as ONNX has them."""

from __future__ import annotations

import numpy as np

from ir_hub.ir.dims import Dim, floordiv
from ir_hub.ir.types import DType, TensorType
from ir_hub.ops.families import OpenShape, Ranked, SizesSeen
from ir_hub.ops.op import Array, Sizes, op
from ir_hub.ops.precision import keeps_float_type
from ir_hub.ops.shape_rules import axis_of


def _only(size: SizesSeen) -> Dim | None:
    """The one size that a vector of sizes holds, if it is known."""
    return size[0] if isinstance(size, tuple) else None


def _as_complex(x: Array) -> Array:
    """The last axis, real or real and imaginary, as one number."""
    if x.shape[-1] == 1:
        return x[..., 0]
    return x[..., 0] + 1j * x[..., 1]


def _as_pairs(x: Array) -> Array:
    return np.stack([x.real, x.imag], axis=-1)


def _dft_shape(
    x: Ranked,
    dft_length: SizesSeen | None = None,
    *,
    axis: int = -2,
    inverse: bool = False,
    onesided: bool = False,
) -> OpenShape:
    place = axis_of(axis, len(x.shape))
    length: Dim | None = x.shape[place]
    if dft_length is not None:
        length = _only(dft_length)
    elif inverse and onesided:
        length = 2 * (x.shape[place] - 1)
    if onesided and not inverse and length is not None:
        length = floordiv(length, 2) + 1
    parts = 1 if inverse and onesided else 2
    return *x.shape[:place], length, *x.shape[place + 1 : -1], parts


@op(shape=_dft_shape)
@keeps_float_type
def dft(
    x: Array,
    dft_length: Sizes | None = None,
    *,
    axis: int = -2,
    inverse: bool = False,
    onesided: bool = False,
) -> Array:
    """The discrete Fourier transform along an axis; the last axis holds real (and imaginary) parts.

    x is cut or filled up with zeros to `dft_length`. `onesided` gives, or for the inverse takes,
    only the first half of the spectrum of a real signal; by default of an even length.
    """
    place = axis_of(axis, x.ndim)
    signal = _as_complex(x)
    length = dft_length[0] if dft_length else x.shape[place]
    if inverse and onesided:
        whole = dft_length[0] if dft_length else 2 * (x.shape[place] - 1)
        return np.fft.irfft(signal, n=whole, axis=place)[..., None]
    if inverse:
        return _as_pairs(np.fft.ifft(signal, n=length, axis=place))
    spectrum = np.fft.fft(signal, n=length, axis=place)
    if onesided:
        spectrum = np.take(spectrum, np.arange(length // 2 + 1), axis=place)
    return _as_pairs(spectrum)


def _stft_shape(
    signal: Ranked,
    frame_step: SizesSeen,
    window: Ranked | None = None,
    frame_length: SizesSeen | None = None,
    *,
    onesided: bool = True,
) -> OpenShape:
    step = _only(frame_step)
    length = window.shape[0] if window is not None else signal.shape[1]
    known = length if frame_length is None else _only(frame_length)
    if known is None:
        return signal.shape[0], None, None, 2
    bins = floordiv(known, 2) + 1 if onesided else known
    frames = None if step is None else floordiv(signal.shape[1] - known, step) + 1
    return signal.shape[0], frames, bins, 2


@op(shape=_stft_shape)
@keeps_float_type
def stft(
    signal: Array,
    frame_step: Sizes,
    window: Array | None = None,
    frame_length: Sizes | None = None,
    *,
    onesided: bool = True,
) -> Array:
    """The Fourier transforms of the frames of a signal (N, length, 1 or 2), each times the window.

    The result is (N, frames, bins, 2). A frame is as long as `frame_length`, else as the window.
    """
    length = signal.shape[1] if window is None else len(window)
    length = frame_length[0] if frame_length else length
    frames = np.lib.stride_tricks.sliding_window_view(_as_complex(signal), length, axis=1)
    frames = frames[:, :: frame_step[0]]
    if window is not None:
        frames = frames * window
    spectrum = np.fft.fft(frames, axis=-1)
    return _as_pairs(spectrum[..., : length // 2 + 1] if onesided else spectrum)


def _window_shape(size: SizesSeen, **_: object) -> OpenShape:
    return (_only(size),)


def _cosines(size: int, periodic: bool, weights: tuple[float, ...], dtype: DType) -> Array:
    """A sum of cosines of 0, 1, 2... turns over the window, as ONNX's windows are."""
    turns = 2 * np.pi * np.arange(size) / (size if periodic else size - 1)
    total = sum((w * np.cos(k * turns) for k, w in enumerate(weights)), np.zeros(size))
    return np.asarray(total).astype(dtype.numpy)


@op(dtypes=("output_dtype",), shape=_window_shape)
def hann_window(size: Sizes, *, periodic: bool = True, output_dtype: DType) -> Array:
    """The Hann window."""
    return _cosines(size[0], periodic, (0.5, -0.5), output_dtype)


@op(dtypes=("output_dtype",), shape=_window_shape)
def hamming_window(size: Sizes, *, periodic: bool = True, output_dtype: DType) -> Array:
    """The Hamming window, with 25/46 for its first weight as ONNX has it."""
    return _cosines(size[0], periodic, (25 / 46, -21 / 46), output_dtype)


@op(dtypes=("output_dtype",), shape=_window_shape)
def blackman_window(size: Sizes, *, periodic: bool = True, output_dtype: DType) -> Array:
    """The Blackman window."""
    return _cosines(size[0], periodic, (0.42, -0.5, 0.08), output_dtype)


def _mel_shape(
    num_mel_bins: SizesSeen, dft_length: SizesSeen, *_: TensorType, **__: object
) -> OpenShape:
    length = _only(dft_length)
    return None if length is None else floordiv(length, 2) + 1, _only(num_mel_bins)


@op(dtypes=("output_dtype",), shape=_mel_shape)
def mel_weight_matrix(
    num_mel_bins: Sizes,
    dft_length: Sizes,
    sample_rate: Array,
    lower_edge_hertz: Array,
    upper_edge_hertz: Array,
    *,
    output_dtype: DType,
) -> Array:
    """ONNX MelWeightMatrix: (dft_length // 2 + 1, num_mel_bins) triangles that overlap by half, as
    wide as one another in mels."""
    bins, length = num_mel_bins[0], dft_length[0]
    low, high = (
        2595 * np.log10(1 + edge.astype(np.float64) / 700).sum()
        for edge in (lower_edge_hertz, upper_edge_hertz)
    )
    mels = low + np.arange(bins + 2) * ((high - low) / (bins + 2))
    hertz = 700 * (10 ** (mels / 2595) - 1)
    edges = ((length + 1) * hertz // int(sample_rate.sum())).astype(np.int64)
    spectrum = np.arange(length // 2 + 1)
    columns = [_triangle(spectrum, *edges[first : first + 3].tolist()) for first in range(bins)]
    return np.stack(columns, axis=1).astype(output_dtype.numpy)


def _triangle(at: Array, low: int, centre: int, high: int) -> Array:
    """Rises from 0 at `low` to 1 at `centre`, and falls to 0 at `high`."""
    rise = (at - low) / max(centre - low, 1)
    fall = (high - at) / max(high - centre, 1)
    rising = (at >= low) & (at < centre)
    falling = (at >= centre) & (at < high)
    return np.where(rising, rise, np.where(falling, fall, np.where(at == centre, 1.0, 0.0)))
