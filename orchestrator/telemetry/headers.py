"""A client's request headers as they may be shown: the values of a few that are known to hold no secret, of all others only the names."""

import re
from collections.abc import Iterator

from orchestrator.protocol.http import RequestHeaders

MAX_VALUE = 300
MAX_NAME = 100
HARMLESS = frozenset(
    (b"accept", b"accept-charset", b"accept-encoding", b"accept-language", b"anthropic-beta", b"anthropic-version", b"cache-control", b"connection",
     b"content-encoding", b"content-length", b"content-type", b"expect", b"host", b"openai-beta", b"origin", b"te", b"traceparent", b"transfer-encoding",
     b"user-agent", b"x-orchestrator-attempts", b"x-orchestrator-server", b"x-request-id")
)  # fmt: skip
HARMLESS_START = b"x-stainless-"  # the SDKs' own account of themselves
# Whoever writes `user:password@` or a path into these two shows neither.
ADDRESSES = (b"host", b"origin")
ADDRESS = re.compile(rb"(?:[a-z][a-z0-9+.-]*://)?(?:[\w.-]+|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?(?=[/?#]|\Z)")


def shown(headers: RequestHeaders) -> list[tuple[str, str | None]]:
    """(name, value) of every header, the value None where it may hold a secret. Long ones are cut, what cannot be printed is escaped."""
    return [(_text(name, MAX_NAME), _value(name, value)) for name, value in _pairs(headers)]


def _pairs(headers: RequestHeaders) -> Iterator[tuple[bytes, bytes]]:
    yield from headers.seen.items()
    for line in headers.lines.split(b"\r\n"):
        name, colon, value = line.partition(b": ")
        if colon:
            yield name, value


def _value(name: bytes, value: bytes) -> str | None:
    if name not in HARMLESS and not name.startswith(HARMLESS_START):
        return None
    if name in ADDRESSES:
        address = ADDRESS.match(value)
        return _text(address[0], MAX_VALUE) if address is not None else None
    return _text(value, MAX_VALUE)


def _text(data: bytes, longest: int) -> str:
    text = data[: 4 * longest].decode("utf-8", "replace")
    escaped = "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)
    return escaped if len(escaped) <= longest else escaped[: longest - 1] + "…"
