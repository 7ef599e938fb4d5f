"""Complete small clients in other languages, and what runs them against the real services."""
