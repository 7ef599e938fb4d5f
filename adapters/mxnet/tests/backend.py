"""Judges ONNX models converted to MXNet by ONNX's own backend tests:
`python -m adapters.mxnet.tests.backend [--match RE]`."""

from __future__ import annotations

import sys

from adapters.mxnet.adapter import MXNetAdapter
from tests.backend.drive import main

if __name__ == "__main__":
    sys.exit(main(MXNetAdapter()))
