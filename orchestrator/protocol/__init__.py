"""Dialects as pure functions on bytes and Structs."""
