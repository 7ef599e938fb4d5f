"""Model, converted by irhub."""

from collections.abc import Callable

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F


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


def _clipped(x: Tensor, clip: float | None) -> Tensor:
    return x if clip is None else x.clamp(-clip, clip)


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


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(5, 4, bidirectional=True)
        self.constant1 = nn.Parameter(torch.empty(1, 9, 8))
        self.constant2 = nn.Parameter(torch.empty(1, 9, 3))

    def forward(self, x):
        x, y, _ = _with_directions(self.lstm(x), 2, False)
        x = x.transpose(1, 2).reshape(7, -1, 8)
        x, _ = _gru(
            x,
            self.constant1,
            self.constant2,
            None,
            None,
            None,
            activations=[torch.sigmoid, torch.tanh],
        )
        x = x.squeeze(1)
        return x, y


def load(path="model.safetensors", device="cpu"):
    """The model with the weights in a file, ready for inference."""
    with torch.device("meta"):
        model = Model()
    model.load_state_dict(load_file(path, device=device), assign=True)
    return model.eval()
