"""What the orchestrator costs, measured against nginx in one interleaved run: `python -m tests.bench`."""
