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
        v0, v1 = self.shared(left, right)
        v1 = v0 * v1
        v0 = v0 - 1.5
        x = self.constant
        return v1, left, x, v0


def load(path="model.safetensors", device="cpu"):
    """The model with the weights in a file, ready for inference."""
    with torch.device("meta"):
        model = Model()
    model.load_state_dict(load_file(path, device=device), assign=True)
    return model.eval()
