"""Serves the TensorFlow adapter: `python -m adapters.tensorflow`."""

from __future__ import annotations

from adapters.tensorflow.adapter import TensorFlowAdapter
from ir_hub.sdk.serve import serve

if __name__ == "__main__":
    serve(TensorFlowAdapter())
