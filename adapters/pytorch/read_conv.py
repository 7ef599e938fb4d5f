"""Reads PyTorch's convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adapters.pytorch.aten import aten
from adapters.pytorch.reshaping import Ints, batched, spread
from ir_hub.ir.dims import Dim
from ir_hub.ir.graph import Value
from ir_hub.ops.build import Builder
from ir_hub.sdk.operands import only, rank_of, shape_of


def _conv(
    b: Builder,
    x: Value,
    weight: Value,
    bias: Value | None = None,
    stride: Ints = 1,
    padding: Ints | str = 0,
    dilation: Ints = 1,
    groups: int = 1,
) -> Any:
    spatial = rank_of(weight) - 2
    strides, dilations = spread(stride, spatial), spread(dilation, spatial)
    if isinstance(padding, str):
        pads = _named_pads(padding, shape_of(weight)[2:], dilations)
    else:
        pads = tuple((p, p) for p in spread(padding, spatial))
    literals = {"strides": strides, "pads": pads, "dilations": dilations, "groups": groups}
    return batched(b, x, spatial, lambda x: b.conv(x, weight, bias, **literals))


def _conv_by_name(
    b: Builder,
    x: Value,
    weight: Value,
    bias: Value | None = None,
    stride: Ints = 1,
    padding: str = "valid",
    dilation: Ints = 1,
    groups: int = 1,
) -> Any:
    return _conv(b, x, weight, bias, stride, padding, dilation, groups)


def _named_pads(
    padding: str, kernel: Sequence[Dim], dilations: Sequence[int]
) -> tuple[tuple[int, int], ...]:
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    only(padding == "same", f"the padding {padding!r}")
    totals = [d * (int(k) - 1) for k, d in zip(kernel, dilations, strict=True)]
    return tuple((total // 2, total - total // 2) for total in totals)


for _n in (1, 2, 3):
    aten(f"conv{_n}d.default")(_conv)
    aten(f"conv{_n}d.padding")(_conv_by_name)


def _conv_transpose(
    b: Builder,
    x: Value,
    weight: Value,
    bias: Value | None = None,
    stride: Ints = 1,
    padding: Ints = 0,
    output_padding: Ints = 0,
    groups: int = 1,
    dilation: Ints = 1,
) -> Any:
    spatial = rank_of(weight) - 2
    literals = {
        "strides": spread(stride, spatial),
        "pads": tuple((p, p) for p in spread(padding, spatial)),
        "dilations": spread(dilation, spatial),
        "output_padding": spread(output_padding, spatial),
        "groups": groups,
    }
    return batched(b, x, spatial, lambda x: b.conv_transpose(x, weight, bias, **literals))


for _n, _name in ((1, "default"), (2, "input"), (3, "input")):
    aten(f"conv_transpose{_n}d.{_name}")(_conv_transpose)


@aten("convolution.default")
def convolution(
    b: Builder,
    x: Value,
    weight: Value,
    bias: Value | None,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
    transposed: bool,
    output_padding: Ints,
    groups: int,
) -> Any:
    if transposed:
        given = (stride, padding, output_padding, groups, dilation)
        return _conv_transpose(b, x, weight, bias, *given)
    return _conv(b, x, weight, bias, stride, padding, dilation, groups)
