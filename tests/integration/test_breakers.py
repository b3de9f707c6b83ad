"""Circuit breakers and the retry budget as requests meet them."""

import asyncio

import pytest

from orchestrator.fleet.breaker import State
from tests.fakes.clock import FakeClock
from tests.fakes.scripted import Gate, Peak, ScriptedServer, pause, reset
from tests.integration.dialects import BOTH, OLLAMA, OPENAI
from tests.integration.orchestrated import Orchestrated

pytestmark = pytest.mark.asyncio(loop_scope="module")
both = pytest.mark.parametrize("dialect", BOTH, ids=lambda dialect: dialect.name)


def let_time_pass(orchestrated, server_id, model="m"):
    """The open time of a breaker is over."""
    orchestrated.plane.fleet.servers[server_id].breakers[model].retry_at = 0.0


async def fail(orchestrated, dialect, server, times=5):
    """So many requests that the server fails and another one serves."""
    server.on(dialect.path, dialect.error(500, "boom"))
    for _ in range(times):
        assert (await orchestrated.answer(dialect.ask())).header("x-orchestrator-attempts") == "2"


@both
async def test_five_failures_in_a_row_open_it(orchestrated, fleet, dialect):
    a, b = await fleet.add("a"), await fleet.add("b")
    b.on(dialect.path, dialect.stream(["Hi"]))
    await fail(orchestrated, dialect, a, times=4)
    assert (await orchestrated.breaker("a", "m:latest"))["state"] == "closed"
    await fail(orchestrated, dialect, a, times=1)
    breaker = await orchestrated.breaker("a", "m:latest")
    assert (breaker["state"], breaker["consecutiveFailures"], breaker["reason"]) == ("open", 5, "HTTP 500")
    assert 0 < breaker["nextTrySeconds"] <= 5
    assert (await orchestrated.server_state("a"))["status"] == "degraded"
    answer = await orchestrated.answer(dialect.ask())
    assert (answer.header("x-orchestrator-server"), answer.header("x-orchestrator-attempts")) == ("b", "1")
    assert len(a.requests()) == 5


@both
async def test_a_success_starts_the_count_over(orchestrated, fleet, dialect):
    a, b = await fleet.add("a"), await fleet.add("b")
    b.on(dialect.path, dialect.stream(["Hi"]))
    await fail(orchestrated, dialect, a, times=4)
    a.on(dialect.path, dialect.stream(["Hi"]))
    assert (await orchestrated.answer(dialect.ask())).header("x-orchestrator-server") == "a"
    await orchestrated.quiet()
    await fail(orchestrated, dialect, a, times=4)
    assert (await orchestrated.breaker("a", "m:latest"))["state"] == "closed"


@both
async def test_a_trial_that_succeeds_closes_it(orchestrated, fleet, dialect):
    a, b = await fleet.add("a"), await fleet.add("b")
    b.on(dialect.path, dialect.stream(["Hi"]))
    await fail(orchestrated, dialect, a)
    let_time_pass(orchestrated, "a")
    go = asyncio.Event()
    a.on(dialect.path, [*dialect.begin(["Hel"]), go, dialect.event("lo"), *dialect.end()])
    async with await orchestrated.send(dialect.ask()) as trial:
        await trial.until(b'"Hel"')
        assert (await orchestrated.breaker("a", "m:latest"))["state"] == "half-open"
        others = await asyncio.gather(*(orchestrated.answer(dialect.ask()) for _ in range(5)))
        assert {other.header("x-orchestrator-server") for other in others} == {"b"}
        go.set()
        await orchestrated.quiet()
    breaker = await orchestrated.breaker("a", "m:latest")
    assert (breaker["state"], breaker["consecutiveFailures"]) == ("closed", 0)
    assert (await orchestrated.server_state("a"))["status"] == "healthy"


@both
async def test_a_trial_that_fails_is_not_seen_and_doubles_the_open_time(orchestrated, fleet, dialect):
    a, b = await fleet.add("a"), await fleet.add("b")
    b.on(dialect.path, dialect.stream(["Hi"]))
    await fail(orchestrated, dialect, a)
    for seconds in (10, 20, 40):
        let_time_pass(orchestrated, "a")
        answer = await orchestrated.answer(dialect.ask())
        assert (answer.status, answer.header("x-orchestrator-server"), answer.header("x-orchestrator-attempts")) == (200, "b", "2")
        await orchestrated.quiet()
        breaker = await orchestrated.breaker("a", "m:latest")
        assert breaker["state"] == "open"
        assert seconds / 2 < breaker["nextTrySeconds"] <= seconds


@both
async def test_a_trial_that_a_second_server_fails_in_the_same_words_says_nothing(orchestrated, fleet, dialect):
    a, b = await fleet.add("a"), await fleet.add("b")
    b.on(dialect.path, dialect.stream(["Hi"]))
    await fail(orchestrated, dialect, a)
    let_time_pass(orchestrated, "a")
    b.on(dialect.path, dialect.error(500, "boom"))
    assert (await orchestrated.answer(dialect.ask())).status == 500
    assert (await orchestrated.breaker("a", "m:latest"))["state"] == "half-open"
    a.on(dialect.path, dialect.stream(["Hi"]))
    assert (await orchestrated.answer(dialect.ask())).header("x-orchestrator-server") == "a"
    await orchestrated.quiet()
    assert (await orchestrated.breaker("a", "m:latest"))["state"] == "closed"


@both
async def test_a_minute_of_flapping_is_seen_by_no_client_and_spares_the_server(tmp_path, prepared, dialect):
    clock = FakeClock()
    good, bad = dialect.stream(["Hi"]), dialect.error(500, "boom")
    async with ScriptedServer() as a, ScriptedServer() as b, Orchestrated(tmp_path, prepared, clock) as orchestrated:
        for priority, (name, server) in enumerate((("a", a), ("b", b))):
            await orchestrated.register(name, server.url, priority=priority)
        b.on(dialect.path, good)
        failed = served = 0
        for second in range(60):
            is_bad = second % 20 < 10
            a.on(dialect.path, bad if is_bad else good)
            for _ in range(4):
                before = len(a.requests())
                answer = await orchestrated.answer(dialect.ask())
                assert (answer.status, answer.ended, dialect.said(answer.body)) == (200, "whole", "Hi")
                await orchestrated.until(lambda: not orchestrated.gateway.calls)
                asked = len(a.requests()) - before
                failed += asked * is_bad
                served += asked * (not is_bad)
            clock.advance(1.0)
        assert failed <= 3 * 7, "in each bad spell five failures and two trials at most"
        assert served >= 3 * 12, "in each good spell it is back within the open time"


@both
async def test_it_opens_for_one_model_alone(orchestrated, fleet, dialect):
    a, b = await fleet.add("a", models=["m:latest", "n:latest"]), await fleet.add("b")
    b.on(dialect.path, dialect.stream(["Hi"]))
    await fail(orchestrated, dialect, a)
    a.on(dialect.path, dialect.stream(["Hi"]))
    assert (await orchestrated.answer(dialect.ask(model="n"))).header("x-orchestrator-server") == "a"
    assert (await orchestrated.answer(dialect.ask(model="m"))).header("x-orchestrator-server") == "b"


async def test_both_protocols_share_it(orchestrated, fleet):
    a, b = await fleet.add("a"), await fleet.add("b")
    b.on(OPENAI.path, OPENAI.stream(["Hi"]))
    b.on(OLLAMA.path, OLLAMA.stream(["Hi"]))
    await fail(orchestrated, OPENAI, a)
    assert (await orchestrated.answer(OLLAMA.ask())).header("x-orchestrator-server") == "b"
    assert a.requests(OLLAMA.path) == []


@both
async def test_connection_failures_open_that_of_the_server_for_every_model(orchestrated, fleet, dialect):
    a, b = await fleet.add("a", models=["m:latest", "n:latest"]), await fleet.add("b", models=["m:latest", "n:latest"])
    b.on(dialect.path, dialect.stream(["Hi"]))
    await a.down()
    for _ in range(5):
        assert (await orchestrated.answer(dialect.ask())).header("x-orchestrator-server") == "b"
    assert (await orchestrated.breaker("a"))["state"] == "open"
    answer = await orchestrated.answer(dialect.ask(model="n"))
    assert (answer.header("x-orchestrator-server"), answer.header("x-orchestrator-attempts")) == ("b", "1")


@both
async def test_retry_after_opens_it_at_once_for_as_long(orchestrated, fleet, dialect):
    a, b = await fleet.add("a"), await fleet.add("b")
    a.on(dialect.path, dialect.error(429, "slow down", {"Retry-After": "60"}))
    b.on(dialect.path, dialect.stream(["Hi"]))
    assert (await orchestrated.answer(dialect.ask())).header("x-orchestrator-attempts") == "2"
    breaker = await orchestrated.breaker("a", "m:latest")
    assert breaker["state"] == "open"
    assert 50 < breaker["nextTrySeconds"] <= 60
    assert (await orchestrated.answer(dialect.ask())).header("x-orchestrator-attempts") == "1"


@both
async def test_the_last_candidate_is_asked_though_it_opened_by_itself(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    a.on(dialect.path, dialect.error(500, "boom"))
    for _ in range(5):
        assert (await orchestrated.answer(dialect.ask())).status == 500
    assert (await orchestrated.breaker("a", "m:latest"))["state"] == "open"
    assert (await orchestrated.server_state("a"))["status"] == "degraded"
    a.on(dialect.path, dialect.stream(["Hi"]))
    answer = await orchestrated.answer(dialect.ask())
    assert (answer.status, answer.header("x-orchestrator-server")) == (200, "a")
    await orchestrated.quiet()
    assert (await orchestrated.breaker("a", "m:latest"))["state"] == "closed"


@both
@pytest.mark.parametrize("model", [None, "m:latest"], ids=["server", "model"])
async def test_an_operators_open_holds_even_for_the_last_candidate(orchestrated, fleet, dialect, model):
    a = await fleet.add("a")
    a.on(dialect.path, dialect.stream(["Hi"]))
    await orchestrated.turn("a", "open", model)
    refused = await orchestrated.answer(dialect.ask())
    assert refused.status == 503
    assert "a (breaker opened by an operator)" in dialect.error_text(refused)
    assert a.requests() == []
    await orchestrated.turn("a", "close", model)
    assert (await orchestrated.answer(dialect.ask())).status == 200


@both
async def test_a_reset_lets_requests_through_again(orchestrated, fleet, dialect):
    a, b = await fleet.add("a"), await fleet.add("b")
    b.on(dialect.path, dialect.stream(["Hi"]))
    await fail(orchestrated, dialect, a)
    a.on(dialect.path, dialect.stream(["Hi"]))
    await orchestrated.turn("a", "reset", "m:latest")
    assert (await orchestrated.answer(dialect.ask())).header("x-orchestrator-server") == "a"


async def test_an_open_one_of_a_model_with_slashes_is_found_by_its_name(orchestrated, fleet):
    name = "hf.co/Org/Repo:Q4_K_M"
    a = await fleet.add("a", "ollama", [name])
    a.on(OLLAMA.path, OLLAMA.stream(["Hi"]))
    await orchestrated.turn("a", "open", name)
    assert (await orchestrated.answer(OLLAMA.ask(model=name.lower()))).status == 503
    await orchestrated.turn("a", "close", name)
    assert (await orchestrated.answer(OLLAMA.ask(model=name.lower()))).status == 200


# ---- the retry budget


PAUSE_SECONDS = 0.6
"""Longer than anybody who waits for a place in the budget sleeps before looking again."""


@both
@pytest.mark.parametrize("fault", [[reset], "500"], ids=["reset", "500"])
async def test_an_outage_is_not_multiplied(orchestrated, fleet, dialect, fault):
    a, b = await fleet.add("a", priority=0), await fleet.add("b", priority=0)
    go, peak = asyncio.Event(), Peak()
    a.on(dialect.path, [Gate(100), *(dialect.error(500, "boom") if fault == "500" else fault)])
    b.on(dialect.path, [peak.enter, go, peak.leave, *dialect.stream(["Hi"])])
    asking = [asyncio.create_task(orchestrated.answer(dialect.ask())) for _ in range(200)]
    await b.request(dialect.path, 140)  # its own 100, and of the 100 that failed a fifth of 200
    await asyncio.sleep(PAUSE_SECONDS)
    assert (len(a.requests()), len(b.requests())) == (100, 140)
    go.set()
    answers = await asyncio.gather(*asking)
    assert [(answer.status, dialect.said(answer.body)) for answer in answers] == [(200, "Hi")] * 200
    await orchestrated.quiet()
    assert (peak.most, len(b.requests())) == (140, 200)
    assert orchestrated.plane.fleet.servers["a"].breakers["m"].state is State.OPEN


@both
async def test_streams_that_are_reset_together_end_well_on_the_other_server(orchestrated, fleet, dialect):
    a, b = await fleet.add("a"), await fleet.add("b")
    peak = Peak()
    a.on(dialect.path, [Gate(40), reset])
    b.on(dialect.path, [peak.enter, pause(0.02), peak.leave, *dialect.stream(["Hi"])])
    answers = await asyncio.gather(*(orchestrated.answer(dialect.ask()) for _ in range(40)))
    assert [(answer.status, answer.header("x-orchestrator-server"), dialect.said(answer.body)) for answer in answers] == [(200, "b", "Hi")] * 40
    assert 0 < peak.most <= 8


@both
@pytest.mark.parametrize("status", [404, 429])
async def test_what_a_server_turns_away_is_outside_the_budget(orchestrated, fleet, dialect, status):
    a, b = await fleet.add("a"), await fleet.add("b")
    a.on(dialect.path, [Gate(40), *dialect.error(status, "not here")])
    b.on(dialect.path, [Gate(40), *dialect.stream(["Hi"])])
    answers = await asyncio.gather(*(orchestrated.answer(dialect.ask()) for _ in range(40)))
    assert [answer.status for answer in answers] == [200] * 40


@both
async def test_a_few_may_always_be_repeated(orchestrated, fleet, dialect):
    a, b = await fleet.add("a"), await fleet.add("b")
    a.on(dialect.path, [Gate(5), reset])
    b.on(dialect.path, dialect.stream(["Hi"]))
    answers = await asyncio.gather(*(orchestrated.answer(dialect.ask()) for _ in range(5)))
    assert [(answer.status, answer.header("x-orchestrator-server")) for answer in answers] == [(200, "b")] * 5


@both
@pytest.mark.parametrize("orchestrated", [{"retry_budget": 0.0}], indirect=True)
async def test_what_never_reached_a_server_is_outside_the_budget(orchestrated, fleet, dialect):
    a, b = await fleet.add("a"), await fleet.add("b")
    await a.down()
    b.on(dialect.path, [Gate(40), *dialect.stream(["Hi"])])
    answers = await asyncio.gather(*(orchestrated.answer(dialect.ask()) for _ in range(40)))
    assert [answer.status for answer in answers] == [200] * 40
