"""The networks in PyTorch, with what each takes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

Make = Callable[[], nn.Module]


class Conv(nn.Module):
    """A convolution with batch norm, pooled, and a dense layer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(4, eps=1e-3, momentum=0.3)
        self.pool = nn.MaxPool2d(2)
        self.dropout = nn.Dropout(0.3)
        self.dense = nn.Linear(4 * 4 * 3, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(F.relu(self.norm(self.conv(x))))
        return self.dense(self.dropout(torch.flatten(x, 1)))


class Separable(nn.Module):
    """A depthwise and a pointwise convolution, a batch norm behind each."""

    def __init__(self) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(4, 8, 3, stride=2, padding=1, groups=4, bias=False)
        self.norm = nn.BatchNorm2d(8, eps=1e-2, momentum=0.05)
        self.pointwise = nn.Conv2d(8, 6, 1, bias=False)
        self.last_norm = nn.BatchNorm2d(6, eps=1e-4, momentum=0.4)
        self.dense = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu6(self.norm(self.depthwise(x)))
        x = F.leaky_relu(self.last_norm(self.pointwise(x)), 0.2)
        return self.dense(x.mean((2, 3)))


class Recurrent(nn.Module):
    """A recurrent layer, and a dense one on what it says last."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer, self.dense = layer, nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        states, _ = self.layer(x)
        return self.dense(states[:, -1])


class Attention(nn.Module):
    """A transformer's block; the gradient of a key's bias is 0, so that there is none."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.last_norm = nn.LayerNorm(8), nn.LayerNorm(8, eps=1e-3)
        self.query, self.key, self.value = (nn.Linear(8, 8, bias=False) for _ in range(3))
        self.out, self.wide, self.narrow = nn.Linear(8, 8), nn.Linear(8, 16), nn.Linear(16, 8)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x: Tensor) -> Tensor:
        given = self.norm(x)
        heads = (
            layer(given).unflatten(2, (2, 4)).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        seen = F.scaled_dot_product_attention(*heads).transpose(1, 2).flatten(2)
        x = x + self.dropout(self.out(seen))
        return x + self.narrow(F.gelu(self.wide(self.last_norm(x))))


class Embedding(nn.Module):
    """The mean of words' vectors, and a dense layer."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.dense = nn.Embedding(11, 6), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.dense(self.embedding(x).mean(1)))


NETS: dict[str, tuple[Make, tuple[int, ...]]] = {
    "conv": (Conv, (3, 3, 8, 6)),
    "separable": (Separable, (3, 4, 7, 5)),
    "lstm": (lambda: Recurrent(nn.LSTM(5, 4, batch_first=True)), (3, 7, 5)),
    "gru": (lambda: Recurrent(nn.GRU(5, 4, batch_first=True)), (3, 7, 5)),
    "attention": (Attention, (3, 5, 8)),
    "embedding": (Embedding, (3, 7)),
}


def given(name: str, rng: np.random.Generator) -> Tensor:
    """A random input of a network."""
    shape = NETS[name][1]
    if name == "embedding":
        return torch.from_numpy(rng.integers(0, 11, shape))
    return torch.from_numpy(rng.standard_normal(shape).astype(np.float32))
