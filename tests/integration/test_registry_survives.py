"""Requests of clients while the registry's database is locked or gone, and the fleet after the process was killed among them."""

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.fakes import wire
from tests.fakes.scripted import ScriptedServer
from tests.fakes.strict import StrictClient
from tests.integration.front import Front, fronted

BODY = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}]}).encode()
CHAT = b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
OTHER = {"id": "other", "url": "http://127.0.0.1:9"}


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with ScriptedServer("ollama").on("/api/chat", wire.ollama_chat(["a", "b"])) as running:
        yield running


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another process's transaction that lets nobody else write."""
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield


async def chat(front: Front) -> None:
    async with StrictClient(front.port) as client:
        answer = await client.ask(CHAT)
    assert (answer.status, answer.body.count(b'"done":true')) == (200, 1), answer.body


@contextlib.asynccontextmanager
async def traffic(front: Front) -> AsyncIterator[None]:
    """One request after the other as long as the block lasts; each must be answered whole."""
    ending = asyncio.Event()

    async def ask() -> None:
        count = 0
        while count < 10 or not ending.is_set():
            await chat(front)
            count += 1

    asking = asyncio.create_task(ask())
    try:
        yield
    finally:
        ending.set()
        await asking


async def test_traffic_goes_on_while_the_database_is_locked_and_the_api_says_so(tmp_path: Path, server: ScriptedServer) -> None:
    async with fronted(tmp_path) as front, front.servers(a=server.url):
        with locked(tmp_path / "data" / "orchestrator.db"):
            async with traffic(front):
                status, answer = await front.ask("POST", "/api/servers?probe=false", OTHER)
        assert (status, answer["error"]["code"]) == (503, "database_unavailable")
        assert (await front.ask("POST", "/api/servers?probe=false", OTHER))[0] == 201


async def test_traffic_goes_on_when_the_database_is_gone_and_the_api_says_so(tmp_path: Path, server: ScriptedServer) -> None:
    async with fronted(tmp_path) as front, front.servers(a=server.url):
        for file in (tmp_path / "data").glob("orchestrator.db*"):
            file.unlink()
        async with traffic(front):
            status, answer = await front.ask("PATCH", "/api/servers/a", {"weight": 2})
            await front.ask("POST", "/api/health-check")
        assert (status, answer["error"]["code"]) == (503, "database_unavailable")
        assert (await front.server("a"))["healthy"] is True


async def test_what_a_probe_learns_while_the_database_is_locked_is_used_at_once_and_stored_at_the_end(tmp_path: Path, server: ScriptedServer) -> None:
    async with fronted(tmp_path) as front:
        await front.ask("POST", "/api/servers", {"id": "a", "url": server.url})
        server.on("/api/tags", wire.tags(["m:latest", "new:latest"]))
        with locked(tmp_path / "data" / "orchestrator.db"):
            assert (await front.ask("POST", "/api/servers/a/check"))[1]["models"] == ["m:latest", "new:latest"]
            _, tags = await front.ask("GET", "/api/tags")
            assert {entry["name"] for entry in tags["models"]} == {"m:latest", "new:latest"}
    await server.down()
    async with fronted(tmp_path) as front:
        assert (await front.server("a"))["models"] == ["m:latest", "new:latest"]


async def test_killed_under_traffic_it_serves_at_once_after_the_restart(tmp_path: Path, server: ScriptedServer) -> None:
    async with fronted(tmp_path) as front:
        await front.ask("POST", "/api/servers", {"id": "a", "url": server.url})
        forever = asyncio.Event()
        server.on("/api/chat", [*wire.ollama_begin(["a"]), forever], wire.ollama_chat(["a", "b"]))
        async with StrictClient(front.port) as client:
            asking = asyncio.create_task(client.ask(CHAT))
            seen = await server.request("/api/chat")
            await front.kill()
            await seen.until_left()
            with pytest.raises(Exception, match=r"(?i)reset|incomplete|closed"):
                await asking
    async with fronted(tmp_path) as front:
        await chat(front)
        assert (await front.server("a"))["inFlight"] == 0
