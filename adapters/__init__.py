"""The framework adapters, each a service in an environment of its own."""
