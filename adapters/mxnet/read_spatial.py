"""Convolutions and pools."""

from __future__ import annotations

from typing import Any

import numpy as np

from adapters.mxnet.dialect import Reading, reads
from ir_hub.ir.dims import Dim
from ir_hub.ir.graph import Value
from ir_hub.ops.build import Builder
from ir_hub.sdk.adaptive import adaptive_mean

Pads = tuple[tuple[int, int], ...]
_LAYOUTS = ("", "None", "NCW", "NCHW", "NCDHW")


def window(node: Reading, kernel: tuple[int, ...]) -> dict[str, Any]:
    """strides, pads and dilations; MXNet pads both sides alike."""
    count = len(kernel)
    found = {name: node.integers(name) or (usual,) * count
             for name, usual in (("stride", 1), ("pad", 0), ("dilate", 1))}  # fmt: skip
    sizes = {len(items) for items in found.values()}
    node.only(sizes == {count}, f"kernel {kernel} with {found}")
    pads = tuple((p, p) for p in found["pad"])
    return {"strides": found["stride"], "pads": pads, "dilations": found["dilate"]}


def _layout(node: Reading) -> None:
    layout = node.text("layout")
    node.only(layout in _LAYOUTS, f"layout={layout!r}")


def _bias(node: Reading, without: bool) -> Value | None:
    return None if node.flag("no_bias", without) else node.operand(2)


@reads("Convolution", "Convolution_v1")
def _(node: Reading, b: Builder) -> Any:
    _layout(node)
    node.agree("num_filter", node.operand(1), 0)
    literals = window(node, node.integers("kernel"))
    groups = node.integer("num_group", 1)
    return b.conv(node.x, node.operand(1), _bias(node, False), **literals, groups=groups)


@reads("Deconvolution")
def _(node: Reading, b: Builder) -> Any:
    _layout(node)
    groups, bias = node.integer("num_group", 1), _bias(node, True)
    node.agree("num_filter", node.operand(1), 1, groups)
    kernel = node.integers("kernel")
    literals = window(node, kernel)
    adjust = node.integers("adj") or (0,) * len(kernel)
    target = node.integers("target_shape")
    if target and any(target):
        literals["pads"], adjust = _towards(node, target, kernel, literals)
    return b.conv_transpose(
        node.x, node.operand(1), bias, **literals, output_padding=adjust, groups=groups
    )


def _towards(
    node: Reading, target: tuple[int, ...], kernel: tuple[int, ...], literals: dict[str, Any]
) -> tuple[Pads, tuple[int, ...]]:
    """The padding that gives a deconvolution's result its size, as MXNet finds it."""
    pads, adjust = [], []
    for size, wanted, k, stride, dilation in zip(
        node.shape()[2:], target, kernel, literals["strides"], literals["dilations"], strict=True
    ):
        node.only(isinstance(size, int), "target_shape needs sizes: give the model's input shapes")
        total = stride * (size - 1) + dilation * (k - 1) + 1 - wanted  # type: ignore[operator]
        node.only(isinstance(total, int) and total >= 0, f"target_shape {target} is too large")
        pads.append(((int(total) + 1) // 2,) * 2)
        adjust.append(int(total) % 2)
    return tuple(pads), tuple(adjust)  # type: ignore[return-value]


@reads("Pooling", "Pooling_v1")
def _(node: Reading, b: Builder) -> Any:
    _layout(node)
    kind = node.text("pool_type", "max")
    kernel = node.integers("kernel")
    counted = node.flag("count_include_pad", True)
    convention = node.text("pooling_convention", "valid")
    node.only(kind in ("max", "avg", "sum"), f"pool_type={kind!r}")
    node.integer("p_value")
    if node.flag("global_pool"):
        node.integers("stride"), node.integers("pad")
        node.only(kind != "sum", "a global sum")
        return b.call(f"global_{kind}_pool", node.x)
    node.only(convention in ("valid", "full"), f"pooling_convention={convention!r}")
    literals = {**window(node, kernel), "kernel": kernel}
    full = convention == "full"
    if full:
        _check_full(node, literals)
    if kind == "max":
        return b.max_pool(node.x, **literals, ceil_mode=full)
    node.only(kind == "avg" or counted, "a sum that leaves out the padding")
    y = b.avg_pool(node.x, **literals, ceil_mode=full, count_include_pad=counted)
    if kind == "avg":
        return y
    node.only(not full and counted, "a sum over windows that are cut off")
    area = 1.0
    for size in kernel:
        area *= size
    return b.mul(y, area)


def _check_full(node: Reading, literals: dict[str, Any]) -> None:
    """MXNet's 'full' keeps a last window that lies in the padding alone; ours drops it."""
    sizes: tuple[Dim, ...] = node.x.shape[2:] if node.x.shape is not None else ()
    for place, ((pad, _), k, stride) in enumerate(
        zip(literals["pads"], literals["kernel"], literals["strides"], strict=True)
    ):
        if stride <= k - pad:
            continue
        size = sizes[place] if place < len(sizes) else None
        node.only(isinstance(size, int), "with a stride this wide its windows depend on the size")
        assert isinstance(size, int)
        last = -(-(size + 2 * pad - k) // stride) * stride - pad
        node.only(last < size, "its last window lies in the padding alone")


@reads("_contrib_AdaptiveAvgPooling2D")
def _(node: Reading, b: Builder) -> Any:
    size = node.integers("output_size") or (1,)
    node.only(len(size) <= 2, f"output_size={size}")
    return adaptive_mean(b, node.x, size * 2 if len(size) == 1 else size)


@reads("UpSampling")
def _(node: Reading, b: Builder) -> Any:
    scale, kind = node.integer("scale"), node.text("sample_type", "nearest")
    node.integer("num_args"), node.text("multi_input_mode")
    if kind == "nearest":
        node.only(len(node.operands) == 1, "several operands")
        node.integer("num_filter")
        factors = (float(scale),) * (node.rank() - 2)
        return b.resize(node.x, scale_factors=factors, mode="nearest", coordinates="asymmetric",
                        nearest="floor")  # fmt: skip
    channels, pad = node.integer("num_filter"), -(-(scale - 1) // 2)
    node.only(node.operand(1).shape is not None, "its weight has no shape")
    return b.conv_transpose(
        node.x, node.operand(1), strides=(scale, scale), pads=((pad, pad), (pad, pad)),
        dilations=(1, 1), output_padding=(0, 0), groups=channels,
    )  # fmt: skip


@reads("_contrib_BilinearResize2D")
def _(node: Reading, b: Builder) -> Any:
    mode = node.text("mode", "size")
    height, width = node.integer("height", 1), node.integer("width", 1)
    scales = node.number("scale_height"), node.number("scale_width")
    corners = node.flag("align_corners", True)
    node.only(mode in ("size", "like"), f"mode={mode!r}")
    literals = {"mode": "linear", "coordinates": "align_corners" if corners else "half_pixel"}
    if mode == "like":
        return b.resize(node.x, node.shape(1)[2:], **literals)
    if scales == (None, None):
        return b.resize(node.x, (height, width), **literals)
    node.only(None not in scales, "it scales one side only")
    sizes = node.shape()[2:]
    if all(isinstance(size, int) for size in sizes):
        pairs = zip(scales, sizes, strict=True)
        return b.resize(node.x, tuple(int(np.float32(s) * np.float32(n)) for s, n in pairs),
                        **literals)  # fmt: skip
    node.only(all(scale.is_integer() for scale in scales), "it scales open sizes by fractions")
    return b.resize(node.x, scale_factors=scales, **literals)
