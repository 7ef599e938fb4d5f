"""PyTorch stores uint16, uint32 and uint64, but computes little with them: here by way of int64."""

from __future__ import annotations

import re

from ir_hub.codegen.spelling import Expr, Spelling
from ir_hub.ir.graph import Node
from ir_hub.ir.types import DType
from ir_hub.sdk.operands import only

_FITS_INT64 = (DType.UINT16, DType.UINT32)
_NATIVE = frozenset(
    {
        "bit_cast", "bitwise_and", "bitwise_or", "bitwise_xor", "cast", "compress", "concat",
        "dequantize_linear", "equal", "expand", "flatten", "gather", "gather_nd", "identity",
        "mul", "not_equal", "pad", "quantize_linear", "reshape", "shape_of", "size_of", "slice",
        "split", "squeeze", "tile", "transpose", "unsqueeze", "where",
    }
)  # fmt: skip
# What gives the same bits whether the highest one is a sign or not.
_SIGNLESS = frozenset({"add", "sub", "neg", "bitwise_not", "bit_shift"})


def computed(node: Node, spelling: Spelling) -> Spelling:
    """How a node is written, once operands that PyTorch can't compute with go by way of int64.

    Raises:
        Unsupported: int64 doesn't hold what it computes.
    """
    types = {value.dtype for _, value in node.operands()} & {*_FITS_INT64, DType.UINT64}
    if not types or node.op in _NATIVE:
        return spelling
    only(isinstance(spelling, Expr) and not spelling.targets, f"of {_said(types)}")
    assert isinstance(spelling, Expr)
    if DType.UINT64 in types:
        right = node.op == "bit_shift" and node.direction == "right"
        only(node.op in _SIGNLESS and not right and types == {DType.UINT64}, f"of {_said(types)}")
    text = re.sub(r"\{(\d+)\}", lambda match: _signed(spelling, int(match[1])), spelling.text)
    result, literals = node.result.dtype, dict(spelling.literals)
    if result in types:
        literals["unsigned"] = result
        text = f"({text}).{'view' if result is DType.UINT64 else 'to'}({{unsigned}})"
    return Expr(text, spelling.inputs, literals, spelling.numbers)


def _signed(spelling: Expr, index: int) -> str:
    hole, dtype = f"{{{index}}}", spelling.inputs[index].dtype
    if index in spelling.numbers:
        return hole
    if dtype is DType.UINT64:
        return f"{hole}.view(torch.int64)"
    return f"{hole}.long()" if dtype in _FITS_INT64 else hole


def _said(types: set[DType | None]) -> str:
    names = ", ".join(sorted(dtype.value for dtype in types if dtype))
    return f"{names}, which PyTorch doesn't compute with"
