"""Writes one of the networks as an ONNX file: python -m tests.models NAME -o FILE."""

import argparse
import logging
import warnings
from pathlib import Path

import torch

from tests.models.vision import INPUT, NAMES, build


def export(name: str, file: Path, seed: int = 0) -> None:
    """Write the network `name` to `file` as PyTorch's exporter does by default, any batch."""
    model = build(name, seed)
    example = torch.zeros(INPUT)
    torch.onnx.export(
        model,
        (example,),
        file,
        dynamic_shapes=({0: "batch"},),
        external_data=False,
        verbose=False,
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.models", description=__doc__)
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # the exporter's own, on its own deprecations
    logging.disable(logging.WARNING)
    export(options.name, options.output, options.seed)


if __name__ == "__main__":
    main()
