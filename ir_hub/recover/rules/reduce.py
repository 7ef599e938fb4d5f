"""Reductions that are spelled out, and softmax, which has two."""

from __future__ import annotations

from ir_hub.recover.pattern import Equation, Sym, op, rule, rule_of


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
def softmax_of_shifted(x: Sym = "* C", axis: Sym = "axis of x") -> Equation:
    return op.softmax(x - op.reduce_max(x, (axis,)), axis=axis), op.softmax(x, axis=axis)


@rule
def log_softmax_of_shifted(x: Sym = "* C", axis: Sym = "axis of x") -> Equation:
    return op.log_softmax(x - op.reduce_max(x, (axis,)), axis=axis), op.log_softmax(x, axis=axis)


@rule
def log_softmax_by_log_sum_exp(x: Sym = "* C", axis: Sym = "axis of x") -> Equation:
    return x - op.reduce_log_sum_exp(x, (axis,)), op.log_softmax(x, axis=axis)


def _reduction_rules(keepdims: bool) -> None:
    def reduce_l2(x: Sym = "* C", axes: Sym = "axes of x") -> Equation:
        left = op.sqrt(op.reduce_sum(x**2, axes, keepdims=keepdims))
        return left, op.reduce_l2(x, axes, keepdims=keepdims)

    def reduce_l2_of_squares(x: Sym = "* C", axes: Sym = "axes of x") -> Equation:
        left = op.sqrt(op.reduce_sum_square(x, axes, keepdims=keepdims))
        return left, op.reduce_l2(x, axes, keepdims=keepdims)

    def reduce_log_sum_exp(x: Sym = "* C", axes: Sym = "axes of x") -> Equation:
        left = op.log(op.reduce_sum(op.exp(x), axes, keepdims=keepdims))
        return left, op.reduce_log_sum_exp(x, axes, keepdims=keepdims)

    for equation in (reduce_l2, reduce_l2_of_squares, reduce_log_sum_exp):
        rule_of(name=f"{equation.__name__}_{'kept' if keepdims else 'dropped'}")(equation)


for _keepdims in (True, False):
    _reduction_rules(_keepdims)


@rule
def greater_equal(x: Sym = "*", y: Sym = "*") -> Equation:
    return op.logical_or(op.greater(x, y), op.equal(x, y)), op.greater_equal(x, y)


@rule
def less_equal(x: Sym = "*", y: Sym = "*") -> Equation:
    return op.logical_or(op.less(x, y), op.equal(x, y)), op.less_equal(x, y)
