"""Decisions: which server, when to retry, who waits. Pure and synchronous; they take `now`."""
