"""The `irhub` command."""
