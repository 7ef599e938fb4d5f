"""Recurrent layers as ONNX has them: LSTM, GRU, and the plain one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from ir_hub.ir.types import Shape
from ir_hub.ops.families import Ranked
from ir_hub.ops.op import Array, op
from ir_hub.ops.precision import keeps_float_type
from ir_hub.ops.recurrent_activations import Activation, activations_of

State = tuple[Array, ...]
Step = Callable[[Array, State], State]


def _results(x: Ranked, recurrent: Ranked, layout: int, states: int) -> list[Shape]:
    """The shapes of all outputs, and of each last state."""
    directions, _, hidden = recurrent.shape
    length, batch = x.shape[:2] if layout == 0 else x.shape[1::-1]
    if layout == 0:
        y: Shape = (length, directions, batch, hidden)
        return [y, *[(directions, batch, hidden)] * states]
    return [(batch, length, directions, hidden), *[(batch, directions, hidden)] * states]


def _shapes(states: int) -> Callable[..., list[Shape]]:
    def rule(
        x: Ranked, _: Ranked, recurrent: Ranked, *__: object, layout: int = 0, **___: object
    ) -> list[Shape]:
        return _results(x, recurrent, layout, states)

    return rule


def _run(
    x: Array,
    initial: Sequence[Array | None],
    hidden: int,
    lengths: Array | None,
    direction: str,
    layout: int,
    step_of: Callable[[int], Step],
) -> tuple[Array, ...]:
    """All outputs and the last states; `step_of` makes the step of each direction."""
    if layout == 1:
        x = x.swapaxes(0, 1)
        initial = [None if state is None else state.swapaxes(0, 1) for state in initial]
    ways = {"forward": (False,), "reverse": (True,), "bidirectional": (False, True)}[direction]
    length, batch = x.shape[:2]
    ends = np.full(batch, length) if lengths is None else lengths.astype(np.int64)
    runs = []
    for index, backward in enumerate(ways):
        zeros = np.zeros((batch, hidden), x.dtype)
        states = tuple(zeros if state is None else state[index] for state in initial)
        runs.append(_one_way(x, states, ends, backward, step_of(index)))
    outputs = np.stack([run[0] for run in runs], axis=1)
    last = [np.stack([run[1][i] for run in runs]) for i in range(len(initial))]
    if layout == 1:
        return outputs.transpose(2, 0, 1, 3), *(state.swapaxes(0, 1) for state in last)
    return outputs, *last


def _one_way(
    x: Array, states: State, ends: Array, backward: bool, step: Step
) -> tuple[Array, State]:
    """Runs one direction; a sequence that has ended keeps its states and gives zeros."""
    outputs = np.zeros((x.shape[0], *states[0].shape), x.dtype)
    for t in reversed(range(x.shape[0])) if backward else range(x.shape[0]):
        running = (t < ends)[:, None]
        new = step(x[t], states)
        states = tuple(np.where(running, n, s) for n, s in zip(new, states, strict=True))
        outputs[t] = np.where(running, new[0], x.dtype.type(0))
    return outputs, states


def _clipped(x: Array, clip: float | None) -> Array:
    return x if clip is None else np.clip(x, -clip, clip)


def _halves(bias: Array | None, index: int, like: Array, rows: int) -> tuple[Array, Array]:
    """The biases of the input and of the recurrence."""
    if bias is None:
        return np.zeros(rows, like.dtype), np.zeros(rows, like.dtype)
    return bias[index, :rows], bias[index, rows:]


@op(results=("y", "y_h", "y_c"), shape=_shapes(2))
@keeps_float_type
def lstm(
    x: Array,
    weight: Array,
    recurrent: Array,
    bias: Array | None = None,
    sequence_lens: Array | None = None,
    initial_h: Array | None = None,
    initial_c: Array | None = None,
    peephole: Array | None = None,
    *,
    hidden_size: int,
    direction: str = "forward",
    layout: int = 0,
    clip: float | None = None,
    input_forget: bool = False,
    activations: tuple[str, ...] = ("sigmoid", "tanh", "tanh"),
    activation_alpha: tuple[float, ...] = (),
    activation_beta: tuple[float, ...] = (),
) -> tuple[Array, ...]:
    """ONNX LSTM, gates in the order input, output, forget, cell.

    x (length, batch, inputs), weight (directions, 4 * hidden, inputs), recurrent (directions,
    4 * hidden, hidden), bias (directions, 8 * hidden), sequence_lens (batch), initial states
    (directions, batch, hidden), peephole (directions, 3 * hidden), of gates input, output, forget.
    y is (length, directions, batch, hidden), y_h and y_c are as the initial states. With `layout`
    1 the batch comes first in all of them. `activations` are those of the gates, the cell and the
    hidden state, for each direction or once for both. `clip` bounds what the first two get; not
    the last one, as in ONNX Runtime, though ONNX's text can be read otherwise.
    """
    makers = activations_of(activations, activation_alpha, activation_beta, direction, 3)

    def step_of(index: int) -> Step:
        biases = sum(_halves(bias, index, x, 4 * hidden_size), np.zeros((), x.dtype))
        holes = np.zeros((3, hidden_size), x.dtype)
        if peephole is not None:
            holes = peephole[index].reshape(3, hidden_size)
        matrices = weight[index].T, recurrent[index].T, biases, holes
        return partial(_lstm_step, matrices, makers[index], clip, input_forget)

    states = initial_h, initial_c
    return _run(x, states, hidden_size, sequence_lens, direction, layout, step_of)


def _lstm_step(
    matrices: tuple[Array, Array, Array, Array],
    activations: Sequence[Activation],
    clip: float | None,
    input_forget: bool,
    x: Array,
    states: State,
) -> State:
    weight, recurrent, bias, (hole_i, hole_o, hole_f) = matrices
    gate, cell, out = activations
    h, c = states
    i, o, f, g = np.split(x @ weight + h @ recurrent + bias, 4, axis=-1)
    i = gate(_clipped(i + hole_i * c, clip))
    f = 1 - i if input_forget else gate(_clipped(f + hole_f * c, clip))
    c = f * c + i * cell(_clipped(g, clip))
    return gate(_clipped(o + hole_o * c, clip)) * out(c), c


@op(results=("y", "y_h"), shape=_shapes(1))
@keeps_float_type
def gru(
    x: Array,
    weight: Array,
    recurrent: Array,
    bias: Array | None = None,
    sequence_lens: Array | None = None,
    initial_h: Array | None = None,
    *,
    hidden_size: int,
    direction: str = "forward",
    layout: int = 0,
    clip: float | None = None,
    linear_before_reset: bool = False,
    activations: tuple[str, ...] = ("sigmoid", "tanh"),
    activation_alpha: tuple[float, ...] = (),
    activation_beta: tuple[float, ...] = (),
) -> tuple[Array, ...]:
    """ONNX GRU, gates in the order update, reset, hidden; shapes as in `lstm`, 3 for its 4.

    With `linear_before_reset` the reset gate scales the recurrence's product, else its operand.
    """
    makers = activations_of(activations, activation_alpha, activation_beta, direction, 2)

    def step_of(index: int) -> Step:
        biases = _halves(bias, index, x, 3 * hidden_size)
        matrices = weight[index].T, recurrent[index].T, *biases
        return partial(_gru_step, matrices, makers[index], clip, linear_before_reset)

    return _run(x, (initial_h,), hidden_size, sequence_lens, direction, layout, step_of)


def _gru_step(
    matrices: tuple[Array, Array, Array, Array],
    activations: Sequence[Activation],
    clip: float | None,
    linear_before_reset: bool,
    x: Array,
    states: State,
) -> State:
    weight, recurrent, bias, recurrent_bias = matrices
    gate, hidden = activations
    (h,) = states
    size = h.shape[-1]
    z, r, n = np.split(x @ weight + bias, 3, axis=-1)
    gates = h @ recurrent[:, : 2 * size] + recurrent_bias[: 2 * size]
    z = gate(_clipped(z + gates[:, :size], clip))
    r = gate(_clipped(r + gates[:, size:], clip))
    matrix, last_bias = recurrent[:, 2 * size :], recurrent_bias[2 * size :]
    reset = r * (h @ matrix + last_bias) if linear_before_reset else (r * h) @ matrix + last_bias
    return ((1 - z) * hidden(_clipped(n + reset, clip)) + z * h,)


@op(results=("y", "y_h"), shape=_shapes(1))
@keeps_float_type
def rnn(
    x: Array,
    weight: Array,
    recurrent: Array,
    bias: Array | None = None,
    sequence_lens: Array | None = None,
    initial_h: Array | None = None,
    *,
    hidden_size: int,
    direction: str = "forward",
    layout: int = 0,
    clip: float | None = None,
    activations: tuple[str, ...] = ("tanh",),
    activation_alpha: tuple[float, ...] = (),
    activation_beta: tuple[float, ...] = (),
) -> tuple[Array, ...]:
    """ONNX RNN: h = activation(x @ weight.T + h @ recurrent.T + biases); shapes as in `lstm`,
    1 for its 4."""
    makers = activations_of(activations, activation_alpha, activation_beta, direction, 1)

    def step_of(index: int) -> Step:
        biases = sum(_halves(bias, index, x, hidden_size), np.zeros((), x.dtype))

        def step(now: Array, states: State) -> State:
            total = now @ weight[index].T + states[0] @ recurrent[index].T + biases
            return (makers[index][0](_clipped(total, clip)),)

        return step

    return _run(x, (initial_h,), hidden_size, sequence_lens, direction, layout, step_of)
