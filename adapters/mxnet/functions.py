"""Functions and blocks that MXNet lacks, written with MXNet; generated code brings along those it
uses.

`F` is mxnet.nd or mxnet.sym: shapes are never asked for.
"""

from __future__ import annotations

import inspect
import re
from typing import Any, TypeVar

from mxnet.gluon import HybridBlock, nn

from ir_hub.sdk.python_code import texts_called

_SOURCES: dict[str, str] = {}
_Made = TypeVar("_Made", bound=Any)


def _pasted(made: _Made) -> _Made:
    """Registers a function or class; its text goes into code that calls it."""
    _, _, text = inspect.getsource(made).partition("\n")  # without the decorator
    _SOURCES[made.__name__] = re.sub(r"  # (type|noqa):.*", "", text).rstrip()
    return made


def sources(code: str) -> list[str]:
    """The texts of what code calls, and of what these call in turn."""
    return texts_called(code, _SOURCES)


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
class GroupNorm(HybridBlock):  # type: ignore[misc]
    """Normalises groups of channels; unlike Gluon's own with a weight for each channel."""

    def __init__(self, groups, in_channels, epsilon=1e-5, dtype="float32", **kwargs):  # type: ignore[no-untyped-def]
        super().__init__(**kwargs)
        self._groups = groups
        self._epsilon = epsilon
        with self.name_scope():
            self.gamma = self.params.get("gamma", shape=(in_channels,), dtype=dtype, init="ones")
            self.beta = self.params.get("beta", shape=(in_channels,), dtype=dtype, init="zeros")

    def hybrid_forward(self, F, x, gamma, beta):  # type: ignore[no-untyped-def] # noqa: N803
        y = F.reshape(x, shape=(0, self._groups, -1))
        y = F.broadcast_sub(y, F.mean(y, axis=2, keepdims=True))
        variance = F.mean(F.square(y), axis=2, keepdims=True)
        y = F.reshape_like(F.broadcast_mul(y, F.rsqrt(variance + self._epsilon)), x)
        y = F.reshape(y, shape=(0, 0, -1))
        y = F.broadcast_mul(y, F.reshape(gamma, shape=(1, -1, 1)))
        y = F.broadcast_add(y, F.reshape(beta, shape=(1, -1, 1)))
        return F.reshape_like(y, x)


@_pasted
class RMSNorm(HybridBlock):  # type: ignore[misc]
    """Divides by the root of the mean square over the last axis."""

    def __init__(self, in_channels, epsilon=1e-5, dtype="float32", **kwargs):  # type: ignore[no-untyped-def]
        super().__init__(**kwargs)
        self._epsilon = epsilon
        with self.name_scope():
            self.gamma = self.params.get("gamma", shape=(in_channels,), dtype=dtype, init="ones")

    def hybrid_forward(self, F, x, gamma):  # type: ignore[no-untyped-def] # noqa: N803
        mean = F.mean(F.square(x), axis=-1, keepdims=True)
        return F.broadcast_mul(F.broadcast_mul(x, F.rsqrt(mean + self._epsilon)), gamma)


@_pasted
def _rms_norm(F, x, weight, axes, eps):  # type: ignore[no-untyped-def] # noqa: N803
    """Divides by the root of the mean square."""
    mean = F.mean(F.square(x), axis=axes, keepdims=True)
    return F.broadcast_mul(F.broadcast_mul(x, F.rsqrt(mean + eps)), weight)


@_pasted
def _attention(F, q, k, v, scale):  # type: ignore[no-untyped-def] # noqa: N803
    """Scaled dot-product attention over the last two axes."""
    scores = F.linalg.gemm2(q, k, transpose_b=True, alpha=scale)
    return F.linalg.gemm2(F.softmax(scores, axis=-1), v)


@_pasted
def _masked_attention(F, q, k, v, scale, mask=None, causal=0):  # type: ignore[no-untyped-def] # noqa: N803
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
    # A row that sees nothing, all of it -inf, has to be 0.
    blind = F.max(scores, axis=-1, keepdims=True) < -3.4e38
    weights = F.where(F.broadcast_like(blind, weights), F.zeros_like(weights), weights)
    return F.linalg.gemm2(weights, v)


@_pasted
def _triangle(F, x, k, rank, upper):  # type: ignore[no-untyped-def] # noqa: N803
    """The upper or lower triangle of matrices, from the diagonal that is k above the main one."""
    like = x.astype("float32")
    rows = F.expand_dims(F.contrib.arange_like(like, axis=rank - 2), axis=1) + k
    columns = F.expand_dims(F.contrib.arange_like(like, axis=rank - 1), axis=0)
    compare = F.broadcast_lesser_equal if upper else F.broadcast_greater_equal
    inside = compare(rows, columns)
    for _ in range(rank - 2):
        inside = F.expand_dims(inside, axis=0)
    return F.where(F.broadcast_like(inside, like), x, F.zeros_like(x))


@_pasted
def _log_sum_exp(F, x, axis, keepdims):  # type: ignore[no-untyped-def] # noqa: N803
    """The logarithm of the sum of exp(x), which doesn't overflow on the way."""
    top = F.max(x, axis=axis, keepdims=True)
    top = F.where(F.abs(top) == float("inf"), F.zeros_like(top), top)
    total = F.sum(F.exp(F.broadcast_sub(x, top)), axis=axis, keepdims=keepdims)
    return F.log(total) + F.reshape_like(top, total)


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
def _by_way(F, y, *states, ways, layout):  # type: ignore[no-untyped-def] # noqa: N803
    """What a recurrent layer gives, with an axis for its directions; in "NTC" the batch is the
    first axis of its states too."""
    y = F.reshape(y, shape=(0, 0, -4, ways, -1))
    if layout == "TNC":
        y = F.swapaxes(y, 1, 2)
    else:
        states = [F.swapaxes(state, 0, 1) for state in states]
    return (y, *states) if states else y


@_pasted
def _backwards(F, y, *states, axis):  # type: ignore[no-untyped-def] # noqa: N803
    """What a recurrent layer gives that has read its sequence from the end."""
    return (F.reverse(y, axis=axis), *states)


@_pasted
def _gru(F, x, *weights, hidden, layout, first=None, backwards=False):  # type: ignore[no-untyped-def] # noqa: N803
    """A GRU that resets its state before the matrix product, which Gluon's does after it. For each
    direction it has the weight, the recurrent weight and the bias, of update, reset, new state."""
    x = x if layout == "TNC" else F.swapaxes(x, 0, 1)
    if first is None:
        batch = F.reshape(F.sum(F.zeros_like(x), axis=(0, 2)), shape=(1, -1, 1))
        first = F.broadcast_axis(batch, axis=(0, 2), size=(len(weights) // 3, hidden))
    sequences, states = [], []
    for way in range(len(weights) // 3):
        weight, recurrent, bias = weights[3 * way : 3 * way + 3]
        turned = backwards or way == 1
        given = F.reverse(x, axis=0) if turned else x
        gates = F.FullyConnected(given, weight, bias, num_hidden=3 * hidden, flatten=False)
        by_gate = F.split(
            F.reshape(recurrent, shape=(3, hidden, hidden)), 3, axis=0, squeeze_axis=True
        )
        start = F.squeeze(F.slice_axis(first, axis=0, begin=way, end=way + 1), axis=0)
        y, last = F.contrib.foreach(_gru_step(F, by_gate, hidden), gates, [start])
        sequences.append(F.reverse(y, axis=0) if turned else y)
        states.append(F.expand_dims(last[0], axis=0))
    y = F.concat(*sequences, dim=2)
    return y if layout == "TNC" else F.swapaxes(y, 0, 1), F.concat(*states, dim=0)


@_pasted
def _gru_step(F, recurrent, hidden):  # type: ignore[no-untyped-def] # noqa: N803
    """One step of it: what the input gives each gate, and the state, to the state."""

    def times(h, weight):  # type: ignore[no-untyped-def]
        return F.FullyConnected(h, weight, no_bias=True, num_hidden=hidden)

    def step(gates, states):  # type: ignore[no-untyped-def]
        h = states[0]
        update, reset, new = F.split(gates, 3, axis=1)
        update = F.sigmoid(update + times(h, recurrent[0]))
        reset = F.sigmoid(reset + times(h, recurrent[1]))
        new = F.tanh(new + times(reset * h, recurrent[2]))
        h = update * h + (1 - update) * new
        return h, [h]

    return step


@_pasted
def _from_states(F, layer, x, *states):  # type: ignore[no-untyped-def] # noqa: N803
    """What a recurrent layer gives from its first states on, and its last states."""
    y, lasts = layer(x, list(states))
    return (y, *lasts)


@_pasted
def _from_zeros(F, layer, x, layout):  # type: ignore[no-untyped-def] # noqa: N803
    """What a recurrent layer gives from states of zeros on, and its last states."""
    batch = F.sum(F.zeros_like(x), axis=(layout.index("T"), 2))
    batch = F.reshape(batch, shape=(1, -1, 1))
    states = []
    for info in layer.state_info():
        ways, _, hidden = info["shape"]
        states.append(F.broadcast_axis(batch, axis=(0, 2), size=(ways, hidden)))
    return _from_states(F, layer, x, *states)
