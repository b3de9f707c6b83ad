"""Heads of HTTP/1.1 messages as bytes: what is passed on, what is left out, what is added. Header names are lower case."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

Headers = list[tuple[bytes, bytes]]

HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"proxy-authenticate", b"proxy-authorization", b"te", b"trailer", b"transfer-encoding", b"upgrade")
)
# Of a request: set anew for the server, or none of its business (a foreign Origin makes Ollama answer 403).
NOT_SENT = HOP_BY_HOP | {
    b"host", b"content-length", b"content-encoding", b"accept-encoding", b"expect", b"authorization", b"x-api-key", b"api-key", b"cookie", b"origin",
    b"referer", b"x-request-id", b"x-orchestrator-server", b"x-orchestrator-attempts",
}  # fmt: skip
# Of an answer: framed anew for the client.
NOT_RETURNED = HOP_BY_HOP | {
    b"content-length", b"x-request-id", b"x-orchestrator-server", b"x-orchestrator-attempts", b"set-cookie", b"access-control-allow-origin",
    b"access-control-allow-credentials", b"access-control-allow-headers", b"access-control-allow-methods", b"access-control-expose-headers",
}  # fmt: skip

CHUNKED = b"transfer-encoding: chunked\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"
NO_BODY = (204, 304)
LISTS = (b"connection", b"host", b"transfer-encoding")  # of which all values count, or a second one is an error
MAX_RETRY_AFTER_SECONDS = 3600.0


def _status_line(status: int) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    return f"HTTP/1.1 {status} {phrase}\r\n".encode()


STATUS_LINES = {status: _status_line(status) for status in range(100, 600)}


def status_line(status: int) -> bytes:
    return STATUS_LINES.get(status) or _status_line(status)


def header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """The first value of a header."""
    for found, value in headers:
        if found == name:
            return value
    return None


def lines(headers: Headers, drop: frozenset[bytes]) -> bytes:
    """`name: value` lines of all headers but those in `drop` and those that Connection names."""
    out: list[bytes] = []
    for name, value in headers:
        if name not in drop:
            out += (name, b": ", value, b"\r\n")
        elif name == b"connection" and value.lower() not in (b"keep-alive", b"close"):
            named = frozenset(token.strip().lower() for found, tokens in headers if found == b"connection" for token in tokens.split(b","))
            return lines(headers_without(headers, named | {b"connection"}), drop)
    return b"".join(out)


class RequestHeaders:
    """One pass over a request's headers: `lines` to pass on, `seen` what is looked at here (by lower-case name; the last one counts)."""

    __slots__ = ("lines", "seen")

    def __init__(self, headers: Headers) -> None:
        seen: dict[bytes, bytes] = {}
        out: list[bytes] = []
        for name, value in headers:
            if name in NOT_SENT:
                seen[name] = value if name not in seen or name not in LISTS else b"%b, %b" % (seen[name], value)
            else:
                out += (name, b": ", value, b"\r\n")
        self.seen = seen
        connection = seen.get(b"connection")
        if connection is None or connection.lower() in (b"keep-alive", b"close"):
            self.lines = b"".join(out)
        else:
            self.lines = lines(headers, NOT_SENT)

    def content_type(self) -> bytes:
        found = re.search(rb"(?:^|\n)content-type: *([^\r]*)", self.lines)
        return found[1] if found else b""


def headers_without(headers: Headers, drop: frozenset[bytes]) -> Headers:
    return [(name, value) for name, value in headers if name not in drop]


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def unchunked(data: bytes) -> bytes:
    """The payload of whole chunks as `chunk` makes them."""
    out, at = [], 0
    while at < len(data):
        line_end = data.index(b"\r\n", at)
        size = int(data[at:line_end], 16)
        out.append(data[line_end + 2 : line_end + 2 + size])
        at = line_end + 4 + size
    return b"".join(out)


def whole(status: int, headers: bytes, body: bytes, *, keep_alive: bool = True) -> bytes:
    """A complete answer. headers: ready `name: value` lines."""
    return b"%b%bcontent-length: %d\r\n%b\r\n%b" % (status_line(status), headers, len(body), b"" if keep_alive else b"connection: close\r\n", body)


def retry_after_seconds(headers: Headers, time: datetime) -> float | None:
    """When the server wants to be asked again, in seconds from `time` (UTC), at most an hour; from `retry-after-ms`, or `retry-after`
    as a number or an HTTP date. None if absent or unreadable.
    """
    milliseconds = (header(headers, b"retry-after-ms") or b"").strip()
    if milliseconds.isdigit():
        return min(int(milliseconds) / 1000, MAX_RETRY_AFTER_SECONDS)
    text = (header(headers, b"retry-after") or b"").decode("latin-1").strip()
    if text.replace(".", "", 1).isdecimal() and text.isascii():
        return min(float(text), MAX_RETRY_AFTER_SECONDS)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    date = date if date.tzinfo is not None else date.replace(tzinfo=UTC)
    return min(max((date - time).total_seconds(), 0.0), MAX_RETRY_AFTER_SECONDS)
