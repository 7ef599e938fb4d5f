"""Whole conversions, through the hub and the adapters as they are deployed."""
