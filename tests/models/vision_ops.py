"""Declares the ops of torchvision's own library, which can't be loaded beside a CPU PyTorch."""

import functools

import torch


@functools.cache
def declare() -> torch.library.Library:
    """Let `import torchvision` succeed. The ops live as long as what this returns."""
    library = torch.library.Library("torchvision", "DEF")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return library
