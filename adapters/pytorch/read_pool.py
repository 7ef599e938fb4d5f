"""Reads PyTorch's pools."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adapters.pytorch.aten import aten
from adapters.pytorch.reshaping import Ints, batched, spread
from ir_hub.ir.graph import Value
from ir_hub.ops.build import Builder
from ir_hub.sdk.dialect import Unsupported
from ir_hub.sdk.operands import only, rank_of, shape_of


def _window(spatial: int, kernel: Ints, stride: Ints, padding: Ints) -> dict[str, Any]:
    kernel = spread(kernel, spatial)
    return {
        "kernel": kernel,
        "strides": spread(stride, spatial) if stride != () else kernel,
        "pads": tuple((p, p) for p in spread(padding, spatial)),
    }


def _max_pool(spatial: int) -> Callable[..., Any]:
    def rule(
        b: Builder,
        x: Value,
        kernel_size: Ints,
        stride: Ints = (),
        padding: Ints = 0,
        dilation: Ints = 1,
        ceil_mode: bool = False,
    ) -> Any:
        literals = _window(spatial, kernel_size, stride, padding)
        literals |= {"dilations": spread(dilation, spatial), "ceil_mode": ceil_mode}
        return batched(b, x, spatial, lambda x: b.max_pool(x, **literals))

    return rule


def _avg_pool(spatial: int) -> Callable[..., Any]:
    def rule(
        b: Builder,
        x: Value,
        kernel_size: Ints,
        stride: Ints = (),
        padding: Ints = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> Any:
        only(divisor_override is None, "avg_pool with a divisor of its own")
        literals = _window(spatial, kernel_size, stride, padding)
        literals |= {"dilations": (1,) * spatial, "ceil_mode": ceil_mode}
        padded = any(map(any, literals["pads"]))
        literals["count_include_pad"] = count_include_pad and padded
        return batched(b, x, spatial, lambda x: b.avg_pool(x, **literals))

    return rule


def _adaptive_avg_pool(spatial: int) -> Callable[..., Any]:
    def rule(b: Builder, x: Value, output_size: Sequence[int]) -> Any:
        return batched(b, x, spatial, lambda x: _adaptive_mean(b, x, spread(output_size, spatial)))

    return rule


def _adaptive_max_pool(spatial: int) -> Callable[..., Any]:
    def rule(b: Builder, x: Value, output_size: Sequence[int]) -> Any:
        sizes = spread(output_size, spatial)
        return batched(b, x, spatial, lambda x: _adaptive_max(b, x, sizes))

    return rule


for _n in (1, 2, 3):
    # The indices of these are of another kind than ours: refused where something reads them.
    aten(f"max_pool{_n}d.default", f"max_pool{_n}d_with_indices.default")(_max_pool(_n))
    aten(f"avg_pool{_n}d.default")(_avg_pool(_n))
    aten(f"adaptive_avg_pool{_n}d.default")(_adaptive_avg_pool(_n))
    aten(f"adaptive_max_pool{_n}d.default")(_adaptive_max_pool(_n))
for _n in (2, 3):
    aten(f"_adaptive_avg_pool{_n}d.default")(_adaptive_avg_pool(_n))


def _adaptive_mean(b: Builder, x: Value, sizes: tuple[int, ...]) -> Any:
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


def _adaptive_max(b: Builder, x: Value, sizes: tuple[int, ...]) -> Any:
    if all(size == 1 for size in sizes):
        return b.global_max_pool(x)
    windows = _windows(x, sizes)
    only(all(k is not None for _, k, _ in windows), "adaptive_max_pool of unequal windows")
    return x if _is_whole(windows) else b.max_pool(x, **_literals(windows))


Window = tuple[list[tuple[int, int]], tuple[int, int] | None, int]


def _windows(x: Value, sizes: tuple[int, ...]) -> list[Window]:
    """For each axis the windows that PyTorch pools, as (kernel, stride) too where they are equal
    and equally far apart, and its size."""
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
