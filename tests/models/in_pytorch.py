"""Networks that PyTorch has natively, as exported programs: torchvision's, and a few by hand."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from adapters.pytorch.tests.exported_networks import Encoder, Tagger, UNet
from tests.models import vision
from tests.models.networks import NETWORKS, Input, Network
from tests.models.telling import check_telling, randomise

TORCHVISION = {
    "resnet18_v1": "resnet18",
    "mobilenet_v2": "mobilenet_v2",
    "densenet121": "densenet121",
    "inception_v3": "inception_v3",
    "squeezenet": "squeezenet1_0",
    "vgg11_bn": "vgg11_bn",
}
_OTHER = Network("one of torchvision's", {"pytorch": (Input((3, 224, 224)),)})


class Autoencoder(nn.Module):
    """Down by strides to a few numbers, up by resizes: by a factor, and to a size."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(3, 8, (3, 5), stride=2, padding=(1, 2)), nn.ELU(),
            nn.Conv2d(8, 12, 3, stride=2, padding=1), nn.LeakyReLU(0.1),
        )  # fmt: skip
        self.code = nn.Conv2d(12, 4, 1)
        self.decoder = nn.Sequential(
            nn.Conv2d(4, 12, 3, padding=1), nn.SiLU(), nn.Upsample(scale_factor=2, mode="nearest"),
            nn.Conv2d(12, 8, 3, padding=1), nn.SiLU(),
        )  # fmt: skip
        self.image = nn.Conv2d(8, 3, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.decoder(torch.tanh(self.code(self.encoder(x))))
        y = F.interpolate(y, size=x.shape[2:], mode="bilinear", align_corners=False)
        return torch.sigmoid(self.image(y))


BY_HAND: dict[str, type[nn.Module]] = {
    "unet": UNet,
    "lstm_tagger": Tagger,
    "transformer": Encoder,
    "autoencoder": Autoencoder,
}


def write(name: str, folder: Path) -> None:
    """Write `name`.pt2, one of the matrix or any of torchvision's: exported in evaluation mode,
    any batch."""
    network = NETWORKS.get(name, _OTHER)
    inputs = network.natives["pytorch"]
    one, other = (tuple(_example(each, seed) for each in inputs) for seed in range(2))
    if name in BY_HAND:
        model = BY_HAND[name]().eval()
        randomise(model)
        check_telling(model, one, other)
    else:
        model = vision.build(
            TORCHVISION.get(name, name), shape=(2, *inputs[0].shape), gain=network.gain
        )
    batch = torch.export.Dim("batch", min=1, max=64)
    program = torch.export.export(model, one, dynamic_shapes=tuple({0: batch} for _ in one))
    torch.export.save(program, folder / f"{name}.pt2")


def _example(given: Input, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    shape = (2, *given.shape)
    if given.words:
        return torch.randint(given.words, shape, generator=generator)
    return torch.randn(shape, generator=generator)
