"""Requests that an operator ends, in every phase; and what is noted of each request on its way."""

import asyncio
import json
from typing import Any

import pytest

from orchestrator.fleet.specs import ServerSpec
from tests.fakes import fleets
from tests.fakes.scripted import Script, ScriptedServer, hang, unanswering
from tests.fakes.wire import DONE, JSON, LAST_CHUNK, chunk, head, ollama_begin, ollama_chat, ollama_error, ollama_plain, openai_begin, openai_event
from tests.unit.gateway.calls import Answer, Bench, bench

WHY = "cancelled by an operator"
OK = ollama_chat(["Hel", "lo"])


def at(server: ScriptedServer, server_id: str = "a", **more: Any) -> ServerSpec:
    return fleets.spec(server_id, url=server.url, **more)


def refused(got: Answer) -> None:
    """The answer to a request that was cancelled before anything of an answer had gone out."""
    assert (got.status, got.error, got.headers["x-should-retry"]) == (503, WHY, "false")
    assert "retry-after" not in got.headers


def blames_nobody(b: Bench) -> None:
    assert b.strikes() == {"a": 0}
    assert b.fleet.servers["a"].outcomes == {"cancelled": 1}
    (record,) = b.records
    assert (record.outcome, record.reason) == ("cancelled", WHY)


UNANSWERED: dict[str, tuple[Script, bool]] = {
    "before the head": ([hang], True),
    "before the first event": ([*ollama_begin([""]), hang], True),
    "before the head of a plain answer": ([hang], False),
    "in a plain answer": ([head(200, JSON, {"Content-Length": "1000"}) + b'{"', hang], False),
}


@pytest.mark.parametrize("phase", UNANSWERED)
async def test_what_is_not_answered_yet_gets_an_error_that_no_sdk_repeats(phase: str) -> None:
    script, stream = UNANSWERED[phase]
    async with ScriptedServer() as server:
        server.on("/api/chat", script)
        async with bench(at(server)) as b:
            got = b.post(stream=stream)
            seen = await server.request("/api/chat")
            if len(script) > 1:
                while not seen.sent_bytes:
                    await asyncio.sleep(0)
            assert b.gateway.cancel("r1", WHY) == 1
            refused(await got.whole())
            await seen.until_left()
            assert (got.headers["x-orchestrator-server"], got.headers["x-orchestrator-attempts"]) == ("a", "1")
            blames_nobody(b)
            assert (b.records[0].server, b.records[0].status) == ("a", 503)


@pytest.mark.parametrize("path", ["/api/chat", "/v1/chat/completions"])
async def test_a_stream_ends_with_an_error_record(path: str) -> None:
    async with ScriptedServer() as server:
        server.on(path, [*(ollama_begin(["x"]) if path == "/api/chat" else openai_begin(["x"])), hang])
        async with bench(at(server)) as b:
            got = b.post(path, stream=True)
            await got.until(b'"x"')
            assert b.gateway.cancel("r1", WHY) == 1
            assert got.answers == 1  # in the same turn
            assert b.in_flight == 0
            await server.requests(path)[0].until_left()
            assert not got.aborted
            last = json.loads(got.body.strip().split(b"\n")[-1].removeprefix(b"data: "))
            assert last == {"error": WHY if path == "/api/chat" else {"message": WHY, "type": "api_error", "param": None, "code": "cancelled"}}
            blames_nobody(b)
            assert b.records[0].status == 200


async def test_a_large_plain_answer_that_has_begun_is_cut() -> None:
    size = 20 << 20
    async with ScriptedServer() as server:
        server.on("/api/chat", [head(200, JSON, {"Content-Length": str(size)}), b"x" * (size // 2), hang])
        async with bench(at(server)) as b:
            got = b.post(stream=False)
            await got.until(b"xxxx")
            assert b.gateway.cancel("r1", WHY) == 1
            assert got.aborted
            await server.requests()[0].until_left()
            blames_nobody(b)


async def test_a_stream_that_has_said_its_end_is_a_success() -> None:
    async with ScriptedServer() as server:
        server.on("/v1/chat/completions", [*openai_begin(["x"]), chunk(openai_event({}, finish="stop")), hang])
        async with bench(at(server)) as b:
            got = b.post("/v1/chat/completions", stream=True)
            await got.until(b'"stop"')
            b.gateway.cancel("r1", WHY)
            assert got.body.endswith(DONE)
            assert b.records[0].outcome == "ok"


async def test_who_waits_for_a_slot_leaves_the_line() -> None:
    async with ScriptedServer() as server:
        go = asyncio.Event()
        server.on("/api/chat", [go, *ollama_plain("x")])
        async with bench(at(server, max_concurrency=1)) as b:
            first = b.post(stream=False)
            await server.request("/api/chat")
            second = b.post(stream=False, request_id="r2")
            third = b.post(stream=False, request_id="r3")
            while b.admission.waiting("m") < 2:
                await asyncio.sleep(0)
            assert b.gateway.cancel("r2", WHY) == 1
            refused(await second.whole())
            assert (second.headers["x-orchestrator-attempts"], "x-orchestrator-server" in second.headers) == ("0", False)
            assert b.admission.waiting("m") == 1
            go.set()
            assert [(await got.whole()).status for got in (first, third)] == [200, 200]
            assert b.fleet.servers["a"].outcomes == {"ok": 2}


async def test_a_slot_that_came_in_the_same_moment_goes_to_the_next() -> None:
    async with ScriptedServer() as server:
        server.on("/api/chat", [hang], OK)
        async with bench(at(server, max_concurrency=1)) as b:
            first = b.post()
            await server.request("/api/chat")
            second, third = b.post(request_id="r2"), b.post(request_id="r3")
            while b.admission.waiting("m") < 2:
                await asyncio.sleep(0)
            first.call.leave()  # gives its slot to the second
            assert b.gateway.cancel("r2", WHY) == 1
            refused(await second.whole())
            assert (await third.whole()).status == 200
            assert len(server.requests()) == 2


async def test_a_call_that_is_connecting_gives_up() -> None:
    with unanswering() as url:
        async with bench(fleets.spec("a", url=url)) as b:
            got = b.post()
            await asyncio.sleep(0)
            assert b.in_flight == 1
            b.gateway.cancel("r1", WHY)
            refused(await got.whole())
            blames_nobody(b)
            assert (b.records[0].queued_seconds, b.records[0].connected_seconds) == (0.0, None)


async def test_a_pause_between_two_attempts_ends() -> None:
    async with ScriptedServer() as server:
        server.on("/api/chat", ollama_error(429, "slow", {"Retry-After": "3"}))
        async with bench(at(server)) as b:
            got = b.post()
            while not b.fleet.servers["a"].outcomes:
                await asyncio.sleep(0)
            assert got.call.flight is None
            b.gateway.cancel("r1", WHY)
            refused(await got.whole())
            assert len(server.requests()) == 1
            (record,) = b.records
            assert ([one.outcome for one in record.attempts], record.outcome, record.server) == (["rate_limited"], "cancelled", "")


async def test_an_unload_is_ended_at_every_server() -> None:
    async with ScriptedServer() as one, ScriptedServer() as two, ScriptedServer() as three:
        servers = {"a": one, "b": two, "c": three}
        for server in servers.values():
            server.on("/api/generate", [hang])
        async with bench(*(at(server, name) for name, server in servers.items())) as b:
            for made in b.fleet.servers.values():
                made.answered_from("m")
            got = b.post("/api/generate", raw=b'{"model":"m","keep_alive":0}')
            asked = [await server.request("/api/generate") for server in (one, two)]
            b.gateway.cancel("r1", WHY)
            refused(await got.whole())
            for seen in asked:
                await seen.until_left()
            assert b.strikes() == {"a": 0, "b": 0, "c": 0}


async def test_every_call_with_the_id_is_ended_and_no_other() -> None:
    async with ScriptedServer() as server:
        server.on("/api/chat", [*ollama_begin(["x"]), hang])
        async with bench(at(server)) as b:
            same = [b.post(), b.post()]
            other = b.post(request_id="r2")
            for got in (*same, other):
                await got.until(b'"x"')
            assert b.gateway.cancel("r1", WHY) == 2
            assert [got.answers for got in (*same, other)] == [1, 1, 0]
            assert b.gateway.cancel("r1", WHY) == 0
            assert b.gateway.cancel("r3", WHY) == 0
            other.call.leave()


async def test_a_second_cancel_changes_nothing() -> None:
    async with ScriptedServer() as server:
        server.on("/api/chat", [hang])
        async with bench(at(server, max_concurrency=1)) as b:
            b.post(request_id="r0")
            await server.request("/api/chat")
            got = b.post()
            while not b.admission.waiting("m"):
                await asyncio.sleep(0)
            b.gateway.cancel("r1", WHY)
            b.gateway.cancel("r1", "again")
            refused(await got.whole())
            b.gateway.cancel("r0", WHY)


@pytest.mark.parametrize(("first", "outcome"), [("cancel", "cancelled"), ("leave", "client_gone")])
async def test_what_came_first_counts_of_a_cancel_and_a_client_that_leaves(first: str, outcome: str) -> None:
    async with ScriptedServer() as server:
        server.on("/api/chat", [hang])
        async with bench(at(server, max_concurrency=1)) as b:
            b.post(request_id="r0")
            await server.request("/api/chat")
            got = b.post()
            while not b.admission.waiting("m"):
                await asyncio.sleep(0)
            if first == "cancel":
                b.gateway.cancel("r1", WHY)
                got.call.leave()
            else:
                got.call.leave()
                b.gateway.cancel("r1", WHY)
            await got.whole()
            assert b.records[0].outcome == outcome
            b.gateway.cancel("r0", WHY)


# ---- what is noted on the way


async def test_the_record_tells_when_it_had_a_slot_and_was_sent() -> None:
    async with ScriptedServer() as server:
        go, later = asyncio.Event(), asyncio.Event()
        server.on("/api/chat", [go, *OK], [later, *OK])
        async with bench(at(server, max_concurrency=1)) as b:
            first = b.post()
            await server.request("/api/chat")
            second = b.post(request_id="r2", headers={"X-Request-Id": "r2"})
            while not b.admission.waiting("m"):
                await asyncio.sleep(0)
            b.clock.advance(2.0)
            go.set()
            await first.whole()
            await server.request("/api/chat", 2)
            b.clock.advance(1.5)
            later.set()
            await second.whole()
            one, two = b.records
            assert (one.queued_seconds, one.connected_seconds, one.first_event_seconds) == (0.0, 0.0, 2.0)
            assert (two.queued_seconds, two.connected_seconds, two.first_event_seconds, two.duration_seconds) == (2.0, 2.0, 3.5, 3.5)
            assert (two.path, two.client, two.server) == ("/api/chat", "192.0.2.7", "a")


async def test_attempts_that_failed_have_a_beginning_and_an_end() -> None:
    async with ScriptedServer() as one, ScriptedServer() as two:
        go = asyncio.Event()
        one.on("/api/chat", [go, *ollama_error(500, "boom")])
        two.on("/api/chat", OK)
        async with bench(at(one), at(two, "b")) as b:
            got = b.post()
            await one.request("/api/chat")
            b.clock.advance(3.0)
            go.set()
            await got.whole()
            (record,) = b.records
            (failed,) = record.attempts
            assert (failed.server, failed.started_seconds, failed.seconds) == ("a", 0.0, 3.0)
            assert (record.server, record.queued_seconds) == ("b", 3.0)


async def test_a_failure_that_is_passed_on_names_its_server_and_no_slot() -> None:
    async with ScriptedServer() as server:
        server.on("/api/chat", ollama_error(429, "slow", {"Retry-After": "30"}))
        async with bench(at(server)) as b:
            await b.ask()
            (record,) = b.records
            assert (record.server, record.status, record.outcome, record.queued_seconds) == ("a", 429, "rate_limited", None)
            assert len(record.attempts) == 1


async def test_the_server_is_known_as_soon_as_it_is_asked() -> None:
    async with ScriptedServer() as server:
        go = asyncio.Event()
        server.on("/api/chat", [go, *ollama_begin([]), LAST_CHUNK], OK)
        async with bench(at(server)) as b:
            got = b.post()
            await server.request("/api/chat")
            assert got.call.flight is not None
            assert (got.call.server, got.call.attempts) == ("a", 1)
            go.set()
            await got.whole()
            assert got.headers["x-orchestrator-attempts"] == "2"
