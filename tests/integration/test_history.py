"""History over restarts, kills and a database that is locked."""

import asyncio
import contextlib
import json
import sqlite3
import time

from tests.fakes.clock import FakeClock
from tests.fakes.scripted import ScriptedServer
from tests.integration.client import PATIENCE_SECONDS
from tests.integration.dialects import OLLAMA
from tests.integration.orchestrated import Orchestrated
from tests.integration.serving import Serving

CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": False}


@contextlib.contextmanager
def locked(path):
    """Another process's transaction that lets nobody else write."""
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield


def stored(path):
    """Requests in the points of ten seconds that are in the database."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return sum(json.loads(text)["requests"] for (text,) in connection.execute("SELECT point FROM points WHERE resolution_seconds = 10"))


async def chats(orchestrated, count):
    """So many requests, counted."""
    for _ in range(count):
        assert (await orchestrated.answer(OLLAMA.ask(True))).status == 200
    await told(orchestrated, lambda points: sum(point["requests"] for point in points) >= count)


async def told(orchestrated, matches, seconds=86_400):
    """The points, as soon as they match."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not matches(points := (await orchestrated.admin("GET", f"/api/history?seconds={seconds}"))["points"]):
            await asyncio.sleep(0.05)
    return points


async def test_a_restart_keeps_what_was_up_to_its_last_moment(tmp_path, prepared):
    async with ScriptedServer() as server:
        server.on("/api/chat", [*OLLAMA.begin(["x"]), *OLLAMA.end()])
        async with Orchestrated(tmp_path, prepared) as before:
            await before.register("a", server.url)
            await chats(before, 3)
            assert (await before.answer(OLLAMA.ask(True))).status == 200  # stopped before its second is over
        async with Orchestrated(tmp_path, prepared) as after:
            for seconds in (300, 3600, 86_400):
                points = (await after.admin("GET", f"/api/history?seconds={seconds}"))["points"]
                assert sum(point["requests"] for point in points) == 4
                assert [point["time"] for point in points] == sorted(point["time"] for point in points)
            assert any(point["firstTokenP50Seconds"] is not None for point in points)
            assert len((await after.admin("GET", "/api/servers/a/history"))["checks"]) in (0, 1)


def test_a_killed_process_leaves_all_but_its_last_seconds(tmp_path):
    with Serving(tmp_path) as serving:
        for _ in range(5):
            status, _ = serving.ask("POST", "/api/chat", CHAT)
            assert status == 404
        database = tmp_path / "data" / "orchestrator.db"
        end = time.monotonic() + 3 * PATIENCE_SECONDS
        while stored(database) < 5:
            assert time.monotonic() < end, "nothing was stored"
            time.sleep(0.1)
        serving.kill()
    with Serving(tmp_path) as serving:
        for seconds in (3600, 86_400):
            status, answer = serving.ask("GET", f"/api/history?seconds={seconds}")
            assert status == 200
            assert sum(point["requests"] for point in answer["points"]) == 5
            assert sum(point["errors"].get("clientError", 0) for point in answer["points"]) == 5


async def test_a_locked_database_delays_history_and_disturbs_nobody(tmp_path, prepared, caplog):
    clock = FakeClock()
    async with ScriptedServer() as server:
        server.on("/api/chat", [*OLLAMA.begin(["x"]), *OLLAMA.end()])
        async with Orchestrated(tmp_path, prepared, clock=clock) as running:
            path = tmp_path / "data" / "orchestrator.db"
            await running.register("a", server.url)
            with locked(path):
                clock.advance(1)
                assert (await running.answer(OLLAMA.ask(True))).status == 200
                clock.advance(15)
                await running.until(lambda: "the history is not stored" in caplog.text)
                assert (await running.answer(OLLAMA.ask(True))).status == 200
            assert stored(path) == 0
            clock.advance(15)
            await running.until(lambda: stored(path) == 2)
            await told(running, lambda points: sum(point["requests"] for point in points) == 2)
    assert not [record for record in caplog.records if record.name.startswith("apscheduler")], "a complaint every second would fill the log"


async def test_a_database_that_is_gone_at_the_end_does_not_hold_up_the_stop(tmp_path, prepared):
    async with Orchestrated(tmp_path, prepared) as running:
        await told(running, lambda points: points)
        (tmp_path / "data" / "orchestrator.db").unlink()
        await running.stop()
