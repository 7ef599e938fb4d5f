"""The activations that recurrent layers may name, and which alpha and beta belongs to which."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from ir_hub.ops.op import Array

Activation = Callable[[Array], Any]


def _sigmoid(x: Array) -> Any:
    return 0.5 * (np.tanh(0.5 * x) + 1)


def _elu(x: Array, alpha: float) -> Any:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


_PLAIN: dict[str, Activation] = {
    "sigmoid": _sigmoid,
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "softplus": lambda x: np.logaddexp(x, x.dtype.type(0)),
}
# The function, and the defaults of the coefficients it takes: alpha, then beta.
_WITH_COEFFICIENTS: dict[str, tuple[Callable[..., Any], tuple[float, ...]]] = {
    "leaky_relu": (lambda x, alpha: np.where(x > 0, x, alpha * x), (0.01,)),
    "thresholded_relu": (lambda x, alpha: np.where(x > alpha, x, 0), (1.0,)),
    "elu": (_elu, (1.0,)),
    "hard_sigmoid": (lambda x, a, b: np.clip(a * x + b, 0, 1), (0.2, 0.5)),
    "affine": (lambda x, a, b: a * x + b, (1.0, 0.0)),
    "scaled_tanh": (lambda x, a, b: a * np.tanh(b * x), (1.0, 1.0)),
}


def activations_of(
    names: Sequence[str],
    alphas: Sequence[float],
    betas: Sequence[float],
    direction: str,
    count: int,
) -> list[list[Activation]]:
    """The activations of each direction, `count` for each, as the names say.

    Alphas and betas belong in turn to the activations that take one; where they run out, the
    activation's default holds.

    Raises:
        ValueError: a name is unknown, or there are too few or too many.
    """
    directions = 2 if direction == "bidirectional" else 1
    if len(names) == count:
        names = tuple(names) * directions
    if len(names) != count * directions:
        raise ValueError(f"{count * directions} activations are needed, not {tuple(names)}")
    left = iter(alphas), iter(betas)
    found = [_activation(name, left) for name in names]
    return [found[i * count : (i + 1) * count] for i in range(directions)]


def _activation(name: str, left: tuple[Iterator[float], Iterator[float]]) -> Activation:
    if name in _PLAIN:
        return _PLAIN[name]
    if name not in _WITH_COEFFICIENTS:
        known = ", ".join(sorted([*_PLAIN, *_WITH_COEFFICIENTS]))
        raise ValueError(f"no activation {name!r}; there are {known}")
    function, defaults = _WITH_COEFFICIENTS[name]
    values = [next(given, default) for given, default in zip(left, defaults, strict=False)]
    if len(values) == 1:
        return partial(function, alpha=values[0])
    return partial(function, a=values[0], b=values[1])
