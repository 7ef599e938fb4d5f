"""What is raised for a graph that nobody should go on with."""

from __future__ import annotations


class BadIR(ValueError):
    """A graph is malformed; the message says which node or value, and why."""


class VersionSkew(BadIR):
    """A graph is written in another version of the op set than the one at hand."""
