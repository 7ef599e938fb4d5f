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
        z, u, v = self.qkv(x).chunk(3, -1)
        z = z.reshape(z.shape[0], -1, 2, 8).transpose(1, 2)
        u = u.reshape(u.shape[0], -1, 2, 8).transpose(1, 2)
        v = v.reshape(v.shape[0], -1, 2, 8).transpose(1, 2)
        z = F.scaled_dot_product_attention(z, u, v, attn_mask=y).transpose(1, 2)
        z = self.norm(x + z.reshape(z.shape[0], -1, 16))
        x = self.mlp(z)
        return z, x


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(50, 16)
        self.layer = EncoderLayer()

    def forward(self, tokens, mask):
        x, y = self.layer(self.embed(tokens), mask)
        return x + y


def load(path="model.safetensors", device="cpu"):
    """The model with the weights in a file, ready for inference."""
    with torch.device("meta"):
        model = Encoder()
    model.load_state_dict(load_file(path, device=device), assign=True)
    return model.eval()
