"""Model, converted by irhub."""

import torch
from safetensors.torch import load_file
from torch import nn


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear1 = nn.Linear(4, 6)

    def forward(self, x, y):
        x = self.linear1(x)
        y = self.linear1(y)
        return x, y


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.shared = Shared()
        self.register_buffer("constant", torch.empty(3, dtype=torch.int64))

    def forward(self, left, right):
        x, y = self.shared(left, right)
        y = x * y
        x = x - 1.5
        z = self.constant
        return y, left, z, x


def load(path="model.safetensors", device="cpu"):
    """The model with the weights in a file, ready for inference."""
    with torch.device("meta"):
        model = Model()
    model.load_state_dict(load_file(path, device=device), assign=True)
    return model.eval()
