"""Real LLM servers on a tiny scripted model, for tests that want genuine bytes."""
