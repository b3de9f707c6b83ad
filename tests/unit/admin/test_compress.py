import asyncio
import gzip

import pytest
from starlette.requests import Request
from starlette.responses import Response

from orchestrator.admin.compress import LEAST_BYTES, PIECE_BYTES, compressed
from orchestrator.fleet.specs import FleetSpec
from orchestrator.telemetry.record import RequestRecord
from orchestrator.telemetry.recorder import Kept
from tests.fakes import fleets


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


# ---- the API


@pytest.fixture
async def crowded(admin):
    """A hundred servers of 300 models each, of which half are everywhere; and things that happened."""
    names = [tuple(f"family-{n % 20}/model-{n if n < 150 else n + 997 * number:06d}:8b" for n in range(300)) for number in range(100)]
    admin.fleet.apply(FleetSpec(tuple(fleets.spec(f"gpu-{number:03d}", models=names[number]) for number in range(100))), 0.0)
    for number in range(500):
        admin.live.activity.note("serverStatus", "info", f"gpu-{number % 100:03d}", None, f"gpu-{number % 100:03d} is healthy again")
        admin.recent.read([Kept(RequestRecord(1.0, f"r{number}", "ollama", "chat", model="m", outcome="ok", status=200), None)])
    for _ in range(60):
        admin.clock.advance(0.25)
        admin.live.tick(admin.clock.now())
    return admin


@pytest.mark.parametrize(
    ("method", "path", "most_bytes"),
    [
        ("GET", "/api/servers", 100 * 1024),
        ("POST", "/api/health-check", 100 * 1024),
        ("GET", "/api/servers/gpu-001", 2 * 1024),
        ("GET", "/api/servers/gpu-001/models", 3 * 1024),
        ("GET", "/api/activity", 8 * 1024),
        ("GET", "/api/models", 300 * 1024),
        ("GET", "/api/requests", 12 * 1024),
        ("GET", "/api/history", 3 * 1024),
    ],
)
async def test_every_long_answer_is_small_on_the_wire_and_says_the_same(crowded, method, path, most_bytes):
    for encoding in ("gzip", "identity"):
        answer = await crowded.ask(method, path, headers={"Accept-Encoding": encoding})
        assert answer.status_code == 200
        assert answer.headers.get("content-encoding", "identity") == encoding
        assert (answer.num_bytes_downloaded < most_bytes) is (encoding == "gzip")
        assert answer.headers["content-length"] == str(answer.num_bytes_downloaded)
        assert answer.json()


async def test_a_stream_of_events_is_not_compressed(admin):
    answer = await admin.ask("HEAD", "/api/events", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-type"] == "text/event-stream"
    assert not {"content-encoding", "vary"} & set(answer.headers)
