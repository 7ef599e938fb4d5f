"""Sizes, constants, lowering, and the NumPy runtime: what needs the ops' meaning."""
