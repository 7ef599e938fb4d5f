"""Activations that sources spell out."""

from __future__ import annotations

import math

from ir_hub.recover.pattern import Equation, Sym, op, rule, rule_of

ROOT_2_BY_PI = math.sqrt(2 / math.pi)


@rule_of(partial=True)
def gelu(x: Sym = "*") -> Equation:
    return 0.5 * x * (1 + op.erf(x / math.sqrt(2))), op.gelu(x)


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
def leaky_relu(x: Sym = "*", alpha: Sym = (0.0, 1.0)) -> Equation:
    return op.maximum(alpha * x, x), op.leaky_relu(x, alpha=alpha)


@rule
def leaky_relu_by_where(x: Sym = "*", alpha: Sym = (-100.0, 100.0)) -> Equation:
    return op.where(op.greater(x, 0), x, alpha * x), op.leaky_relu(x, alpha=alpha)


@rule
def leaky_relu_by_halves(x: Sym = "*", alpha: Sym = (-100.0, 100.0)) -> Equation:
    return op.relu(x) - alpha * op.relu(-x), op.leaky_relu(x, alpha=alpha)


@rule
def elu(x: Sym = "*", alpha: Sym = (-100.0, 100.0)) -> Equation:
    return op.where(op.greater(x, 0), x, alpha * (op.exp(x) - 1)), op.elu(x, alpha=alpha)


@rule
def elu_by_expm1(x: Sym = "*", alpha: Sym = (-100.0, 100.0)) -> Equation:
    return op.where(op.greater(x, 0), x, alpha * op.expm1(x)), op.elu(x, alpha=alpha)


@rule
def elu_by_halves(x: Sym = "*", alpha: Sym = (-100.0, 100.0)) -> Equation:
    return op.relu(x) + alpha * (op.exp(op.minimum(x, 0)) - 1), op.elu(x, alpha=alpha)


@rule
def prelu(x: Sym = "*", slope: Sym = "const *") -> Equation:
    return op.relu(x) + slope * op.minimum(x, 0), op.prelu(x, slope)


@rule
def prelu_by_relus(x: Sym = "*", slope: Sym = "const *") -> Equation:
    return op.relu(x) - slope * op.relu(-x), op.prelu(x, slope)


@rule
def prelu_by_negated_slope(x: Sym = "*", slope: Sym = "const *") -> Equation:
    return op.relu(x) + slope * op.relu(-x), op.prelu(x, -slope)


@rule
def prelu_by_abs(x: Sym = "*", slope: Sym = "const *") -> Equation:
    return op.relu(x) + 0.5 * slope * (x - op.abs(x)), op.prelu(x, slope)


@rule
def prelu_by_where(x: Sym = "*", slope: Sym = "const *") -> Equation:
    return op.where(op.greater(x, 0), x, slope * x), op.prelu(x, slope)


@rule
def softmax(x: Sym = "* C", axis: Sym = "axis of x") -> Equation:
    powers = op.exp(x - op.reduce_max(x, (axis,)))
    return powers / op.reduce_sum(powers, (axis,)), op.softmax(x, axis=axis)


@rule
def softmax_without_maximum(x: Sym = "* C", axis: Sym = "axis of x") -> Equation:
    return op.exp(x) / op.reduce_sum(op.exp(x), (axis,)), op.softmax(x, axis=axis)


@rule
def log_softmax(x: Sym = "* C", axis: Sym = "axis of x") -> Equation:
    return op.log(op.softmax(x, axis=axis)), op.log_softmax(x, axis=axis)


@rule
def log_softmax_by_sum(x: Sym = "* C", axis: Sym = "axis of x") -> Equation:
    below = x - op.reduce_max(x, (axis,))
    left = below - op.log(op.reduce_sum(op.exp(below), (axis,)))
    return left, op.log_softmax(x, axis=axis)


@rule
def log_softmax_by_log_sum_exp(x: Sym = "* C", axis: Sym = "axis of x") -> Equation:
    return x - op.reduce_log_sum_exp(x, (axis,)), op.log_softmax(x, axis=axis)
