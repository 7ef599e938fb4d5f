"""The adapter for ONNX: reads any .onnx from opset 7 on, writes the newest, runs ONNX Runtime."""
