"""Encoder, converted by irhub."""

import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F


class EncoderLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(16, 48)
        self.norm = nn.LayerNorm(16)
        self.mlp = nn.Sequential(nn.Sequential(nn.Linear(16, 32), nn.GELU()), nn.Linear(32, 16))

    def forward(self, x, y):
        v2, v3, v4 = self.qkv(x).chunk(3, -1)
        v2 = v2.reshape(v2.shape[0], -1, 2, 8).transpose(1, 2)
        v3 = v3.reshape(v3.shape[0], -1, 2, 8).transpose(1, 2)
        v4 = v4.reshape(v4.shape[0], -1, 2, 8).transpose(1, 2)
        y = F.scaled_dot_product_attention(v2, v3, v4, attn_mask=y).transpose(1, 2)
        y = self.norm(x + y.reshape(y.shape[0], -1, 16))
        x = self.mlp(y)
        return y, x


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(50, 16)
        self.layer = EncoderLayer()

    def forward(self, tokens, mask):
        v15, v18 = self.layer(self.embed(tokens), mask)
        return v15 + v18


def load(path="model.safetensors", device="cpu"):
    """The model with the weights in a file, ready for inference."""
    with torch.device("meta"):
        model = Encoder()
    model.load_state_dict(load_file(path, device=device), assign=True)
    return model.eval()
