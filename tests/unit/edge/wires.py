"""The clients' side of the wire without a network: bytes in, calls and bytes out."""

import asyncio
from typing import Any

from uvicorn.config import Config
from uvicorn.server import ServerState

from orchestrator.edge.incoming import Limits, RequestIds, Shared
from orchestrator.edge.origins import Origins
from orchestrator.edge.wire import Wire
from orchestrator.gateway.call import Call
from tests.fakes.clock import FakeClock
from tests.fakes.transport import FakeTransport

LIMITS = Limits(
    max_body_bytes=10_000, max_header_bytes=2_000, max_connections=3, header_timeout_seconds=30.0, body_timeout_seconds=60.0, send_timeout_seconds=61.0,
    keepalive_timeout_seconds=75.0,
)  # fmt: skip


class Gate:
    """Takes calls and leaves them to the test. echo: answer each at once with its path and body."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.open: list[Call] = []
        self.left: list[Call] = []
        self.echo = False

    def start(self, call: Call) -> None:
        assert not self.open, "two requests of one connection at a time"
        self.calls.append(call)
        self.open.append(call)
        if self.echo:
            self.finish(b"<%b>" % call.body)

    def finish(self, answer: bytes = b"answer") -> None:
        """The answer of the call that is open, and its end."""
        call = self.open.pop()
        call.client.write(answer)
        call.client.answered()


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    """Answers with what it saw."""
    message = await receive()
    said = b"%b %b?%b %b" % (scope["method"].encode(), scope["raw_path"], scope["query_string"], message["body"])
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(said))]})
    await send({"type": "http.response.body", "body": said})


class Line:
    """One connection. state: what all connections of a listener share."""

    def __init__(self, limits: Limits = LIMITS, *, loop: asyncio.AbstractEventLoop | None = None, state: ServerState | None = None) -> None:
        self.gate = Gate()
        shared = Shared(self.gate, limits, Origins((), loopback_only=True, hostname="box"), FakeClock(), RequestIds())  # type: ignore[arg-type]
        self.state = state or ServerState()
        config = Config(asgi, log_config=None, access_log=False, lifespan="off", ws="none", http="httptools")
        self.wire = Wire(shared, config=config, server_state=self.state, app_state={}, _loop=loop or asyncio.get_running_loop())
        self.transport = FakeTransport()
        self.wire.connection_made(self.transport)

    def send(self, *pieces: bytes) -> "Line":
        for piece in pieces:
            if not self.transport.closed:
                self.wire.data_received(piece)
        return self

    @property
    def got(self) -> bytes:
        """What was written since it was asked last."""
        return self.transport.take()

    @property
    def calls(self) -> list[tuple[bytes, bytes]]:
        return [(call.path, call.body) for call in self.gate.calls]

    async def settle(self) -> "Line":
        """Until the event loop has nothing more to do."""
        for _ in range(20):
            await asyncio.sleep(0)
        return self


def post(body: bytes = b'{"model":"m"}', path: bytes = b"/api/chat", *headers: bytes, version: bytes = b"1.1") -> bytes:
    """A request with Content-Length."""
    lines = [b"POST %b HTTP/%b" % (path, version), b"Host: localhost", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def chunked(*parts: bytes, path: bytes = b"/api/chat") -> bytes:
    """A request in chunks."""
    body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    return b"POST %b HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n%b0\r\n\r\n" % (path, body)
