"""The operations on circuit breakers."""

import pytest

from orchestrator.fleet.breaker import State, Verdict
from orchestrator.fleet.names import fold
from orchestrator.fleet.specs import Learned, ListedModel, Observation

MODELS = ("library/Llama3:8b", "org/model:latest")
FOUND = Observation(status="healthy", learned=Learned(kind="ollama", supports_ollama=True, models=tuple(ListedModel(name) for name in MODELS)))


@pytest.fixture
async def server(admin):
    admin.prober.found = FOUND
    await admin.add("a")
    await admin.add("b")
    admin.changes.clear()
    return admin.fleet.servers["a"]


async def test_every_server_has_a_breaker_of_its_own(admin, server):
    answer = await admin.ask("GET", "/api/breakers")
    assert [(one["server"], one["model"], one["state"]) for one in answer.json()] == [("a", None, "closed"), ("b", None, "closed")]


async def test_breaker_that_opened_says_why_and_when_it_is_tried_next(admin, server):
    now = admin.clock.now()
    breaker = server.breaker_of(fold(MODELS[0]), now)
    breaker.succeed(now)
    for _ in range(5):
        breaker.fail("HTTP 500", now)
    admin.clock.advance(2)
    shown = (await admin.ask("GET", "/api/breakers")).json()[1]
    assert shown == {
        "server": "a", "model": MODELS[0], "state": "open", "forced": False, "reason": "HTTP 500", "requests": 6, "failures": 5, "consecutiveFailures": 5,
        "changedSecondsAgo": 2.0, "nextTrySeconds": 3.0,
    }  # fmt: skip
    server_answer = (await admin.ask("GET", "/api/servers/a")).json()
    assert (server_answer["status"], server_answer["breakers"]) == ("degraded", {"closed": 1, "open": 1, "halfOpen": 0})


@pytest.mark.parametrize("written", ["library/Llama3:8b", "library%2FLlama3%3A8b", "llama3:8b"])
async def test_operator_opens_and_closes_the_breaker_of_a_model(admin, server, written):
    answer = await admin.ask("POST", f"/api/breakers/a/{written}/open")
    assert (answer.status_code, answer.json()["state"], answer.json()["forced"], answer.json()["nextTrySeconds"]) == (200, "open", True, None)
    assert server.breakers[fold(MODELS[0])].verdict(admin.clock.now()) is Verdict.FORCED
    assert server.breaker.state is State.CLOSED
    answer = await admin.ask("POST", f"/api/breakers/a/{written}/close")
    assert (answer.json()["state"], answer.json()["reason"]) == ("closed", "closed by an operator")
    assert len(admin.changes) == 2


async def test_reset_forgets_the_counts(admin, server):
    breaker = server.breaker_of(fold(MODELS[1]), 0)
    breaker.fail("x", admin.clock.now())
    answer = await admin.ask("POST", "/api/breakers/a/org/model/reset")
    assert (answer.json()["model"], answer.json()["failures"], answer.json()["consecutiveFailures"]) == (MODELS[1], 0, 0)


async def test_operator_turns_all_breakers_of_a_server(admin, server):
    server.breaker_of("m", 0)
    opened = (await admin.ask("POST", "/api/breakers/a/open")).json()
    assert [(one["model"], one["state"], one["forced"]) for one in opened] == [(None, "open", True), ("m", "open", True)]
    assert admin.fleet.servers["b"].breaker.state is State.CLOSED
    closed = (await admin.ask("POST", "/api/breakers/a/reset")).json()
    assert {one["state"] for one in closed} == {"closed"}


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("nope/open", "unknown_server"),
        ("nope/m/open", "unknown_server"),
        ("a/nope/open", "unknown_model"),
        ("a/melt", "not_found"),
        ("a/org/model/melt", "not_found"),
        ("a//open", "unknown_model"),
    ],
)
async def test_unknown_targets_are_404(admin, server, path, code):
    answer = await admin.ask("POST", f"/api/breakers/{path}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, code)
    assert admin.changes == []


async def test_model_named_like_an_action_can_be_told(admin, server):
    server.breaker_of("open", 0)
    assert (await admin.ask("POST", "/api/breakers/a/open/open")).json()["model"] == "open"


async def test_turning_is_logged(admin, server, caplog):
    caplog.set_level("INFO")
    await admin.ask("POST", "/api/breakers/a/org/model/open")
    assert "breaker of a:org/model: closed -> open: opened by an operator" in caplog.text
