"""Tests of the MXNet adapter."""
