"""Scores the digits with the generated PyTorch code, then trains it for one epoch more.

Run in PyTorch's environment, in the folder of the conversion:

    python -m tests.demo_legacy.in_pytorch DIGITS.npz

It writes what it makes of the test set before and after: scores.npy and trained.npy.
"""

import sys
from typing import Any

import model  # what irhub wrote
import numpy as np
import torch
from torch.nn import functional as F

BATCH, RATE, SEED = 64, 2e-4, 7  # a tenth of the rate that it was trained with

Array = np.ndarray[Any, Any]


def scores_of(net: torch.nn.Module, images: Array) -> Array:
    """Ten scores for each image."""
    net.eval()
    with torch.inference_mode():
        return np.asarray(net(torch.from_numpy(images)))


def train(net: torch.nn.Module, images: Array, labels: Array) -> None:
    """Train for an epoch."""
    net.train()
    optimizer = torch.optim.Adam(net.parameters(), RATE)
    for batch in torch.randperm(len(labels)).split(BATCH):
        loss = F.cross_entropy(
            net(torch.from_numpy(images)[batch]), torch.from_numpy(labels)[batch]
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def main() -> None:
    torch.manual_seed(SEED)
    digits = np.load(sys.argv[1])
    net = model.load()
    np.save("scores.npy", scores_of(net, digits["test_images"]))
    train(net, digits["train_images"], digits["train_labels"])
    np.save("trained.npy", scores_of(net, digits["test_images"]))


if __name__ == "__main__":
    main()
