"""Serves the MXNet adapter: `python -m adapters.mxnet`."""

from __future__ import annotations

from adapters.mxnet.adapter import MXNetAdapter
from ir_hub.sdk.serve import serve

if __name__ == "__main__":
    serve(MXNetAdapter())
