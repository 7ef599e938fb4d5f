"""Reads PyTorch's recurrent cells: one step of a recurrent layer, by its equations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from adapters.pytorch.aten import aten
from ir_hub.ir.graph import Value
from ir_hub.ops.build import Builder


def _gates(
    b: Builder, x: Value, weight: Value, bias: Value | None, count: int
) -> tuple[Value, ...]:
    """What a tensor adds to each gate."""
    found = b.linear(x, weight, bias)
    return tuple(b.split(found, axis=len(found.shape) - 1, count=count))


@aten("lstm_cell.default")
def lstm_cell(
    b: Builder, x: Value, hx: Sequence[Value], w_ih: Value, w_hh: Value,
    b_ih: Value | None = None, b_hh: Value | None = None,
) -> Any:  # fmt: skip
    h, c = hx
    gates = b.add(b.linear(x, w_ih, b_ih), b.linear(h, w_hh, b_hh))
    i, f, g, o = b.split(gates, axis=len(gates.shape) - 1, count=4)
    c = b.add(b.mul(b.sigmoid(f), c), b.mul(b.sigmoid(i), b.tanh(g)))
    return b.mul(b.sigmoid(o), b.tanh(c)), c


@aten("gru_cell.default")
def gru_cell(
    b: Builder, x: Value, hx: Value, w_ih: Value, w_hh: Value,
    b_ih: Value | None = None, b_hh: Value | None = None,
) -> Any:  # fmt: skip
    r, z, n = _gates(b, x, w_ih, b_ih, 3)
    r_h, z_h, n_h = _gates(b, hx, w_hh, b_hh, 3)
    r, z = b.sigmoid(b.add(r, r_h)), b.sigmoid(b.add(z, z_h))
    n = b.tanh(b.add(n, b.mul(r, n_h)))
    return b.add(n, b.mul(z, b.sub(hx, n)))


def _plain_cell(activation: str) -> Callable[..., Any]:
    def rule(
        b: Builder, x: Value, hx: Value, w_ih: Value, w_hh: Value,
        b_ih: Value | None = None, b_hh: Value | None = None,
    ) -> Any:  # fmt: skip
        return b.call(activation, b.add(b.linear(x, w_ih, b_ih), b.linear(hx, w_hh, b_hh)))

    return rule


aten("rnn_tanh_cell.default")(_plain_cell("tanh"))
aten("rnn_relu_cell.default")(_plain_cell("relu"))
