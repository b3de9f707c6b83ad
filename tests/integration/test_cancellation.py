"""Clients that leave: the server notices in every phase, the slot is free again, and nobody is struck."""

import asyncio

import pytest
from msgspec.structs import replace

from tests.fakes import wire
from tests.fakes.scripted import hang, unanswering
from tests.integration.client import post
from tests.integration.dialects import BOTH, OLLAMA, OPENAI

pytestmark = pytest.mark.asyncio(loop_scope="module")
both = pytest.mark.parametrize("dialect", BOTH, ids=lambda dialect: dialect.name)
each_way_to_leave = pytest.mark.parametrize("leave", ["close", "reset", "finish"])
"""finish: the client closes only its own side (FIN) and keeps reading."""


async def gone(orchestrated, server_id, outcomes=None):
    """The client's leaving is counted as such and struck nobody."""
    await orchestrated.quiet()
    assert await orchestrated.outcomes(server_id) == (outcomes or {"clientGone": 1})
    assert await orchestrated.breaker(server_id, "m:latest") is None
    assert (await orchestrated.breaker(server_id))["failures"] == 0
    assert (await orchestrated.server_state(server_id))["inFlight"] == 0


@both
@each_way_to_leave
@pytest.mark.parametrize("stream", [True, False], ids=["stream", "plain"])
async def test_before_the_first_byte(orchestrated, fleet, dialect, leave, stream):
    a, b = await fleet.add("a"), await fleet.add("b")
    a.on(dialect.path, [hang])
    async with await orchestrated.send(dialect.ask(stream)) as client:
        seen = await a.request(dialect.path)
        assert (await orchestrated.server_state("a"))["inFlight"] == 1
        getattr(client, leave)()
        await seen.until_left()
        assert seen.client_left
    await gone(orchestrated, "a")
    assert b.requests() == []


@both
@each_way_to_leave
async def test_before_the_first_useful_event(orchestrated, fleet, dialect, leave):
    a, b = await fleet.add("a"), await fleet.add("b")
    a.on(dialect.path, [*dialect.silent(), hang])
    async with await orchestrated.send(dialect.ask()) as client:
        seen = await a.request(dialect.path)
        await orchestrated.until(lambda: seen.sent_bytes > 0)
        getattr(client, leave)()
        await seen.until_left()
    await gone(orchestrated, "a")
    assert b.requests() == []


@both
@each_way_to_leave
async def test_in_the_middle_of_a_stream(orchestrated, fleet, dialect, leave):
    a = await fleet.add("a")
    a.on(dialect.path, [*dialect.begin(["Hi"]), hang])
    async with await orchestrated.send(dialect.ask()) as client:
        await client.until(b'"Hi"')
        getattr(client, leave)()
        seen = await a.request(dialect.path)
        await seen.until_left()
        if leave == "finish":
            assert b"error" not in await client.closed()
    await gone(orchestrated, "a")


@both
@each_way_to_leave
async def test_in_a_stream_that_the_client_does_not_read(orchestrated, fleet, dialect, leave):
    a = await fleet.add("a")

    async def talk_on(exchange):
        while True:
            await exchange.send(dialect.event("x" * 60000))

    a.on(dialect.path, [*dialect.begin(["Hi"]), talk_on])
    async with await orchestrated.send(dialect.ask()) as client:
        await client.until(b'"Hi"')
        client.writer.transport.pause_reading()
        seen = await a.request(dialect.path)
        before = -1
        while before != seen.sent_bytes:  # until it stands still
            before = seen.sent_bytes
            await asyncio.sleep(0.3)
        getattr(client, leave)() if leave != "close" else client.writer.transport.abort()
        await seen.until_left()
    await gone(orchestrated, "a")


@both
@each_way_to_leave
async def test_in_a_plain_answer(orchestrated, fleet, dialect, leave):
    a, b = await fleet.add("a"), await fleet.add("b")
    a.on(dialect.path, [wire.head(200, wire.JSON, {"Content-Length": "1000"}) + b"{", hang])
    async with await orchestrated.send(dialect.ask(stream=False)) as client:
        seen = await a.request(dialect.path)
        await orchestrated.until(lambda: seen.sent_bytes > 0)
        getattr(client, leave)()
        await seen.until_left()
    await gone(orchestrated, "a")
    assert b.requests() == []


@both
@each_way_to_leave
async def test_while_connecting(orchestrated, fleet, dialect, leave):
    a = await fleet.add("a", connectTimeoutSeconds=60)
    await a.down()
    server = orchestrated.plane.fleet.servers["a"]
    with unanswering() as url:
        server.spec = replace(server.spec, url=url)
        async with await orchestrated.send(dialect.ask()) as client:
            await orchestrated.until(lambda: server.in_flight == 1)
            getattr(client, leave)()
            await orchestrated.until(lambda: server.in_flight == 0)
        await gone(orchestrated, "a")


@both
@each_way_to_leave
async def test_while_it_waits_for_a_slot(orchestrated, fleet, dialect, leave):
    a = await fleet.add("a", maxConcurrency=1)
    go = asyncio.Event()
    a.on(dialect.path, [*dialect.begin(["Hi"]), go, *dialect.end()])
    async with await orchestrated.send(dialect.ask()) as first:
        await first.until(b'"Hi"')
        async with await orchestrated.send(dialect.ask()) as second, await orchestrated.send(dialect.ask()) as third:
            admission = orchestrated.gateway._admission
            await orchestrated.until(lambda: admission.waiting("m") == 2)
            getattr(second, leave)()
            await orchestrated.until(lambda: admission.waiting("m") == 1)
            assert len(a.requests()) == 1
            go.set()
            assert (await third.answer()).status == 200
    await gone(orchestrated, "a", {"ok": 2})
    assert len(a.requests()) == 2


@both
@each_way_to_leave
async def test_in_the_pause_before_the_only_server_is_asked_again(orchestrated, fleet, dialect, leave):
    a = await fleet.add("a")
    a.on(dialect.path, dialect.error(429, "slow down", {"Retry-After": "3"}))
    async with await orchestrated.send(dialect.ask()) as client:
        await a.request(dialect.path)
        server = orchestrated.plane.fleet.servers["a"]
        await orchestrated.until(lambda: server.outcomes["rate_limited"] == 1)
        getattr(client, leave)()
        await orchestrated.quiet()
    assert len(a.requests()) == 1
    assert await orchestrated.outcomes("a") == {"rateLimited": 1}


@both
@each_way_to_leave
async def test_while_the_request_is_still_being_sent(orchestrated, fleet, dialect, leave):
    a = await fleet.add("a")
    async with await orchestrated.send(dialect.ask()[:-5]) as client:
        getattr(client, leave)()
        await client.closed()
    await orchestrated.until(lambda: len(orchestrated.server.server_state.connections) == 0)
    assert (a.requests(), await orchestrated.outcomes("a")) == ([], {})


@both
async def test_in_the_moment_of_the_request(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    a.on(dialect.path, dialect.stream(["Hi"]))
    for _ in range(20):
        async with await orchestrated.send(dialect.ask()) as client:
            client.finish()
            await client.closed()
    await orchestrated.quiet()
    assert set(await orchestrated.outcomes("a")) <= {"clientGone", "ok"}


@both
async def test_with_a_request_sent_ahead(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    a.on(dialect.path, [*dialect.begin(["Hi"]), hang])
    async with await orchestrated.send(dialect.ask() + dialect.ask()) as client:
        await client.until(b'"Hi"')
    await a.requests(dialect.path)[0].until_left()
    await gone(orchestrated, "a")
    assert len(a.requests()) == 1


async def test_a_form_upload_that_is_left_is_left_at_the_server(orchestrated, fleet):
    a = await fleet.add("a")
    a.on("/v1/audio/transcriptions", [hang])
    body = b'--X\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n--X--\r\n'
    async with await orchestrated.send(post("/v1/audio/transcriptions", body, {"Content-Type": "multipart/form-data; boundary=X"})) as client:
        seen = await a.request("/v1/audio/transcriptions")
        client.close()
        await seen.until_left()
    await gone(orchestrated, "a")


async def test_an_unload_of_several_servers_is_left_at_all_of_them(orchestrated, fleet):
    servers = [await fleet.add(name) for name in "ab"]
    for server in servers:
        server.on(OLLAMA.path, OLLAMA.stream(["Hi"]))
    for name in "ab":
        assert (await orchestrated.answer(OLLAMA.ask(headers={"X-Orchestrator-Server": name}))).status == 200
    for server in servers:
        server.on("/api/generate", [hang])
    async with await orchestrated.send(post("/api/generate", {"model": "m", "keep_alive": 0})) as client:
        asked = await servers[0].request("/api/generate")
        client.close()
        await asked.until_left()
    await orchestrated.quiet()
    assert sum([(await orchestrated.outcomes(name)).get("clientGone", 0) for name in "ab"]) >= 1


@both
async def test_leaving_frees_the_slot_for_those_who_wait(orchestrated, fleet, dialect):
    a = await fleet.add("a", maxConcurrency=1)
    a.on(dialect.path, [*dialect.begin(["Hi"]), hang], dialect.stream(["Hi"]))
    async with await orchestrated.send(dialect.ask()) as first:
        await first.until(b'"Hi"')
        async with await orchestrated.send(dialect.ask()) as second:
            await orchestrated.until(lambda: orchestrated.gateway._admission.waiting("m") == 1)
            first.close()
            assert (await second.answer()).ended == "whole"
    await gone(orchestrated, "a", {"clientGone": 1, "ok": 1})


async def test_a_trial_that_its_client_leaves_says_nothing(orchestrated, fleet):
    a, b = await fleet.add("a"), await fleet.add("b")
    breaker = orchestrated.plane.fleet.servers["a"].breaker_of("m", 0.0)
    now = orchestrated.plane.clock.now()
    for _ in range(5):
        breaker.fail("boom", now - 60)
    a.on(OPENAI.path, [*OPENAI.begin(["Hi"]), hang])
    b.on(OPENAI.path, OPENAI.stream(["Hi"]))
    async with await orchestrated.send(OPENAI.ask()) as client:
        await client.until(b'"Hi"')
        assert (await orchestrated.breaker("a", "m:latest"))["state"] == "half-open"
        assert (await orchestrated.answer(OPENAI.ask())).header("x-orchestrator-server") == "b"  # one trial at a time
        client.close()
        await orchestrated.quiet()
    assert (await orchestrated.breaker("a", "m:latest"))["state"] == "half-open"
    a.on(OPENAI.path, OPENAI.stream(["Hi"]))
    assert (await orchestrated.answer(OPENAI.ask())).header("x-orchestrator-server") == "a"
    await orchestrated.quiet()
    assert (await orchestrated.breaker("a", "m:latest"))["state"] == "closed"
