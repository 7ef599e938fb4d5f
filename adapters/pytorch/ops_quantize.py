"""Quantised tensors: integers or small floats with scales and zero points."""

from __future__ import annotations

import ml_dtypes

from adapters.pytorch.dialect import Draft, pytorch
from adapters.pytorch.ops_conv import centred, flat_pads
from adapters.pytorch.weights import CODES
from ir_hub.codegen.derived import derived
from ir_hub.codegen.draft import plain
from ir_hub.codegen.spelling import Expr
from ir_hub.ir.graph import Node, Value
from ir_hub.ir.types import DType
from ir_hub.sdk.dialect import Unsupported
from ir_hub.sdk.operands import only, rank_of

_LIMITS = {
    DType.FLOAT8_E4M3FN: 448,
    DType.FLOAT8_E4M3FNUZ: 240,
    DType.FLOAT8_E5M2: 57344,
    DType.FLOAT8_E5M2FNUZ: 57344,
}
_SCALES = (DType.FLOAT16, DType.BFLOAT16, DType.FLOAT32, DType.FLOAT64)


@pytorch.write("quantize_linear")
def _(node: Node) -> Expr:
    draft = Draft()
    x, scale = draft.tensor(node.x), node.scale
    wide = node.precision or scale.dtype
    only(wide in _SCALES, f"it divides in {wide}")
    text = x if node.x.dtype is wide else f"{x}.to({draft.literal(wide, 'precision')})"
    divisor = _number(draft, scale) if scale.dtype is wide else ""
    if not divisor:
        divisor = _spread(draft, node, scale)
        if scale.dtype is not wide:
            divisor += f".to({draft.literal(wide, 'precision')})"
    text = f"({text} / {divisor})"
    if node.output_dtype in _LIMITS:
        return _small_float(node, draft, text)
    text += ".round()"
    low, high = _bounds(node.output_dtype)
    if node.zero_point is not None and node.zero_point.scalar != 0:
        point = _number(draft, node.zero_point) or _spread(draft, node, node.zero_point)
        text = f"({text} + {point})"
    dtype = draft.literal(node.output_dtype, "dtype")
    return draft.done(f"{text}.clamp({low}, {high}).to({dtype})")


def _small_float(node: Node, draft: Draft, text: str) -> Expr:
    limit = _LIMITS[node.output_dtype]
    only(node.saturate, "it doesn't saturate")
    clamped = f".clamp(-{limit}, {limit})"
    return draft.done(f"{text}{clamped}.to({draft.literal(node.output_dtype, 'dtype')})")


@pytorch.write("dequantize_linear")
def _(node: Node) -> Expr:
    draft = Draft()
    wide = DType.FLOAT64 if node.scale.dtype is DType.FLOAT64 else DType.FLOAT32
    only(node.scale.dtype in _SCALES, f"its scale is {node.scale.dtype}")
    method = "double" if wide is DType.FLOAT64 else "float"
    text = f"{draft.tensor(_whole_bytes(node.x))}.{method}()"
    if node.zero_point is not None and node.zero_point.scalar != 0:
        point = _number(draft, node.zero_point)
        text = f"({text} - {point or _spread(draft, node, node.zero_point) + f'.{method}()'})"
    scale = _number(draft, node.scale) if node.scale.dtype is wide else ""
    if not scale:
        scale = _spread(draft, node, node.scale)
        scale = scale if node.scale.dtype is wide else f"{scale}.{method}()"
    text = f"{text} * {scale}"
    if node.output_dtype is wide:
        return draft.done(text)
    return draft.done(f"({text}).to({draft.literal(node.output_dtype, 'dtype')})")


def _number(draft: Draft, value: Value) -> str:
    """A constant of one element as a number; empty for any other tensor."""
    plain_number = value.scalar is not None and value.shape == ()
    return draft.number(value) if plain_number else ""


def _whole_bytes(value: Value) -> Value:
    """A constant of less than a byte an element, in the bytes that PyTorch has."""
    wider = {DType.INT4: DType.INT8, DType.INT2: DType.INT8}
    wider |= {DType.UINT4: DType.UINT8, DType.UINT2: DType.UINT8}
    if value.dtype in wider and value.data is not None:
        dtype = wider[value.dtype]
        return derived(value, value.data.shape, lambda array: array.astype(dtype.numpy), dtype)
    only(value.dtype in CODES, f"PyTorch has no {value.dtype}")
    return value


def _spread(draft: Draft, node: Node, parameter: Value) -> str:
    """A scale or zero point for each element of x: one for all, along an axis, or by blocks."""
    parameter, shape = _whole_bytes(parameter), parameter.shape
    only(shape is not None, "the rank of its scale isn't known")
    if shape in ((), (1,)):
        return draft.tensor(parameter)
    text = draft.tensor(parameter)
    rank = rank_of(node.x)
    axis = node.axis % rank
    if node.block_size:
        block = draft.literal(node.block_size, "block")
        size = draft.literal(node.x.shape[axis], "size")
        number = draft.literal(axis, "axis")
        return f"{text}.repeat_interleave({block}, {number}).narrow({number}, 0, {size})"
    return text if axis == rank - 1 else f"{text}.view(-1{', 1' * (rank - 1 - axis)})"


def _bounds(dtype: DType | None) -> tuple[int, int]:
    if dtype is None or not dtype.is_integer:
        raise Unsupported(f"it quantises to {dtype}")
    limits = ml_dtypes.iinfo(dtype.numpy)  # type: ignore[no-untyped-call]
    return int(limits.min), int(limits.max)


@pytorch.write("dynamic_quantize_linear")
def _(node: Node) -> Expr:
    return Expr("_dynamic_quantize({0})", [node.x])


@pytorch.write("matmul_integer")
def _(node: Node) -> Expr:
    draft = Draft()
    left = _rows(draft, node.x, node.x_zero_point)
    right = centred(draft, node.y, node.y_zero_point)
    return draft.done(f"({left} @ {right}).to(torch.int64).to(torch.int32)")


def _rows(draft: Draft, x: Value, zero_point: Value | None) -> str:
    """A left operand less its zero point, one for all or one for each row."""
    text = centred(draft, x, zero_point)
    if zero_point is None or zero_point.scalar == 0 or zero_point.shape in ((), (1,)):
        return text
    only(rank_of(zero_point) == 1 and rank_of(x) > 1, "the shape of its zero point")
    return f"({draft.tensor(x)}.double() - {draft.tensor(zero_point)}[:, None])"


@pytorch.write("qlinear_matmul")
def _(node: Node) -> Expr:
    draft = Draft()
    left, right = _rows(draft, node.a, node.a_zero_point), centred(draft, node.b, node.b_zero_point)
    scale = f"{draft.tensor(node.a_scale)}.double()"
    if node.a_scale.shape not in ((), (1,)):
        only(rank_of(node.a_scale) == 1, "the shape of its scale")
        scale = f"{draft.tensor(node.a_scale)}[:, None].double()"
    other, whole = draft.tensor(node.b_scale), draft.tensor(node.y_scale)
    factor = f"{scale} * {other}.double() / {whole}.double()"
    return _requantised(draft, f"({left} @ {right}) * ({factor})", node.y_zero_point)


@pytorch.write("qlinear_conv")
def _(node: Node) -> Expr:
    draft, spatial = Draft(), len(node.strides)
    only(1 <= spatial <= 3, f"PyTorch has no convolution of {spatial} axes")
    x = centred(draft, node.x, node.x_zero_point)
    if any(map(any, node.pads)):
        x = f"F.pad({x}, {flat_pads(node.pads)})"
    weight = centred(draft, node.weight, node.weight_zero_point, spatial)
    bias = "None" if node.bias is None else f"{draft.tensor(node.bias)}.double()"
    given = {"stride": node.strides, "dilation": node.dilations, "groups": node.groups}
    more = "".join(
        f", {name}={draft.literal(plain(v) if isinstance(v, tuple) else v, name)}"
        for name, v in given.items()
        if v != 1 and v != (1,) * spatial
    )
    scale = f"{draft.tensor(node.weight_scale)}.double()"
    if node.weight_scale.shape not in ((), (1,)):
        scale += f".view(-1{', 1' * spatial})"
    other, whole = draft.tensor(node.x_scale), draft.tensor(node.y_scale)
    factor = f"{other}.double() * {scale} / {whole}.double()"
    text = f"F.conv{spatial}d({x}, {weight}, {bias}{more}) * ({factor})"
    return _requantised(draft, text, node.y_zero_point)


def _requantised(draft: Draft, text: str, zero_point: Value) -> Expr:
    only(zero_point.dtype is not None and zero_point.dtype.is_integer, "its result's type")
    low, high = _bounds(zero_point.dtype)
    point, dtype = draft.tensor(zero_point), draft.literal(zero_point.dtype, "dtype")
    return draft.done(f"({text} + {point}).round().clamp({low}, {high}).to({dtype})")
