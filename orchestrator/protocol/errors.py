"""Errors as each dialect writes them: whole answers, and the record that ends a broken stream."""

from json import dumps
from typing import Literal

Dialect = Literal["ollama", "openai", "anthropic"]

OPENAI_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
ANTHROPIC_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
}


def body(dialect: Dialect, status: int, code: str, message: str) -> bytes:
    """The JSON of an error answer. Non-ASCII is escaped: some clients split lines at U+2028."""
    if dialect == "ollama":
        return dumps({"error": message}).encode()
    if dialect == "anthropic":
        return dumps({"type": "error", "error": {"type": _type(ANTHROPIC_TYPES, status), "message": message}}).encode()
    # openai-python shows the message only if `error` is an object.
    return dumps({"error": {"message": message, "type": _type(OPENAI_TYPES, status), "param": None, "code": code}}).encode()


def record(dialect: Dialect, framing: str, code: str, message: str) -> bytes:
    """The last record of a stream that broke, in its framing: `sse` or `ndjson`. Never followed by an end that means success."""
    line = body(dialect, 502, code, message)
    if framing == "ndjson":
        return line + b"\n"
    return (b"event: error\ndata: " if dialect == "anthropic" else b"data: ") + line + b"\n\n"


def _type(types: dict[int, str], status: int) -> str:
    return types.get(status) or ("invalid_request_error" if 400 <= status < 500 else "api_error")
