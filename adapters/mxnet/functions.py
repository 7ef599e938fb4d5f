"""Functions that MXNet lacks, written with MXNet; generated code brings along those it calls.

`F` is mxnet.nd or mxnet.sym: shapes are never asked for.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

from mxnet.gluon import nn

_SOURCES: dict[str, str] = {}


def _pasted(function: Callable[..., Any]) -> Callable[..., Any]:
    """Registers a function; its text goes into code that calls it."""
    text = inspect.getsource(function)
    text = text[text.index("def ") :].rstrip()
    _SOURCES[function.__name__] = re.sub(r"  # (type|noqa):.*", "", text)
    return function


def sources(code: str) -> list[str]:
    """The texts of the functions that code calls, and of those that these call in turn."""
    found: dict[str, str] = {}
    pending = [code]
    while pending:
        for name in re.findall(r"(?<![\w.])_\w+(?=\()", pending.pop()):
            if name in _SOURCES and name not in found:
                found[name] = _SOURCES[name]
                pending.append(found[name])
    return [text for name, text in _SOURCES.items() if name in found]


@_pasted
def _sequential(*blocks):  # type: ignore[no-untyped-def]
    """Blocks that run one after another."""
    made = nn.HybridSequential()
    made.add(*blocks)
    return made


@_pasted
def _round(F, x):  # type: ignore[no-untyped-def] # noqa: N803
    """The nearest whole number, the even one of two: MXNet's own round goes away from zero."""
    even = 2.0 * F.floor(0.5 * x + 0.5)
    return F.where(F.abs(x - F.floor(x)) == 0.5, even, F.round(x))


@_pasted
def _group_norm(F, x, weight, bias, groups, eps, axes):  # type: ignore[no-untyped-def] # noqa: N803
    """Normalises groups of channels; a weight and a bias for each channel, `axes` behind them."""
    y = F.reshape(x, shape=(0, groups, -1))
    y = F.broadcast_sub(y, F.mean(y, axis=2, keepdims=True))
    variance = F.mean(F.square(y), axis=2, keepdims=True)
    y = F.reshape_like(F.broadcast_mul(y, F.rsqrt(variance + eps)), x)
    shape = (1, -1) + (1,) * axes
    return F.broadcast_add(
        F.broadcast_mul(y, F.reshape(weight, shape=shape)), F.reshape(bias, shape=shape)
    )


@_pasted
def _rms_norm(F, x, weight, axes, eps):  # type: ignore[no-untyped-def] # noqa: N803
    """Divides by the root of the mean square."""
    mean = F.mean(F.square(x), axis=axes, keepdims=True)
    return F.broadcast_mul(F.broadcast_mul(x, F.rsqrt(mean + eps)), weight)


@_pasted
def _attention(F, q, k, v, scale, mask=None, causal=0):  # type: ignore[no-untyped-def] # noqa: N803
    """Scaled dot-product attention over the last two axes; `causal` axes: none looks ahead."""
    scores = F.linalg.gemm2(q, k, transpose_b=True, alpha=scale)
    if mask is not None:
        scores = F.broadcast_add(scores, mask)
    if causal:
        rows = F.expand_dims(F.contrib.arange_like(scores, axis=causal - 2), axis=1)
        columns = F.expand_dims(F.contrib.arange_like(scores, axis=causal - 1), axis=0)
        seen = F.log(F.broadcast_lesser_equal(columns, rows))
        for _ in range(causal - 2):
            seen = F.expand_dims(seen, axis=0)
        scores = F.broadcast_add(scores, seen)
    weights = F.softmax(scores, axis=-1)
    if causal or mask is not None:  # a row that sees nothing, all of it -inf, has to be 0
        blind = F.max(scores, axis=-1, keepdims=True) < -3.4e38
        weights = F.where(F.broadcast_like(blind, weights), F.zeros_like(weights), weights)
    return F.linalg.gemm2(weights, v)


@_pasted
def _pixel_shuffle(F, x, block):  # type: ignore[no-untyped-def] # noqa: N803
    """Channels as pixels of squares; those of a square lie one behind the other."""
    x = F.reshape(x, shape=(0, -4, -1, block * block, 0, 0))
    x = F.reshape(x, shape=(0, 0, -4, block, block, 0, 0))
    x = F.transpose(x, axes=(0, 1, 4, 2, 5, 3))
    return F.reshape(x, shape=(0, 0, -3, -3))


@_pasted
def _top_k(F, x, axis, k, is_ascend):  # type: ignore[no-untyped-def] # noqa: N803
    """The greatest or least elements, and where they are."""
    values, places = F.topk(x, axis=axis, k=k, ret_typ="both", is_ascend=is_ascend, dtype="int64")
    return values, places


@_pasted
def _by_way(F, y, ways, batch_first):  # type: ignore[no-untyped-def] # noqa: N803
    """A recurrent layer's result with an axis for its directions, before that of the batch."""
    y = F.reshape(y, shape=(0, 0, -4, ways, -1))
    return y if batch_first else F.swapaxes(y, 1, 2)


@_pasted
def _with_states(F, layer, x, states, ways, batch_first):  # type: ignore[no-untyped-def] # noqa: N803
    """What a recurrent layer gives from its first states on, the last states too."""
    if batch_first:
        states = [F.swapaxes(state, 0, 1) for state in states]
    y, lasts = layer(x, states)
    if batch_first:
        lasts = [F.swapaxes(last, 0, 1) for last in lasts]
    return (_by_way(F, y, ways, batch_first), *lasts)


@_pasted
def _from_zeros(F, layer, x, ways, batch_first, hidden, count):  # type: ignore[no-untyped-def] # noqa: N803
    """What a recurrent layer gives from states of zeros on, the last states too."""
    batch = F.sum(F.zeros_like(x), axis=(1 if batch_first else 0, 2))
    state = F.reshape(batch, shape=(1, -1, 1))
    state = F.broadcast_axis(state, axis=(0, 2), size=(ways, hidden))
    y, lasts = layer(x, [state] * count)
    if batch_first:
        lasts = [F.swapaxes(last, 0, 1) for last in lasts]
    return (_by_way(F, y, ways, batch_first), *lasts)
