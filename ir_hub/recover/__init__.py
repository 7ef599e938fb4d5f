"""What sources spelled out, and what they meant."""
