"""Limits on servers, the waiting room, and operators who change the fleet while it works."""

import asyncio

import pytest

from tests.fakes import wire
from tests.fakes.scripted import hang, reset
from tests.integration.client import post
from tests.integration.dialects import BOTH, OLLAMA, OPENAI

pytestmark = pytest.mark.asyncio(loop_scope="module")
both = pytest.mark.parametrize("dialect", BOTH, ids=lambda dialect: dialect.name)
BUSY = "server busy, please try again.  maximum pending requests exceeded"


def held(dialect, go):
    """A stream of two tokens; the second one comes when the event is set."""
    return [*dialect.begin(["Hel"]), go, dialect.event("lo"), *dialect.end()]


@both
async def test_no_more_than_the_limit_are_at_a_server_at_a_time(orchestrated, fleet, dialect):
    a = await fleet.add("a", maxConcurrency=3)
    at_once = [0]
    most = [0]

    async def count(exchange):
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        await asyncio.sleep(0.01)
        at_once[0] -= 1

    a.on(dialect.path, [count, *dialect.stream(["Hi"])])
    answers = await asyncio.gather(*(orchestrated.answer(dialect.ask()) for _ in range(30)))
    assert [answer.status for answer in answers] == [200] * 30
    assert most[0] == 3
    await orchestrated.quiet()
    assert await orchestrated.outcomes("a") == {"ok": 30}


@both
async def test_a_full_server_is_passed_over(orchestrated, fleet, dialect):
    a, b = await fleet.add("a", maxConcurrency=1), await fleet.add("b")
    go = asyncio.Event()
    a.on(dialect.path, held(dialect, go))
    b.on(dialect.path, dialect.stream(["Hi"]))
    async with await orchestrated.send(dialect.ask()) as first:
        await first.until(b'"Hel"')
        answer = await orchestrated.answer(dialect.ask())
        assert (answer.header("x-orchestrator-server"), answer.header("x-orchestrator-attempts")) == ("b", "1")
        go.set()


@both
async def test_who_waits_is_served_in_order_of_arrival(orchestrated, fleet, dialect):
    a = await fleet.add("a", maxConcurrency=1)
    go = asyncio.Event()
    a.on(dialect.path, held(dialect, go), dialect.stream(["Hi"]))
    admission = orchestrated.gateway._admission
    async with await orchestrated.send(dialect.ask()) as first:
        await first.until(b'"Hel"')
        waiting = []
        for number in range(8):
            waiting.append(asyncio.create_task(orchestrated.answer(dialect.ask(headers={"X-Request-Id": f"number-{number}"}))))
            await orchestrated.until(lambda number=number: admission.waiting("m") == number + 1)
        go.set()
        answers = await asyncio.gather(*waiting)
    assert [answer.status for answer in answers] == [200] * 8
    assert [seen.header("x-request-id") for seen in a.requests()[1:]] == [f"number-{number}" for number in range(8)]


@both
@pytest.mark.parametrize("orchestrated", [{"queue_size": 2}], indirect=True)
async def test_a_full_waiting_room_is_a_503_with_retry_after(orchestrated, fleet, dialect):
    a = await fleet.add("a", maxConcurrency=1)
    go = asyncio.Event()
    a.on(dialect.path, held(dialect, go), dialect.stream(["Hi"]))
    admission = orchestrated.gateway._admission
    async with await orchestrated.send(dialect.ask()) as first:
        await first.until(b'"Hel"')
        waiting = [asyncio.create_task(orchestrated.answer(dialect.ask())) for _ in range(2)]
        await orchestrated.until(lambda: admission.waiting("m") == 2)
        shed = await orchestrated.answer(dialect.ask())
        assert (shed.status, shed.header("retry-after"), shed.header("x-orchestrator-attempts")) == (503, "5", "0")
        assert dialect.error_text(shed) == BUSY
        go.set()
        assert [answer.status for answer in await asyncio.gather(*waiting)] == [200, 200]
    assert len(a.requests()) == 3


@both
@pytest.mark.parametrize("orchestrated", [{"queue_timeout_seconds": 0.2}], indirect=True)
async def test_too_long_a_wait_is_a_503_with_retry_after(orchestrated, fleet, dialect):
    a = await fleet.add("a", maxConcurrency=1)
    a.on(dialect.path, held(dialect, asyncio.Event()))
    async with await orchestrated.send(dialect.ask()) as first:
        await first.until(b'"Hel"')
        late = await orchestrated.answer(dialect.ask())
        assert (late.status, late.header("retry-after"), dialect.error_text(late)) == (503, "5", BUSY)
    await orchestrated.quiet()
    assert len(a.requests()) == 1


@both
async def test_models_wait_in_lines_of_their_own(orchestrated, fleet, dialect):
    a, b = await fleet.add("a", maxConcurrency=1), await fleet.add("b", models=["n:latest"])
    go = asyncio.Event()
    a.on(dialect.path, held(dialect, go), dialect.stream(["Hi"]))
    b.on(dialect.path, dialect.stream(["Hi"]))
    async with await orchestrated.send(dialect.ask()) as first:
        await first.until(b'"Hel"')
        waiting = asyncio.create_task(orchestrated.answer(dialect.ask()))
        await orchestrated.until(lambda: orchestrated.gateway._admission.waiting("m") == 1)
        assert (await orchestrated.answer(dialect.ask(model="n"))).status == 200
        go.set()
        assert (await waiting).status == 200


async def test_what_costs_next_to_nothing_does_not_wait(orchestrated, fleet):
    a = await fleet.add("a", maxConcurrency=1)
    a.on(OLLAMA.path, held(OLLAMA, asyncio.Event()))
    a.on("/api/show", wire.answer({"model_info": {}}))
    async with await orchestrated.send(OLLAMA.ask()) as first:
        await first.until(b'"Hel"')
        assert (await orchestrated.answer(post("/api/show", {"model": "m"}))).status == 200


@both
async def test_a_failed_attempt_frees_its_slot(orchestrated, fleet, dialect):
    a, b = await fleet.add("a", maxConcurrency=1), await fleet.add("b", maxConcurrency=1)
    a.on(dialect.path, [reset])
    b.on(dialect.path, dialect.stream(["Hi"]))
    answers = await asyncio.gather(*(orchestrated.answer(dialect.ask()) for _ in range(4)))
    assert [answer.status for answer in answers] == [200] * 4


# ---- changes of the fleet


CHANGES = {
    "drained": ("POST", "/api/servers/a/drain", None, 200),
    "disabled": ("PATCH", "/api/servers/a", {"enabled": False}, 200),
    "given another key": ("PATCH", "/api/servers/a", {"apiKey": "new"}, 200),
    "limited": ("PATCH", "/api/servers/a", {"maxConcurrency": 1}, 200),
    "moved": ("PATCH", "/api/servers/a", {"url": "http://127.0.0.1:9"}, 200),
    "removed": ("DELETE", "/api/servers/a", None, 204),
    "blocked": ("POST", "/api/breakers/a/open", None, 200),
}


@both
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_streams_under_way_go_on_when_their_server_is(orchestrated, fleet, dialect, change):
    a = await fleet.add("a")
    go = asyncio.Event()
    a.on(dialect.path, held(dialect, go))
    method, path, body, status = change
    async with await orchestrated.send(dialect.ask()) as client:
        answer = await client.head()
        await client.piece(answer)
        await orchestrated.admin(method, path, body, status)
        go.set()
        await client.rest(answer)
    assert (answer.ended, dialect.said(answer.body), dialect.is_ended(answer.body)) == ("whole", "Hello", True)
    await orchestrated.quiet()
    if "a" in orchestrated.plane.fleet.servers:
        assert (await orchestrated.outcomes("a")) == {"ok": 1}


@both
@pytest.mark.parametrize("change", [change for name, change in CHANGES.items() if name in ("drained", "disabled", "removed", "blocked")])
async def test_plain_requests_under_way_go_on_too(orchestrated, fleet, dialect, change):
    a = await fleet.add("a")
    go = asyncio.Event()
    a.on(dialect.path, [go, *dialect.plain("Hello!")])
    method, path, body, status = change
    async with await orchestrated.send(dialect.ask(stream=False)) as client:
        await a.request(dialect.path)
        await orchestrated.admin(method, path, body, status)
        go.set()
        assert (await client.answer()).status == 200


@both
async def test_a_draining_server_gets_nothing_new_until_it_is_resumed(orchestrated, fleet, dialect):
    a, b = await fleet.add("a"), await fleet.add("b")
    for server in (a, b):
        server.on(dialect.path, dialect.stream(["Hi"]))
    await orchestrated.admin("POST", "/api/servers/a/drain")
    assert (await orchestrated.answer(dialect.ask())).header("x-orchestrator-server") == "b"
    await orchestrated.admin("POST", "/api/servers/b/drain")
    refused = await orchestrated.answer(dialect.ask())
    assert refused.status == 503
    assert dialect.error_text(refused).count("draining") == 2
    await orchestrated.admin("POST", "/api/servers/a/resume")
    assert (await orchestrated.answer(dialect.ask())).header("x-orchestrator-server") == "a"


@both
@pytest.mark.parametrize("change", [change for name, change in CHANGES.items() if name in ("drained", "disabled", "removed", "blocked")])
async def test_who_waits_for_a_server_that_goes_is_told_at_once(orchestrated, fleet, dialect, change):
    a = await fleet.add("a", maxConcurrency=1)
    go = asyncio.Event()
    a.on(dialect.path, held(dialect, go))
    method, path, body, status = change
    async with await orchestrated.send(dialect.ask()) as first:
        await first.until(b'"Hel"')
        waiting = asyncio.create_task(orchestrated.answer(dialect.ask()))
        await orchestrated.until(lambda: orchestrated.gateway._admission.waiting("m") == 1)
        await orchestrated.admin(method, path, body, status)
        refused = await waiting
        assert refused.status in (404, 503)
        dialect.error_text(refused)
        go.set()
    assert len(a.requests()) == 1


@both
async def test_who_waits_is_served_by_a_server_that_comes(orchestrated, fleet, dialect):
    a = await fleet.add("a", maxConcurrency=1)
    a.on(dialect.path, held(dialect, asyncio.Event()))
    async with await orchestrated.send(dialect.ask()) as first:
        await first.until(b'"Hel"')
        waiting = asyncio.create_task(orchestrated.answer(dialect.ask()))
        await orchestrated.until(lambda: orchestrated.gateway._admission.waiting("m") == 1)
        b = await fleet.add("b", enabled=False)
        b.on(dialect.path, dialect.stream(["Hi"]))
        await orchestrated.admin("PATCH", "/api/servers/b", {"enabled": True})
        assert (await waiting).header("x-orchestrator-server") == "b"


@both
async def test_who_waits_is_served_when_the_limit_is_raised(orchestrated, fleet, dialect):
    a = await fleet.add("a", maxConcurrency=1)
    a.on(dialect.path, held(dialect, asyncio.Event()), dialect.stream(["Hi"]))
    async with await orchestrated.send(dialect.ask()) as first:
        await first.until(b'"Hel"')
        waiting = asyncio.create_task(orchestrated.answer(dialect.ask()))
        await orchestrated.until(lambda: orchestrated.gateway._admission.waiting("m") == 1)
        await orchestrated.admin("PATCH", "/api/servers/a", {"maxConcurrency": 2})
        assert (await waiting).status == 200


@both
async def test_a_request_that_may_be_tried_again_does_not_go_to_a_server_that_was_removed(orchestrated, fleet, dialect):
    a, b = await fleet.add("a"), await fleet.add("b")
    go = asyncio.Event()
    a.on(dialect.path, [go, reset])
    async with await orchestrated.send(dialect.ask()) as client:
        await a.request(dialect.path)
        await orchestrated.admin("DELETE", "/api/servers/b", expected=204)
        go.set()
        assert (await client.answer()).status == 502
    assert b.requests() == []


@both
async def test_a_server_that_was_removed_keeps_no_connection(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    a.on(dialect.path, dialect.stream(["Hi"]))
    assert (await orchestrated.answer(dialect.ask())).status == 200
    assert a.open_connections >= 1
    await orchestrated.admin("DELETE", "/api/servers/a", expected=204)
    assert (await orchestrated.answer(dialect.ask())).status == 404
    await a.requests(dialect.path)[0].until_left()


# ---- nobody


@both
@pytest.mark.parametrize(("how", "status", "word"), [
    (("POST", "/api/servers/a/drain", None), 503, "draining"),
    (("PATCH", "/api/servers/a", {"enabled": False}), 503, "disabled"),
    (("POST", "/api/breakers/a/open", None), 503, "operator"),
    (("PATCH", "/api/servers/a", {"apiKey": "env:NEVER_SET_KEY"}), 502, "configError"),
], ids=["draining", "disabled", "blocked", "misconfigured"])  # fmt: skip
async def test_nobody_to_ask_is_told_in_words(orchestrated, fleet, dialect, how, status, word):
    a = await fleet.add("a")
    await orchestrated.admin(*how)
    answer = await orchestrated.answer(dialect.ask())
    assert (answer.status, answer.header("x-orchestrator-attempts")) == (status, "0")
    assert word in dialect.error_text(answer)
    assert (answer.header("retry-after") is not None) == (status == 503)
    assert a.requests() == []


@both
async def test_a_fleet_that_is_down_is_told_in_words(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    await a.down()
    for _ in range(3):
        await orchestrated.admin("POST", "/api/servers/a/check")
    answer = await orchestrated.answer(dialect.ask())
    assert answer.status == 503
    assert "a (down)" in dialect.error_text(answer)
    await a.up()
    a.on(dialect.path, dialect.stream(["Hi"]))
    await orchestrated.admin("POST", "/api/servers/a/check")
    assert (await orchestrated.answer(dialect.ask())).status == 200


async def test_a_model_that_nobody_has_is_not_found(orchestrated, fleet):
    await fleet.add("a")
    answer = await orchestrated.answer(OLLAMA.ask(model="nope"))
    assert (answer.status, answer.json()) == (404, {"error": "model 'nope' not found"})
    answer = await orchestrated.answer(OPENAI.ask(model="nope"))
    assert answer.status == 404
    assert answer.json()["error"] == {"message": "model 'nope' not found", "type": "not_found_error", "param": None, "code": "model_not_found"}
    answer = await orchestrated.answer(post("/v1/messages", {"model": "nope", "max_tokens": 1, "messages": []}))
    assert (answer.status, answer.json()["type"], answer.json()["error"]["type"]) == (404, "error", "not_found_error")


async def test_each_protocol_reaches_only_servers_that_speak_it(orchestrated, fleet):
    a, b = await fleet.add("a", "ollama", ["m:latest", "x:latest"]), await fleet.add("b", "openai", ["m", "y"])
    a.on(OLLAMA.path, OLLAMA.stream(["Hi"]))
    b.on(OPENAI.path, OPENAI.stream(["Hi"]))
    assert (await orchestrated.answer(OLLAMA.ask())).header("x-orchestrator-server") == "a"
    assert (await orchestrated.answer(OPENAI.ask())).header("x-orchestrator-server") == "b"
    assert (await orchestrated.answer(OLLAMA.ask(model="y"))).status == 404
    assert (await orchestrated.answer(OPENAI.ask(model="x"))).status == 404


@both
async def test_a_hanging_server_holds_up_nobody_else(orchestrated, fleet, dialect):
    a, b = await fleet.add("a"), await fleet.add("b", models=["n:latest"])
    a.on(dialect.path, [hang])
    b.on(dialect.path, dialect.stream(["Hi"]))
    clients = [await orchestrated.send(dialect.ask()) for _ in range(20)]
    assert (await orchestrated.answer(dialect.ask(model="n"))).status == 200
    for client in clients:
        client.close()
    await orchestrated.quiet()
