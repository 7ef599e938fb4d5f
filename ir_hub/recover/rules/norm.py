"""Normalisation that sources spell out."""

from __future__ import annotations

from typing import Any

from ir_hub.recover.pattern import Equation, Sym, op, rule, rule_of, sizes


def _centred(x: Any, axes: tuple[int, ...]) -> Any:
    return x - op.reduce_mean(x, axes=axes)


def _variance(x: Any, axes: tuple[int, ...]) -> Any:
    return op.reduce_mean(_centred(x, axes) ** 2, axes=axes)


def _standardising_rules(names: str, axes: tuple[int, ...]) -> None:
    """The rules for subtracting the mean and dividing by the standard deviation or the RMS."""
    first = axes[0]

    def layer_norm(x: Sym = f"* {names}", eps: Sym = (0.0, 0.1)) -> Equation:
        left = _centred(x, axes) / op.sqrt(_variance(x, axes) + eps)
        return left, op.layer_norm(x, axis=first, eps=eps)

    def layer_norm_by_squares(x: Sym = f"* {names}", eps: Sym = (0.0, 0.1)) -> Equation:
        mean = op.reduce_mean(x, axes=axes)
        square = op.reduce_mean(x**2, axes=axes)
        left = (x - mean) / op.sqrt(square - mean**2 + eps)
        return left, op.layer_norm(x, axis=first, eps=eps)

    def rms_norm(x: Sym = f"* {names}", weight: Sym = names, eps: Sym = (0.0, 0.1)) -> Equation:
        square = op.reduce_mean(x**2, axes=axes)
        return x / op.sqrt(square + eps) * weight, op.rms_norm(x, weight, axis=first, eps=eps)

    for equation in (layer_norm, layer_norm_by_squares, rms_norm):
        rule_of(name=f"{equation.__name__}_{len(axes)}")(equation)


def _scaling_rules(names: str, axes: tuple[int, ...]) -> None:
    """The rules for a layer norm with a weight and a bias."""
    first = axes[0]

    def layer_norm_scaled(
        x: Sym = f"* {names}", weight: Sym = names, eps: Sym = (0.0, 0.1)
    ) -> Equation:
        left = _centred(x, axes) / op.sqrt(_variance(x, axes) + eps) * weight
        return left, op.layer_norm(x, weight, axis=first, eps=eps)

    def layer_norm_weight(
        x: Sym = f"* {names}", weight: Sym = names, eps: Sym = (0.0, 0.1)
    ) -> Equation:
        right = op.layer_norm(x, weight, axis=first, eps=eps)
        return op.layer_norm(x, axis=first, eps=eps) * weight, right

    def layer_norm_bias(
        x: Sym = f"* {names}", weight: Sym = names, bias: Sym = names, eps: Sym = (0.0, 0.1)
    ) -> Equation:
        left = op.layer_norm(x, weight, axis=first, eps=eps) + bias
        return left, op.layer_norm(x, weight, bias, axis=first, eps=eps)

    def layer_norm_by_moments(
        x: Sym = f"* {names}", weight: Sym = names, bias: Sym = names, eps: Sym = (0.0, 0.1)
    ) -> Equation:
        inverse = op.rsqrt(_variance(x, axes) + eps) * weight
        left = x * inverse + (bias - op.reduce_mean(x, axes=axes) * inverse)
        return left, op.layer_norm(x, weight, bias, axis=first, eps=eps)

    rules = (layer_norm_scaled, layer_norm_weight, layer_norm_bias, layer_norm_by_moments)
    for equation in rules:
        rule_of(name=f"{equation.__name__}_{len(axes)}")(equation)


for _names in ("C", "B C", "A B C"):
    _last = tuple(range(-len(_names.split()), 0))
    _standardising_rules(_names, _last)
    _scaling_rules(_names, _last)


def _batch_norm_rule(words: str, channel: str, axis: int) -> None:
    """The rule for one rank and place of the channels."""

    def batch_norm(
        x: Sym = words,
        scale: Sym = f"const {channel}",
        bias: Sym = f"const {channel}",
        mean: Sym = f"const {channel}",
        var: Sym = f"const {channel}",
        eps: Sym = (0.0, 0.1),
    ) -> Equation:
        vectors = [op.reshape(item, tuple(sizes("C"))) for item in (scale, bias, mean, var)]
        left = (x - mean) / op.sqrt(var + eps) * scale + bias
        return left, op.batch_norm(x, *vectors, eps=eps, axis=axis)

    def batch_norm_by_factors(
        x: Sym = words,
        scale: Sym = f"const {channel}",
        bias: Sym = f"const {channel}",
        mean: Sym = f"const {channel}",
        var: Sym = f"const {channel}",
        eps: Sym = (0.0, 0.1),
    ) -> Equation:
        vectors = [op.reshape(item, tuple(sizes("C"))) for item in (scale, bias, mean, var)]
        factor = op.rsqrt(var + eps) * scale
        return x * factor + (bias - mean * factor), op.batch_norm(x, *vectors, eps=eps, axis=axis)

    def batch_norm_without_scale(
        x: Sym = words,
        bias: Sym = f"const {channel}",
        mean: Sym = f"const {channel}",
        var: Sym = f"const {channel}",
        eps: Sym = (0.0, 0.1),
    ) -> Equation:
        ones = var * 0 + 1
        vectors = [op.reshape(item, tuple(sizes("C"))) for item in (ones, bias, mean, var)]
        factor = op.rsqrt(var + eps)
        return x * factor + (bias - mean * factor), op.batch_norm(x, *vectors, eps=eps, axis=axis)

    for equation in (batch_norm, batch_norm_by_factors, batch_norm_without_scale):
        rule_of(name=f"{equation.__name__}_{words.replace(' ', '').lower()}")(equation)


for _spatial in ("L", "H W", "D H W"):
    _batch_norm_rule(f"N C {_spatial}", "C" + " 1" * len(_spatial.split()), 1)
_batch_norm_rule("N * C", "C", -1)


def _instance_norm_rules(spatial: str) -> None:
    """The rules for as many spatial axes as there are names."""
    count = len(spatial.split())
    channel = "C" + " 1" * count

    def instance_norm(
        x: Sym = f"N C {spatial}",
        weight: Sym = f"const {channel}",
        bias: Sym = f"const {channel}",
        eps: Sym = (0.0, 0.1),
    ) -> Equation:
        left = op.layer_norm(x, axis=-count, eps=eps) * weight + bias
        vectors = [op.reshape(item, tuple(sizes("C"))) for item in (weight, bias)]
        return left, op.instance_norm(x, *vectors, eps=eps)

    def group_norm(
        x: Sym = f"N G*K {spatial}",
        weight: Sym = f"const G*K{' 1' * count}",
        bias: Sym = f"const G*K{' 1' * count}",
        eps: Sym = (0.0, 0.1),
    ) -> Equation:
        n, g, k = sizes("N G K")
        parts = op.instance_norm(op.reshape(x, (n, g, -1)), 1, 0, eps=eps)
        left = op.reshape(parts, (n, g * k, *sizes(spatial))) * weight + bias
        vectors = [op.reshape(item, (g * k,)) for item in (weight, bias)]
        return left, op.group_norm(x, *vectors, groups=g, eps=eps)

    rule_of(name=f"instance_norm_{count}")(instance_norm)
    rule_of(name=f"group_norm_{count}")(group_norm)


for _spatial in ("L", "H W", "D H W"):
    _instance_norm_rules(_spatial)


def _group_norm_last_rule(spatial: str) -> None:
    """The rule for groups of channels that come last, for as many spatial axes as are named."""
    count = len(spatial.split())
    over = (*range(1, count + 1), count + 2)

    def group_norm(
        x: Sym = f"N {spatial} G*K",
        weight: Sym = "const G K",
        bias: Sym = "const G K",
        eps: Sym = (0.0, 0.1),
    ) -> Equation:
        n, g, k, *others = sizes(f"N G K {spatial}")
        parts = op.reshape(x, (n, *others, g, k))
        factor = op.rsqrt(_variance(parts, over) + eps) * weight
        whole = parts * factor + (bias - op.reduce_mean(parts, over) * factor)
        vectors = [op.reshape(item, (g * k,)) for item in (weight, bias)]
        right = op.group_norm(x, *vectors, groups=g, eps=eps, axes="N*C->N*C")
        return op.reshape(whole, (n, *others, g * k)), right

    rule_of(name=f"group_norm_last_{count}")(group_norm)


for _spatial in ("L", "H W", "D H W"):
    _group_norm_last_rule(_spatial)


@rule
def lp_norm(x: Sym = "* C", axis: Sym = "axis of x", least: Sym = (0.0, 1e-12)) -> Equation:
    return x / op.clip(op.reduce_l2(x, (axis,)), least), op.lp_norm(x, axis=axis)


@rule
def lp_norm_by_maximum(
    x: Sym = "* C", axis: Sym = "axis of x", least: Sym = (0.0, 1e-12)
) -> Equation:
    return x / op.maximum(op.reduce_l2(x, (axis,)), least), op.lp_norm(x, axis=axis)


@rule
def lp_norm_by_square(
    x: Sym = "* C", axis: Sym = "axis of x", least: Sym = (0.0, 1e-12)
) -> Equation:
    square = op.reduce_sum(x**2, (axis,))
    return x * op.rsqrt(op.maximum(square, least)), op.lp_norm(x, axis=axis)


@rule
def lp_norm_by_inverse(
    x: Sym = "* C", axis: Sym = "axis of x", most: Sym = (1e12, 1e30)
) -> Equation:
    inverse = op.rsqrt(op.reduce_sum(x**2, (axis,)))
    return x * op.minimum(inverse, most), op.lp_norm(x, axis=axis)
