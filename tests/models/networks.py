"""The networks of the matrix: which frameworks have each natively, and what it takes there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

ONE_STEP = 1e-5  # of an output's scale: rounding
RECURRENT = 1e-4  # it passes through every step


class Input(NamedTuple):
    """One input without its batch; images are written channels x height x width, for all."""

    shape: tuple[int, ...]
    words: int = 0  # how many different ones, where the input is words and not numbers


class Network(NamedTuple):
    """A network: its title, its inputs by native framework, the error that is allowed, and by how
    much its random weights amplify variance where no activation follows."""

    title: str
    natives: Mapping[str, tuple[Input, ...]]
    tolerance: float = ONE_STEP
    gain: float = 2.0


_IMAGE = (Input((3, 64, 96)),)
_LARGE = (Input((3, 224, 256)),)  # Gluon's last pool needs the features of at least 224 x 224

NETWORKS: Mapping[str, Network] = {
    "mlp": Network("MLP", {"tensorflow": (Input((11,)),)}),
    "lenet": Network("LeNet", {"mxnet": (Input((1, 29, 27)),)}),
    "resnet18_v1": Network("ResNet-18 v1", {"pytorch": _IMAGE, "mxnet": _IMAGE}),
    "resnet18_v2": Network("ResNet-18 v2", {"mxnet": (Input((3, 65, 99)),)}),
    "mobilenet_v2": Network(
        "MobileNet v2",
        {"pytorch": _IMAGE, "tensorflow": (Input((3, 65, 96)),), "mxnet": _IMAGE},
        # No activation follows half of its convolutions: with 2 it amplifies rounding to 1e-5.
        gain=1.2,
    ),
    "densenet121": Network(
        "DenseNet-121", {"pytorch": _IMAGE, "tensorflow": _IMAGE, "mxnet": _LARGE}
    ),
    "inception_v3": Network(
        "Inception v3",
        {
            "pytorch": (Input((3, 75, 107)),),
            "tensorflow": (Input((3, 75, 107)),),
            "mxnet": (Input((3, 299, 331)),),
        },
    ),
    "squeezenet": Network("SqueezeNet", {"pytorch": (Input((3, 65, 98)),), "mxnet": _LARGE}),
    "vgg11_bn": Network("VGG-11-BN", {"pytorch": _LARGE, "mxnet": _IMAGE}),
    "unet": Network("U-Net, transposed convolutions", {"pytorch": (Input((3, 24, 40)),)}),
    "two_in_two_out": Network(
        "two inputs, two outputs", {"tensorflow": (Input((3, 9, 14)), Input((7,)))}
    ),
    "lstm_tagger": Network("LSTM tagger", {"pytorch": (Input((7,), 50),)}, RECURRENT),
    "bigru_classifier": Network(
        "bidirectional GRU classifier", {"mxnet": (Input((6,), 30),)}, RECURRENT
    ),
    "text_cnn": Network("text CNN", {"tensorflow": (Input((13,), 40),)}),
    "transformer": Network("transformer encoder, 2 layers", {"pytorch": (Input((7,), 50),)}),
    "autoencoder": Network("autoencoder with resize", {"pytorch": (Input((3, 20, 28)),)}),
}
