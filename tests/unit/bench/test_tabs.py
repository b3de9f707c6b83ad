import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from tests.bench.tabs import run

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
SOON_SECONDS = 10


class Served:
    """Answers every connection with these bytes and keeps it open until told otherwise."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.asked: list[bytes] = []
        self.enough = asyncio.Event()
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append((await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1])
        writer.write(self.answer)
        await self.enough.wait()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


@asynccontextmanager
async def served(answer: bytes) -> AsyncIterator[Served]:
    made = Served(answer)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        made.enough.set()
        server.close()


async def test_all_tabs_are_open_before_it_says_so_and_one_follows_requests(capsys: pytest.CaptureFixture[str]) -> None:
    async with served(HEAD) as server:
        running = asyncio.create_task(run(server.port, 3))
        async with asyncio.timeout(SOON_SECONDS):
            while not (said := capsys.readouterr().out):
                await asyncio.sleep(0)
        assert (said, len(server.asked)) == ("3\n", 3)
        assert sum(b"requests" in path for path in server.asked) == 1
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


@pytest.mark.parametrize(("answer", "fault"), [(HEAD, "a stream ended"), (b"HTTP/1.1 503 No\r\n\r\n", "no stream")])
async def test_a_stream_that_ends_or_cannot_be_opened_is_a_fault(answer: bytes, fault: str) -> None:
    async with served(answer) as server:
        server.enough.set()
        with pytest.raises(ExceptionGroup) as caught:
            await run(server.port, 2)
        assert all(fault in str(error) for error in caught.value.exceptions)
