"""One URL in front of every LLM server a team owns."""

__version__ = "0.1.0"
