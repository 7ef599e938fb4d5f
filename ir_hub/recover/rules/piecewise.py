"""Activations that treat what is below zero in another way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ir_hub.recover.pattern import Equation, Sym, op, rule, rule_of

Slope = (-100.0, 100.0)


@rule
def leaky_relu(x: Sym = "*", alpha: Sym = (0.0, 1.0)) -> Equation:
    return op.maximum(alpha * x, x), op.leaky_relu(x, alpha=alpha)


@rule
def leaky_relu_by_halves(x: Sym = "*", alpha: Sym = (-100.0, 100.0)) -> Equation:
    return op.relu(x) - alpha * op.relu(-x), op.leaky_relu(x, alpha=alpha)


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
def celu(x: Sym = "*", alpha: Sym = (0.01, 100.0)) -> Equation:
    return alpha * op.elu(x / alpha), op.celu(x, alpha=alpha)


@rule
def thresholded_relu(x: Sym = "*", alpha: Sym = Slope) -> Equation:
    return op.where(op.greater(x, alpha), x, 0), op.thresholded_relu(x, alpha=alpha)


Choice = Callable[[Any, Any, Any], Any]  # of x: what it gives above zero, what below

_CHOICES: dict[str, Choice] = {
    "above": lambda x, above, below: op.where(op.greater(x, 0), above, below),
    "not_below": lambda x, above, below: op.where(op.greater_equal(x, 0), above, below),
    "below": lambda x, above, below: op.where(op.less(x, 0), below, above),
    "not_above": lambda x, above, below: op.where(op.less_equal(x, 0), below, above),
}


def _choice_rules(form: str, choose: Choice) -> None:
    """The rules for one way to choose; each op gives the same at zero itself."""

    def leaky_relu(x: Sym = "*", alpha: Sym = Slope) -> Equation:
        return choose(x, x, alpha * x), op.leaky_relu(x, alpha=alpha)

    def prelu(x: Sym = "*", slope: Sym = "const *") -> Equation:
        return choose(x, x, slope * x), op.prelu(x, slope)

    def elu(x: Sym = "*", alpha: Sym = Slope) -> Equation:
        return choose(x, x, alpha * (op.exp(x) - 1)), op.elu(x, alpha=alpha)

    def elu_plain(x: Sym = "*") -> Equation:
        return choose(x, x, op.exp(x) - 1), op.elu(x)

    def elu_by_expm1(x: Sym = "*", alpha: Sym = Slope) -> Equation:
        return choose(x, x, alpha * op.expm1(x)), op.elu(x, alpha=alpha)

    def elu_plain_by_expm1(x: Sym = "*") -> Equation:
        return choose(x, x, op.expm1(x)), op.elu(x)

    def selu(x: Sym = "*", alpha: Sym = (0.01, 100.0), gamma: Sym = (0.01, 100.0)) -> Equation:
        below = gamma * (alpha * op.exp(x) - alpha)
        return choose(x, gamma * x, below), op.selu(x, alpha=alpha, gamma=gamma)

    rules = (leaky_relu, prelu, elu, elu_plain, elu_by_expm1, elu_plain_by_expm1, selu)
    for equation in rules:
        rule_of(name=f"{equation.__name__}_where_{form}")(equation)


for _form, _choose in _CHOICES.items():
    _choice_rules(_form, _choose)
