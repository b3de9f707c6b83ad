"""Peers under a test's command: a scripted upstream server and a clock that stands still."""
