"""Activations that sources spell out."""

from __future__ import annotations

import math

from ir_hub.recover.pattern import Equation, Sym, op, rule, rule_of

ROOT_2_BY_PI = math.sqrt(2 / math.pi)


@rule_of(partial=True)
def gelu(x: Sym = "*") -> Equation:
    return 0.5 * x * (1 + op.erf(x / math.sqrt(2))), op.gelu(x)


@rule_of(partial=True)
def gelu_of_negated(x: Sym = "*") -> Equation:
    return 0.5 * x * (1 - op.erf(-x / math.sqrt(2))), op.gelu(x)


@rule_of(partial=True)
def gelu_tanh(x: Sym = "*") -> Equation:
    inner = ROOT_2_BY_PI * (x + 0.044715 * x**3)
    return 0.5 * x * (1 + op.tanh(inner)), op.gelu(x, approximate="tanh")


@rule_of(partial=True)
def gelu_tanh_factored(x: Sym = "*") -> Equation:
    inner = ROOT_2_BY_PI * x * (1 + 0.044715 * x**2)
    return 0.5 * x * (1 + op.tanh(inner)), op.gelu(x, approximate="tanh")


@rule_of(partial=True)
def gelu_tanh_distributed(x: Sym = "*") -> Equation:
    inner = ROOT_2_BY_PI * x + ROOT_2_BY_PI * 0.044715 * x**3
    return 0.5 * x * (1 + op.tanh(inner)), op.gelu(x, approximate="tanh")


@rule
def sigmoid(x: Sym = "*") -> Equation:
    return 1 / (1 + op.exp(-x)), op.sigmoid(x)


@rule_of(partial=True)
def silu(x: Sym = "*") -> Equation:
    return x * op.sigmoid(x), op.silu(x)


@rule
def silu_by_division(x: Sym = "*") -> Equation:
    return x / (1 + op.exp(-x)), op.silu(x)


@rule_of(partial=True)
def swish(x: Sym = "*", alpha: Sym = (-100.0, 100.0)) -> Equation:
    return x * op.sigmoid(alpha * x), op.swish(x, alpha=alpha)


@rule
def relu6(x: Sym = "*") -> Equation:
    return op.clip(x, 0, 6), op.relu6(x)


@rule
def relu6_of_relu(x: Sym = "*") -> Equation:
    return op.minimum(op.relu(x), 6), op.relu6(x)


@rule
def relu(x: Sym = "*") -> Equation:
    return op.maximum(x, 0), op.relu(x)


@rule
def relu_by_clip(x: Sym = "*") -> Equation:
    return op.clip(x, 0), op.relu(x)


@rule
def hard_sigmoid_by_relu6(x: Sym = "*", shift: Sym = (-100.0, 100.0)) -> Equation:
    return op.relu6(x + shift) / 6, op.hard_sigmoid(x, alpha=1 / 6, beta=shift / 6)


@rule
def hard_sigmoid_by_clip(
    x: Sym = "*", alpha: Sym = (-100.0, 100.0), beta: Sym = (-100.0, 100.0)
) -> Equation:
    return op.clip(alpha * x + beta, 0, 1), op.hard_sigmoid(x, alpha=alpha, beta=beta)


@rule_of(partial=True)
def hard_swish(x: Sym = "*") -> Equation:
    return x * op.hard_sigmoid(x, alpha=1 / 6, beta=0.5), op.hard_swish(x)


@rule_of(partial=True)
def hard_swish_by_relu6(x: Sym = "*") -> Equation:
    return x * op.relu6(x + 3) / 6, op.hard_swish(x)


@rule
def softplus(x: Sym = "*") -> Equation:
    return op.log(1 + op.exp(x)), op.softplus(x)


@rule
def softplus_by_log1p(x: Sym = "*") -> Equation:
    return op.log1p(op.exp(x)), op.softplus(x)


@rule
def softplus_beta(x: Sym = "*", beta: Sym = (0.01, 100.0)) -> Equation:
    return op.softplus(x * beta) / beta, op.softplus(x, beta=beta)


@rule_of(partial=True)
def mish(x: Sym = "*") -> Equation:
    return x * op.tanh(op.softplus(x)), op.mish(x)


@rule
def softsign(x: Sym = "*") -> Equation:
    return x / (1 + op.abs(x)), op.softsign(x)


@rule
def hard_sigmoid_by_minimum(
    x: Sym = "*", alpha: Sym = (-100.0, 100.0), beta: Sym = (-100.0, 100.0)
) -> Equation:
    right = op.hard_sigmoid(x, alpha=alpha, beta=beta)
    return op.relu(op.minimum(alpha * x + beta, 1)), right


@rule
def clip_by_minimum(x: Sym = "*", low: Sym = (-1e30, 0.0), high: Sym = (0.0, 1e30)) -> Equation:
    return op.minimum(op.maximum(x, low), high), op.clip(x, low, high)


@rule
def clip_by_maximum(x: Sym = "*", low: Sym = (-1e30, 0.0), high: Sym = (0.0, 1e30)) -> Equation:
    return op.maximum(op.minimum(x, high), low), op.clip(x, low, high)


@rule
def silu_of_swish(x: Sym = "*") -> Equation:
    return op.swish(x, alpha=1.0), op.silu(x)


@rule
def softplus_with_threshold(x: Sym = "*") -> Equation:
    return op.where(op.greater(x, 20), x, op.softplus(x)), op.softplus(x)


@rule
def softplus_beta_with_threshold(x: Sym = "*", beta: Sym = (0.01, 100.0)) -> Equation:
    left = op.where(op.greater(x * beta, 20), x, op.softplus(x * beta) / beta)
    return left, op.softplus(x, beta=beta)
