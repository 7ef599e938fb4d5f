"""Small modules and functions, each with the inputs that it is exported with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from adapters.pytorch.tests.exported import Call

T = torch.Tensor


def x(*shape: int) -> T:
    """Random numbers."""
    return torch.randn(shape)


def ids(high: int, *shape: int) -> T:
    """Random indices."""
    return torch.randint(0, high, shape)


def telling(module: nn.Module) -> nn.Module:
    """The module with random weights and statistics."""
    with torch.no_grad():
        for name, tensor in (*module.named_parameters(), *module.named_buffers()):
            if tensor.is_floating_point():
                lowest = 0.5 if name.endswith("var") else -0.5
                tensor.uniform_(lowest, 1.5 if name.endswith("var") else 0.5)
    return module


IMAGE = (x(2, 4, 9, 7),)

LAYERS: dict[str, tuple[Callable[[], nn.Module], tuple[Any, ...]]] = {
    "linear": (lambda: nn.Linear(5, 3), (x(2, 4, 5),)),
    "linear_no_bias": (lambda: nn.Linear(5, 3, bias=False), (x(4, 5),)),
    "bilinear": (lambda: nn.Bilinear(3, 4, 5), (x(2, 3), x(2, 4))),
    "conv1d": (lambda: nn.Conv1d(4, 6, 3, stride=2, padding=1), (x(2, 4, 9),)),
    "conv2d": (lambda: nn.Conv2d(4, 6, (3, 2), (2, 1), (1, 0), (1, 2), 2), IMAGE),
    "conv2d_same": (lambda: nn.Conv2d(4, 6, (4, 3), padding="same", dilation=(1, 2)), IMAGE),
    "conv2d_valid": (lambda: nn.Conv2d(4, 6, 3, padding="valid", bias=False), IMAGE),
    "conv2d_reflect": (lambda: nn.Conv2d(4, 6, 3, padding=1, padding_mode="reflect"), IMAGE),
    "conv2d_alone": (lambda: nn.Conv2d(4, 6, 3), (x(4, 9, 7),)),
    "conv3d": (lambda: nn.Conv3d(2, 3, (2, 3, 1), padding=(0, 1, 0)), (x(2, 2, 4, 5, 3),)),
    "deconv1d": (lambda: nn.ConvTranspose1d(4, 6, 3, 2, 1, 1), (x(2, 4, 5),)),
    "deconv2d": (lambda: nn.ConvTranspose2d(4, 6, (3, 2), 2, (1, 0), (1, 0), 2), IMAGE),
    "deconv3d": (lambda: nn.ConvTranspose3d(2, 3, 2, 2), (x(1, 2, 2, 3, 2),)),
    "batch_norm1d": (lambda: nn.BatchNorm1d(5, eps=0.1, momentum=0.3), (x(4, 5),)),
    "batch_norm2d": (lambda: nn.BatchNorm2d(4), IMAGE),
    "batch_norm_plain": (lambda: nn.BatchNorm2d(4, affine=False), IMAGE),
    "layer_norm": (lambda: nn.LayerNorm((9, 7), eps=0.01), IMAGE),
    "layer_norm_no_bias": (lambda: nn.LayerNorm(7, bias=False), IMAGE),
    "layer_norm_plain": (lambda: nn.LayerNorm(7, elementwise_affine=False), IMAGE),
    "rms_norm": (lambda: nn.RMSNorm(7), IMAGE),
    "group_norm": (lambda: nn.GroupNorm(2, 4, eps=0.1), IMAGE),
    "instance_norm": (lambda: nn.InstanceNorm2d(4, affine=True), IMAGE),
    "instance_norm_plain": (lambda: nn.InstanceNorm1d(4), (x(2, 4, 9),)),
    "instance_norm_tracked": (lambda: nn.InstanceNorm2d(4, track_running_stats=True), IMAGE),
    "local_response": (lambda: nn.LocalResponseNorm(3, alpha=0.1), IMAGE),
    "embedding": (lambda: nn.Embedding(11, 4, padding_idx=0), (ids(11, 2, 5),)),
    "max_pool1d": (lambda: nn.MaxPool1d(3, 2, 1), (x(2, 4, 9),)),
    "max_pool2d": (lambda: nn.MaxPool2d((3, 2), (2, 1), (1, 0), ceil_mode=True), IMAGE),
    "max_pool2d_dilated": (lambda: nn.MaxPool2d(2, 1, dilation=(2, 1)), IMAGE),
    "max_pool3d": (lambda: nn.MaxPool3d(2), (x(1, 2, 4, 5, 4),)),
    "avg_pool1d": (lambda: nn.AvgPool1d(3, 2, 1), (x(2, 4, 9),)),
    "avg_pool2d": (lambda: nn.AvgPool2d(3, 2, 1), IMAGE),
    "avg_pool2d_ceil": (lambda: nn.AvgPool2d((3, 2), 2, 1, True, True), IMAGE),
    "avg_pool2d_counted": (lambda: nn.AvgPool2d(2, 2, 1, True, False), IMAGE),
    "avg_pool3d": (lambda: nn.AvgPool3d(2), (x(1, 2, 4, 5, 4),)),
    "lp_pool2d": (lambda: nn.LPPool2d(2, 2), IMAGE),
    "adaptive_1": (lambda: nn.AdaptiveAvgPool2d(1), IMAGE),
    "adaptive_equal": (lambda: nn.AdaptiveAvgPool2d((3, 7)), IMAGE),
    "adaptive_overlapping": (lambda: nn.AdaptiveAvgPool2d((4, 3)), IMAGE),
    "adaptive_unequal": (lambda: nn.AdaptiveAvgPool2d((5, 4)), IMAGE),
    "adaptive_1d": (lambda: nn.AdaptiveAvgPool1d(4), (x(2, 4, 9),)),
    "adaptive_max": (lambda: nn.AdaptiveMaxPool2d((3, 1)), IMAGE),
    "upsample_nearest": (lambda: nn.Upsample(scale_factor=2), IMAGE),
    "upsample_nearest_size": (lambda: nn.Upsample(size=(13, 5)), IMAGE),
    "upsample_exact": (lambda: nn.Upsample(size=(13, 5), mode="nearest-exact"), IMAGE),
    "upsample_bilinear": (lambda: nn.Upsample(scale_factor=(2.5, 1.5), mode="bilinear"), IMAGE),
    "upsample_corners": (
        lambda: nn.Upsample(size=(13, 5), mode="bilinear", align_corners=True),
        IMAGE,
    ),
    "upsample_bicubic": (lambda: nn.Upsample(size=(5, 11), mode="bicubic"), IMAGE),
    "upsample_linear": (lambda: nn.Upsample(scale_factor=2, mode="linear"), (x(2, 3, 5),)),
    "upsample_trilinear": (
        lambda: nn.Upsample(scale_factor=2, mode="trilinear"),
        (x(1, 2, 2, 3, 2),),
    ),
    "upsample_to_1": (lambda: nn.Upsample(size=(1, 1), mode="bilinear"), IMAGE),
    "pixel_shuffle": (lambda: nn.PixelShuffle(2), IMAGE),
    "pixel_unshuffle": (lambda: nn.PixelUnshuffle(3), (x(2, 2, 6, 9),)),
    "channel_shuffle": (lambda: nn.ChannelShuffle(2), IMAGE),
    "reflection_pad": (lambda: nn.ReflectionPad2d((1, 2, 0, 3)), IMAGE),
    "replication_pad": (lambda: nn.ReplicationPad1d((2, 1)), (x(2, 4, 5),)),
    "circular_pad": (lambda: nn.CircularPad2d((1, 2, 2, 0)), IMAGE),
    "constant_pad": (lambda: nn.ConstantPad2d((1, -2, 0, 3), 1.5), IMAGE),
    "zero_pad": (lambda: nn.ZeroPad2d(2), IMAGE),
    "dropout": (lambda: nn.Dropout(0.3), IMAGE),
    "dropout2d": (lambda: nn.Dropout2d(0.3), IMAGE),
    "flatten": (nn.Flatten, IMAGE),
    "unflatten": (lambda: nn.Unflatten(1, (2, 2)), IMAGE),
    "lstm": (lambda: nn.LSTM(5, 4), (x(7, 2, 5),)),
    "lstm_both_ways": (
        lambda: nn.LSTM(5, 4, 2, batch_first=True, bidirectional=True),
        (x(2, 7, 5),),
    ),
    "lstm_no_bias": (lambda: nn.LSTM(5, 4, 2, bias=False, dropout=0.1), (x(7, 2, 5),)),
    "lstm_one": (lambda: nn.LSTM(5, 4), (x(7, 5),)),
    "lstm_given": (
        lambda: Call(lambda m, x, h, c: m(x, (h, c)), nn.LSTM(5, 4, 2, batch_first=True)),
        (x(2, 7, 5), x(2, 2, 4), x(2, 2, 4)),
    ),
    "gru": (lambda: nn.GRU(5, 4, batch_first=True), (x(2, 7, 5),)),
    "gru_both_ways": (lambda: nn.GRU(5, 4, 2, bidirectional=True), (x(7, 2, 5), x(4, 2, 4))),
    "rnn": (lambda: nn.RNN(5, 4), (x(7, 2, 5),)),
    "rnn_relu": (lambda: nn.RNN(5, 4, nonlinearity="relu", batch_first=True), (x(2, 7, 5),)),
    "multi_head_attention": (
        lambda: Call(lambda m, q, k: m(q, k, k)[0], nn.MultiheadAttention(8, 2, batch_first=True)),
        (x(2, 5, 8), x(2, 3, 8)),
    ),
    "attention_weights": (
        lambda: Call(lambda m, q: m(q, q, q), nn.MultiheadAttention(8, 4)),
        (x(5, 2, 8),),
    ),
    "encoder_layer": (
        lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, activation="gelu"),
        (x(2, 5, 8),),
    ),
    "encoder_first": (
        lambda: nn.TransformerEncoder(
            nn.TransformerEncoderLayer(8, 2, 16, norm_first=True), 2, nn.LayerNorm(8)
        ),
        (x(5, 2, 8),),
    ),
    "decoder_layer": (
        lambda: nn.TransformerDecoderLayer(8, 2, 16, batch_first=True),
        (x(2, 5, 8), x(2, 3, 8)),
    ),
    "cosine": (lambda: nn.CosineSimilarity(dim=1), (x(3, 4), x(3, 4))),
    **{
        f"act_{type(made()).__name__}": (made, IMAGE)
        for made in (
            nn.ReLU, nn.ReLU6, nn.SiLU, nn.Mish, nn.Hardswish, nn.Hardsigmoid, nn.SELU, nn.Sigmoid,
            nn.Tanh, nn.Softsign, nn.LogSigmoid, nn.Tanhshrink, nn.GELU,
            lambda: nn.Hardtanh(-0.5, 0.7), lambda: nn.LeakyReLU(0.2), lambda: nn.ELU(0.7),
            lambda: nn.CELU(0.6), lambda: nn.PReLU(4), lambda: nn.Softplus(2.0),
            lambda: nn.Hardshrink(0.3), lambda: nn.Softshrink(0.3), lambda: nn.Threshold(0.1, -2.0),
            lambda: nn.GLU(1), lambda: nn.Softmax(1), lambda: nn.LogSoftmax(-1),
            lambda: nn.Softmin(1), nn.Softmax2d,
        )
    },
    "gelu_tanh": (lambda: nn.GELU("tanh"), IMAGE),
    "prelu_one": (nn.PReLU, IMAGE),
    "relu_in_place": (lambda: nn.Sequential(nn.Conv2d(4, 3, 1), nn.ReLU(inplace=True)), IMAGE),
}  # fmt: skip

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
