"""The upstream of the benchmark: one process that answers chats of both dialects at once or at a pace. Prints its port.

python -m tests.bench.mock
"""

import asyncio
import json
import re
from typing import cast

import uvloop

from tests.bench import payload

FACTS = re.compile(rb'"stream":(true|false),"user":"(\d+)".*?"seed":(\d+)')
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CONTENT_TYPES = {"openai": b"text/event-stream", "ollama": b"application/x-ndjson"}


def _answer(value: object) -> bytes:
    return _plain(json.dumps(value).encode())


def _plain(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


ENTRY = {"name": payload.MODEL, "model": payload.MODEL, "modified_at": "2026-01-02T03:04:05Z", "size": 1, "digest": "ab" * 32, "details": {"family": "llama"}}
PROBES = {
    b"/api/version": _answer({"version": "0.33.0"}),
    b"/api/tags": _answer({"models": [ENTRY]}),
    b"/api/ps": _answer({"models": []}),
    b"/v1/models": _answer({"object": "list", "data": [{"id": payload.MODEL, "object": "model", "created": 1767323045, "owned_by": "mock"}]}),
}


class Mock(asyncio.Protocol):
    """One connection; requests come one after the other."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.buffer = b""
        self.timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.timer:
            self.timer.cancel()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self.buffer[: end + 2]
        length = LENGTH.search(head)
        size = int(length[1]) if length else 0
        body = self.buffer[end + 4 :]
        if len(body) < size:
            return
        self.buffer = b""
        self._reply(head.split(b" ", 2)[1], body)

    def _reply(self, path: bytes, body: bytes) -> None:
        dialect = payload.DIALECTS.get(path)
        facts = FACTS.search(body)
        if dialect is None or facts is None:
            self.transport.write(PROBES.get(path, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"))
        elif facts[1] == b"false":
            self.transport.write(_plain(payload.plain(dialect, int(facts[2]))))
        else:
            head = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n" % CONTENT_TYPES[dialect]
            chunks = [b"%x\r\n%s\r\n" % (len(record), record) for record in payload.records(dialect, int(facts[2]))]
            chunks[0] = head + chunks[0]
            chunks[-1] += b"0\r\n\r\n"
            self._send(chunks, 0, int(facts[3]) / 1000, self.loop.time())

    def _send(self, chunks: list[bytes], i: int, pace_seconds: float, began: float) -> None:
        self.transport.write(chunks[i])
        if i + 1 < len(chunks):
            self.timer = self.loop.call_at(began + (i + 1) * pace_seconds, self._send, chunks, i + 1, pace_seconds, began)


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Mock(loop), "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
