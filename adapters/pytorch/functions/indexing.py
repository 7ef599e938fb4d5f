"""Gathering, scattering, sorting."""

from __future__ import annotations

import torch
from torch import Tensor

from adapters.pytorch.functions.pasted import pasted


@pasted
def _gather_nd(x: Tensor, indices: Tensor, batch: int) -> Tensor:
    """The elements of x at the rows of the indices; the first `batch` axes of both go in step."""
    steps = [
        torch.arange(size, device=x.device).view([-1 if i == axis else 1 for i in range(batch)])
        for axis, size in enumerate(indices.shape[:batch])
    ]
    inner = indices.dim() - 1 - batch
    steps = [step.view(*step.shape, *(1,) * inner) for step in steps]
    return x[(*steps, *indices.unbind(-1))]


@pasted
def _scatter_nd(x: Tensor, indices: Tensor, updates: Tensor, reduce: str) -> Tensor:
    """x with the updates combined into the places that the rows of the indices name."""
    depth = indices.shape[-1]
    flat = x.reshape(-1, *x.shape[depth:]).clone()
    places = torch.zeros(indices.shape[:-1], dtype=torch.int64, device=x.device)
    for axis in range(depth):
        places = places * x.shape[axis] + indices[..., axis] % x.shape[axis]
    updates = updates.reshape(-1, *x.shape[depth:])
    return flat.index_reduce(0, places.flatten(), updates, reduce).view(x.shape)


@pasted
def _tensor_scatter(
    x: Tensor, update: Tensor, starts: Tensor | None, axis: int, circular: bool
) -> Tensor:
    """x with the update written along the axis, from each batch's own start on."""
    axis = axis % x.dim()
    x, count = x.movedim(axis, 1).clone(), update.shape[axis]
    firsts = [0] * len(x) if starts is None else starts.tolist()
    for batch, first in enumerate(firsts):
        if first + count > x.shape[1] and not circular:
            raise ValueError(f"{count} elements at {first} do not fit {x.shape[1]}")
        places = torch.arange(first, first + count, device=x.device) % x.shape[1]
        x[batch, places] = update.movedim(axis, 1)[batch]
    return x.movedim(1, axis)


@pasted
def _one_hot(indices: Tensor, depth: int, values: Tensor, axis: int) -> Tensor:
    """values[1] where the place along a new axis is the index, values[0] elsewhere."""
    axis = axis % (indices.dim() + 1)
    indices = torch.where(indices < 0, indices + depth, indices).unsqueeze(axis)
    places = torch.arange(depth, device=indices.device)
    places = places.view(-1, *(1,) * (indices.dim() - 1 - axis))
    return torch.where(indices == places, values[1], values[0])


@pasted
def _top_k(x: Tensor, k: int, axis: int, largest: bool) -> tuple[Tensor, Tensor]:
    """The k greatest or least elements and their places; of equal ones the first comes first."""
    values, places = x.sort(dim=axis, descending=largest, stable=True)
    return values.narrow(axis, 0, k), places.narrow(axis, 0, k)


@pasted
def _unique(x: Tensor, axis: int | None, sort: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The different elements, where each is first, which one each element is, how often."""
    y, inverse, counts = torch.unique(x, return_inverse=True, return_counts=True, dim=axis)
    inverse = inverse.flatten()
    places = torch.arange(len(inverse), device=x.device)
    first = torch.full_like(counts, len(inverse)).scatter_reduce(0, inverse, places, "amin")
    if not sort:
        order = first.argsort()
        y = y.index_select(axis or 0, order)
        first, counts, inverse = first[order], counts[order], order.argsort()[inverse]
    return y, first, inverse, counts


@pasted
def _reverse_sequence(x: Tensor, lengths: Tensor, batch: int, time: int) -> Tensor:
    """x with the first lengths[b] elements along the time axis reversed, for each b."""
    x = x.movedim((batch, time), (0, 1)).clone()
    for b, length in enumerate(lengths.tolist()):
        x[b, :length] = x[b, :length].flip(0)
    return x.movedim((0, 1), (batch, time))
