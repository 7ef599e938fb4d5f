"""Recurrent layers as loops, for what PyTorch's own layers don't do."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from adapters.pytorch.functions.pasted import pasted


@pasted
def _with_directions(
    result: tuple[Tensor, Tensor | tuple[Tensor, Tensor]], directions: int, batch_first: bool
) -> tuple[Tensor, ...]:
    """What a recurrent layer gives, with an axis for the directions before that of the batch."""
    y, last = result
    states = last if isinstance(last, tuple) else (last,)
    y = y.unflatten(-1, (directions, -1))
    if batch_first:
        return y, *(state.transpose(0, 1) for state in states)
    return y.transpose(1, 2), *states


@pasted
def _recurrent(
    x: Tensor,
    weight: Tensor,
    recurrent: Tensor,
    bias: Tensor | None,
    lengths: Tensor | None,
    initial: list[Tensor | None],
    step: Callable[..., tuple[Tensor, ...]],
    direction: str,
    batch_first: bool,
) -> tuple[Tensor, ...]:
    """All outputs and the last states; a sequence that has ended gives zeros. A step takes the
    direction's number, what x adds to the gates, the recurrent weights and biases, the states."""
    if batch_first:
        x = x.transpose(0, 1)
        initial = [None if state is None else state.transpose(0, 1) for state in initial]
    ways = {"forward": [False], "reverse": [True], "bidirectional": [False, True]}[direction]
    zeros = x.new_zeros(x.shape[1], recurrent.shape[-1])
    biases = weight.new_zeros(len(weight), 2 * weight.shape[1]) if bias is None else bias
    outputs, lasts = [], []
    for index, backward in enumerate(ways):
        ours, theirs = biases[index].chunk(2)
        gates = F.linear(x, weight[index], ours)
        states = tuple(zeros if state is None else state[index] for state in initial)
        rows = []
        for t in reversed(range(len(x))) if backward else range(len(x)):
            new = step(index, gates[t], recurrent[index], theirs, *states)
            shown = new[0]
            if lengths is not None:
                running = (t < lengths)[:, None]
                new = tuple(torch.where(running, a, b) for a, b in zip(new, states, strict=True))
                shown = torch.where(running, shown, 0.0)
            states = new
            rows.append(shown)
        outputs.append(torch.stack(rows[::-1] if backward else rows))
        lasts.append(states)
    y, last = torch.stack(outputs, 1), [torch.stack(each) for each in zip(*lasts, strict=True)]
    if batch_first:
        return y.permute(2, 0, 1, 3), *(state.transpose(0, 1) for state in last)
    return y, *last


@pasted
def _clipped(x: Tensor, clip: float | None) -> Tensor:
    return x if clip is None else x.clamp(-clip, clip)


@pasted
def _lstm(
    x: Tensor,
    weight: Tensor,
    recurrent: Tensor,
    bias: Tensor | None,
    lengths: Tensor | None,
    initial_h: Tensor | None,
    initial_c: Tensor | None,
    peephole: Tensor | None,
    activations: list[Callable[[Tensor], Tensor]],
    direction: str = "forward",
    batch_first: bool = False,
    clip: float | None = None,
    input_forget: bool = False,
) -> tuple[Tensor, ...]:
    """An LSTM with gates in the order input, output, forget, cell."""

    def step(
        index: int, now: Tensor, matrix: Tensor, biases: Tensor, h: Tensor, c: Tensor
    ) -> tuple[Tensor, ...]:
        gate, cell, out = activations[3 * index : 3 * index + 3]
        holes = [0.0] * 3 if peephole is None else peephole[index].chunk(3)
        i, o, f, g = (now + F.linear(h, matrix, biases)).chunk(4, -1)
        i = gate(_clipped(i + holes[0] * c, clip))
        f = 1 - i if input_forget else gate(_clipped(f + holes[2] * c, clip))
        c = f * c + i * cell(_clipped(g, clip))
        return gate(_clipped(o + holes[1] * c, clip)) * out(c), c

    initial = [initial_h, initial_c]
    return _recurrent(x, weight, recurrent, bias, lengths, initial, step, direction, batch_first)


@pasted
def _gru(
    x: Tensor,
    weight: Tensor,
    recurrent: Tensor,
    bias: Tensor | None,
    lengths: Tensor | None,
    initial_h: Tensor | None,
    activations: list[Callable[[Tensor], Tensor]],
    direction: str = "forward",
    batch_first: bool = False,
    clip: float | None = None,
    linear_before_reset: bool = False,
) -> tuple[Tensor, ...]:
    """A GRU with gates in the order update, reset, hidden."""

    def step(
        index: int, now: Tensor, matrix: Tensor, biases: Tensor, h: Tensor
    ) -> tuple[Tensor, ...]:
        gate, out = activations[2 * index : 2 * index + 2]
        two = 2 * h.shape[-1]
        z, r, n = now.chunk(3, -1)
        u, v = F.linear(h, matrix[:two], biases[:two]).chunk(2, -1)
        z, r = gate(_clipped(z + u, clip)), gate(_clipped(r + v, clip))
        if linear_before_reset:
            n = n + r * F.linear(h, matrix[two:], biases[two:])
        else:
            n = n + F.linear(r * h, matrix[two:], biases[two:])
        return ((1 - z) * out(_clipped(n, clip)) + z * h,)

    initial = [initial_h]
    return _recurrent(x, weight, recurrent, bias, lengths, initial, step, direction, batch_first)


@pasted
def _rnn(
    x: Tensor,
    weight: Tensor,
    recurrent: Tensor,
    bias: Tensor | None,
    lengths: Tensor | None,
    initial_h: Tensor | None,
    activations: list[Callable[[Tensor], Tensor]],
    direction: str = "forward",
    batch_first: bool = False,
    clip: float | None = None,
) -> tuple[Tensor, ...]:
    """A plain recurrent layer."""

    def step(
        index: int, now: Tensor, matrix: Tensor, biases: Tensor, h: Tensor
    ) -> tuple[Tensor, ...]:
        return (activations[index](_clipped(now + F.linear(h, matrix, biases), clip)),)

    initial = [initial_h]
    return _recurrent(x, weight, recurrent, bias, lengths, initial, step, direction, batch_first)
