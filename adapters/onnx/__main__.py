"""Serves the ONNX adapter: `python -m adapters.onnx`."""

from __future__ import annotations

from adapters.onnx.adapter import OnnxAdapter
from ir_hub.sdk.serve import serve

if __name__ == "__main__":
    serve(OnnxAdapter())
