"""A client that sends raw bytes and reads the answers with a strict HTTP parser: wrong framing, and bytes that nobody asked for, are errors."""

import asyncio
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import h11

from tests.fakes.replay import split

PATIENCE_SECONDS = 20.0


@dataclass(frozen=True)
class Answer:
    """One answer. headers in lower case, in their order; body without its framing."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of a header that may come once only."""
        found = [value for key, value in self.headers if key == name]
        assert len(found) <= 1, f"{name} came {len(found)} times"
        return found[0] if found else None

    @property
    def media_type(self) -> str:
        return (self.header("content-type") or "").partition(";")[0]


class StrictClient:
    """One connection, opened by `async with`."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    async def ask(self, request: bytes) -> Answer:
        """Send these bytes, one request, and read its answer. Raises h11.RemoteProtocolError at whatever is against the protocol."""
        if self._parser.states != {h11.CLIENT: h11.IDLE, h11.SERVER: h11.IDLE}:
            self._parser.start_next_cycle()
        first, headers, body = split(request)
        method, path, _ = first.split(" ")
        self._parser.send(h11.Request(method=method, target=path, headers=list(headers.items())))
        if body:
            self._parser.send(h11.Data(body))
        self._parser.send(h11.EndOfMessage())
        self._writer.write(request)
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self._answer()

    async def _answer(self) -> Answer:
        head, body = None, bytearray()
        while not isinstance(event := await self._event(), h11.EndOfMessage):
            if isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
            else:
                raise AssertionError(f"unexpected {event!r}")
        assert head is not None
        found = Answer(head.status_code, [(name.decode(), value.decode("latin-1")) for name, value in head.headers], bytes(body))
        assert not (found.header("content-length") and found.header("transfer-encoding")), "two framings"
        assert self._parser.trailing_data[0] == b"", "bytes after the answer"
        return found

    async def _event(self) -> object:
        while (event := self._parser.next_event()) is h11.NEED_DATA:
            self._parser.receive_data(await self._reader.read(65536))
        return event


def requests_of(connection: bytes) -> list[bytes]:
    """The requests that a client sent on one connection, one by one."""
    found = []
    while connection:
        _, headers, rest = split(connection)
        end = len(connection) - len(rest) + int(headers.get("content-length", 0))
        found.append(connection[:end])
        connection = connection[end:]
    return found
