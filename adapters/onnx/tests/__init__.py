"""Tests of the ONNX adapter."""
