"""Loops whose bodies are modules."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from adapters.pytorch.functions.pasted import pasted


@pasted
def _loop(
    body: nn.Module,
    trip_count: Tensor | None,
    condition: Tensor | None,
    carried: tuple[Tensor, ...],
    outer: tuple[Tensor, ...],
) -> tuple[Tensor, ...]:
    """Calls the body while the condition holds, trip_count times at most: the last carried
    values, then the other results of all calls, stacked."""
    going = torch.tensor(True) if condition is None else condition
    stacked: list[tuple[Tensor, ...]] = []
    count = len(carried)
    while going and (trip_count is None or len(stacked) < trip_count):
        results = body(torch.tensor(len(stacked)), going, *carried, *outer)
        results = results if isinstance(results, tuple) else (results,)
        going, carried = results[0], results[1 : count + 1]
        stacked.append(results[count + 1 :])
    return *carried, *(torch.stack(each) for each in zip(*stacked, strict=True))


@pasted
def _scan(
    body: nn.Module,
    carried: tuple[Tensor, ...],
    scanned: tuple[Tensor, ...],
    outer: tuple[Tensor, ...],
    axes: tuple[int, ...],
    backwards: tuple[int, ...],
    output_axes: tuple[int, ...],
    output_backwards: tuple[int, ...],
) -> tuple[Tensor, ...]:
    """Calls the body for each slice of the scanned tensors: the last carried values, then the
    other results of all calls, stacked."""
    slices = [x.unbind(axis) for x, axis in zip(scanned, axes, strict=True)]
    slices = [each[::-1] if back else each for each, back in zip(slices, backwards, strict=True)]
    stacked, count = [], len(carried)
    for now in zip(*slices, strict=True):
        results = body(*carried, *now, *outer)
        results = results if isinstance(results, tuple) else (results,)
        carried = results[:count]
        stacked.append(results[count:])
    columns = zip(zip(*stacked, strict=True), output_axes, output_backwards, strict=True)
    return *carried, *(torch.stack(each[::-1] if back else each, a) for each, a, back in columns)
