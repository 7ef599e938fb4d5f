"""torchvision's networks, in evaluation mode and with telling parameters."""

import torch
from torch import nn

from tests.models import vision_ops
from tests.models.telling import check_telling, randomise

INPUT = (2, 3, 224, 224)


def build(name: str, seed: int = 0, shape: tuple[int, ...] = INPUT, gain: float = 2.0) -> nn.Module:
    """Return torchvision's network `name`; it takes images of the given shape, any batch."""
    vision_ops.declare()
    from torchvision import models  # fails before its ops are declared

    model: nn.Module = models.get_model(name, weights=None).eval()
    randomise(model, seed, gain)
    generator = torch.Generator().manual_seed(seed + 1)
    one, other = (torch.randn(shape, generator=generator) for _ in range(2))
    check_telling(model, (one,), (other,))
    return model
