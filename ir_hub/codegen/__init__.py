"""A graph as nested code that a person would have written: structure first, text last."""
