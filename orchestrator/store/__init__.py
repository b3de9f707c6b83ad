"""Persistence: the registry in a database."""
