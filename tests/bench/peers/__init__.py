"""Other converters, each kept warm in an environment of its own; they take orders as JSON."""
