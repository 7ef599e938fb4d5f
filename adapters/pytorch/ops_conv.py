"""Convolutions: layers where the weights are constants, functions where they aren't."""

from __future__ import annotations

from typing import Any

from adapters.pytorch.dialect import Draft, pytorch
from ir_hub.codegen.draft import plain
from ir_hub.codegen.spelling import Expr, Layer
from ir_hub.ir.graph import Node, Value
from ir_hub.sdk.operands import only

Pads = tuple[tuple[int, int], ...]

_DEFAULTS = {
    "stride": 1,
    "padding": 0,
    "output_padding": 0,
    "groups": 1,
    "bias": True,
    "dilation": 1,
}


@pytorch.write("conv")
def _(node: Node) -> Layer | Expr:
    spatial = _spatial(node)
    even = all(a == b for a, b in node.pads)
    before = "{0}" if even else f"F.pad({{0}}, {flat_pads(node.pads)})"
    padding = plain(tuple(a for a, _ in node.pads)) if even else 0
    if not _is_layer(node):
        return _function(node, f"F.conv{spatial}d", before, padding)
    out_channels, in_channels, *kernel = node.weight.shape
    kwargs = {
        "in_channels": in_channels * node.groups,
        "out_channels": out_channels,
        "kernel_size": plain(tuple(kernel)),
        "stride": plain(node.strides),
        "padding": padding,
        "dilation": plain(node.dilations),
        "groups": node.groups,
        "bias": node.bias is not None,
    }
    call = "" if even else f"{{layer}}({before})"
    return Layer(f"nn.Conv{spatial}d", [node.x], kwargs, _DEFAULTS, _params(node), 2, call)


@pytorch.write("conv_transpose")
def _(node: Node) -> Layer | Expr:
    spatial = _spatial(node)
    only(
        all(
            extra < max(stride, dilation)
            for extra, stride, dilation in zip(
                node.output_padding, node.strides, node.dilations, strict=True
            )
        ),
        "its output padding isn't smaller than its stride",
    )
    common = tuple(min(pair) for pair in node.pads)
    rest = tuple((a - p, b - p) for (a, b), p in zip(node.pads, common, strict=True))
    after = "" if not any(map(any, rest)) else f", {flat_pads(rest, -1)})"
    if not _is_layer(node):
        called = _function(node, f"F.conv_transpose{spatial}d", "{0}", plain(common))
        text = f"F.pad({called.text}{after}" if after else called.text
        return Expr(text, called.inputs, called.literals)
    in_channels, out_channels, *kernel = node.weight.shape
    kwargs = {
        "in_channels": in_channels,
        "out_channels": out_channels * node.groups,
        "kernel_size": plain(tuple(kernel)),
        "stride": plain(node.strides),
        "padding": plain(common),
        "output_padding": plain(node.output_padding),
        "groups": node.groups,
        "bias": node.bias is not None,
        "dilation": plain(node.dilations),
    }
    call = f"F.pad({{layer}}({{0}}){after}" if after else ""
    ctor = f"nn.ConvTranspose{spatial}d"
    return Layer(ctor, [node.x], kwargs, _DEFAULTS, _params(node), 2, call)


@pytorch.write("conv_integer")
def _(node: Node) -> Expr:
    """In float64, which is exact for sums of products of 8-bit integers."""
    spatial = _spatial(node)
    draft = Draft()
    x = centred(draft, node.x, node.x_zero_point)
    weight = centred(draft, node.weight, node.weight_zero_point, spatial)
    if any(map(any, node.pads)):
        x = f"F.pad({x}, {flat_pads(node.pads)})"
    given = _keywords(node, draft, 0)
    return draft.done(f"F.conv{spatial}d({x}, {weight}{given}).to(torch.int64).to(torch.int32)")


def centred(draft: Draft, value: Value, zero_point: Value | None, spread: int | None = None) -> str:
    """Integers less their zero point, in float64; with `spread`, one zero point for each row of
    a tensor with so many more axes behind the second."""
    text = f"{draft.tensor(value)}.double()"
    if zero_point is None or zero_point.scalar == 0:
        return text
    point = draft.scalar(zero_point) if zero_point.shape == () else draft.tensor(zero_point)
    if spread is not None and zero_point.shape not in ((), (1,)):
        point += f".view(-1{', 1' * (spread + 1)})"
    return f"({text} - {point})"


def flat_pads(pads: Pads, sign: int = 1) -> str:
    """Padding as F.pad takes it: the last axis first."""
    return repr(tuple(sign * width for pair in reversed(pads) for width in pair))


def _spatial(node: Node) -> int:
    count = len(node.strides)
    only(1 <= count <= 3, f"PyTorch has no convolution of {count} axes")
    return count


def _is_layer(node: Node) -> bool:
    """Whether its weights are constants, of the shapes that a layer has."""
    shape = node.weight.shape
    if not node.weight.is_constant:
        return False
    count = shape[0] if node.op == "conv" else shape[1] * node.groups
    return node.bias is None or (node.bias.is_constant and node.bias.shape == (count,))


def _params(node: Node) -> dict[str, Value]:
    found = {"weight": node.weight}
    return found if node.bias is None else {**found, "bias": node.bias}


def _function(node: Node, name: str, x: str, padding: Any) -> Expr:
    draft = Draft()
    draft.tensor(node.x)
    weights = draft.tensors(node.weight, *([] if node.bias is None else [node.bias]))
    return draft.done(f"{name}({x}, {weights}{_keywords(node, draft, padding)})")


def _keywords(node: Node, draft: Draft, padding: Any) -> str:
    given = {
        "stride": plain(node.strides),
        "padding": padding,
        "output_padding": plain(node.args.get("output_padding") or (0,)),  # type: ignore[arg-type]
        "groups": node.groups,
        "dilation": plain(node.dilations),
    }
    names = (name for name in given if given[name] != _DEFAULTS[name])
    return "".join(f", {name}={draft.literal(given[name], name)}" for name in names)


@pytorch.write("col2im")
def _(node: Node) -> Expr:
    draft = Draft()
    x, image = draft.tensor(node.x), draft.sizes(node.image_shape, "image_shape")
    block = draft.sizes(node.block_shape, "block_shape")
    spatial = len(node.strides)
    pads = draft.literal(node.pads, "pads")
    steps = f"{draft.literal(node.strides, 'stride')}, {draft.literal(node.dilations, 'dilation')}"
    if spatial == 2 and all(a == b for a, b in node.pads):
        pads = draft.literal(tuple(a for a, _ in node.pads), "padding")
        dilation = draft.literal(node.dilations, "dilation")
        stride = draft.literal(node.strides, "stride")
        return draft.done(f"F.fold({x}, {image}, {block}, {dilation}, {pads}, {stride})")
    return draft.done(f"_col2im({x}, {image}, {block}, {steps}, {pads})")


@pytorch.write("deform_conv")
def _(node: Node) -> Expr:
    draft = Draft()
    only(len(node.strides) == 2, "it has other than two spatial axes")
    tensors = draft.tensors(node.x, node.weight, node.offset, node.bias, node.mask)
    literals = ", ".join(
        f"{name}={draft.literal(item, name)}"
        for name, item in {
            "stride": node.strides,
            "pads": node.pads,
            "dilation": node.dilations,
            "groups": node.groups,
            "offset_groups": node.offset_groups,
        }.items()
    )
    return draft.done(f"_deform_conv({tensors}, {literals})")
