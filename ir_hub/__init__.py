"""irhub converts trained deep-learning models between frameworks, faithfully."""

__version__ = "0.1.0"
