"""Trains a network on handwritten digits with MXNet, as its owner once did.

Run in MXNet's environment, in a folder for what it writes:

    python -m tests.demo_legacy.training

It leaves the model as MXNet saves it, digits-symbol.json and digits-0000.params; the images and
labels, digits.npz; and what MXNet makes of the test set, scores.npy. It prints what it took, as
JSON.
"""

import json
import time
from typing import Any

import mxnet as mx
import numpy as np
from mxnet import autograd, gluon
from mxnet.gluon import nn
from sklearn.datasets import load_digits

EPOCHS, BATCH, SEED = 4, 64, 7
TESTED = 450  # images that aren't trained on

Array = np.ndarray[Any, Any]


class ConvBlock(nn.HybridBlock):
    """A 3x3 convolution with batch norm and ReLU."""

    def __init__(self, channels: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        with self.name_scope():
            self.conv = nn.Conv2D(channels, 3, padding=1, use_bias=False)
            self.norm = nn.BatchNorm(momentum=0.8)

    def hybrid_forward(self, F: Any, x: Any) -> Any:  # noqa: N803
        """The features of x, of the same height and width."""
        return F.relu(self.norm(self.conv(x)))


class Digits(nn.HybridBlock):
    """Ten scores for each image."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        with self.name_scope():
            self.features = nn.HybridSequential()
            with self.features.name_scope():
                self.features.add(ConvBlock(16), ConvBlock(32), nn.MaxPool2D(2))
                self.features.add(ConvBlock(64), nn.MaxPool2D(2), nn.Flatten(), nn.Dropout(0.3))
            self.output = nn.Dense(10)

    def hybrid_forward(self, F: Any, x: Any) -> Any:  # noqa: N803
        """The scores of the images x (N, 1, 8, 8)."""
        return self.output(self.features(x))


def data() -> dict[str, Array]:
    """scikit-learn's digits, shuffled: images (N, 1, 8, 8) from 0 to 1, and labels."""
    digits = load_digits()
    order = np.random.default_rng(SEED).permutation(len(digits.target))
    images = (digits.images[order, None] / 16).astype(np.float32)
    labels = digits.target[order]
    return {
        "train_images": images[TESTED:],
        "train_labels": labels[TESTED:],
        "test_images": images[:TESTED],
        "test_labels": labels[:TESTED],
    }


def train(net: Digits, images: Array, labels: Array) -> list[float]:
    """Train, and say the mean loss of each epoch."""
    loss_of = gluon.loss.SoftmaxCrossEntropyLoss()
    trainer = gluon.Trainer(net.collect_params(), "adam", {"learning_rate": 2e-3})
    dataset = gluon.data.ArrayDataset(images, labels)
    losses = []
    for _ in range(EPOCHS):
        total = 0.0
        for x, y in gluon.data.DataLoader(dataset, BATCH, shuffle=True, last_batch="discard"):
            with autograd.record():
                loss = loss_of(net(x), y)
            loss.backward()
            trainer.step(len(x))
            total += loss.mean().asscalar()
        losses.append(total / (len(labels) // BATCH))
    return losses


def main() -> None:
    mx.random.seed(SEED)
    np.random.seed(SEED)  # MXNet's data loader shuffles with NumPy
    arrays = data()
    start = time.perf_counter()
    net = Digits()
    net.initialize(mx.init.Xavier())
    net.hybridize()
    losses = train(net, arrays["train_images"], arrays["train_labels"])
    seconds = time.perf_counter() - start
    net.export("digits")
    np.savez("digits.npz", **arrays)
    saved = gluon.SymbolBlock.imports("digits-symbol.json", ["data"], "digits-0000.params")
    np.save("scores.npy", saved(mx.nd.array(arrays["test_images"])).asnumpy())
    print(json.dumps({"seconds": seconds, "losses": losses}))


if __name__ == "__main__":
    main()
