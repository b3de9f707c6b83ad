import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from tests.bench import payload
from tests.bench.load import Load, run
from tests.bench.mock import Mock
from tests.fakes.scripted import ScriptedServer, Step, close, early, refusing


@pytest.fixture
async def mock_port() -> AsyncIterator[int]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Mock(loop), "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def test_right_answers_of_both_dialects_are_no_fault(mock_port: int) -> None:
    result = await run(Load(port=mock_port, connections=4, stream=False, seconds=0.05))
    assert result.faults == []
    assert result.requests >= 4


async def test_every_stream_is_read_to_its_end(mock_port: int) -> None:
    result = await run(Load(port=mock_port, connections=4, stream=True, streams_each=2, pace_ms=1))
    assert result.faults == []
    assert result.requests == 8
    assert result.chunks == 8 * payload.CHUNKS
    assert len(result.first_chunk_seconds) == 8


def stream_of(records: list[bytes]) -> list[Step]:
    chunks = [b"%x\r\n%s\r\n" % (len(record), record) for record in records]
    return [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *chunks, b"0\r\n\r\n"]


RIGHT = payload.records("openai", 0)
WRONG = {
    "out of order": stream_of([RIGHT[1], RIGHT[0], *RIGHT[2:]]),
    "one missing": stream_of([*RIGHT[:5], *RIGHT[6:]]),
    "no end": stream_of([*RIGHT[:-1], RIGHT[-1].replace(b"data: [DONE]\n\n", b"")]),
    "another's answer": stream_of(payload.records("openai", 7)),
    "too long": stream_of([*RIGHT, b"data: more\n\n"]),
    "cut": [*stream_of(RIGHT)[:20], close],
    "an error": early([b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 2\r\n\r\n{}"]),
    "bytes behind the end": [*stream_of(RIGHT)[:-1], b"0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"],
    "a malformed chunk": [*stream_of(RIGHT)[:5], b"ZZ\r\n"],
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_a_wrong_answer_is_a_fault(wrong: str) -> None:
    async with ScriptedServer("nothing") as server:
        server.on("/v1/chat/completions", WRONG[wrong])
        result = await run(Load(port=server.port, connections=1, stream=True, streams_each=1))
    assert len(result.faults) == 1
    assert result.requests == 0


async def test_the_right_bytes_of_another_cutting_are_right() -> None:
    async with ScriptedServer("nothing") as server:
        server.on("/v1/chat/completions", stream_of([b"".join(RIGHT)]))
        result = await run(Load(port=server.port, connections=1, stream=True, streams_each=1))
    assert result.faults == []


def test_a_request_is_as_long_as_it_says_and_about_a_kilobyte() -> None:
    head, _, body = payload.request("ollama", 12, stream=True, pace_ms=20).partition(b"\r\n\r\n")
    assert b"Content-Length: %d" % len(body) in head
    assert 1000 < len(body) < 1400
    assert b"00000012" in body


@pytest.mark.parametrize("build", [lambda n: payload.plain("openai", n), lambda n: payload.plain("ollama", n), lambda n: payload.records("ollama", n)[3]])
def test_no_two_requests_have_the_same_answer(build: Callable[[int], bytes]) -> None:
    assert build(1) != build(2)


async def test_nobody_listening_is_a_fault() -> None:
    with refusing() as url:
        result = await run(Load(port=int(url.rpartition(":")[2]), connections=2, stream=True, streams_each=1))
    assert len(result.faults) == 1
    assert result.requests == 0
