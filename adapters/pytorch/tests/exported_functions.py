"""Small functions, each with the inputs that it is exported with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional as F

from adapters.pytorch.tests.exported_layers import IMAGE, T, ids, x

FUNCTIONS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "add_alpha": (lambda a, b: torch.add(a, b, alpha=3), (x(3, 4), x(4))),
    "sub_alpha": (lambda a, b: torch.sub(a, b, alpha=0.5), (x(3, 4), x(3, 1))),
    "rsub": (lambda a: 2 - a, (x(3, 4),)),
    "mul_number": (lambda a: a * 2.5 + 1, (x(3, 4),)),
    "int_plus_float": (lambda a: a + 1.5, (ids(9, 3, 4),)),
    "int_times_int": (lambda a: a * 3 - 1, (ids(9, 3, 4),)),
    "int_tensor_with_float": (lambda a, b: a + b, (ids(9, 3, 4), x(4))),
    "int32_with_int64": (lambda a, b: a.int() * b, (ids(9, 3, 4), ids(9, 4))),
    "half_with_number": (lambda a: a.half() * 3.0 + 1, (x(3, 4),)),
    "scalar_tensor_keeps_type": (lambda a, b: a.half() + b.sum(), (x(3, 4), x(4))),
    "bool_arithmetic": (lambda a: (a > 0) * a + (a > 1), (x(3, 4),)),
    "divide_ints": (lambda a, b: a / b, (ids(9, 3, 4), ids(9, 4) + 1)),
    "divide_floor": (lambda a, b: torch.div(a, b, rounding_mode="floor"), (x(3, 4), x(4))),
    "divide_trunc": (lambda a, b: torch.div(a, b, rounding_mode="trunc"), (x(3, 4), x(4))),
    "floor_divide_ints": (lambda a: (a - 5) // 3, (ids(11, 3, 4),)),
    "remainder": (lambda a, b: a % b, (x(3, 4), x(4))),
    "remainder_ints": (lambda a: (a - 5) % 3, (ids(11, 3, 4),)),
    "fmod": (lambda a: torch.fmod(a, 0.7), (x(3, 4),)),
    "power": (lambda a, b: a.abs() ** b, (x(3, 4), x(4))),
    "power_number": (lambda a: a**2 + 2**a, (x(3, 4),)),
    "maximum": (lambda a, b: torch.maximum(a, b) - torch.minimum(a, b), (x(3, 4), x(4))),
    "clamp": (lambda a: a.clamp(-0.5, 0.3), (x(3, 4),)),
    "clamp_low": (lambda a: a.clamp(min=0.1) + a.clamp_max(0.5), (x(3, 4),)),
    "clamp_tensor": (lambda a, b: torch.clamp(a, b, b + 1), (x(3, 4), x(4))),
    "unary": (
        lambda a: (-a).exp() + a.abs().sqrt() + a.sin() * a.cos() - a.tanh() + a.erf(),
        (x(3, 4),),
    ),
    "unary_more": (
        lambda a: a.abs().log1p() + a.expm1() + a.sign() + a.floor() - a.ceil() + a.round()
        + a.trunc() + (a.abs() + 1).rsqrt() + (a.abs() + 1).reciprocal() + a.square(),
        (x(3, 4),),
    ),
    "unary_of_ints": (lambda a: a.sqrt() + a.float().log1p() + a.exp(), (ids(5, 3, 4),)),
    "compare": (
        lambda a, b: ((a > b) & (a != 0)) | ~(a <= b) ^ torch.logical_not(a.eq(b)),
        (x(3, 4), x(4)),
    ),
    "where": (lambda a, b: torch.where(a > 0, a, b) + torch.where(a > 1, 1.0, 2.0),
              (x(3, 4), x(4))),
    "masked_fill": (lambda a: a.masked_fill(a > 0, float("-inf")).softmax(-1), (x(3, 4),)),
    "is_finite": (lambda a: torch.isfinite(a / a.relu()), (x(3, 4),)),
    "lerp": (lambda a, b: torch.lerp(a, b, 0.3), (x(3, 4), x(3, 4))),
    "addcmul": (lambda a, b, c: torch.addcmul(a, b, c, value=0.5), (x(3), x(3), x(3))),
    "cast": (lambda a: a.to(torch.int32) + a.double().float().long(), (x(3, 4),)),
    "type_as": (lambda a, b: a.type_as(b), (x(3, 4), ids(3, 2))),
    "sum": (lambda a: a.sum() + a.sum(1, keepdim=True) + a.sum((0, 1)), (x(3, 4),)),
    "sum_ints": (lambda a: a.int().sum(0) + (a > 2).sum(), (ids(9, 3, 4),)),
    "mean": (lambda a: a.mean() + a.mean(-1, keepdim=True), (x(3, 4),)),
    "amax": (lambda a: a.amax((0, 2)) + a.amin() + a.max() - a.min(), (x(3, 4, 2),)),
    "max_dim": (lambda a: tuple(a.max(1)), (x(3, 4),)),
    "min_dim": (lambda a: tuple(a.min(0, keepdim=True)), (x(3, 4),)),
    "argmax": (lambda a: (a.argmax(), a.argmax(1), a.argmin(0, keepdim=True)), (x(3, 4),)),
    "var": (lambda a: a.var(1) + a.std(1, correction=0) + a.var(), (x(3, 4),)),
    "var_mean": (lambda a: torch.var_mean(a, 1), (x(3, 4),)),
    "norms": (lambda a: a.norm(dim=1) + a.norm(p=1, dim=1) + torch.linalg.vector_norm(a),
              (x(3, 4),)),
    "normalize": (lambda a: F.normalize(a, dim=1), (x(3, 4),)),
    "logsumexp": (lambda a: a.logsumexp(1), (x(3, 4),)),
    "prod": (lambda a: a.prod(1) + a.prod(), (x(3, 4),)),
    "any_all": (lambda a: ((a > 0).any(1), (a > -9).all(), (a > 0).all(0, True)), (x(3, 4),)),
    "diff": (lambda a: a.diff() + a.diff(dim=0, prepend=a[:1])[:, 1:], (x(3, 4),)),
    "cumsum": (lambda a: a.cumsum(1) + a.cumprod(0), (x(3, 4),)),
    "cumsum_ints": (lambda a: (a > 0).cumsum(1), (x(3, 4),)),
    "topk": (lambda a: tuple(a.topk(3, 1)), (x(3, 8),)),
    "topk_least": (lambda a: tuple(a.topk(2, 0, largest=False)), (x(5, 4),)),
    "sort": (lambda a: tuple(a.sort(1, descending=True)), (x(3, 8),)),
    "argsort": (lambda a: a.argsort(0), (x(6, 3),)),
    "matmul": (lambda a, b: a @ b, (x(2, 3, 4), x(4, 5))),
    "bmm": (lambda a, b: torch.bmm(a, b), (x(2, 3, 4), x(2, 4, 5))),
    "mv_dot": (lambda a, b: (a @ b).dot(a @ b), (x(3, 4), x(4))),
    "addmm": (lambda a, b, c: torch.addmm(a, b, c, beta=0.5, alpha=2), (x(5), x(3, 4), x(4, 5))),
    "baddbmm": (lambda a, b, c: torch.baddbmm(a, b, c, alpha=0.5),
                (x(2, 3, 5), x(2, 3, 4), x(2, 4, 5))),
    "einsum": (lambda a, b: torch.einsum("bhqd, bhkd -> bhqk", a, b),
               (x(2, 2, 3, 4), x(2, 2, 5, 4))),
    "outer": (torch.outer, (x(3), x(4))),
    "attention": (F.scaled_dot_product_attention, (x(2, 2, 3, 4), x(2, 2, 5, 4), x(2, 2, 5, 4))),
    "attention_causal": (
        lambda q: F.scaled_dot_product_attention(q, q, q, is_causal=True, scale=0.3),
        (x(2, 2, 5, 4),),
    ),
    "attention_grouped": (
        lambda q, k: F.scaled_dot_product_attention(q, k, k * 2, is_causal=True, enable_gqa=True),
        (x(2, 6, 5, 4), x(2, 3, 5, 4)),
    ),
    "attention_masked": (
        lambda q, m: F.scaled_dot_product_attention(q, q, q, m > 0),
        (x(2, 2, 5, 4), x(2, 1, 5, 5).abs()),
    ),
    "view": (lambda a: a.view(3, -1).reshape(2, 3, 4), (x(3, 4, 2),)),
    "flatten_some": (lambda a: a.flatten(1, 2) + a.flatten(0, 0).view(2, 12, 2), (x(2, 3, 4, 2),)),
    "permute": (lambda a: a.permute(2, 0, 1).transpose(0, -1).mT, (x(2, 3, 4),)),
    "movedim": (lambda a: a.movedim(0, -1).swapaxes(0, 1), (x(2, 3, 4),)),
    "squeeze": (lambda a: a.squeeze() + a.squeeze(1).unsqueeze(-1).squeeze(-1).squeeze(0),
                (x(1, 1, 4),)),
    "expand": (lambda a: a.expand(2, -1, 4) + a.expand_as(torch.zeros(2, 3, 4)), (x(3, 1),)),
    "repeat": (lambda a: a.repeat(2, 1, 3), (x(3, 4),)),
    "tile": (lambda a: a.tile((2,)), (x(3, 4),)),
    "repeat_interleave": (lambda a: a.repeat_interleave(2, 1), (x(3, 4),)),
    "cat": (lambda a, b: torch.cat([a, b, a], 1), (x(3, 4), x(3, 2))),
    "cat_mixed": (lambda a, b: torch.cat([a, b], -1), (x(3, 4), ids(5, 3, 2))),
    "stack": (lambda a, b: torch.stack([a, b], -1), (x(3, 4), x(3, 4))),
    "split": (lambda a: torch.split(a, 3, 1), (x(2, 8),)),
    "split_sizes": (lambda a: torch.split(a, [1, 4, 3], 1), (x(2, 8),)),
    "chunk": (lambda a: a.chunk(3, -1), (x(2, 8),)),
    "windows_along_an_axis": (lambda a: a.unfold(1, 4, 3), (x(2, 12, 3),)),
    "windows_over_two_axes": (lambda a: a.unfold(2, 3, 2).unfold(1, 2, 1), (x(2, 5, 9),)),
    "repeated_along_new_axes": (lambda a: a.repeat(3, 1, 4, 1), (x(2, 1, 5),)),
    "tensor_split": (lambda a: a.tensor_split((1, 4), -1), (x(2, 8),)),
    "tensor_split_from_the_end": (lambda a: a.tensor_split((-3, 20), 1), (x(2, 8),)),
    "tensor_split_in_3": (lambda a: a.tensor_split(3, -1), (x(2, 8),)),
    "unbind": (lambda a: a.unbind(1), (x(2, 3, 4),)),
    "slicing": (lambda a: a[:, 1:-1, ::2] + a[0, 1:-1, 1:2] + a[..., -1:][:, :-2], (x(2, 6, 5),)),
    "indexing": (lambda a: (a[1], a[:, -1], a[None, :, 0]), (x(2, 6, 5),)),
    "index_list": (lambda a: a[:, [2, 0, 0]], (x(2, 6, 5),)),
    "index_tensor": (lambda a, i: a[i], (x(5, 4), ids(5, 2, 3))),
    "index_two": (lambda a, i, j: a[:, i, j], (x(2, 5, 4), ids(5, 3), ids(4, 2, 3))),
    "index_apart": (lambda a, i: a[i, :, i], (x(4, 2, 4), ids(4, 3))),
    "index_select": (lambda a, i: a.index_select(1, i), (x(2, 5), ids(5, 3))),
    "gather": (lambda a, i: a.gather(1, i), (x(4, 5), ids(5, 2, 3))),
    "scatter": (
        lambda a, i, s: a.scatter(1, i, s) + a.scatter(1, i, 2.5),
        (x(2, 5), torch.tensor([[1, 4], [0, 2]]), x(2, 2)),
    ),
    "scatter_reduce": (
        lambda a, i, s: a.scatter_reduce(1, i, s, "amax") + a.scatter_reduce(1, i, s, "sum"),
        (x(2, 5), ids(5, 2, 3), x(3, 4)),
    ),
    "index_add": (lambda a, i, s: a.index_add(1, i, s, alpha=2), (x(2, 5), ids(5, 4), x(2, 4))),
    "index_copy": (lambda a, i, s: a.index_copy(2, i, s), (x(2, 3, 5), torch.tensor([4, 1]),
                                                           x(2, 3, 2))),
    "index_fill": (lambda a, i: a.index_fill(1, i, 2.5), (x(2, 5), torch.tensor([4, 1]))),
    "put_inside": (lambda a, i, j, s: _put(a, (slice(None), i, j), s), (
        x(2, 5, 4), torch.tensor([0, 3, 2]), torch.tensor([[1], [0]]), x(2, 2, 3))),
    "put_apart": (lambda a, i, s: _put(a, (i, slice(None), i), s),
                  (x(4, 2, 4), torch.tensor([2, 0, 3]), x(3, 2))),
    "scatter_add": (lambda a, i, s: a.scatter_add(1, i, s), (x(2, 5), ids(5, 2, 3), x(2, 3))),
    "one_hot": (lambda i: F.one_hot(i, 6), (ids(6, 2, 3),)),
    "flip_roll": (lambda a: a.flip(0, 2) + a.roll(1, 1) + a.roll((1, -2), (0, 2)) + a.roll(3),
                  (x(2, 3, 5),)),
    "pad": (lambda a: F.pad(a, (1, 2, 0, 1)) + F.pad(a, (1, 2, 0, 1), value=2.5), (x(2, 3, 4),)),
    "tril": (lambda a: a.tril() + a.triu(1) + a.tril(-1), (x(2, 4, 4),)),
    "arange": (lambda a: a + torch.arange(4) * 2 + torch.arange(1, 9, 2.0), (x(3, 4),)),
    "linspace": (lambda a: a * torch.linspace(0, 1, 4), (x(3, 4),)),
    "full": (lambda a: a + torch.full((4,), 2.5) + torch.zeros_like(a) + torch.ones(3, 1)
             + a.new_zeros(4) + a.new_full((1,), 3.0) + torch.eye(3, 4), (x(3, 4),)),
    "meshgrid": (lambda a, b: torch.meshgrid(a, b, indexing="ij"), (x(3), x(4))),
    "glu_parts": (lambda a: F.glu(a, -1) + F.softmin(a, -1)[..., :2], (x(3, 4),)),
    "grid_sample": (
        lambda a, g: F.grid_sample(a, g, align_corners=False, padding_mode="border"),
        (x(2, 3, 5, 4), x(2, 3, 2, 2).clamp(-1, 1)),
    ),
    "affine_grid": (lambda t: F.affine_grid(t, [2, 3, 4, 5], align_corners=False), (x(2, 2, 3),)),
    "interpolate_down": (lambda a: F.interpolate(a, scale_factor=0.5, mode="bilinear"), IMAGE),
    "added_in_place": (lambda a: (a + 1).add_(2).mul_(a).relu_(), (x(3, 4),)),
    "renamed_in_place": (lambda a: _in_place(a), (x(3, 4),)),
    "part_in_place": (lambda a: _part(a), (x(3, 4),)),
    "part_of_part": (lambda a: _part_of_part(a), (x(3, 4, 5),)),
    "put_by_mask": (lambda a: _by_mask(a), (x(3, 4),)),
    "layer_norm_function": (lambda a: F.layer_norm(a, (4,)), (x(3, 4),)),
    "constants": (lambda a: a + torch.tensor([1.0, 2, 3, 4]), (x(3, 4),)),
    "several_outputs": (lambda a: (a, a + 1, a), (x(3, 4),)),
}  # fmt: skip


def _put(a: T, places: Any, values: T) -> T:
    changed = a * 2
    changed[places] = values
    return changed


def _in_place(a: T) -> T:
    """What was changed in place is read by its old name."""
    total = a * 2
    total += 1
    after = total.clone()
    total.clamp_(max=0.5)
    return total + after


def _part(a: T) -> T:
    changed = a * 2
    part = changed[1:]
    part += 1
    part.mul_(3)
    changed[:, 0] = 7.0
    return changed.relu_() + changed


def _part_of_part(a: T) -> T:
    changed = torch.zeros_like(a)
    changed[1, 0:2, 1:-1] = 2.5
    changed[:, -1].fill_(1)
    changed[..., 2].add_(a[0, 0, 0])
    return changed


def _by_mask(a: T) -> T:
    changed = a.clone()
    changed[a > 0] = 0.25
    return changed
