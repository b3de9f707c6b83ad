"""The clients' side of the wire: uvicorn's protocol, from which inference requests are taken before they become ASGI.

A request is read whole, then answered, then the next one of its connection is looked at: whatever a client sends ahead waits in order.
Everything that is no inference (admin, lists, UI) goes on to uvicorn's own ASGI cycle.
"""

import asyncio
import socket
import struct
import urllib.parse
from collections import deque
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from orchestrator.edge import routes
from orchestrator.edge.incoming import Incoming, Shared, broken, error_bytes
from orchestrator.errors import Refusal
from orchestrator.gateway.call import Call

BACKLOG_BYTES = 256 * 1024
LINGER_SECONDS = 2.0
LINGER_ZERO = struct.pack("ii", 1, 0)
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
FRAMING_SHARE = 8  # bytes read for one of the body: a chunk of one byte takes six, more than eight are a flood of extensions or trailers

# What a connection is waiting for; each has its own time limit (see `check`).
HEAD, BODY, ANSWER, NEXT, LINGER = range(5)


class Wire(HttpToolsProtocol):
    """One client connection. `shared` is what all of them share."""

    shared: Shared

    def __init__(self, shared: Shared, **how: Any) -> None:
        super().__init__(**how)
        self.shared = shared
        self.parser = self._new_parser()
        self.call: Call | None = None
        self.address = ""
        self.chunks = True
        self.paused = False
        self.keep_alive = True
        self._incoming: Incoming | None = None
        self._queue: deque[Incoming] = deque()
        self._backlog = b""
        self._head_bytes = 0
        self._body_bytes = 0  # read since the head, with the framing of chunks and trailers
        self._offer = b""  # the head of a request that offers an upgrade, without the offer
        self._starting = False
        self._refused = False  # answered with an error at once; the next request follows in the next turn of the loop
        self._state = HEAD
        self._since_at = 0.0  # 0: just begun, `check` notes the time

    def _new_parser(self) -> httptools.HttpRequestParser:
        parser = httptools.HttpRequestParser(self)
        parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return parser

    # The transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        self.address = self.client[0] if self.client else ""
        if len(self.connections) > self.shared.limits.max_connections:
            self._refuse_now(None, Refusal(503, "too_many_connections", "too many connections", retry_after_seconds=1.0))

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._client_left()

    def eof_received(self) -> None:
        # A client that closes its side after the request has left: the GPU must not work on for nobody.
        if self.call is not None:
            self.transport.abort()  # first, so that what was sent ahead is not begun
            self._client_left()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.paused, self._since_at = True, 0.0
        if self.call is not None and self.call.relay is not None:
            self.call.relay.pause()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.paused = False
        if self.call is not None and self.call.relay is not None:
            self.call.relay.resume()

    def data_received(self, data: bytes) -> None:
        if self._state == LINGER:
            return
        if self._is_busy():
            self._backlog += data
            if len(self._backlog) > BACKLOG_BYTES:
                self.flow.pause_reading()
            return
        if self._state == BODY or not self._head_bytes:  # a head has its time as a whole, however it trickles in
            self._since_at = 0.0
        if self._state != BODY:
            self._state = HEAD
            self._head_bytes += len(data)
        else:
            self._body_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._decline_upgrade(data[upgrade.args[0] :])
            return
        except httptools.HttpParserError as error:
            if self._state == LINGER:  # refused already, within the same read
                return
            self._incoming = None
            self._queue.append(broken(f"malformed HTTP request: {str(error)[:100]}"))
            if not self._is_busy():
                self._next()
            return
        if self._state == HEAD and self._incoming is None and self._head_bytes > self.shared.limits.max_header_bytes:
            self._refuse_now(None, self._head_too_large())
        elif self._state == BODY and self._incoming is not None:
            body_bytes = self._incoming.body_bytes
            if self._body_bytes > self.shared.limits.max_header_bytes + FRAMING_SHARE * body_bytes:
                self._refuse_now(self._incoming, self._head_too_large())

    def _decline_upgrade(self, rest: bytes) -> None:
        """h2c is offered by Java clients, with a body that the parser does not read: the head is parsed once more without the offer."""
        self.parser = self._new_parser()
        rest, self._offer = self._offer + rest, b""
        if self._is_busy():
            self._backlog = rest + self._backlog
        elif rest:
            self.data_received(rest)

    # httptools callbacks

    def on_message_begin(self) -> None:
        self.url = b""
        self.headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._incoming is None:  # else it is a trailer, which is no header of the request
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        if self._state == LINGER:
            return
        limits, parser = self.shared.limits, self.parser
        version = parser.get_http_version()
        incoming = Incoming(parser.get_method(), self.url, version, self.headers, keep_alive=version != "1.0" and parser.should_keep_alive())
        self._incoming = incoming
        self._body_bytes = 0
        if self._head_bytes > limits.max_header_bytes and incoming.head_bytes() > limits.max_header_bytes:
            incoming.refusal = self._head_too_large()
        seen = incoming.read.seen
        if b"upgrade" in seen and incoming.method != b"CONNECT" and parser.should_upgrade():
            self._offer, self._incoming = incoming.head_without(b"upgrade"), None
            return
        if version not in ("1.1", "1.0"):
            incoming.refusal = Refusal(505, "http_version", "only HTTP/1.1 and HTTP/1.0 are spoken here")
        if int(seen.get(b"content-length", 0)) > limits.max_body_bytes:
            incoming.refusal = self._body_too_large()
        if incoming.refusal is None and (wrong := incoming.unservable()):
            incoming.refusal = wrong
        self.expect_100_continue = b"expect" in seen
        if self._is_busy():
            return
        self._state = BODY
        if incoming.refusal is not None:
            self._refuse_now(incoming, incoming.refusal)
        elif self.expect_100_continue:
            self.transport.write(CONTINUE)

    def on_body(self, body: bytes) -> None:
        incoming = self._incoming
        if incoming is None or self._state == LINGER:
            return
        incoming.add(body)
        if incoming.body_bytes > self.shared.limits.max_body_bytes and incoming.refusal is None:
            incoming.refusal = self._body_too_large()
            if not self._is_busy():
                self._refuse_now(incoming, incoming.refusal)

    def on_message_complete(self) -> None:
        incoming, self._incoming = self._incoming, None
        self._head_bytes = 0
        if incoming is None or self._state == LINGER:
            return
        if self._is_busy() or self._queue:
            self._queue.append(incoming)
        else:
            self._start(incoming)

    # One request at a time

    def _is_busy(self) -> bool:
        return self.call is not None or self._refused or (self.cycle is not None and not self.cycle.response_complete)

    def _start(self, incoming: Incoming) -> None:
        self._state = ANSWER
        self._since_at = 0.0
        self.keep_alive = self.keep_alive and incoming.keep_alive
        if incoming.refusal is not None:
            self._refuse_now(incoming, incoming.refusal)
            return
        self.chunks = incoming.version != "1.0"
        target = incoming.url.partition(b"?")[0]
        route = routes.find(target) if incoming.method == b"POST" else None
        if route is None:
            self._start_cycle(incoming)
            return
        try:
            call = incoming.call(self, route, self.shared, self.loop, keep_alive=self.keep_alive)
        except Refusal as refusal:
            self.transport.write(error_bytes(incoming, refusal, self.shared, keep_alive=self.keep_alive))
            self._refused = True
            self.loop.call_soon(self._done)
            return
        self.call = call
        self._starting = True
        self.shared.gateway.start(call)
        self._starting = False

    def _start_cycle(self, incoming: Incoming) -> None:
        """Hand a whole request to ASGI."""
        raw_path, _, query = incoming.path().partition(b"?")
        path = raw_path.decode("ascii", "replace")
        self.headers = incoming.headers
        self.scope = {
            "type": "http",
            "asgi": {"version": self.asgi_version, "spec_version": "2.3"},
            "http_version": incoming.version,
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme or "http",
            "root_path": self.root_path,
            "headers": incoming.headers,
            "state": self.app_state.copy(),
            "method": incoming.method.decode("ascii"),
            "path": urllib.parse.unquote(path) if "%" in path else path,
            "raw_path": raw_path,
            "query_string": query,
        }
        self.cycle = RequestResponseCycle(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=self.keep_alive,
            on_response=self.on_response_complete,
        )
        self.cycle.body += incoming.body()
        self.cycle.more_body = False
        self.cycle.message_event.set()
        self._start_asgi_task(self.cycle, self.app)

    def on_response_complete(self) -> None:
        """An ASGI answer has ended."""
        self.server_state.total_requests += 1
        self.keep_alive = self.keep_alive and self.cycle.keep_alive
        self._done()

    def _done(self) -> None:
        self._refused = False
        if self.transport.is_closing():
            return
        if self.keep_alive:
            self._next()
        else:
            self.transport.close()

    def _next(self) -> None:
        """Look at what the client sent meanwhile."""
        self._state, self._since_at = NEXT, 0.0
        if self._queue:
            self._start(self._queue.popleft())
            return
        self.flow.resume_reading()
        if self._incoming is not None:  # begun in the same read as the request before it
            self._state = BODY
            if self._incoming.refusal is not None:
                self._refuse_now(self._incoming, self._incoming.refusal)
                return
            if self.expect_100_continue:
                self.transport.write(CONTINUE)
        if self._backlog:
            data, self._backlog = self._backlog, b""
            self.data_received(data)

    # gateway.call.Client

    def write(self, data: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(data)

    def abort(self) -> None:
        """A reset: nothing that was sent can be taken for a whole answer, even one that ends with the connection."""
        self.keep_alive = False
        sock = self.transport.get_extra_info("socket")
        if sock is not None and sock.fileno() >= 0:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
        self.transport.abort()

    def answered(self) -> None:
        self.call = None
        self.server_state.total_requests += 1
        if self._starting:
            self._refused = True
            self.loop.call_soon(self._done)
        else:
            self._done()

    def shutdown(self) -> None:
        """The process stops: finish what is under way, then close."""
        self.keep_alive = False
        if self._is_busy():
            if self.cycle is not None:
                self.cycle.keep_alive = False
        else:
            self.transport.close()

    # Limits

    def check(self, now: float) -> None:
        """Called about once a second: has the client been waited for too long?"""
        if self._since_at == 0.0:
            self._since_at = now
            return
        waited, limits = now - self._since_at, self.shared.limits
        if self.paused:
            if waited > limits.send_timeout_seconds:
                self.transport.abort()
                self._client_left()
        elif self._state == ANSWER:
            return
        elif self._state == BODY:
            if waited > limits.body_timeout_seconds:
                self._refuse_now(self._incoming, Refusal(408, "body_timeout", "the request body did not arrive in time"))
        elif self._state == HEAD and self._head_bytes:
            if waited > limits.header_timeout_seconds:
                self._refuse_now(None, Refusal(408, "header_timeout", "the request head did not arrive in time"))
        elif self._state == LINGER:
            if waited > LINGER_SECONDS:
                self.transport.abort()
        elif waited > (limits.keepalive_timeout_seconds if self._state == NEXT else limits.header_timeout_seconds):
            self.transport.close()

    def _refuse_now(self, incoming: Incoming | None, refusal: Refusal) -> None:
        """Answer before the request was read, and close. What the client still sends is read and dropped: closing on unread bytes would reset
        the connection and take the answer with it."""
        self.transport.write(error_bytes(incoming, refusal, self.shared, keep_alive=False))
        self.keep_alive = False
        self._state, self._since_at, self._incoming = LINGER, 0.0, None
        self._queue.clear()
        self._backlog = b""
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()

    def _client_left(self) -> None:
        if self.call is not None:
            self.call.leave()

    def _head_too_large(self) -> Refusal:
        return Refusal(431, "headers_too_large", f"the request head is larger than {self.shared.limits.max_header_bytes} bytes")

    def _body_too_large(self) -> Refusal:
        return Refusal(413, "body_too_large", f"the request body is larger than {self.shared.limits.max_body_bytes} bytes")
