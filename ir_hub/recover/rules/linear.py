"""Dense layers."""

from __future__ import annotations

from ir_hub.recover.pattern import Equation, Sym, op, rule


@rule
def linear(x: Sym = "* I", weight: Sym = "const I O") -> Equation:
    return op.matmul(x, weight), op.linear(x, op.transpose(weight, perm=(1, 0)))


@rule
def linear_bias(x: Sym = "* I", weight: Sym = "const O I", bias: Sym = "const O") -> Equation:
    return op.linear(x, weight) + bias, op.linear(x, weight, bias)


@rule
def linear_by_gemm(x: Sym = "N I", weight: Sym = "const O I", bias: Sym = "const O") -> Equation:
    return op.gemm(x, weight, bias, trans_b=True), op.linear(x, weight, bias)


@rule
def linear_by_gemm_without_bias(x: Sym = "N I", weight: Sym = "const O I") -> Equation:
    return op.gemm(x, weight, trans_b=True), op.linear(x, weight)


@rule
def linear_by_plain_gemm(
    x: Sym = "N I", weight: Sym = "const I O", bias: Sym = "const O"
) -> Equation:
    return op.gemm(x, weight, bias), op.linear(x, op.transpose(weight, perm=(1, 0)), bias)


@rule
def linear_by_plain_gemm_without_bias(x: Sym = "N I", weight: Sym = "const I O") -> Equation:
    return op.gemm(x, weight), op.linear(x, op.transpose(weight, perm=(1, 0)))
