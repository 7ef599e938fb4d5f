"""torchvision's networks, in evaluation mode and with telling parameters."""

from torch import nn

from tests.models import vision_ops
from tests.models.telling import check_telling, randomise

NAMES = ("resnet18", "resnet50", "mobilenet_v2", "efficientnet_b0", "vit_b_16", "densenet121")
INPUT = (2, 3, 224, 224)


def build(name: str, seed: int = 0) -> nn.Module:
    """Return torchvision's network `name`; it takes images of the shape `INPUT`, any batch."""
    vision_ops.declare()
    from torchvision import models  # fails before its ops are declared

    model: nn.Module = models.get_model(name, weights=None).eval()
    randomise(model, seed)
    check_telling(model, INPUT)
    return model
