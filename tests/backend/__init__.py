"""ONNX's backend tests for any adapter: the cases as IR, and what comes of them in a framework."""
