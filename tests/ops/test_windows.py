"""Sliding windows and axes strings against definitions written out in loops."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from ir_hub.ir.dims import evaluate, symbol
from ir_hub.ops.axes_string import arranged, permutation
from ir_hub.ops.build import Builder
from ir_hub.ops.catalogue import OPS
from ir_hub.ops.windows import overlapped, window_counts, windows

_DRAW = np.random.default_rng(41)


def _count_by_trying(size: int, kernel: int, stride: int, pads: tuple[int, int], step: int) -> int:
    """Windows in ceil mode, as PyTorch's documentation has them."""
    count = math.ceil((size + sum(pads) - step * (kernel - 1) - 1) / stride) + 1
    return count - 1 if (count - 1) * stride >= size + pads[0] else count


@pytest.mark.parametrize("kernel", [1, 2, 3, 4])
def test_ceil_mode_counts_windows_that_start_within(kernel: int) -> None:
    choices = itertools.product(range(3, 12), range(1, 5), range(3), range(5), (1, 2))
    for size, stride, begin, end, step in choices:
        if size + begin + end <= step * (kernel - 1):
            continue
        given = (kernel,), (stride,), ((begin, end),), (step,), True
        expected = _count_by_trying(size, kernel, stride, (begin, end), step)
        assert window_counts((size,), *given) == (expected,)
        (symbolic,) = window_counts((symbol("S"),), *given)
        assert evaluate(symbolic, {"S": size}) == expected


def test_a_window_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a window over 5 elements doesn't fit 3"):
        window_counts((3,), (3,), (1,), ((0, 1),), (2,))


def test_spatial_axes_must_agree() -> None:
    with pytest.raises(ValueError, match="2 spatial axes, but kernel"):
        window_counts((3, 4), (3,), (1,), ((0, 0),), (1,))


def test_overlapped_is_the_adjoint_of_windows() -> None:
    """<windows(x), p> == <x, overlapped(p)> for every x and p."""
    x = _DRAW.normal(size=(2, 3, 8, 9))
    kernel, strides, dilations, counts = (2, 3), (3, 2), (2, 1), (2, 4)
    view = windows(x, kernel, strides, dilations, counts)
    pieces = _DRAW.normal(size=(2, 3, *kernel, *counts))
    there = np.sum(view.transpose(0, 1, 4, 5, 2, 3) * pieces)
    assert there == pytest.approx(
        np.sum(x * overlapped(pieces, (8, 9), kernel, strides, dilations))
    )


def test_conv_is_its_definition() -> None:
    x, weight = _DRAW.normal(size=(2, 4, 7, 6)), _DRAW.normal(size=(6, 2, 3, 2))
    strides, pads, dilations = (2, 1), ((1, 2), (0, 1)), (1, 2)
    y = OPS["conv"].body(x, weight, None, strides=strides, pads=pads, dilations=dilations, groups=2)
    padded = np.pad(x, ((0, 0), (0, 0), *pads))
    for n, o, i, j in np.ndindex(*y.shape):
        channels = slice(o // 3 * 2, o // 3 * 2 + 2)
        rows = slice(i * 2, i * 2 + 3)
        seen = padded[n, channels, rows, [j, j + 2]].transpose(1, 2, 0)
        assert y[n, o, i, j] == pytest.approx(np.sum(seen * weight[o]))


def test_permutation_of_axes_strings() -> None:
    assert permutation("NC*", "N*C", 5) == (0, 2, 3, 4, 1)
    assert permutation("*IO", "OI*", 4) == (3, 2, 0, 1)
    assert permutation("NC*", "N*C", 2) == (0, 1)
    assert arranged((2, 5, 7, 3), "N*C", "NC*") == (2, 3, 5, 7)


@pytest.mark.parametrize(
    ("source", "target", "rank", "message"),
    [
        ("NC*", "NI*", 4, "cannot be put in the order"),
        ("NC*", "NC*", 1, "don't fit a tensor of rank 1"),
        ("NC", "CN", 3, "don't fit a tensor of rank 3"),
    ],
)
def test_axes_that_do_not_fit_are_refused(
    source: str, target: str, rank: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        permutation(source, target, rank)


def test_conv_refuses_channels_that_do_not_fit() -> None:
    builder = Builder()
    x = builder.input("x", shape=(1, 5, 8, 8))
    weight = builder.constant(np.ones((4, 3, 3, 3), np.float32))
    with pytest.raises(ValueError, match="5 channels, but the weight is for 3"):
        builder.conv(x, weight, strides=(1, 1), pads=((0, 0), (0, 0)), dilations=(1, 1))


def test_conv_transpose_refuses_negative_pads() -> None:
    x, weight = np.ones((1, 1, 3), np.float32), np.ones((1, 1, 2), np.float32)
    plain = {"strides": (1,), "dilations": (1,), "output_padding": (0,)}
    with pytest.raises(ValueError, match="output_padding's to give"):
        OPS["conv_transpose"].body(x, weight, pads=((-1, 0),), **plain)


@pytest.mark.parametrize("scale", [2.0, 0.5, 1.25, 3.0])
def test_resized_sizes_with_symbols_are_the_body_s(scale: float) -> None:
    builder = Builder()
    x = builder.input("x", shape=(1, 1, symbol("S")))
    (found,) = builder.resize(x, scale_factors=(scale,)).shape[2:]
    for size in (3, 8, 17, 100):
        y = OPS["resize"].body(np.ones((1, 1, size), np.float32), scale_factors=(scale,))
        assert evaluate(found, {"S": size}) == y.shape[2]


def test_a_scale_that_symbols_cannot_say_gives_a_fresh_size() -> None:
    builder = Builder()
    x = builder.input("x", shape=(1, 1, symbol("S")))
    assert str(builder.resize(x, scale_factors=(0.7,)).shape[2]) == "u0"
    y = OPS["resize"].body(np.ones((1, 1, 10), np.float32), scale_factors=(0.7,))
    assert y.shape == (1, 1, 7)  # 10 * float32(0.7) is 7 in float32, though less than 7 exactly
