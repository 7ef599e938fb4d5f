"""Every rule is an equation; rules that aren't are refused."""

import math

import numpy as np
import pytest

from ir_hub.recover.pattern import Equation, Sym, op, trace
from ir_hub.recover.prove import prove
from ir_hub.recover.rules import RULES


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_both_sides_are_one_function(rule):
    prove(rule, np.random.default_rng(0))


def tanh_as_exact_gelu(x: Sym = "*") -> Equation:
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    return 0.5 * x * (1 + op.tanh(inner)), op.gelu(x)


def leaky_relu_of_any_slope(x: Sym = "*", alpha: Sym = (0.0, 2.0)) -> Equation:
    return op.maximum(alpha * x, x), op.leaky_relu(x, alpha=alpha)


def population_as_sample_variance(x: Sym = "* C", eps: Sym = (0.0, 0.1)) -> Equation:
    centred = x - op.reduce_mean(x, (-1,))
    variance = op.reduce_sum(centred**2, (-1,)) / 3
    return centred / op.sqrt(variance + eps), op.layer_norm(x, eps=eps)


@pytest.mark.parametrize(
    "equation",
    [tanh_as_exact_gelu, leaky_relu_of_any_slope, population_as_sample_variance],
    ids=lambda equation: equation.__name__,
)
def test_a_false_rule_is_refused(equation):
    with pytest.raises(AssertionError, match="is not an equation"):
        prove(trace(equation), np.random.default_rng(0))
