"""torchvision's networks, in evaluation mode and with telling parameters."""

import functools

import torch
from torch import nn

from tests.models.telling import check_telling, randomise

NAMES = ("resnet18", "resnet50", "mobilenet_v2", "efficientnet_b0", "vit_b_16", "densenet121")
INPUT = (2, 3, 224, 224)


@functools.cache
def _torchvision_ops() -> list[torch.library.Library]:
    """Declare the ops that torchvision's own library would: beside a CPU PyTorch it isn't loaded,
    and importing torchvision fails without them. They live as long as what this returns.
    """
    library = torch.library.Library("torchvision", "DEF")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return [library]


def build(name: str, seed: int = 0) -> nn.Module:
    """Return torchvision's network `name`; it takes images of the shape `INPUT`, any batch."""
    _torchvision_ops()
    from torchvision import models  # only works after the line above

    model = models.get_model(name, weights=None).eval()
    randomise(model, seed)
    check_telling(model, INPUT)
    return model
