"""The central service: drives a conversion through its stages, and keeps what came of it."""
