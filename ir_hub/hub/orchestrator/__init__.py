"""What drives conversions: a small port, and the engines behind it."""
