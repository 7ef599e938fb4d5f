"""Attention with heads, caches, windows; rotary position embedding."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from adapters.pytorch.functions.pasted import pasted


@pasted
def _attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    attn_mask: Tensor | None = None,
    past_key: Tensor | None = None,
    past_value: Tensor | None = None,
    nonpad_kv_seqlen: Tensor | None = None,
    is_causal: bool = False,
    q_num_heads: int = 1,
    kv_num_heads: int = 1,
    qk_matmul_output_mode: int = 0,
    scale: float | None = None,
    softcap: float = 0.0,
    softmax_precision: torch.dtype | None = None,
    left_window_size: int = -1,
    right_window_size: int = -1,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Attention; the keys and values with the cached ones before them; the scores."""
    dtype, folded = q.dtype, q.dim() == 3
    if folded:  # (batch, length, heads * size)
        q = q.unflatten(-1, (q_num_heads, -1)).transpose(1, 2)
        k, v = (t.unflatten(-1, (kv_num_heads, -1)).transpose(1, 2) for t in (k, v))
    if past_key is not None and past_value is not None:
        k, v = torch.cat((past_key, k), 2), torch.cat((past_value, v), 2)
    q, repeats = q.to(torch.promote_types(dtype, torch.float32)), q.shape[1] // k.shape[1]
    keys, values = (t.to(q.dtype).repeat_interleave(repeats, 1) for t in (k, v))
    root = math.sqrt(1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    scores = (q * root) @ (keys * root).mT
    capped = (scores / softcap).tanh() * softcap if softcap > 0 else scores
    past = 0 if past_key is None else past_key.shape[2]
    bias = q.new_zeros(q.shape[2], keys.shape[2])
    if attn_mask is not None:
        if attn_mask.dtype == torch.bool:
            attn_mask = q.new_zeros(attn_mask.shape).masked_fill(~attn_mask, float("-inf"))
        missing = keys.shape[2] - attn_mask.shape[-1]
        bias = bias + F.pad(attn_mask, (0, max(missing, 0)), value=float("-inf"))
    right = 0 if is_causal else right_window_size
    bias = _masked_window(bias, past, nonpad_kv_seqlen, left_window_size, right)
    biased = capped + bias
    wide = torch.promote_types(softmax_precision or q.dtype, torch.float32)
    weights = biased.to(wide).softmax(-1)
    weights = weights.masked_fill(bias.amax(-1, keepdim=True) == float("-inf"), 0).to(q.dtype)
    y = weights @ values
    y = y.transpose(1, 2).flatten(2) if folded else y
    shown = (scores, capped, biased, weights)[qk_matmul_output_mode]
    return y.to(dtype), k, v, shown.to(dtype)


@pasted
def _causal(mask: Tensor, q: Tensor, k: Tensor) -> Tensor:
    """A mask without the keys that come after their query."""
    past = torch.ones(q.shape[-2], k.shape[-2], dtype=torch.bool, device=q.device).tril()
    return mask & past if mask.dtype == torch.bool else torch.where(past, mask, float("-inf"))


@pasted
def _masked_window(bias: Tensor, past: int, valid: Tensor | None, left: int, right: int) -> Tensor:
    """A bias with -inf for keys that aren't valid, or outside the window around their query."""
    queries = torch.arange(bias.shape[-2], device=bias.device)[:, None]
    keys = torch.arange(bias.shape[-1], device=bias.device)
    allowed = torch.ones(1, 1, dtype=torch.bool, device=bias.device)
    first = torch.tensor(past, device=bias.device)
    if valid is not None:
        counts = valid.view(-1, 1, 1, 1)
        first = counts - bias.shape[-2]
        allowed = keys < counts
    ahead = keys - (queries + first)
    if left >= 0:
        allowed = allowed & (-ahead <= left)
    if right >= 0:
        allowed = allowed & (ahead <= right)
    return torch.where(allowed, bias, float("-inf"))


@pasted
def _rotary_embedding(
    x: Tensor,
    cos: Tensor,
    sin: Tensor,
    positions: Tensor | None,
    interleaved: bool,
    turning: int,
    heads: int,
) -> Tensor:
    """Pairs of the last axis turned by angles that depend on the position."""
    y = x.transpose(1, 2) if x.dim() == 4 else x.unflatten(-1, (heads, -1))
    turning = turning or y.shape[-1]
    if positions is not None:
        cos, sin = cos[positions], sin[positions]
    cos, sin = cos.unsqueeze(2), sin.unsqueeze(2)
    turned, rest = y[..., :turning], y[..., turning:]
    if interleaved:
        a, b = turned[..., 0::2], turned[..., 1::2]
        turned = torch.stack((cos * a - sin * b, sin * a + cos * b), -1).flatten(-2)
    else:
        a, b = turned.chunk(2, -1)
        turned = torch.cat((cos * a - sin * b, sin * a + cos * b), -1)
    y = torch.cat((turned, rest), -1)
    return y.transpose(1, 2) if x.dim() == 4 else y.flatten(-2)
