"""A request as it came in: its parts, and how it becomes a call or an error."""

import asyncio
import itertools
import os
import re

import httptools
import msgspec
from msgspec import Struct

from orchestrator.clock import Clock
from orchestrator.edge import routes
from orchestrator.edge.origins import Origins
from orchestrator.errors import Refusal
from orchestrator.gateway.call import Call, Client
from orchestrator.gateway.gateway import Gateway
from orchestrator.protocol import encoding, errors
from orchestrator.protocol.envelope import Route
from orchestrator.protocol.http import Headers, RequestHeaders, whole

JSON_LINE = b"content-type: application/json"
_REQUEST_ID = re.compile(rb"[\x21-\x7e]{1,128}")


class Limits(Struct, frozen=True):
    """Of client connections; seconds and bytes as in the settings of the same names."""

    max_body_bytes: int
    max_header_bytes: int
    max_connections: int
    header_timeout_seconds: float
    body_timeout_seconds: float
    send_timeout_seconds: float
    keepalive_timeout_seconds: float


class RequestIds:
    """Unique in this process and, by a random start, across processes. Cheaper than a UUID for each."""

    __slots__ = ("_numbers", "_prefix")

    def __init__(self) -> None:
        self._prefix = os.urandom(6).hex()
        self._numbers = itertools.count()

    def next(self) -> str:
        return f"{self._prefix}{next(self._numbers):08x}"

    def of(self, given: bytes | None) -> str:
        """The client's own id if it is a sane one, else a new one."""
        return given.decode("ascii") if given is not None and _REQUEST_ID.fullmatch(given) else self.next()


class Shared(Struct, frozen=True):
    """What all connections share."""

    gateway: Gateway
    limits: Limits
    origins: Origins
    clock: Clock
    ids: RequestIds
    admin_roots: tuple[bytes, ...] = ()  # paths whose errors have the shape of the admin API


class Incoming:
    """method, url and headers as sent (names lower case). refusal: why it will not be served, where that is known already."""

    __slots__ = ("_parts", "body_bytes", "headers", "keep_alive", "method", "read", "refusal", "url", "version")

    def __init__(self, method: bytes, url: bytes, version: str, headers: Headers, *, keep_alive: bool) -> None:
        self.method, self.version, self.headers, self.keep_alive = method, version, headers, keep_alive
        self.url = url if url.startswith(b"/") else _relative(url)
        self.read = RequestHeaders(headers)
        self.refusal: Refusal | None = None
        self.body_bytes = 0
        self._parts: list[bytes] = []

    def add(self, data: bytes) -> None:
        self.body_bytes += len(data)
        if self.refusal is None:
            self._parts.append(data)

    def body(self) -> bytes:
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    def head_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def head_without(self, name: bytes) -> bytes:
        """The head once more, as bytes, without a header."""
        lines = b"".join(b"%b: %b\r\n" % header for header in self.headers if header[0] != name)
        return b"%b %b HTTP/%b\r\n%b\r\n" % (self.method, self.url, self.version.encode(), lines)

    def unservable(self) -> Refusal | None:
        """What no answer could be right to."""
        seen = self.read.seen
        if seen.get(b"transfer-encoding", b"chunked").strip().lower() != b"chunked":
            return Refusal(400, "transfer_encoding", "of transfer encodings only chunked is understood")
        if seen.get(b"expect", b"100-continue").lower() != b"100-continue":
            return Refusal(417, "expectation", "of expectations only 100-continue is understood")
        host = seen.get(b"host")
        if (host is None and self.version == "1.1") or (host is not None and b"," in host):
            return Refusal(400, "invalid_host", "a request needs one Host header")
        return None

    def path(self) -> bytes:
        """With its query."""
        return self.url.partition(b"#")[0]

    def call(self, client: Client, route: Route, shared: Shared, loop: asyncio.AbstractEventLoop, *, keep_alive: bool) -> Call:
        """The inference request that this is. Raises Refusal."""
        headers = self.read
        seen = headers.seen
        request_id = shared.ids.of(seen.get(b"x-request-id"))
        host, origin = seen.get(b"host", b"").decode("latin-1"), seen.get(b"origin")
        extra = b"x-request-id: %b\r\n" % request_id.encode()
        if not shared.origins.host_allowed(host):
            raise Refusal(403, "forbidden_host", "this Host may not be used here")
        if origin is not None:
            if not shared.origins.allows(origin.decode("latin-1"), host):
                raise Refusal(403, "forbidden_origin", "this web origin may not use the API")
            extra += b"".join(b"%b: %b\r\n" % pair for pair in shared.origins.answer_headers(origin.decode("latin-1")))
        body = self.body()
        compression = seen.get(b"content-encoding")
        if compression is not None:
            body = encoding.decode(body, compression.decode("latin-1"), shared.limits.max_body_bytes)
        if JSON_LINE not in headers.lines:
            headers.lines = self._as_json(route, headers.lines, body)
        now = shared.clock.now()
        return Call(client, route, self.url, headers, body, request_id=request_id, extra=extra, keep_alive=keep_alive, started_at=now, loop=loop)

    def _as_json(self, route: Route, lines: bytes, body: bytes) -> bytes:
        """curl says a form where it sends JSON, and some servers take that at its word."""
        if route.style == "opaque" and body.lstrip()[:1] != b"{":
            return lines
        return b"".join(line for line in lines.splitlines(keepends=True) if not line.startswith(b"content-type:")) + JSON_LINE + b"\r\n"


def _relative(url: bytes) -> bytes:
    """The part behind the host of an absolute URL, as it is sent to proxies."""
    try:
        parsed = httptools.parse_url(url)
    except httptools.HttpParserInvalidURLError:
        return b"/"
    return (parsed.path or b"/") + (b"?" + parsed.query if parsed.query else b"")


def broken(message: str) -> Incoming:
    """Stands for bytes that are no HTTP."""
    incoming = Incoming(b"", b"", "1.1", [], keep_alive=False)
    incoming.refusal = Refusal(400, "malformed_request", message)
    return incoming


def error_bytes(incoming: Incoming | None, refusal: Refusal, shared: Shared, *, keep_alive: bool) -> bytes:
    """An error in the dialect of the path, plain text where there is none."""
    path = incoming.url if incoming is not None else b""
    given = next((value for name, value in incoming.headers if name == b"x-request-id"), None) if incoming is not None else None
    request_id = shared.ids.of(given)
    head = b"x-request-id: %b\r\n" % request_id.encode()
    if refusal.retry_after_seconds is not None:
        head += b"retry-after: %d\r\n" % max(1, round(refusal.retry_after_seconds))
    if refusal.status == 403 and refusal.code in ("forbidden_origin", "forbidden_host"):
        return whole(403, head, b"", keep_alive=keep_alive)  # as Ollama does, so that a foreign page learns nothing
    if path.startswith(shared.admin_roots):
        told = msgspec.json.encode({"error": {"code": refusal.code, "message": refusal.message, "field": None}})
        return whole(refusal.status, head + b"content-type: application/json\r\n", told, keep_alive=keep_alive)
    if incoming is not None and incoming.method == b"POST" and routes.find(path.partition(b"?")[0]) is not None:
        head += b"x-orchestrator-attempts: 0\r\n"
    if path.startswith((b"/api/", b"/v1/")):
        dialect: errors.Dialect = "ollama" if path.startswith(b"/api/") else "anthropic" if path.startswith(b"/v1/messages") else "openai"
        body = errors.body(dialect, refusal.status, refusal.code, refusal.message, request_id)
        return whole(refusal.status, head + b"content-type: application/json\r\n", body, keep_alive=keep_alive)
    return whole(refusal.status, head + b"content-type: text/plain; charset=utf-8\r\n", refusal.message.encode(), keep_alive=keep_alive)
