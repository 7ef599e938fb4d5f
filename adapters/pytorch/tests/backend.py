"""Judges ONNX models converted to PyTorch by ONNX's own backend tests:
`python -m adapters.pytorch.tests.backend [--match RE]`."""

from __future__ import annotations

import sys

from adapters.pytorch.adapter import PyTorchAdapter
from tests.backend.drive import main

if __name__ == "__main__":
    sys.exit(main(PyTorchAdapter()))
