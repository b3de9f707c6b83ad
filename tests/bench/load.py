"""The clients of the benchmark: keep-alive connections that send one request after the other and compare every byte of every answer.

python -m tests.bench.load '{"port": 8000, "connections": 16, ...}'        # the fields of Load; prints the fields of Result
"""

import asyncio
import sys
from time import perf_counter
from typing import cast

import msgspec
import uvloop
from msgspec import Struct

from tests.bench import payload

ANSWER_SECONDS = 30.0


class Load(Struct, kw_only=True):
    """What to send. Plain requests for `seconds`, or `streams_each` streams on every connection, the first ones begun over `stagger_seconds`."""

    port: int
    connections: int
    stream: bool
    seconds: float = 0.0
    streams_each: int = 0
    stagger_seconds: float = 0.0
    pace_ms: int = 20


class Result(Struct, kw_only=True):
    """What came back. first_chunk_seconds is measured on streams only, from the sending of the request."""

    requests: int = 0
    chunks: int = 0
    seconds: float = 0.0
    first_chunk_seconds: list[float] = []
    faults: list[str] = []


class Client(asyncio.Protocol):
    """One connection. `ask` sends a request and waits until its answer is whole and right; anything else is a fault."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.done: asyncio.Future[None] | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail("the connection was closed in the middle of an answer")

    async def ask(self, request: bytes, expected: bytes) -> float:
        """The time from sending to the first byte of the body, in seconds. Raises ValueError if the answer is wrong."""
        if self.transport.is_closing():
            raise ValueError("the connection was closed between two requests")
        self.done = asyncio.get_running_loop().create_future()
        self.expected, self.offset, self.first = expected, 0, 0.0
        self.head, self.rest, self.chunked = b"", b"", False
        began = perf_counter()
        self.transport.write(request)
        await asyncio.wait_for(self.done, ANSWER_SECONDS)
        return self.first - began

    def data_received(self, data: bytes) -> None:
        if self.done is None or self.done.done():
            self.transport.abort()
            return
        try:
            self._take(data)
        except ValueError as error:
            self._fail(str(error))

    def _take(self, data: bytes) -> None:
        if not self.first:
            data = self.head + data
            end = data.find(b"\r\n\r\n")
            if end < 0 or end + 4 == len(data):
                self.head = data
                return
            self.first = perf_counter()
            self._read_head(data[: end + 2])
            data = data[end + 4 :]
        if self.chunked:
            self._take_chunks(data)
        else:
            self._compare(data)
            if self.offset == len(self.expected):
                self._succeed()

    def _read_head(self, head: bytes) -> None:
        lowered = head.lower()
        if not lowered.startswith(b"http/1.1 200 "):
            raise ValueError(f"not a 200: {head[:60]!r}")
        self.chunked = b"\r\ntransfer-encoding: chunked\r\n" in lowered
        if not self.chunked and b"\r\ncontent-length: %d\r\n" % len(self.expected) not in lowered:
            raise ValueError("neither chunked nor of the right length")

    def _take_chunks(self, data: bytes) -> None:
        data = self.rest + data
        while (line := data.find(b"\r\n")) > 0:
            size = int(data[:line], 16)
            end = line + 2 + size
            if len(data) < end + 2:
                break
            if data[end : end + 2] != b"\r\n":
                raise ValueError("a chunk does not end where it says")
            self._compare(data[line + 2 : end])
            data = data[end + 2 :]
            if not size:
                if data or self.offset != len(self.expected):
                    raise ValueError("the stream ends too early or too late")
                self._succeed()
                return
        self.rest = data

    def _compare(self, body: bytes) -> None:
        if not self.expected.startswith(body, self.offset):
            raise ValueError(f"wrong bytes after {self.offset} bytes of the body: {body[:80]!r}")
        self.offset += len(body)

    def _succeed(self) -> None:
        if self.done is not None:
            self.done.set_result(None)

    def _fail(self, reason: str) -> None:
        if self.done is not None and not self.done.done():
            self.done.set_exception(ValueError(reason))


async def run(load: Load) -> Result:
    """All connections at once; the time counts from the first request to the last answer."""
    loop = asyncio.get_running_loop()
    result = Result()
    try:
        clients = [(await loop.create_connection(Client, "127.0.0.1", load.port))[1] for _ in range(load.connections)]
    except OSError as error:
        result.faults.append(f"no connection: {error}")
        return result
    began = perf_counter()
    await asyncio.gather(*(_connection(i, client, load, result, began) for i, client in enumerate(clients)))
    result.seconds = perf_counter() - began
    for client in clients:
        client.transport.close()
    return result


async def _connection(i: int, client: Client, load: Load, result: Result, began: float) -> None:
    dialect = "ollama" if i % 2 else "openai"
    await asyncio.sleep(i * load.stagger_seconds / load.connections)
    sent = 0
    while sent < load.streams_each if load.stream else perf_counter() - began < load.seconds:
        number = i * 100_000 + sent
        request = payload.request(dialect, number, stream=load.stream, pace_ms=load.pace_ms)
        expected = b"".join(payload.records(dialect, number)) if load.stream else payload.plain(dialect, number)
        sent += 1
        try:
            delay = await client.ask(request, expected)
        except (ValueError, TimeoutError) as error:
            result.faults.append(f"{dialect} request {number}: {error or 'no answer in time'}")
            return
        result.requests += 1
        if load.stream:
            result.chunks += payload.CHUNKS
            result.first_chunk_seconds.append(delay)


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(run(msgspec.json.decode(sys.argv[1], type=Load)))))
