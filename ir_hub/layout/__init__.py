"""Axis orders: a graph as a target runs it."""
