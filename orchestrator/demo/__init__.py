"""Emulated servers and the tour of `make demo`."""
