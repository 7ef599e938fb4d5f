"""Serves the PyTorch adapter: `python -m adapters.pytorch`."""

from __future__ import annotations

from adapters.pytorch.adapter import PyTorchAdapter
from ir_hub.sdk.serve import serve

if __name__ == "__main__":
    serve(PyTorchAdapter())
