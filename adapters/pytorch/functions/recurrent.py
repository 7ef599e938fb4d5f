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
    initial: list[Tensor | None],
    hidden: int,
    lengths: Tensor | None,
    direction: str,
    batch_first: bool,
    step_of: Callable[[int], Callable[..., tuple[Tensor, ...]]],
) -> tuple[Tensor, ...]:
    """All outputs and the last states; a sequence that has ended gives zeros."""
    if batch_first:
        x = x.transpose(0, 1)
        initial = [None if state is None else state.transpose(0, 1) for state in initial]
    ways = {"forward": [False], "reverse": [True], "bidirectional": [False, True]}[direction]
    outputs, lasts = [], []
    for index, backward in enumerate(ways):
        zeros, step = x.new_zeros(x.shape[1], hidden), step_of(index)
        states = tuple(zeros if state is None else state[index] for state in initial)
        rows = []
        for t in reversed(range(len(x))) if backward else range(len(x)):
            new = step(x[t], *states)
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
    hidden = recurrent.shape[-1]

    def step_of(index: int) -> Callable[..., tuple[Tensor, ...]]:
        gate, cell, out = activations[3 * index : 3 * index + 3]
        holes = [0.0] * 3 if peephole is None else peephole[index].chunk(3)
        biases = None if bias is None else bias[index].view(2, -1).sum(0)

        def step(now: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, ...]:
            gates = F.linear(now, weight[index], biases) + F.linear(h, recurrent[index])
            i, o, f, g = gates.chunk(4, -1)
            i = gate(_clipped(i + holes[0] * c, clip))
            f = 1 - i if input_forget else gate(_clipped(f + holes[2] * c, clip))
            c = f * c + i * cell(_clipped(g, clip))
            return gate(_clipped(o + holes[1] * c, clip)) * out(c), c

        return step

    initial = [initial_h, initial_c]
    return _recurrent(x, initial, hidden, lengths, direction, batch_first, step_of)


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
    hidden = recurrent.shape[-1]

    def step_of(index: int) -> Callable[..., tuple[Tensor, ...]]:
        gate, out = activations[2 * index : 2 * index + 2]
        zeros = x.new_zeros(6 * hidden)
        ours, theirs = (zeros if bias is None else bias[index]).chunk(2)
        matrix, last = recurrent[index][2 * hidden :], theirs[2 * hidden :]

        def step(now: Tensor, h: Tensor) -> tuple[Tensor, ...]:
            z, r, n = F.linear(now, weight[index], ours).chunk(3, -1)
            u, v = F.linear(h, recurrent[index][: 2 * hidden], theirs[: 2 * hidden]).chunk(2, -1)
            z, r = gate(_clipped(z + u, clip)), gate(_clipped(r + v, clip))
            if linear_before_reset:
                n = n + r * F.linear(h, matrix, last)
            else:
                n = n + F.linear(r * h, matrix, last)
            return ((1 - z) * out(_clipped(n, clip)) + z * h,)

        return step

    return _recurrent(x, [initial_h], hidden, lengths, direction, batch_first, step_of)


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
    hidden = recurrent.shape[-1]

    def step_of(index: int) -> Callable[..., tuple[Tensor, ...]]:
        biases = None if bias is None else bias[index].view(2, -1).sum(0)

        def step(now: Tensor, h: Tensor) -> tuple[Tensor, ...]:
            total = F.linear(now, weight[index], biases) + F.linear(h, recurrent[index])
            return (activations[index](_clipped(total, clip)),)

        return step

    return _recurrent(x, [initial_h], hidden, lengths, direction, batch_first, step_of)
