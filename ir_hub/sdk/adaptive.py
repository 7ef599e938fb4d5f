"""Pools to a fixed size, whose windows follow from the size of what is pooled."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from ir_hub.ir.graph import Value
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import Unsupported
from ir_hub.sdk.operands import only, rank_of, shape_of


def adaptive_mean(b: Builder, x: Value, sizes: tuple[int, ...]) -> Any:
    """Pools to a fixed size: global, in equal windows, or axis by axis as a matrix of means."""
    if all(size == 1 for size in sizes):
        return b.global_avg_pool(x)
    windows = _windows(x, sizes)
    if all(kernel is not None for _, kernel, _ in windows):
        return x if _is_whole(windows) else b.avg_pool(x, **_literals(windows))
    count = rank_of(x)
    for axis, (ends, _, size) in enumerate(windows, start=2):
        means = np.zeros((size, len(ends)), x.dtype.numpy)  # type: ignore[union-attr]
        for i, (start, end) in enumerate(ends):
            means[start:end, i] = 1 / (end - start)
        order = [*range(axis), *range(axis + 1, count), axis]
        back = [*range(axis), count - 1, *range(axis, count - 1)]
        turned = x if axis == count - 1 else b.transpose(x, perm=tuple(order))
        x = b.matmul(turned, b.constant(means))
        x = x if axis == count - 1 else b.transpose(x, perm=tuple(back))
    return x


def adaptive_max(b: Builder, x: Value, sizes: tuple[int, ...]) -> Any:
    """Pools to a fixed size: global, or in equal windows."""
    if all(size == 1 for size in sizes):
        return b.global_max_pool(x)
    windows = _windows(x, sizes)
    only(all(k is not None for _, k, _ in windows), "adaptive_max_pool of unequal windows")
    return x if _is_whole(windows) else b.max_pool(x, **_literals(windows))


Window = tuple[list[tuple[int, int]], tuple[int, int] | None, int]


def _windows(x: Value, sizes: tuple[int, ...]) -> list[Window]:
    """For each axis its windows, which begin and end where its equal parts do, rounded outwards; as
    (kernel, stride) too where they are equal and equally far apart; and its size."""
    found: list[Window] = []
    for size, wanted in zip(shape_of(x)[2:], sizes, strict=True):
        if not isinstance(size, int):
            raise Unsupported(f"an adaptive pool of the size {size} to {wanted}")
        ends = [(i * size // wanted, -(-(i + 1) * size // wanted)) for i in range(wanted)]
        kernels = {end - start for start, end in ends}
        strides = {b[0] - a[0] for a, b in itertools.pairwise(ends)} or {size}
        even = len(kernels) == len(strides) == 1
        found.append((ends, (kernels.pop(), strides.pop()) if even else None, size))
    return found


def _is_whole(windows: list[Window]) -> bool:
    return all(step == (1, 1) for _, step, _ in windows)


def _literals(windows: list[Window]) -> dict[str, Any]:
    steps = [step for _, step, _ in windows if step is not None]
    return {
        "kernel": tuple(kernel for kernel, _ in steps),
        "strides": tuple(stride for _, stride in steps),
        "pads": ((0, 0),) * len(steps),
        "dilations": (1,) * len(steps),
    }
