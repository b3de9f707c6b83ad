"""Errors as each dialect writes them: whole answers, and the record that ends a broken stream."""

from json import dumps
from typing import Any, Literal

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


def body(dialect: Dialect, status: int, code: str, message: str, request_id: str = "") -> bytes:
    """The JSON of an error answer. Non-ASCII is escaped: some clients split lines at U+2028. request_id: Anthropic's answers repeat it."""
    value = _value(dialect, status, code, message)
    if dialect == "anthropic":
        value["request_id"] = request_id
    return dumps(value).encode()


def record(dialect: Dialect, style: str, framing: str, code: str, message: str) -> bytes:
    """The last record of a stream that broke. style, framing: see protocol.events. Never followed by an end that means success."""
    value = _value(dialect, 502, code, message)
    if framing == "ndjson":
        return dumps(value).encode() + b"\n"
    if style == "responses":  # its SDKs know an event of type `error`; those that do not look for the member
        value = {"type": "error", "code": code, "message": message, "param": None, **value}
    # A bare data line on chat streams: an `event:` there trips SDKs.
    head = b"event: error\n" if style in ("responses", "messages") else b""
    return head + b"data: " + dumps(value).encode() + b"\n\n"


def _value(dialect: Dialect, status: int, code: str, message: str) -> dict[str, Any]:
    if dialect == "ollama":
        return {"error": message}
    if dialect == "anthropic":
        return {"type": "error", "error": {"type": _type(ANTHROPIC_TYPES, status), "message": message}}
    # openai-python shows the message only if `error` is an object.
    return {"error": {"message": message, "type": _type(OPENAI_TYPES, status), "param": None, "code": code}}


def _type(types: dict[int, str], status: int) -> str:
    return types.get(status) or ("invalid_request_error" if 400 <= status < 500 else "api_error")
