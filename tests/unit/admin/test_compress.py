import asyncio
import gzip

import pytest
from starlette.requests import Request
from starlette.responses import Response

from orchestrator.admin.compress import LEAST_BYTES, PIECE_BYTES, compressed


def asked(accepted):
    return Request({"type": "http", "headers": [(b"accept-encoding", accepted)] if accepted is not None else []})


@pytest.mark.parametrize("length", [LEAST_BYTES, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 10 * PIECE_BYTES + 7])
async def test_a_long_answer_comes_whole_and_in_less_bytes(length):
    body = (b"all work and no play " * (length // 21 + 1))[:length]
    answer = await compressed(Response(body, headers={"Cache-Control": "no-store"}), asked(b"gzip, deflate, br"))
    assert gzip.decompress(answer.body) == body
    assert len(answer.body) < length / 10
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers.getlist("content-length") == [str(len(answer.body))]


@pytest.mark.parametrize("accepted", [None, b"", b"br", b"gzip;q=0"])
async def test_a_client_that_takes_no_gzip_gets_none(accepted):
    body = b"a" * 10 * LEAST_BYTES
    answer = await compressed(Response(body), asked(accepted))
    assert answer.body == body
    assert "content-encoding" not in answer.headers
    assert answer.headers["vary"] == "Accept-Encoding"


async def test_a_short_answer_stays_as_it_is():
    answer = await compressed(Response(b"a" * (LEAST_BYTES - 1)), asked(b"gzip"))
    assert answer.body == b"a" * (LEAST_BYTES - 1)
    assert "content-encoding" not in answer.headers


async def test_others_have_their_turn_while_a_very_long_answer_is_compressed():
    turns = 0

    async def others():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    try:
        await compressed(Response(bytes(range(256)) * 160 * 1024), asked(b"gzip"))
    finally:
        task.cancel()
    assert turns > 3
