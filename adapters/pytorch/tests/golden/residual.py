"""TinyResNet, converted from onnx golden by irhub."""

import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(8, 8, kernel_size=3, padding=1, bias=False)
        self.bn1 = nn.Sequential(nn.BatchNorm2d(8), nn.ReLU())
        self.conv2 = nn.Conv2d(8, 8, kernel_size=3, padding=1, bias=False)

    def forward(self, x):
        y = self.conv2(self.bn1(self.conv1(x)))
        return F.relu(x + y)


class TinyResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 8, kernel_size=3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(8),
            nn.ReLU(),
        )
        self.layers = nn.Sequential(Block(), Block())
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10))

    def forward(self, image):
        image = self.head(self.layers(self.stem(image)))
        return F.softmax(image, dim=-1)


def load(path="model.safetensors", device="cpu"):
    """The model with the weights in a file, ready for inference."""
    with torch.device("meta"):
        model = TinyResNet()
    model.load_state_dict(load_file(path, device=device), assign=True)
    return model.eval()
