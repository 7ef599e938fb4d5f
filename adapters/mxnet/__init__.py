"""The adapter for MXNet: reads symbols with their params, writes Gluon code, runs MXNet 1.9.1."""
