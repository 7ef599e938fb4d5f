"""Reads PyTorch's pools."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from adapters.pytorch.aten import aten
from adapters.pytorch.reshaping import Ints, batched, spread
from ir_hub.ir.graph import Value
from ir_hub.ops.build import Builder
from ir_hub.sdk.adaptive import adaptive_max, adaptive_mean
from ir_hub.sdk.operands import only


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
        return batched(b, x, spatial, lambda x: adaptive_mean(b, x, spread(output_size, spatial)))

    return rule


def _adaptive_max_pool(spatial: int) -> Callable[..., Any]:
    def rule(b: Builder, x: Value, output_size: Sequence[int]) -> Any:
        sizes = spread(output_size, spatial)
        return batched(b, x, spatial, lambda x: adaptive_max(b, x, sizes))

    return rule


for _n in (1, 2, 3):
    # The indices of these are of another kind than ours: refused where something reads them.
    aten(f"max_pool{_n}d.default", f"max_pool{_n}d_with_indices.default")(_max_pool(_n))
    aten(f"avg_pool{_n}d.default")(_avg_pool(_n))
    aten(f"adaptive_avg_pool{_n}d.default")(_adaptive_avg_pool(_n))
    aten(f"adaptive_max_pool{_n}d.default")(_adaptive_max_pool(_n))
for _n in (2, 3):
    aten(f"_adaptive_avg_pool{_n}d.default")(_adaptive_avg_pool(_n))
