"""PyTorch: a target, and a runtime to compare with."""
