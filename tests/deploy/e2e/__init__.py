"""The system in containers, as its chart says, on one machine: `make e2e`."""
