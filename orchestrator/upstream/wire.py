"""Connections to servers for inference: HTTP/1.1 on asyncio protocols, pooled per server.

The callbacks here only parse and hand on; what an answer means is decided by the receiver (gateway.relay).
"""

import asyncio
import ssl
from typing import Protocol

import httptools
from msgspec import Struct

from orchestrator.protocol.http import NO_BODY, Headers

IDLE_SECONDS = 30.0
DRAIN_SECONDS = 2.0
MAX_IDLE = 256


class Failure(Struct, frozen=True):
    """Why an answer did not come or did not end well; reason: words without secrets.

    kind: `connect`, `stale`, `reset`, `malformed`, `timeout`, or of our own doing `shutting_down`, `cancelled`.
    """

    kind: str
    reason: str


class ConnectFailed(Exception):
    """No connection to the server; the text says why."""


class Receiver(Protocol):
    """Who takes an answer. All are called from the event loop, in this order; `end` or `broken` comes once and last."""

    def copy(self, data: bytes) -> bool:
        """Between chunks: True if `data` was whole chunks and is dealt with, so that it need not be parsed."""

    def head(self, status: int, headers: Headers) -> None: ...

    def body(self, data: bytes) -> None: ...

    def flush(self) -> None:
        """Everything of one read was handed over."""

    def end(self) -> None: ...

    def broken(self, failure: Failure) -> None: ...


class Connection(asyncio.Protocol):
    """One connection to a server, one request at a time."""

    __slots__ = ("_between", "_complete", "_drains", "_headers", "_parser", "_pool", "_receiver", "_until_close", "answering", "asked", "since_at", "transport")

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool
        self._receiver: Receiver | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._headers: Headers = []
        self._between = self._complete = self._until_close = self._drains = False
        self.answering = False  # bytes of an answer have come
        self.asked = 0
        self.since_at = 0.0
        self.transport: asyncio.Transport

    def ask(self, receiver: Receiver, head: bytes, body: bytes) -> None:
        """Send a request; the answer goes to the receiver."""
        self._receiver = receiver
        self._between = self._complete = self._until_close = self.answering = False
        self._headers = []
        self.asked += 1
        if len(body) < 65536:
            self.transport.write(head + body)
        else:
            self.transport.write(head)
            self.transport.write(body)

    def leave(self) -> None:
        """The receiver has all it wants; what is still to come (the last chunk) is read so that the connection can be used again."""
        self._receiver = None
        if not self._complete:
            self._drains = True
            self._pool.drain(self)

    def abort(self) -> None:
        """Close at once: the server must notice that nobody waits any more."""
        self._receiver = None
        self.transport.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        self._pool.connections.add(self)

    def data_received(self, data: bytes) -> None:
        receiver = self._receiver
        if receiver is not None:
            if self._between and receiver.copy(data):
                return
            self.answering = True
        elif not self._drains:  # bytes that nobody asked for
            self.transport.abort()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self._complete:
                self._fail(Failure("malformed", f"malformed answer: {str(error)[:100]}"))
                return
            self._until_close = True  # the answer was whole, what follows it is not ours
        if self._complete:
            self._finish()
        elif receiver is not None:
            receiver.flush()

    def eof_received(self) -> None:
        self._lost("the server closed the connection", clean=True)

    def connection_lost(self, exc: Exception | None) -> None:
        self._pool.discard(self)
        self._lost("the connection was reset" if exc else "the server closed the connection", clean=exc is None)

    # httptools callbacks

    def on_message_begin(self) -> None:
        if self._complete:  # more than one answer to one request: not to be trusted any further
            self._until_close, self._headers = True, []

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200 or self._complete:
            return
        chunked = length = False
        for name, value in self._headers:
            if name == b"transfer-encoding":
                chunked = value.lower().endswith(b"chunked")
            elif name == b"content-length":
                length = True
        self._between = chunked
        self._until_close = not (chunked or length or status in NO_BODY)
        headers, self._headers = self._headers, []  # what follows are trailers, which are no headers of the answer
        if self._receiver is not None:
            self._receiver.head(status, headers)

    def on_chunk_header(self) -> None:
        self._between = False

    def on_chunk_complete(self) -> None:
        self._between = True

    def on_body(self, data: bytes) -> None:
        if self._receiver is not None and not self._complete:
            self._receiver.body(data)

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() < 200:  # 100 Continue and the like: the answer is still to come
            self._headers = []
            return
        self._complete = True
        # An answer that came before the request was read to its end leaves the connection in no usable state.
        if not self._parser.should_keep_alive() or self.transport.get_write_buffer_size():
            self._until_close = True

    def _finish(self) -> None:
        receiver, self._receiver = self._receiver, None
        reusable, self._drains, self._between = not self._until_close, False, False
        if reusable:
            self._pool.give(self)
        else:
            self.transport.close()
        if receiver is not None:
            receiver.end()

    def _lost(self, reason: str, *, clean: bool) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is None:
            return
        if clean and self._until_close:
            receiver.end()
        else:
            receiver.broken(Failure("reset" if self.answering or self.asked == 1 else "stale", reason))

    def _fail(self, failure: Failure) -> None:
        receiver, self._receiver = self._receiver, None
        self.transport.abort()
        if receiver is not None:
            receiver.broken(failure)


class Pool:
    """The connections to one server. idle ones are reused newest first; limits on requests are not made here but by admission."""

    __slots__ = ("_draining", "_host", "_idle", "_port", "_tls", "closed", "connections", "now")

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self._host, self._port, self._tls = host, port, tls
        self._idle: list[Connection] = []
        self._draining: set[Connection] = set()
        self.connections: set[Connection] = set()
        self.closed = False
        self.now = 0.0  # of the last sweep: precise enough to age idle connections

    def take(self) -> Connection | None:
        """An idle connection, if there is one."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.transport.is_closing():
                return connection
        return None

    async def connect(self, seconds: float) -> Connection:
        """A new connection. Raises ConnectFailed."""
        loop = asyncio.get_running_loop()
        name = self._host if self._tls else None
        try:
            async with asyncio.timeout(seconds):
                _, connection = await loop.create_connection(lambda: Connection(self), self._host, self._port, ssl=self._tls, server_hostname=name)
        except TimeoutError:
            raise ConnectFailed(f"no connection within {seconds:g} s") from None
        except ssl.SSLError as error:
            raise ConnectFailed(f"TLS failed: {error.reason or 'handshake'}") from None
        except (OSError, UnicodeError) as error:
            raise ConnectFailed(_words(error)) from None
        return connection

    def give(self, connection: Connection) -> None:
        """Back after a complete answer."""
        self._draining.discard(connection)
        if self.closed or len(self._idle) >= MAX_IDLE:
            connection.transport.close()
            return
        connection.since_at = self.now
        self._idle.append(connection)

    def drain(self, connection: Connection) -> None:
        connection.since_at = self.now
        self._draining.add(connection)

    def discard(self, connection: Connection) -> None:
        self.connections.discard(connection)
        self._draining.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)

    def sweep(self, now: float) -> None:
        """Close what was idle or draining for too long."""
        self.now = now
        for connection in [c for c in self._draining if now - c.since_at > DRAIN_SECONDS]:
            connection.transport.abort()
        old = [c for c in self._idle if now - c.since_at > IDLE_SECONDS]
        for connection in old:
            self._idle.remove(connection)
            connection.transport.close()

    def close(self) -> None:
        """Close idle connections now and the others when their answers end."""
        self.closed = True
        for connection in [*self._idle, *self._draining]:
            connection.transport.abort()
        self._idle.clear()


def _words(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, OSError) and error.strerror:
        return str(error.strerror).lower()[:100]
    return type(error).__name__
