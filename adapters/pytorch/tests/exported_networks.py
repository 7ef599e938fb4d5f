"""Small networks of the kinds that people convert."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

T = torch.Tensor


class Tagger(nn.Module):
    """A label for each word."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(50, 8)
        self.lstm = nn.LSTM(8, 6, batch_first=True, bidirectional=True)
        self.out = nn.Linear(12, 5)

    def forward(self, words: T) -> T:
        found, _ = self.lstm(self.embedding(words))
        return F.log_softmax(self.out(found), -1)


class TextCNN(nn.Module):
    """Convolutions of several widths over words."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(50, 8)
        self.convs = nn.ModuleList(nn.Conv1d(8, 6, width) for width in (2, 3, 4))
        self.drop = nn.Dropout(0.4)
        self.fc = nn.Linear(18, 3)

    def forward(self, words: T) -> T:
        x = self.embedding(words).transpose(1, 2)
        x = torch.cat([F.relu(conv(x)).amax(-1) for conv in self.convs], 1)
        return self.fc(self.drop(x))


class Encoder(nn.Module):
    """A transformer encoder with a mask of the padding."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(50, 8)
        self.positions = nn.Parameter(torch.zeros(7, 8))
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, activation="gelu")
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(8, 3)

    def forward(self, words: T) -> T:
        padding = words == 0
        x = self.embedding(words) + self.positions
        x = self.layers(x, src_key_padding_mask=padding)
        kept = (~padding).unsqueeze(-1).float()
        return self.head((x * kept).sum(1) / kept.sum(1).clamp(min=1))


class Double(nn.Module):
    """Two convolutions with norms."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, padding=1)
        self.norm1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.norm2 = nn.BatchNorm2d(width)

    def forward(self, x: T) -> T:
        x = F.relu(self.norm1(self.conv1(x)))
        return F.relu_(self.norm2(self.conv2(x)))


class UNet(nn.Module):
    """Down by pools, up by transposed convolutions, joined across."""

    def __init__(self) -> None:
        super().__init__()
        self.down1, self.down2, self.middle = Double(3, 4), Double(4, 8), Double(8, 16)
        self.up2, self.join2 = nn.ConvTranspose2d(16, 8, 2, 2), Double(16, 8)
        self.up1, self.join1 = nn.ConvTranspose2d(8, 4, 2, 2), Double(8, 4)
        self.head = nn.Conv2d(4, 2, 1)

    def forward(self, x: T) -> T:
        first = self.down1(x)
        second = self.down2(F.max_pool2d(first, 2))
        x = self.middle(F.max_pool2d(second, 2))
        x = self.join2(torch.cat([self.up2(x), second], 1))
        return self.head(self.join1(torch.cat([self.up1(x), first], 1)))


class TwoInTwoOut(nn.Module):
    """Two inputs, two outputs, a tower that both inputs go through."""

    def __init__(self) -> None:
        super().__init__()
        self.tower = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 4))
        self.gate = nn.Linear(8, 4)

    def forward(self, left: T, right: T) -> tuple[T, T]:
        a, b = self.tower(left), self.tower(right)
        gate = torch.sigmoid(self.gate(torch.cat((a, b), 1)))
        return gate * a + (1 - gate) * b, F.cosine_similarity(a, b)


class Sizes(nn.Module):
    """Reads its input's sizes, and computes with them."""

    def forward(self, x: T) -> T:
        batch, length, width = x.shape
        x = x.reshape(batch * length, width) * length
        x = x + torch.arange(width) / width
        x = x.view(batch, length // 1, -1)[:, : length - 1]
        return torch.cat([x, x.new_ones(batch, 1, width)], 1).flatten(1) - batch


NETWORKS: dict[str, tuple[type[nn.Module], tuple[T, ...], tuple[T, ...]]] = {
    "tagger": (Tagger, (torch.randint(1, 50, (3, 7)),), (torch.randint(1, 50, (2, 7)),)),
    "text_cnn": (TextCNN, (torch.randint(1, 50, (3, 7)),), (torch.randint(1, 50, (1, 7)),)),
    "encoder": (Encoder, (torch.randint(0, 50, (3, 7)),), (torch.randint(0, 50, (5, 7)),)),
    "unet": (UNet, (torch.randn(3, 3, 8, 12),), (torch.randn(1, 3, 8, 12),)),
    "two_in_two_out": (
        TwoInTwoOut,
        (torch.randn(3, 6), torch.randn(3, 6)),
        (torch.randn(2, 6), torch.randn(2, 6)),
    ),
    "sizes": (Sizes, (torch.randn(3, 5, 4),), (torch.randn(2, 5, 4),)),
}
