"""path -> dialect and operation of the inference paths, which the wire takes before ASGI sees them."""

import re
from urllib.parse import unquote

from orchestrator.protocol.envelope import Route

ROUTES: dict[str, Route] = {
    route.path: route
    for route in (
        Route("/api/chat", "ollama", "ollama", "chat", "ollama", empty="messages"),
        Route("/api/generate", "ollama", "ollama", "generate", "ollama", empty="prompt"),
        Route("/api/embed", "ollama", "ollama", "embed", "ollama", streams=False, empty="input"),
        Route("/api/embeddings", "ollama", "ollama", "embeddings", "ollama", streams=False, empty="prompt"),
        Route("/api/show", "ollama", "ollama", "show", "ollama", light=True, streams=False),
        Route("/v1/chat/completions", "openai", "v1", "chat", "openai"),
        Route("/v1/completions", "openai", "v1", "completions", "openai"),
        Route("/v1/embeddings", "openai", "v1", "v1-embeddings", "openai", streams=False),
        Route("/v1/responses", "openai", "v1", "responses", "responses"),
        Route("/v1/messages", "anthropic", "v1", "messages", "messages"),
    )
}


_BY_BYTES = {path.encode(): route for path, route in ROUTES.items()}


def find(path: bytes) -> Route | None:
    """The route of a POST to this path (no query), None if it is no inference path."""
    route = _BY_BYTES.get(path)
    if route is not None or not path.startswith(b"/v1/") or path == b"/v1/models" or path.startswith(b"/v1/models/"):
        return route
    # Any other POST below /v1/ with a `model` member goes to a server that has the model (rerank, audio, ...).
    text = path.decode("latin-1")
    parts = re.split(r"[/\\]", unquote(text).removeprefix("/v1/").removesuffix("/"))
    if any(part in ("", ".", "..") for part in parts):  # would lead elsewhere on a server that resolves it
        return None
    return Route(text, "anthropic" if text.startswith("/v1/messages/") else "openai", "v1", text[4:], "opaque")
