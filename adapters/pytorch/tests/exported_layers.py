"""Layers, each with the inputs that it is exported with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations

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
    "batch_norm_untracked": (lambda: nn.BatchNorm2d(4, 0.1, track_running_stats=False), IMAGE),
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
    "embedding_bag": (lambda: nn.EmbeddingBag(11, 4, mode="mean"), (ids(11, 2, 5),)),
    "embedding_bag_weighted": (
        lambda: Call(lambda bag, i, w: bag(i, None, w), nn.EmbeddingBag(11, 4, mode="sum")),
        (ids(11, 2, 5), x(2, 5)),
    ),
    "weight_norm": (lambda: parametrizations.weight_norm(nn.Conv1d(4, 6, 3), dim=2), (x(2, 4, 9),)),
    "lstm_cell": (lambda: nn.LSTMCell(4, 3), (x(2, 4),)),
    "gru_cell": (lambda: nn.GRUCell(4, 3, bias=False), (x(2, 4), x(2, 3))),
    "rnn_cell": (lambda: nn.RNNCell(4, 3, nonlinearity="relu"), (x(4), x(3))),
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
    "smoothed_bicubic": (lambda: Call(lambda a: _smoothed(a, "bicubic")), IMAGE),
    "smoothed_bilinear": (lambda: Call(lambda a: _smoothed(a, "bilinear")), IMAGE),
    "upsample_linear": (lambda: nn.Upsample(scale_factor=2, mode="linear"), (x(2, 3, 5),)),
    "upsample_trilinear": (
        lambda: nn.Upsample(scale_factor=2, mode="trilinear"),
        (x(1, 2, 2, 3, 2),),
    ),
    "upsample_to_1": (lambda: nn.Upsample(size=(1, 1), mode="bilinear"), IMAGE),
    "columns": (lambda: nn.Unfold((3, 2), (1, 2), (1, 0), (2, 1)), IMAGE),
    "columns_alone": (lambda: nn.Unfold(2, stride=2), (x(3, 4, 6),)),
    "columns_added": (lambda: nn.Fold((6, 5), (3, 2), padding=(1, 0), stride=2), (x(2, 12, 6),)),
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
    "dropout_in_place": (
        lambda: nn.Sequential(nn.Flatten(), nn.Hardswish(), nn.Dropout(0.3, inplace=True)),
        IMAGE,
    ),
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


def _smoothed(a: T, mode: str) -> T:
    return F.interpolate(a, size=(5, 12), mode=mode, antialias=True)
