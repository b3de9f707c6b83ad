"""What operators see of requests and how they end one, over real sockets: the client gets an error, the server is free, nobody is struck."""

import asyncio
import json
from dataclasses import dataclass

import msgspec
import pytest
from msgspec.structs import replace

from orchestrator.admin.shapes import RequestDetail, RequestsAnswer
from tests.fakes import wire
from tests.fakes.scripted import hang, repeat, unanswering
from tests.integration.client import post
from tests.integration.dialects import BOTH, OLLAMA, OPENAI
from tests.integration.serving import Serving

pytestmark = pytest.mark.asyncio(loop_scope="module")
WHY = "cancelled by an operator"
MIB = 1 << 20


@dataclass(frozen=True)
class Anthropic:
    """Messages over /v1/messages, as far as these tests need them; see dialects."""

    name = "anthropic"
    path = "/v1/messages"

    def ask(self, stream=True, model="m", headers=None):
        return post(self.path, {"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}], "stream": stream}, headers)

    def silent(self):
        return wire.chunked([self._event("message_start", message={"id": "msg_1", "role": "assistant", "content": []})], wire.SSE)

    def begin(self, tokens):
        return [*self.silent(), *(wire.chunk(self._event("content_block_delta", index=0, delta={"type": "text_delta", "text": token})) for token in tokens)]

    def stream(self, tokens):
        end = [self._event("message_delta", delta={"stop_reason": "end_turn"}), self._event("message_stop")]
        return [*self.begin(tokens), *map(wire.chunk, end), wire.LAST_CHUNK]

    def plain(self, text):
        return wire.answer({"id": "msg_1", "type": "message", "role": "assistant", "content": [{"type": "text", "text": text}], "stop_reason": "end_turn"})

    def error_text(self, answer):
        value = answer.json()
        assert (value["type"], value["error"]["type"]) == ("error", "overloaded_error")
        return value["error"]["message"]

    def stream_error(self, body):
        name, _, data = body.removesuffix(b"\n\n").rpartition(b"\n\n")[2].partition(b"\n")
        value = json.loads(data.removeprefix(b"data: "))
        assert (name, value["type"], set(value["error"])) == (b"event: error", "error", {"type", "message"})
        return value["error"]["message"]

    def _event(self, kind, **members):
        return b"event: %b\ndata: %b\n\n" % (kind.encode(), wire.packed({"type": kind, **members}))


DIALECTS = [*BOTH, Anthropic()]
each = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
both_ways = pytest.mark.parametrize("stream", [True, False], ids=["stream", "plain"])


async def only_id(orchestrated):
    """The id of the one request that is in flight."""
    (one,) = (await orchestrated.admin("GET", "/api/requests"))["inFlight"]
    return one["id"]


async def cancel(orchestrated, request_id=None):
    answer = await orchestrated.admin("POST", f"/api/requests/{request_id or await only_id(orchestrated)}/cancel")
    assert answer == {"cancelled": 1}


async def shown(orchestrated, request_id):
    return await orchestrated.admin("GET", f"/api/requests/{request_id}")


def is_refused(dialect, answer):
    """The whole answer to a request that was cancelled before its answer had begun."""
    assert (answer.status, answer.ended, answer.header("x-should-retry"), answer.header("retry-after")) == (503, "whole", "false", None)
    assert dialect.error_text(answer) == WHY


async def nobody_is_struck(orchestrated, server_id="a", outcomes=None):
    await orchestrated.quiet()
    assert await orchestrated.outcomes(server_id) == ({"cancelled": 1} if outcomes is None else outcomes)
    breaker = await orchestrated.breaker(server_id, "m:latest")
    assert breaker is None or (breaker["state"], breaker["failures"]) == ("closed", 0)
    assert (await orchestrated.breaker(server_id))["failures"] == 0


async def goes_on(orchestrated, fleet_server, dialect, client):
    """The connection of the cancelled request serves the next one."""
    fleet_server.on(dialect.path, dialect.plain("Hello"))
    client.send(dialect.ask(stream=False))
    answer = await client.answer()
    assert (answer.status, answer.ended) == (200, "whole")


# ---- in each phase


@each
@both_ways
async def test_before_the_first_byte(orchestrated, fleet, dialect, stream):
    a, b = await fleet.add("a"), await fleet.add("b")
    a.on(dialect.path, [hang])
    async with await orchestrated.send(dialect.ask(stream)) as client:
        seen = await a.request(dialect.path)
        await cancel(orchestrated)
        is_refused(dialect, await client.answer())
        await seen.until_left()
        await nobody_is_struck(orchestrated)
        await goes_on(orchestrated, a, dialect, client)
    assert b.requests() == []


@each
async def test_before_the_first_useful_event(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    a.on(dialect.path, [*dialect.silent(), hang])
    async with await orchestrated.send(dialect.ask()) as client:
        seen = await a.request(dialect.path)
        await orchestrated.until(lambda: seen.sent_bytes > 0)
        await cancel(orchestrated)
        is_refused(dialect, await client.answer())
        await seen.until_left()
        await nobody_is_struck(orchestrated)
        await goes_on(orchestrated, a, dialect, client)


@each
async def test_in_the_middle_of_a_stream(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    a.on(dialect.path, [*dialect.begin(["Hi"]), hang])
    async with await orchestrated.send(dialect.ask()) as client:
        answer = await client.head()
        while b'"Hi"' not in answer.body:
            await client.piece(answer)
        request_id = await only_id(orchestrated)
        await cancel(orchestrated, request_id)
        await client.rest(answer)
        assert (answer.status, answer.ended, dialect.stream_error(answer.body)) == (200, "whole", WHY)
        await a.requests(dialect.path)[0].until_left()
        await nobody_is_struck(orchestrated)
        ended = await shown(orchestrated, request_id)
        assert (ended["outcome"], ended["failure"], ended["status"], ended["reason"]) == ("cancelled", "cancelled", 200, WHY)
        await goes_on(orchestrated, a, dialect, client)


@each
async def test_in_a_plain_answer_that_is_held(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    a.on(dialect.path, [wire.head(200, wire.JSON, {"Content-Length": "1000"}) + b"{", hang])
    async with await orchestrated.send(dialect.ask(stream=False)) as client:
        seen = await a.request(dialect.path)
        await orchestrated.until(lambda: seen.sent_bytes > 0)
        await cancel(orchestrated)
        is_refused(dialect, await client.answer())
        await seen.until_left()
        await nobody_is_struck(orchestrated)
        await goes_on(orchestrated, a, dialect, client)


async def test_in_a_plain_answer_that_has_begun(orchestrated, fleet):
    a = await fleet.add("a")
    a.on(OLLAMA.path, [wire.head(200, wire.JSON, {"Content-Length": str(20 * MIB)}), repeat(b"x" * MIB, 10), hang])
    async with await orchestrated.send(OLLAMA.ask(stream=False)) as client:
        answer = await client.head()
        await cancel(orchestrated)
        await client.rest(answer)
        assert answer.ended in ("cut", "reset")
        await a.requests()[0].until_left()
    await nobody_is_struck(orchestrated)


@each
@both_ways
async def test_while_it_waits_for_a_slot(orchestrated, fleet, dialect, stream):
    a = await fleet.add("a", maxConcurrency=1)
    go = asyncio.Event()
    a.on(dialect.path, [go, *dialect.plain("Hello")])
    async with await orchestrated.send(dialect.ask(False)) as first:
        await a.request(dialect.path)
        async with await orchestrated.send(dialect.ask(stream, headers={"X-Request-Id": "second"})) as second:
            await orchestrated.until(lambda: orchestrated.gateway._admission.waiting("m") == 1)
            await cancel(orchestrated, "second")
            is_refused(dialect, await second.answer())
            assert orchestrated.gateway._admission.waiting("m") == 0
            go.set()
            assert (await first.answer()).status == 200
            await goes_on(orchestrated, a, dialect, second)
    await nobody_is_struck(orchestrated, outcomes={"ok": 2})


@each
async def test_while_connecting(orchestrated, fleet, dialect):
    a = await fleet.add("a", connectTimeoutSeconds=60)
    await a.down()
    server = orchestrated.plane.fleet.servers["a"]
    with unanswering() as url:
        server.spec = replace(server.spec, url=url)
        async with await orchestrated.send(dialect.ask()) as client:
            await orchestrated.until(lambda: server.in_flight == 1)
            await cancel(orchestrated)
            is_refused(dialect, await client.answer())
        await nobody_is_struck(orchestrated)


@pytest.mark.parametrize("dialect", BOTH, ids=lambda dialect: dialect.name)
async def test_in_the_pause_before_the_only_server_is_asked_again(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    a.on(dialect.path, dialect.error(429, "slow down", {"Retry-After": "3"}))
    async with await orchestrated.send(dialect.ask()) as client:
        server = orchestrated.plane.fleet.servers["a"]
        await orchestrated.until(lambda: server.outcomes["rate_limited"] == 1)
        await cancel(orchestrated)
        is_refused(dialect, await client.answer())
    await orchestrated.quiet()
    assert len(a.requests()) == 1


@each
async def test_while_the_client_reads_nothing(orchestrated, fleet, dialect):
    a = await fleet.add("a")

    async def talk_on(exchange):
        piece = dialect.begin(["x" * 60000])[-1]
        while True:
            await exchange.send(piece)

    a.on(dialect.path, [*dialect.begin(["Hi"]), talk_on])
    async with await orchestrated.send(dialect.ask()) as client:
        await client.until(b'"Hi"')
        client.writer.transport.pause_reading()
        seen = await a.request(dialect.path)
        (call,) = orchestrated.gateway.calls
        await orchestrated.until(lambda: call.client.paused)
        await cancel(orchestrated)
        await seen.until_left()
        await nobody_is_struck(orchestrated)
        client.writer.transport.resume_reading()
        assert WHY.encode() in await client.until(b"0\r\n\r\n")


# ---- what it does to others


async def test_the_slot_goes_to_who_waits(orchestrated, fleet):
    a = await fleet.add("a", maxConcurrency=1)
    a.on(OPENAI.path, [*OPENAI.begin(["Hi"]), hang], OPENAI.stream(["Hi"]))
    async with await orchestrated.send(OPENAI.ask(headers={"X-Request-Id": "first"})) as first:
        await first.until(b'"Hi"')
        async with await orchestrated.send(OPENAI.ask()) as second:
            await orchestrated.until(lambda: orchestrated.gateway._admission.waiting("m") == 1)
            await cancel(orchestrated, "first")
            assert (await second.answer()).ended == "whole"
    await nobody_is_struck(orchestrated, outcomes={"cancelled": 1, "ok": 1})


@each
async def test_a_request_that_was_sent_ahead_is_answered(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    a.on(dialect.path, [*dialect.begin(["Hi"]), hang], dialect.plain("Hello"))
    async with await orchestrated.send(dialect.ask(headers={"X-Request-Id": "first"}) + dialect.ask(stream=False, headers={"X-Request-Id": "next"})) as client:
        answer = await client.head()
        while b'"Hi"' not in answer.body:
            await client.piece(answer)
        await cancel(orchestrated, "first")
        assert (await client.rest(answer)).ended == "whole"
        following = await client.answer()
        assert (following.status, following.header("x-request-id")) == (200, "next")
    await nobody_is_struck(orchestrated, outcomes={"cancelled": 1, "ok": 1})


async def test_a_trial_that_is_cancelled_says_nothing(orchestrated, fleet):
    a = await fleet.add("a")
    await fleet.add("b")
    breaker = orchestrated.plane.fleet.servers["a"].breaker_of("m", 0.0)
    for _ in range(5):
        breaker.fail("boom", orchestrated.plane.clock.now() - 60)
    a.on(OPENAI.path, [*OPENAI.begin(["Hi"]), hang])
    async with await orchestrated.send(OPENAI.ask()) as client:
        await client.until(b'"Hi"')
        await cancel(orchestrated)
        await orchestrated.quiet()
    assert (await orchestrated.breaker("a", "m:latest"))["state"] == "half-open"


# ---- what is seen


@each
async def test_a_request_is_seen_in_flight_and_afterwards(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    go, end = asyncio.Event(), asyncio.Event()
    whole = dialect.stream(["Hi", "!"])
    a.on(dialect.path, [go, *whole[:-1], end, whole[-1]])
    async with await orchestrated.send(dialect.ask(headers={"X-Request-Id": "watched"})) as client:
        await a.request(dialect.path)
        (waiting,) = (await orchestrated.admin("GET", "/api/requests"))["inFlight"]
        assert (waiting["id"], waiting["phase"], waiting["server"], waiting["client"], waiting["model"]) == ("watched", "waiting", "a", "127.0.0.1", "m")
        assert waiting["idleSeconds"] is None
        go.set()
        end.set()
        assert (await client.answer()).status == 200
    found = msgspec.convert(await orchestrated.admin("GET", "/api/requests?q=watched&limit=1"), RequestsAnswer)
    (one,) = found.requests
    assert (one.id, one.outcome, one.failure, one.path, one.dialect, one.server, one.status) == ("watched", "ok", None, dialect.path, dialect.name, "a", 200)
    assert [(attempt.server, attempt.outcome) for attempt in one.attempts] == [("a", "ok")]
    assert 0 <= one.queued_seconds <= one.connected_seconds <= one.first_event_seconds <= one.duration_seconds


async def test_the_query_of_a_path_is_not_kept(orchestrated, fleet):
    a = await fleet.add("a")
    a.on(OPENAI.path, OPENAI.plain("Hello"))
    body = OPENAI.ask(stream=False, headers={"X-Request-Id": "queried"}).replace(OPENAI.path.encode(), OPENAI.path.encode() + b"?key=canary")
    assert (await orchestrated.answer(body)).status == 200
    assert a.requests()[-1].path.endswith("?key=canary")
    found = await shown(orchestrated, "queried")
    assert found["path"] == OPENAI.path
    assert "canary" not in json.dumps(found)


SECRETS = {
    "Authorization": "Bearer canary", "X-Api-Key": "canary", "Api-Key": "canary", "Cookie": "session=canary", "Proxy-Authorization": "Basic canary",
    "Referer": "http://localhost/?key=canary", "X-Auth-Token": "canary", "X-My-Own": "canary", "X-Orchestrator-Token": "canary", "Tracestate": "a=canary",
}  # fmt: skip


@each
async def test_no_secret_comes_out_of_headers(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    a.on(dialect.path, dialect.plain("Hello"))
    harmless = {"User-Agent": "me/1", "X-Request-Id": "secretive", "X-Stainless-Lang": "python"}
    assert (await orchestrated.answer(dialect.ask(False, headers={**SECRETS, **harmless}))).status == 200
    answer = await shown(orchestrated, "secretive")
    detail = msgspec.convert(answer, RequestDetail)
    values = {header.name: header.value for header in detail.headers}
    assert {name: values[name.lower()] for name in (*SECRETS, *harmless)} == {**dict.fromkeys(SECRETS), **harmless}
    assert (values["host"], values["content-type"]) == ("localhost", "application/json")
    assert "canary" not in json.dumps(answer)
    assert "canary" not in json.dumps(await orchestrated.admin("GET", "/api/requests"))


async def test_headers_that_are_too_large_are_not_kept(orchestrated, fleet):
    a = await fleet.add("a")
    a.on(OLLAMA.path, OLLAMA.plain("Hello"))
    assert (await orchestrated.answer(OLLAMA.ask(False, headers={"X-Much": "x" * 17000, "X-Request-Id": "large"}))).status == 200
    assert (await shown(orchestrated, "large"))["headers"] is None


async def test_a_request_that_nobody_could_serve_is_seen_too(orchestrated, fleet):
    await fleet.add("a")
    answer = await orchestrated.answer(OPENAI.ask(model="nope", headers={"X-Request-Id": "lost"}))
    assert answer.status == 404
    found = await shown(orchestrated, "lost")
    assert (found["outcome"], found["failure"], found["server"], found["attempts"], found["queuedSeconds"]) == ("model_not_found", "clientError", "", [], None)


async def test_failover_is_told_with_both_attempts(orchestrated, fleet):
    a, b = await fleet.add("a"), await fleet.add("b")
    a.on(OLLAMA.path, OLLAMA.error(500, "boom canary"))
    b.on(OLLAMA.path, OLLAMA.plain("Hello"))
    assert (await orchestrated.answer(OLLAMA.ask(False, headers={"X-Request-Id": "moved"}))).header("x-orchestrator-server") == "b"
    found = await shown(orchestrated, "moved")
    first, second = found["attempts"]
    assert (first["server"], first["outcome"], first["reason"]) == ("a", "serverError", "HTTP 500")
    assert (second["server"], second["outcome"]) == ("b", "ok")
    assert first["startedSeconds"] <= first["endedSeconds"] <= second["endedSeconds"]
    assert "canary" not in json.dumps(found)


@pytest.mark.parametrize(("status", "outcome"), [(500, "serverError"), (400, "clientError")])
async def test_an_error_of_a_server_that_the_client_gets_as_it_was_has_its_reason(orchestrated, fleet, status, outcome):
    a = await fleet.add("a")
    a.on(OLLAMA.path, OLLAMA.error(status, "boom canary"))
    assert (await orchestrated.answer(OLLAMA.ask(False, headers={"X-Request-Id": "passed"}))).status == status
    found = await shown(orchestrated, "passed")
    assert (found["server"], found["outcome"], found["status"], found["reason"]) == ("a", outcome, status, f"HTTP {status}")
    assert "canary" not in json.dumps(found)


async def test_the_log_has_a_line_of_each_request_and_none_of_its_headers(tmp_path):
    log = await asyncio.to_thread(_log_of_requests_with_secrets, tmp_path)
    lines = [json.loads(line) for line in log.splitlines() if "requestId" in line]
    assert [line["requestId"] for line in lines] == [f"log-{name}" for name in SECRETS]
    assert {(line["path"], line["client"], line["outcome"], line["status"]) for line in lines} == {("/api/chat", "127.0.0.1", "model_not_found", 404)}
    assert "canary" not in log


def _log_of_requests_with_secrets(folder):
    body = {"model": "nope", "messages": [{"role": "user", "content": "canary"}]}
    with Serving(folder) as serving:
        for name, value in SECRETS.items():
            assert serving.ask_raw("/api/chat?key=canary", body, {name: value, "User-Agent": "canary", "X-Request-Id": f"log-{name}"})[0] == 404
    return serving.log.read_text()
