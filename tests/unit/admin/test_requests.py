"""The operations on requests."""

import asyncio
import json
from urllib.parse import quote

import msgspec
import pytest

from orchestrator.admin import slices
from orchestrator.admin.requests import MAX_IN_FLIGHT, failure_of, in_flight_answers, request_answer
from orchestrator.admin.shapes import RequestDetail, RequestsAnswer
from orchestrator.fleet.specs import Learned, ListedModel, Observation
from orchestrator.protocol.http import RequestHeaders
from orchestrator.telemetry.record import AttemptRecord
from tests.fakes.scripted import ScriptedServer, hang
from tests.fakes.wire import ollama_begin, ollama_chat, ollama_error
from tests.unit.telemetry.kept import kept

FAILED = {"server": "", "outcome": "upstream_timeout", "status": 504, "reason": "no answer in time"}


async def listed(admin, query=""):
    """Ids in the order of the answer, which must have the documented shape."""
    answer = await admin.ask("GET", f"/api/requests{query}")
    assert answer.status_code == 200, answer.text
    return [one.id for one in msgspec.json.decode(answer.content, type=RequestsAnswer).requests]


# ---- what is said of a request


@pytest.mark.parametrize(
    ("outcome", "status", "failure"),
    [
        ("ok", 200, None),
        ("ok", 204, None),
        ("cancelled", 503, "cancelled"),
        ("cancelled", 200, "cancelled"),
        ("client_gone", 0, "clientGone"),
        ("client_gone", 200, "clientGone"),
        ("truncated", 200, "truncated"),
        ("timeout", 200, "timeout"),
        ("upstream_timeout", 504, "timeout"),
        ("queue_timeout", 503, "timeout"),
        ("rate_limited", 429, "rateLimited"),
        ("rate_limited", 503, "rateLimited"),
        ("some_limit", 429, "rateLimited"),
        ("client_error", 400, "clientError"),
        ("client_error", 501, "clientError"),
        ("model_missing", 404, "clientError"),
        ("model_not_found", 404, "clientError"),
        ("invalid_json", 400, "clientError"),
        ("server_error", 500, "serverError"),
        ("server_error", 200, "serverError"),
        ("queue_full", 503, "serverError"),
        ("shutting_down", 503, "serverError"),
        ("internal_error", 500, "serverError"),
        ("server_misconfigured", 502, "serverError"),
        ("upstream_unreachable", 502, "serverError"),
        ("", 0, "serverError"),
    ],
)
def test_failure_follows_from_outcome_and_status(outcome, status, failure):
    assert failure_of(kept(outcome=outcome, status=status).record) == failure


def test_answer_has_the_outcome_as_servers_count_it_and_codes_as_clients_got_them():
    assert request_answer(kept(outcome="rate_limited", status=429)).outcome == "rateLimited"
    assert request_answer(kept(outcome="model_not_found", status=404)).outcome == "model_not_found"


def test_attempts_are_those_that_failed_and_the_one_that_answered():
    failed = [AttemptRecord("a", "connect_error", "connection refused", 0.5, 0.1)]
    shown = request_answer(kept(server="b", attempts=failed, queued_seconds=0.5, connected_seconds=0.6, first_event_seconds=1.0, duration_seconds=2.0))
    assert [(one.server, one.outcome, one.reason, one.started_seconds, one.ended_seconds) for one in shown.attempts] == [
        ("a", "connectError", "connection refused", 0.1, 0.5),
        ("b", "ok", "", 0.5, 2.0),
    ]
    assert [one.server for one in request_answer(kept(server="a", outcome="server_error", status=500, attempts=failed)).attempts] == ["a"]


@pytest.mark.parametrize("outcome", ["cancelled", "shutting_down"])
def test_attempt_that_we_ended_is_told_as_the_server_counts_it(outcome):
    (one,) = request_answer(kept(outcome=outcome, status=503, queued_seconds=0.0)).attempts
    assert one.outcome == "cancelled"


# ---- the list


async def test_newest_come_first_and_all_that_ended_are_counted(admin):
    admin.recent.read([kept(number) for number in range(2003)])
    answer = (await admin.ask("GET", "/api/requests")).json()
    assert (len(answer["requests"]), answer["requests"][0]["id"], answer["total"], answer["inFlight"]) == (2000, "r2002", 2003, [])


async def test_what_ended_a_moment_ago_is_there(admin):
    admin.bench.recorder.add(kept(1).record, RequestHeaders([]))
    assert await listed(admin) == ["r1"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?server=a", ["r4", "r1"]),
        ("?server=b", ["r5", "r4"]),
        ("?server=c", []),
        ("?model=m", ["r4", "r1"]),
        ("?model=M:latest", ["r4", "r1"]),
        ("?model=other", ["r5"]),
        ("?dialect=openai", ["r5"]),
        ("?failure=none", ["r5", "r4", "r1"]),
        ("?failure=any", ["r3", "r2"]),
        ("?failure=timeout", ["r3"]),
        ("?failure=serverError", []),
        ("?q=R3", ["r3"]),
        ("?q=OTHER", ["r5"]),
        ("?q=answer%20in", ["r3"]),
        ("?q=embed", ["r2"]),
        ("?q=198.51.100", ["r2"]),
        ("?minSeconds=1.5", ["r5", "r3"]),
        ("?limit=2", ["r5", "r4"]),
        ("?failure=any&limit=1", ["r3"]),
        ("?server=&model=&q=&dialect=&failure=&limit=", ["r5", "r4", "r3", "r2", "r1"]),
        ("?server=a&minSeconds=1", []),
    ],
)
async def test_filters_choose(admin, query, expected):
    admin.recent.read(
        [
            kept(1),
            kept(2, model="x", server="", outcome="client_gone", status=0, path="/api/embed", client="198.51.100.9"),
            kept(3, model="x", duration_seconds=2.0, **FAILED),
            kept(4, server="b", attempts=[AttemptRecord("a", "timeout", "", 1.0)]),
            kept(5, dialect="openai", model="other:latest", server="b", duration_seconds=1.5),
        ]
    )
    assert await listed(admin, query) == expected


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=2001", "limit"),
        ("limit=ten", "limit"),
        ("minSeconds=-1", "minSeconds"),
        ("minSeconds=nan", "minSeconds"),
        ("minSeconds=soon", "minSeconds"),
        ("failure=bad", "failure"),
        ("dialect=french", "dialect"),
    ],
)
async def test_value_that_cannot_be_is_refused_with_its_name(admin, query, field):
    answer = await admin.ask("GET", f"/api/requests?{query}")
    assert (answer.status_code, answer.json()["error"]["code"], answer.json()["error"]["field"]) == (400, "invalid_value", field)


async def test_a_long_list_lets_others_have_their_turn(admin, monkeypatch):
    monkeypatch.setattr(slices, "SLICE_SECONDS", 0.0)
    admin.recent.read([kept(number) for number in range(2000)])
    turns = 0

    async def others():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    direct = await listed(admin)
    task.cancel()
    assert len(direct) == 2000
    assert turns >= 2000


# ---- one request


@pytest.mark.parametrize("request_id", ["r1", "a/b", "a%2Fb", "?", "#", "%41", "/", "//", "x/cancel", "cancel", "a\\b", '"', "~" * 128])
async def test_request_is_found_by_any_id_that_a_client_may_give(admin, request_id):
    admin.recent.read([kept(0, request_id=request_id), kept(1, request_id="other")])
    answer = await admin.ask("GET", f"/api/requests/{quote(request_id, safe='')}")
    assert answer.status_code == 200, answer.text
    assert msgspec.json.decode(answer.content, type=RequestDetail).id == request_id


async def test_detail_shows_headers_without_secrets(admin):
    headers = RequestHeaders([(b"host", b"me"), (b"authorization", b"Bearer canary"), (b"x-mine", b"canary"), (b"user-agent", b"curl")])
    admin.recent.read([kept(1, headers), kept(2)])
    answer = await admin.ask("GET", "/api/requests/r1")
    assert {one["name"]: one["value"] for one in answer.json()["headers"]} == {"host": "me", "authorization": None, "x-mine": None, "user-agent": "curl"}
    assert "canary" not in answer.text
    assert (await admin.ask("GET", "/api/requests/r2")).json()["headers"] is None


@pytest.mark.parametrize("path", ["nope", "", "nope/cancel"])
async def test_unknown_request_is_404(admin, path):
    answer = await admin.ask("GET", f"/api/requests/{path}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_request")


# ---- in flight and cancelling


@pytest.fixture
async def server(admin):
    async with ScriptedServer() as server:
        admin.prober.found = Observation(status="healthy", learned=Learned(kind="ollama", supports_ollama=True, models=(ListedModel("m"),)))
        await admin.add("a", url=server.url, maxConcurrency=1)
        yield server
        await admin.bench.gateway.stop()


async def in_flight(admin):
    return (await admin.ask("GET", "/api/requests")).json()["inFlight"]


async def test_request_in_flight_is_shown_in_each_phase(admin, server):
    go, rest = asyncio.Event(), asyncio.Event()
    server.on("/api/chat", [go, *ollama_begin(["x"]), rest], [hang])
    got = admin.bench.post()
    await server.request("/api/chat")
    admin.clock.advance(0.5)
    admin.bench.post(request_id="r2", stream=False)
    admin.clock.advance(1.5)
    first, second = await in_flight(admin)
    assert first == {
        "id": "r1", "time": admin.clock.unix() - 2, "client": "192.0.2.7", "dialect": "ollama", "operation": "chat", "path": "/api/chat", "model": "m",
        "stream": True, "server": "a", "phase": "waiting", "attempts": 1, "ageSeconds": 2.0, "idleSeconds": None,
    }  # fmt: skip
    assert (second["id"], second["phase"], second["server"], second["attempts"], second["stream"]) == ("r2", "queued", "", 0, False)
    go.set()
    await got.until(b'"x"')
    admin.bench.gateway.tick()
    admin.clock.advance(1)
    admin.bench.gateway.tick()
    admin.clock.advance(3)
    (answering,) = [one for one in await in_flight(admin) if one["id"] == "r1"]
    assert (answering["phase"], answering["idleSeconds"], answering["ageSeconds"]) == ("answering", 4.0, 6.0)


async def test_oldest_are_shown_first_and_not_more_than_asked_for(admin, server):
    server.on("/api/chat", [hang])
    for number in range(4):
        admin.bench.post(request_id=f"r{number}")
        admin.clock.advance(1)
    shown = in_flight_answers(admin.bench.gateway, admin.clock.now(), 3)
    assert [one.id for one in shown] == ["r0", "r1", "r2"]
    assert len(in_flight_answers(admin.bench.gateway, admin.clock.now())) == 4 <= MAX_IN_FLIGHT


@pytest.mark.parametrize("request_id", ["r1", "a/b", "x/cancel", "cancel", "?"])
async def test_cancelled_request_ends_with_an_error_and_is_told(admin, server, caplog, request_id):
    caplog.set_level("INFO")
    server.on("/api/chat", [hang])
    got = admin.bench.post(request_id=request_id)
    await server.request("/api/chat")
    answer = await admin.ask("POST", f"/api/requests/{quote(request_id, safe='')}/cancel")
    assert (answer.status_code, answer.json()) == (200, {"cancelled": 1})
    assert (await got.whole()).status == 503
    assert admin.cancelled == [request_id]
    assert f"request {request_id} cancelled by an operator" in caplog.text
    shown = (await admin.ask("GET", f"/api/requests/{quote(request_id, safe='')}")).json()
    assert (shown["outcome"], shown["failure"], shown["server"], shown["attempts"][0]["outcome"]) == ("cancelled", "cancelled", "a", "cancelled")
    assert admin.fleet.servers["a"].outcomes == {"cancelled": 1}


async def test_cancel_of_what_has_ended_is_a_conflict(admin, server):
    server.on("/api/chat", ollama_chat(["x"]))
    await admin.bench.ask()
    answer = await admin.ask("POST", "/api/requests/r1/cancel")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "ended")
    assert admin.cancelled == []


async def test_cancel_of_what_never_was_is_404(admin):
    answer = await admin.ask("POST", "/api/requests/nope/cancel")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_request")
    assert (await admin.ask("POST", "/api/requests/nope")).status_code == 405


async def test_failure_that_reached_the_client_is_listed_with_its_attempts(admin, server):
    server.on("/api/chat", ollama_error(429, "slow", {"Retry-After": "30"}))
    await admin.bench.ask()
    answer = await admin.ask("GET", "/api/requests")
    (one,) = json.loads(answer.content)["requests"]
    assert (one["failure"], one["server"], one["queuedSeconds"], [attempt["outcome"] for attempt in one["attempts"]]) == (
        "rateLimited",
        "a",
        None,
        ["rateLimited"],
    )
