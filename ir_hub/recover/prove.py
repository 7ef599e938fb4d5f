"""Proves a rule, as far as random data can: both sides in float64 are the same function."""

from __future__ import annotations

from typing import Any

import numpy as np

from ir_hub.ir.dims import Expr
from ir_hub.ops.catalogue import OPS
from ir_hub.ops.op import Kind
from ir_hub.recover.domains import AxesOf, AxisOf, Number, draw_size
from ir_hub.recover.pattern import Call, Rule, Var

TOLERANCE = 1e-9  # relative and absolute; float64 leaves three digits more


def prove(rule: Rule, rng: np.random.Generator, trials: int = 20) -> None:
    """Runs both sides on random data of random sizes.

    Raises:
        AssertionError: they differ, in shape or in an element.
    """
    telling = 0
    for _ in range(trials):
        drawn, sizes = draw(rule, rng)
        with np.errstate(all="ignore"):
            left, right = (np.asarray(_Run(drawn, sizes).value(p)) for p in (rule.left, rule.right))
        assert left.shape == right.shape, f"rule {rule}: {left.shape} is not {right.shape}"
        telling += not np.isnan(left).all()
        np.testing.assert_allclose(
            left, right, rtol=TOLERANCE, atol=TOLERANCE, err_msg=f"rule {rule} is not an equation"
        )
    assert telling >= trials // 4, f"rule {rule}: next to nothing but NaN, so nothing is proved"


def draw(rule: Rule, rng: np.random.Generator) -> tuple[dict[Var, Any], dict[str, int]]:
    """Random tensors and literals for the parameters, and the sizes that were drawn."""
    star = tuple(int(size) for size in rng.integers(1, 4, rng.integers(0, 3)))
    sizes: dict[str, int] = {}
    drawn: dict[Var, Any] = {}
    for p in sorted(rule.params, key=lambda p: isinstance(p.domain, AxisOf | AxesOf)):
        domain = p.domain
        if isinstance(domain, Number):
            drawn[p] = _number(domain, rng)
        elif isinstance(domain, AxisOf | AxesOf):
            tensor = next(drawn[q] for q in rule.params if q.name == domain.tensor)
            axes = rng.permutation(tensor.ndim)[: rng.integers(1, tensor.ndim, endpoint=True)]
            drawn[p] = int(axes[0]) if isinstance(domain, AxisOf) else tuple(sorted(axes.tolist()))
        else:
            drawn[p] = domain.draw(rng, sizes, star)
    return drawn, sizes


def _number(domain: Number, rng: np.random.Generator) -> float:
    """A number: as often of the size of the data as from anywhere in the domain."""
    near = rng.normal(0, 2) if rng.integers(2) else rng.uniform(domain.low, domain.high)
    return float(np.clip(near, domain.low, domain.high))


class _Run:
    """One side of a rule on the data that was drawn."""

    def __init__(self, drawn: dict[Var, Any], sizes: dict[str, int]) -> None:
        self.known: dict[Any, Any] = dict(drawn)
        self.sizes = sizes

    def value(self, pattern: Any) -> Any:
        """What a part of a rule is."""
        if isinstance(pattern, tuple):
            return tuple(self.value(item) for item in pattern)
        if isinstance(pattern, Expr):
            return draw_size(pattern, np.random.default_rng(0), self.sizes)
        if isinstance(pattern, Var | Call) and pattern in self.known:
            return self.known[pattern]
        if not isinstance(pattern, Call):
            return pattern
        args = {name: self.argument(pattern, name) for name in pattern.args}
        self.known[pattern] = OPS[pattern.op].call(args)[0]
        return self.known[pattern]

    def argument(self, call: Call, name: str) -> Any:
        """An argument of a call; a number where a tensor belongs is a tensor without axes."""
        value = self.value(call.args[name])
        is_tensor = OPS[call.op].params[name].kind is Kind.TENSOR
        return np.asarray(value, np.float64) if is_tensor and value is not None else value
