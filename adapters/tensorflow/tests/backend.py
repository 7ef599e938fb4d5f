"""Judges ONNX models converted to Keras by ONNX's own backend tests:
`python -m adapters.tensorflow.tests.backend [--match RE]`."""

from __future__ import annotations

import sys

from adapters.tensorflow.adapter import TensorFlowAdapter
from tests.backend.drive import main

if __name__ == "__main__":
    sys.exit(main(TensorFlowAdapter()))
