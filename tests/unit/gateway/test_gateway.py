import asyncio
import json
from typing import Any

import pytest

from orchestrator.fleet.breaker import State
from orchestrator.fleet.specs import LoadedModel, Secret, ServerSpec
from orchestrator.protocol import events
from orchestrator.routing.retry import ALWAYS_ALLOWED, BUDGET_WAIT_SECONDS
from tests.fakes import fleets
from tests.fakes.scripted import Exchange, Gate, Peak, Script, ScriptedServer, close, hang, refusing, reset
from tests.fakes.wire import (
    DONE,
    LAST_CHUNK,
    MALFORMED_CHUNK,
    answer,
    chunk,
    ollama_begin,
    ollama_chat,
    ollama_error,
    ollama_error_record,
    ollama_plain,
    openai_begin,
    openai_error,
    openai_event,
    openai_plain,
    openai_sse,
    plain,
)  # fmt: skip
from tests.unit.gateway.calls import PATIENCE_SECONDS, Bench, bench

OK = ollama_chat(["Hel", "lo"])
PLAIN = ollama_plain("Hello")


def at(server: ScriptedServer, server_id: str = "a", **more: Any) -> ServerSpec:
    return fleets.spec(server_id, url=server.url, **more)


def payload(script: Script) -> bytes:
    """The body of a scripted answer."""
    data = b"".join(step for step in script if isinstance(step, bytes)).partition(b"\r\n\r\n")[2]
    out = b""
    while data:
        size = int(data[: data.index(b"\r\n")], 16)
        out, data = out + data[data.index(b"\r\n") + 2 :][:size], data[data.index(b"\r\n") + size + 4 :]
    return out


# ---- one server


async def test_a_stream_reaches_the_client_as_it_was() -> None:
    async with ScriptedServer() as server:
        server.on("/api/chat", OK)
        async with bench(at(server)) as b:
            got = await b.ask()
            assert (got.status, got.body) == (200, payload(OK))
            assert got.headers["x-orchestrator-server"] == "a"
            assert got.headers["x-orchestrator-attempts"] == "1"
            assert got.headers["x-request-id"] == "r1"
            assert got.answers == 1
            (record,) = b.records
            assert (record.server, record.outcome, record.status, record.stream) == ("a", "ok", 200, True)
            assert (record.prompt_tokens, record.completion_tokens) == (57, 2)
            assert server.requests()[0].header("x-request-id") == "r1"


async def test_a_plain_answer_reaches_the_client_with_its_length() -> None:
    async with ScriptedServer() as server:
        server.on("/v1/chat/completions", openai_plain("Hello you"))
        async with bench(at(server)) as b:
            got = await b.ask("/v1/chat/completions")
            assert got.json["choices"][0]["message"]["content"] == "Hello you"
            assert int(got.headers["content-length"]) == len(got.body)
            assert b.records[0].completion_tokens == 2


async def test_connections_are_used_again_and_a_dead_one_is_replaced_unseen() -> None:
    async with ScriptedServer() as server:
        plain = openai_plain("Hello")
        server.on("/v1/chat/completions", plain, plain, [reset], plain)
        async with bench(at(server)) as b:
            for _ in range(3):
                got = await b.ask("/v1/chat/completions")
                assert (got.status, got.headers["x-orchestrator-attempts"]) == (200, "1")
            assert server.accepted == 2
            assert b.strikes() == {"a": 0}


@pytest.mark.parametrize("status", [400, 413, 422, 501])
async def test_the_clients_own_error_passes_as_it_is_and_strikes_nobody(status: int) -> None:
    async with ScriptedServer() as one, ScriptedServer() as two:
        one.on("/api/chat", ollama_error(status, "context length exceeded", {"X-Why": "you"}))
        async with bench(at(one), at(two, "b")) as b:
            got = await b.ask()
            assert (got.status, got.json, got.headers["x-why"]) == (status, {"error": "context length exceeded"}, "you")
            assert b.strikes() == {"a": 0, "b": 0}
            assert not two.requests()


# ---- failover

FAILURES: dict[str, Script] = {
    "reset": [reset],
    "close": [close],
    "500": ollama_error(500, "boom"),
    "503": ollama_error(503, "busy"),
    "429": ollama_error(429, "slow"),
    "429 with a wait": ollama_error(429, "slow", {"Retry-After": "30"}),
    "200 with an error": answer({"error": "boom"}),
    "error first": [*ollama_begin([]), ollama_error_record("boom"), LAST_CHUNK],
    "malformed head": [b"garbage\r\n\r\n"],
    "malformed chunk": [*ollama_begin([]), MALFORMED_CHUNK],
    "cut before the first event": [*ollama_begin([""]), reset],
    "ended before the first event": [*ollama_begin([""]), LAST_CHUNK],
    "unauthorised": ollama_error(401, "unauthorized"),
    "forbidden": ollama_error(403, "no"),
    "missing model": ollama_error(404, "model 'm' not found"),
    "missing path": plain(b"404 page not found", 404, "text/plain"),
    "other methods only": plain(b"Method Not Allowed", 405, "text/plain"),
    "a page": plain(b"<html>boom</html>", content_type="text/html"),
    "nothing": plain(b""),
}
MISSING = {"missing model", "missing path", "other methods only"}
NO_STRIKE = {"unauthorised", "forbidden", *MISSING}


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("stream", [True, False])
async def test_what_fails_before_the_commit_is_tried_elsewhere(failure: str, stream: bool) -> None:
    async with ScriptedServer() as one, ScriptedServer() as two:
        one.on("/api/chat", FAILURES[failure])
        two.on("/api/chat", OK if stream else PLAIN)
        async with bench(at(one), at(two, "b")) as b:
            got = await b.ask(stream=stream)
            assert got.status == 200
            assert b"boom" not in got.data
            assert (got.headers["x-orchestrator-server"], got.headers["x-orchestrator-attempts"]) == ("b", "2")
            assert b.strikes() == {"a": 0 if failure in NO_STRIKE else 1, "b": 0}
            (record,) = b.records
            assert ([one.server for one in record.attempts], record.server, record.outcome) == (["a"], "b", "ok")
            status = b.fleet.servers["a"].status(b.clock.now())[0]
            assert (status == "configError") == (failure in {"unauthorised", "forbidden"})
            assert b.fleet.servers["a"].wants_probe == (failure in MISSING)


async def test_a_server_that_cannot_be_reached_strikes_its_own_breaker() -> None:
    async with ScriptedServer() as two:
        two.on("/api/chat", OK)
        with refusing() as url:
            async with bench(fleets.spec("a", url=url), at(two, "b")) as b:
                got = await b.ask()
                assert (got.status, got.headers["x-orchestrator-server"]) == (200, "b")
                assert (b.fleet.servers["a"].breaker.failures, b.fleet.servers["a"].breakers) == (1, {})


async def test_a_key_that_is_not_set_is_tried_elsewhere_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    async with ScriptedServer() as one, ScriptedServer() as two:
        two.on("/api/chat", OK)
        async with bench(at(one, api_key=Secret("env:NO_SUCH_KEY")), at(two, "b")) as b:
            assert (await b.ask()).headers["x-orchestrator-server"] == "b"
            assert b.fleet.servers["a"].status(b.clock.now()) == ("configError", "environment variable NO_SUCH_KEY is not set")


async def test_no_more_attempts_than_allowed() -> None:
    async with ScriptedServer() as server:
        server.on("/api/chat", *([reset] for _ in range(9)))
        async with bench(*(at(server, name) for name in "abcde"), max_attempts=3) as b:
            got = await b.ask()
            assert (got.status, got.headers["x-orchestrator-attempts"]) == (502, "3")
            assert len(server.requests()) == 3


# ---- the retry budget


async def failed(b: Bench, outcome: str, server: str = "a", count: int = 1) -> None:
    """Until so many attempts on the server have come to this end."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while b.fleet.servers[server].outcomes[outcome] < count:
            await asyncio.sleep(0)


async def some_turns() -> None:
    """What has to be done at once is done after that."""
    for _ in range(200):
        await asyncio.sleep(0)


@pytest.mark.parametrize("failure", ["500", "503", "reset", "200 with an error"])
async def test_a_repeat_of_work_that_a_server_began_waits_for_a_place_in_the_budget(failure: str) -> None:
    async with ScriptedServer() as one, ScriptedServer() as two:
        one.on("/api/chat", FAILURES[failure])
        two.on("/api/chat", OK)
        async with bench(at(one), at(two, "b")) as b:
            b.budget.active = ALWAYS_ALLOWED  # repeats of others
            got = b.post()
            await failed(b, "server_error")
            await some_turns()
            assert (got.answers, two.requests()) == (0, [])
            b.budget.active -= 1
            await got.whole()
            assert (got.status, got.headers["x-orchestrator-server"]) == (200, "b")
            assert b.budget.active == ALWAYS_ALLOWED - 1
            b.budget.active = 0


@pytest.mark.parametrize(("begun_seconds", "wait_seconds"), [(0.0, BUDGET_WAIT_SECONDS), (596.0, 4.0)])
async def test_it_waits_for_a_while_but_not_beyond_the_deadline_of_the_request(begun_seconds: float, wait_seconds: float) -> None:
    go = asyncio.Event()
    async with ScriptedServer() as one, ScriptedServer() as two:
        one.on("/api/chat", [go, *FAILURES["500"]])
        two.on("/api/chat", OK)
        async with bench(at(one), at(two, "b")) as b:
            b.budget.active = ALWAYS_ALLOWED
            got = b.post()
            await one.request("/api/chat")
            b.clock.advance(begun_seconds)
            go.set()
            await failed(b, "server_error")
            b.clock.advance(wait_seconds - 0.1)
            await some_turns()
            assert got.answers == 0
            b.clock.advance(0.2)
            await got.whole()
            assert (got.status, got.error, two.requests()) == (500, "boom", [])
            b.budget.active = 0


@pytest.mark.parametrize("failure", ["429", "429 with a wait", "missing model", "missing path", "unauthorised", "unreachable"])
async def test_what_cost_no_server_any_work_needs_no_place_in_the_budget(failure: str) -> None:
    async with ScriptedServer() as one, ScriptedServer() as two:
        one.on("/api/chat", FAILURES.get(failure, OK))
        two.on("/api/chat", OK)
        with refusing() as url:
            async with bench(at(one) if failure in FAILURES else fleets.spec("a", url=url), at(two, "b")) as b:
                b.budget.active = ALWAYS_ALLOWED
                got = await b.ask()
                assert (got.status, got.headers["x-orchestrator-server"]) == (200, "b")
                assert b.budget.active == ALWAYS_ALLOWED
                b.budget.active = 0


async def test_streams_that_are_reset_together_all_end_well_elsewhere_a_few_at_a_time() -> None:
    peak, go = Peak(), asyncio.Event()
    async with ScriptedServer() as one, ScriptedServer() as two:
        one.on("/api/chat", [Gate(40), reset])
        two.on("/api/chat", [peak.enter, go, peak.leave, *OK])
        async with bench(at(one), at(two, "b", priority=1)) as b:
            calls = [b.post() for _ in range(40)]
            await two.request("/api/chat", 8)
            await some_turns()
            assert len(two.requests()) == 8
            go.set()
            answers = [await call.whole() for call in calls]
            assert [(answer.status, answer.body) for answer in answers] == [(200, payload(OK))] * 40
            assert (peak.most, len(one.requests()), len(two.requests())) == (8, 40, 40)


async def test_the_only_server_is_asked_again_a_few_at_a_time_too() -> None:
    peak, go = Peak(), asyncio.Event()
    async with ScriptedServer() as server:
        together = Gate(40)
        server.on("/api/chat", *([together, reset] for _ in range(40)), [peak.enter, go, peak.leave, *OK])
        async with bench(at(server)) as b:
            calls = [b.post() for _ in range(40)]
            await server.request("/api/chat", 48)
            await some_turns()
            assert len(server.requests()) == 48
            go.set()
            assert [(await call.whole()).status for call in calls] == [200] * 40
            assert peak.most == 8


async def test_who_has_nowhere_to_go_does_not_wait_for_a_place() -> None:
    async with ScriptedServer() as server:
        server.on("/api/chat", [hang])
        async with bench(at(server)) as b:
            b.budget.active = ALWAYS_ALLOWED
            got = b.post()
            await server.request("/api/chat")
            b.clock.advance(300.1)
            b.gateway.tick()
            assert (await got.whole()).status == 504
            b.budget.active = 0


# ---- nobody is left


async def test_the_last_answer_passes_when_nobody_is_left() -> None:
    async with ScriptedServer() as one, ScriptedServer() as two:
        one.on("/api/chat", ollama_error(500, "out of memory"))
        two.on("/api/chat", ollama_error(503, "disk full", {"X-Why": "disk"}))
        async with bench(at(one), at(two, "b"), max_attempts=2) as b:
            got = await b.ask()
            assert (got.status, got.error, got.headers["x-why"]) == (503, "disk full", "disk")
            assert (got.headers["x-orchestrator-server"], got.headers["x-orchestrator-attempts"]) == ("b", "2")
            assert b.strikes() == {"a": 1, "b": 1}
            assert b.records[0].outcome == "server_error"


async def test_a_failure_that_a_second_server_repeats_is_the_requests_doing() -> None:
    async with ScriptedServer() as one, ScriptedServer() as two, ScriptedServer() as three:
        for server in (one, two, three):
            server.on("/api/chat", ollama_error(500, "bad option"))
        async with bench(at(one), at(two, "b"), at(three, "c")) as b:
            got = await b.ask()
            assert (got.status, got.error) == (500, "bad option")
            assert b.strikes() == {"a": 0, "b": 0, "c": 0}
            assert not three.requests()


@pytest.mark.parametrize("failure", ["500", "200 with an error", "error first"])
async def test_what_two_servers_say_of_the_request_itself_ends_the_search(failure: str) -> None:
    async with ScriptedServer() as one, ScriptedServer() as two, ScriptedServer() as three:
        for server in (one, two):
            server.on("/api/chat", FAILURES[failure])
        async with bench(at(one), at(two, "b"), at(three, "c")) as b:
            got = await b.ask()
            assert (got.headers["x-orchestrator-attempts"], three.requests()) == ("2", [])
            assert b"boom" in got.body
            assert b.strikes() == {"a": 0, "b": 0, "c": 0}


@pytest.mark.parametrize("status", [429, 502, 503, 504])
@pytest.mark.parametrize("third", ["serves", "says the same"])
async def test_servers_that_are_busy_in_the_same_words_send_the_request_on(status: int, third: str) -> None:
    busy = ollama_error(status, "try again")
    async with ScriptedServer() as one, ScriptedServer() as two, ScriptedServer() as three:
        for server in (one, two):
            server.on("/api/chat", busy)
        three.on("/api/chat", OK if third == "serves" else busy)
        async with bench(at(one), at(two, "b"), at(three, "c")) as b:
            got = await b.ask()
            assert got.status == (200 if third == "serves" else status)
            assert (got.headers["x-orchestrator-server"], got.headers["x-orchestrator-attempts"]) == ("c", "3")
            assert b.strikes() == {"a": 0, "b": 0, "c": 0}


@pytest.mark.parametrize("between", ["reset", "503", "429", "missing model", "unauthorised"])
async def test_another_failure_in_between_does_not_hide_that_two_servers_agree(between: str) -> None:
    async with ScriptedServer() as one, ScriptedServer() as two, ScriptedServer() as three, ScriptedServer() as four:
        for server in (one, three):
            server.on("/api/chat", FAILURES["500"])
        two.on("/api/chat", FAILURES[between])
        async with bench(at(one), at(two, "b"), at(three, "c"), at(four, "d"), max_attempts=9) as b:
            got = await b.ask()
            assert (got.status, got.error, got.headers["x-orchestrator-attempts"]) == (500, "boom", "3")
            assert b.strikes() == {"a": 0, "b": int(between not in NO_STRIKE), "c": 0, "d": 0}
            assert not four.requests()


@pytest.mark.parametrize("failure", sorted(MISSING))
async def test_what_no_server_has_is_said_by_the_last(failure: str) -> None:
    async with ScriptedServer() as one, ScriptedServer() as two:
        for server in (one, two):
            server.on("/api/chat", FAILURES[failure])
        async with bench(at(one), at(two, "b")) as b:
            got = await b.ask()
            assert (got.status, got.headers["x-orchestrator-attempts"]) == (405 if "methods" in failure else 404, "2")
            assert FAILURES[failure][0].endswith(got.body)  # type: ignore[union-attr]
            assert b.strikes() == {"a": 0, "b": 0}


@pytest.mark.parametrize("path", ["/api/chat", "/v1/chat/completions", "/v1/messages"])
async def test_our_own_credentials_are_nothing_to_tell_the_client(path: str) -> None:
    async with ScriptedServer() as server:
        server.on(path, openai_error(401, "Incorrect API key provided: sk-123", code="invalid_api_key"))
        async with bench(at(server)) as b:
            got = await b.ask(path)
            assert got.status == 502
            assert b"sk-123" not in got.data
            assert "credentials" in got.error


@pytest.mark.parametrize("script", [FAILURES["reset"], FAILURES["malformed head"], FAILURES["500"], FAILURES["cut before the first event"]])
async def test_the_only_server_is_asked_once_more(script: Script) -> None:
    async with ScriptedServer() as server:
        server.on("/api/chat", script, OK)
        async with bench(at(server)) as b:
            got = await b.ask()
            assert (got.status, got.headers["x-orchestrator-attempts"]) == (200, "2")


async def test_a_failure_that_the_only_server_repeats_is_one() -> None:
    async with ScriptedServer() as server:
        server.on("/api/chat", FAILURES["500"])
        async with bench(at(server)) as b:
            got = await b.ask()
            assert (got.status, got.headers["x-orchestrator-attempts"]) == (500, "2")
            assert b.strikes() == {"a": 1}


@pytest.mark.parametrize("status", [500, 502])
async def test_a_server_is_not_asked_again_where_a_second_one_was_reached(status: int) -> None:
    async with ScriptedServer() as one, ScriptedServer() as two:
        one.on("/api/chat", FAILURES["503"], OK)
        two.on("/api/chat", ollama_error(status, "boom"), OK)
        async with bench(at(one), at(two, "b"), max_attempts=9) as b:
            got = await b.ask()
            assert (got.status, got.error, got.headers["x-orchestrator-attempts"]) == (status, "boom", "2")
            assert b.strikes() == {"a": 1, "b": 1}


async def test_a_server_is_the_only_one_if_no_other_can_be_reached() -> None:
    async with ScriptedServer() as two:
        two.on("/api/chat", FAILURES["500"], OK)
        with refusing() as url:
            async with bench(fleets.spec("a", url=url), at(two, "b", priority=1)) as b:
                got = await b.ask()
                assert (got.status, got.headers["x-orchestrator-server"], got.headers["x-orchestrator-attempts"]) == (200, "b", "3")


async def test_the_only_server_is_asked_no_third_time() -> None:
    async with ScriptedServer() as server:
        server.on("/api/chat", [reset], [reset], OK)
        async with bench(at(server)) as b:
            got = await b.ask()
            assert (got.status, got.headers["x-orchestrator-attempts"]) == (502, "2")
            assert len(server.requests()) == 2


async def test_a_short_wait_is_waited_where_there_is_nowhere_else() -> None:
    async with ScriptedServer() as server:
        server.on("/api/chat", ollama_error(429, "slow", {"Retry-After-Ms": "10"}), OK)
        async with bench(at(server)) as b:
            assert (await b.ask()).status == 200


async def test_a_long_wait_is_told() -> None:
    async with ScriptedServer() as server:
        server.on("/api/chat", ollama_error(429, "slow", {"Retry-After": "60"}))
        async with bench(at(server)) as b:
            got = await b.ask()
            assert (got.status, got.headers["retry-after"], got.error) == (429, "60", "slow")
            assert len(server.requests()) == 1


async def test_an_open_breaker_never_blocks_the_last_server() -> None:
    async with ScriptedServer() as server:
        server.on("/api/chat", OK)
        async with bench(at(server)) as b:
            breaker = b.fleet.servers["a"].breaker_of("m", b.clock.now())
            for _ in range(fleets.RULES.failures):
                breaker.fail("x", b.clock.now())
            assert breaker.state is State.OPEN
            assert (await b.ask()).status == 200
            breaker.force_open("maintenance", b.clock.now())
            got = await b.ask()
            assert got.status == 503
            assert "breaker opened by an operator" in got.error


async def test_an_empty_stream_of_the_last_server_is_no_success() -> None:
    async with ScriptedServer() as server:
        server.on("/v1/chat/completions", [*openai_begin([]), LAST_CHUNK])
        async with bench(at(server)) as b:
            got = await b.ask("/v1/chat/completions", stream=True)
            assert got.status == 502
            assert got.json["error"]["code"] == "upstream_closed"


async def test_a_stream_that_begins_with_an_error_passes_it_on_when_nobody_is_left() -> None:
    async with ScriptedServer() as server:
        script = [*ollama_begin([]), ollama_error_record("boom"), LAST_CHUNK]
        server.on("/api/chat", script)
        async with bench(at(server)) as b:
            got = await b.ask()
            assert (got.status, got.body) == (200, payload(script))
            assert b.records[0].outcome == "server_error"


# ---- after the commit


@pytest.mark.parametrize("ending", [[reset], [close], [LAST_CHUNK], [MALFORMED_CHUNK]])
@pytest.mark.parametrize("path", ["/api/chat", "/v1/chat/completions"])
async def test_a_stream_that_breaks_ends_with_an_error_and_is_not_repeated(ending: Script, path: str) -> None:
    begin, style, framing = (ollama_begin(["x"]), "ollama", "ndjson") if path == "/api/chat" else (openai_begin(["x"]), "openai", "sse")
    async with ScriptedServer() as one, ScriptedServer() as two:
        one.on(path, [*begin, *ending])
        async with bench(at(one), at(two, "b")) as b:
            got = await b.ask(path, stream=True)
            said = [events.classify(style, one) for one in events.payloads(got.body, framing)]
            assert said[-1] is events.Event.ERROR
            assert said.count(events.Event.ERROR) == 1
            assert events.Event.DONE not in said
            assert not two.requests()
            assert b.strikes() == {"a": 1, "b": 0}
            assert (b.records[0].outcome, b.records[0].status) == ("truncated", 200)


async def test_an_error_record_of_the_server_is_no_strike_and_no_success() -> None:
    async with ScriptedServer() as server:
        script = [*ollama_begin(["x"]), ollama_error_record("invalid format"), LAST_CHUNK]
        server.on("/api/chat", script)
        async with bench(at(server)) as b:
            got = await b.ask()
            assert got.body == payload(script)
            assert b.strikes() == {"a": 0}
            assert b.records[0].outcome == "server_error"


async def test_a_stream_without_done_gets_it_after_a_moment() -> None:
    async with ScriptedServer() as server:
        server.on("/v1/chat/completions", [*openai_begin(["x"]), chunk(openai_event({}, finish="stop")), hang])
        async with bench(at(server)) as b:
            got = b.post("/v1/chat/completions", stream=True)
            await got.until(b'"stop"')
            for _ in range(20):
                b.clock.advance(0.25)
                b.gateway.tick()
            await got.whole()
            assert got.body.endswith(DONE)
            assert b.records[0].outcome == "ok"


# ---- time


@pytest.mark.parametrize(("stream", "seconds"), [(True, 300.0), (False, 600.0)])
async def test_a_server_that_says_nothing_is_given_up_for_another(stream: bool, seconds: float) -> None:
    async with ScriptedServer() as one, ScriptedServer() as two:
        one.on("/api/chat", [hang])
        two.on("/api/chat", OK if stream else PLAIN)
        async with bench(at(one), at(two, "b")) as b:
            got = b.post(stream=stream)
            seen = await one.request("/api/chat")
            b.clock.advance(seconds - 0.1)
            b.gateway.tick()
            assert not seen.left.is_set()
            b.clock.advance(0.2)
            b.gateway.tick()
            await got.whole()
            await seen.until_left()
            # waiting and all attempts share one deadline: after 600 s there is no time for another
            assert got.status == (200 if stream else 504)
            assert b.strikes() == {"a": 1, "b": 0}


async def test_a_stalled_stream_ends_with_an_error() -> None:
    async with ScriptedServer() as server:
        server.on("/api/chat", [*ollama_begin(["x"]), hang])
        async with bench(at(server)) as b:
            got = b.post()
            await got.until(b'"x"')
            b.gateway.tick()
            for _ in range(2):
                b.clock.advance(60.1)
                b.gateway.tick()
            await got.whole()
            assert b"the server sent nothing for 60 s" in got.body
            assert b.records[0].outcome == "truncated"


@pytest.mark.parametrize("path", ["/api/embed", "/api/embeddings", "/api/show", "/v1/embeddings"])
async def test_what_is_never_a_stream_has_the_time_of_a_whole_answer(path: str) -> None:
    async with ScriptedServer() as server:
        server.on(path, [hang])
        async with bench(at(server)) as b:
            got = b.post(path, stream=True, input="hi")
            seen = await server.request(path)
            b.clock.advance(599.9)
            b.gateway.tick()
            await some_turns()
            assert not seen.left.is_set()
            b.clock.advance(0.2)
            b.gateway.tick()
            assert (await got.whole()).status == 504
            assert b.records[0].stream is False


async def test_an_error_of_ours_names_the_server_that_was_asked() -> None:
    async with ScriptedServer() as server:
        server.on("/api/chat", [reset])
        async with bench(at(server)) as b:
            got = await b.ask()
            assert (got.status, got.headers["x-orchestrator-server"], got.headers["x-orchestrator-attempts"]) == (502, "a", "2")
            got = await b.ask(model="nope")
            assert (got.status, got.headers.get("x-orchestrator-server"), got.headers["x-orchestrator-attempts"]) == (404, None, "0")


# ---- clients that leave

PHASES: dict[str, tuple[Script, bytes]] = {"before the head": ([hang], b""), "before the first event": ([*ollama_begin([""]), hang], b"")}
PHASES["streaming"] = ([*ollama_begin(["x"]), hang], b'"x"')


@pytest.mark.parametrize("phase", PHASES)
async def test_a_client_that_leaves_ends_the_call_to_the_server_and_is_no_strike(phase: str) -> None:
    script, awaited = PHASES[phase]
    async with ScriptedServer() as server:
        server.on("/api/chat", script)
        async with bench(at(server)) as b:
            got = b.post()
            seen = await server.request("/api/chat")
            await got.until(awaited)
            got.call.leave()
            await got.whole()
            await seen.until_left()
            assert seen.client_left
            assert b.strikes() == {"a": 0}
            assert b.records[0].outcome == "client_gone"
            assert b.fleet.servers["a"].outcomes == {"client_gone": 1}


async def test_a_client_that_leaves_at_once_never_reaches_a_server() -> None:
    async with ScriptedServer() as server, bench(at(server)) as b:
        got = b.post()
        got.call.leave()
        await got.whole()
        assert not server.requests()
        assert b.records[0].outcome == "client_gone"


async def test_a_client_that_leaves_the_line_frees_its_place() -> None:
    async with ScriptedServer() as server:
        server.on("/api/chat", [hang], OK)
        async with bench(at(server, max_concurrency=1)) as b:
            first = b.post()
            seen = await server.request("/api/chat")
            second, third = b.post(), b.post()
            while b.admission.waiting("m") < 2:
                await asyncio.sleep(0)
            second.call.leave()
            await second.whole()
            assert b.admission.waiting("m") == 1
            first.call.leave()
            await seen.until_left()
            assert (await third.whole()).status == 200


# ---- where to


async def test_nobody_has_the_model() -> None:
    async with ScriptedServer() as server, bench(at(server, speaks="ollama")) as b:
        got = await b.ask(model="nope")
        assert (got.status, got.json) == (404, {"error": "model 'nope' not found"})
        got = await b.ask("/v1/chat/completions")
        assert (got.status, got.json["error"]["code"], got.json["error"]["type"]) == (404, "model_not_found", "not_found_error")
        got = await b.ask("/v1/messages")
        assert (got.json["type"], got.json["request_id"]) == ("error", "r1")


async def test_a_pinned_request_goes_there_or_says_why_not() -> None:
    async with ScriptedServer() as one, ScriptedServer() as two:
        one.on("/api/chat", OK)
        two.on("/api/chat", OK, FAILURES["reset"])
        async with bench(at(one), at(two, "b"), at(two, "c", models=("other",))) as b:
            got = await b.ask(headers={"x-orchestrator-server": "b"})
            assert got.headers["x-orchestrator-server"] == "b"
            got = await b.ask(headers={"x-orchestrator-server": "b"})
            assert got.status == 502
            assert not one.requests()
            assert (await b.ask(headers={"x-orchestrator-server": "nope"})).status == 400
            got = await b.ask(headers={"x-orchestrator-server": "c"})
            assert (got.status, "'c' does not have model 'm'" in got.error) == (404, True)
            b.fleet.servers["b"].health = "down"
            got = await b.ask(headers={"x-orchestrator-server": "b"})
            assert (got.status, "b (down)" in got.error) == (503, True)


async def test_the_name_goes_out_as_the_server_knows_it() -> None:
    async with ScriptedServer() as one:
        one.on("/v1/chat/completions", openai_plain("x"))
        async with bench(at(one, speaks="v1", models=("Org/Model",))) as b:
            await b.ask("/v1/chat/completions", raw=b'{"x":1.0,"model":"org/model:latest"}')
            assert one.requests()[0].body == b'{"x":1.0,"model":"Org/Model"}'


def resident(b: Any, *names: str) -> None:
    for name in names:
        b.fleet.servers[name].resident.add("m")
        b.fleet.servers[name].loaded = (LoadedModel("m"),)


async def test_an_unload_goes_to_every_server_that_has_it_in_memory() -> None:
    done = answer({"model": "m", "done": True, "done_reason": "unload"})
    async with ScriptedServer() as one, ScriptedServer() as two, ScriptedServer() as three:
        for server in (one, two, three):
            server.on("/api/generate", done)
        async with bench(at(one), at(two, "b", max_concurrency=1), at(three, "c")) as b:
            resident(b, "b", "c")
            got = await b.ask("/api/generate", raw=b'{"model":"m","keep_alive":0}')
            assert got.json["done_reason"] == "unload"
            assert [len(server.requests()) for server in (one, two, three)] == [0, 1, 1]
            assert not b.fleet.servers["b"].resident
            assert not b.fleet.servers["c"].resident


async def test_a_load_goes_to_where_it_is_loaded() -> None:
    done = answer({"model": "m", "done": True, "done_reason": "load"})
    async with ScriptedServer() as one, ScriptedServer() as two:
        one.on("/api/generate", done)
        two.on("/api/generate", done)
        async with bench(at(one), at(two, "b")) as b:
            resident(b, "b")
            for _ in range(2):
                await b.ask("/api/generate", raw=b'{"model":"m","keep_alive":"5m"}')
            assert [len(one.requests()), len(two.requests())] == [0, 2]


UNLOAD = b'{"model":"m","keep_alive":0}'
UNLOADED = answer({"model": "m", "done": True, "done_reason": "unload"})


async def test_an_unload_reaches_the_servers_at_once() -> None:
    both = Gate(2)
    async with ScriptedServer() as one, ScriptedServer() as two, ScriptedServer() as three:
        for server in (one, two):
            server.on("/api/generate", [both, *UNLOADED])
        three.on("/api/generate", UNLOADED)
        async with bench(at(one), at(two, "b"), at(three, "c")) as b:
            resident(b, "a", "b", "c")
            assert (await b.ask("/api/generate", raw=UNLOAD)).status == 200
            assert not any(server.resident for server in b.fleet.servers.values())


@pytest.mark.parametrize("failure", ["500", "reset", "missing model", "unauthorised", "a page"])
async def test_an_unload_that_fails_somewhere_says_where_and_is_done_everywhere_else(failure: str) -> None:
    async with ScriptedServer() as one, ScriptedServer() as two, ScriptedServer() as three:
        two.on("/api/generate", FAILURES[failure])
        for server in (one, three):
            server.on("/api/generate", UNLOADED)
        async with bench(at(one), at(two, "b"), at(three, "c")) as b:
            resident(b, "a", "b", "c")
            got = await b.ask("/api/generate", raw=UNLOAD)
            assert (got.status, b.records[0].outcome) == (502, "unload_failed")
            assert "model 'm' may still be loaded on b (" in got.error
            assert b"boom" not in got.body
            assert [len(server.requests()) for server in (one, two, three)] == [1, 1, 1]
            assert [bool(server.resident) for server in b.fleet.servers.values()] == [False, True, False]
            assert b.strikes() == {"a": 0, "b": int(failure not in NO_STRIKE), "c": 0}


async def test_an_unload_that_fails_everywhere_names_all() -> None:
    async with ScriptedServer() as one, ScriptedServer() as two:
        for server in (one, two):
            server.on("/api/generate", FAILURES["500"])
        async with bench(at(one), at(two, "b")) as b:
            resident(b, "a", "b")
            assert "a (HTTP 500), b (HTTP 500)" in (await b.ask("/api/generate", raw=UNLOAD)).error


async def test_an_unload_waits_30_seconds_for_a_server_that_says_nothing() -> None:
    async with ScriptedServer() as one, ScriptedServer() as two:
        one.on("/api/generate", [hang])
        two.on("/api/generate", UNLOADED)
        async with bench(at(one), at(two, "b")) as b:
            resident(b, "a", "b")
            got = b.post("/api/generate", raw=UNLOAD)
            seen = await one.request("/api/generate")
            b.clock.advance(29.9)
            b.gateway.tick()
            await some_turns()
            assert not seen.left.is_set()
            b.clock.advance(0.2)
            b.gateway.tick()
            await got.whole()
            assert (got.status, "a (" in got.error) == (502, True)


async def test_a_client_that_leaves_an_unload_ends_all_of_it() -> None:
    async with ScriptedServer() as one, ScriptedServer() as two, ScriptedServer() as three:
        for server in (one, two):
            server.on("/api/generate", [hang])
        async with bench(at(one), at(two, "b"), at(three, "c")) as b:
            resident(b, "a", "b", "c")
            got = b.post("/api/generate", raw=UNLOAD)
            seen = [await server.request("/api/generate") for server in (one, two)]
            got.call.leave()
            await got.whole()
            for request in seen:
                await request.until_left()
            assert b.strikes() == {"a": 0, "b": 0, "c": 0}
            assert (b.records[0].outcome, three.requests()) == ("client_gone", [])


@pytest.mark.parametrize("failure", ["500", "reset", "missing model", "a page"])
async def test_a_load_that_fails_where_it_is_loaded_goes_elsewhere(failure: str) -> None:
    async with ScriptedServer() as one, ScriptedServer() as two, ScriptedServer() as three:
        for server in (one, two):
            server.on("/api/generate", answer({"model": "m", "done": True, "done_reason": "load"}))
        three.on("/api/generate", FAILURES[failure])
        async with bench(at(one), at(two, "b"), at(three, "c", priority=5)) as b:
            resident(b, "c")
            got = await b.ask("/api/generate", raw=b'{"model":"m"}')
            assert (got.status, got.json["done_reason"], got.headers["x-orchestrator-attempts"]) == (200, "load", "2")
            assert len(three.requests()) == 1


async def test_what_is_only_looked_up_takes_no_slot_and_is_not_counted() -> None:
    counts: list[int] = []
    async with ScriptedServer() as server:
        server.on("/api/chat", [*ollama_begin(["x"]), hang])
        async with bench(at(server, max_concurrency=1)) as b:

            async def look(_: Exchange) -> None:
                counts.append(b.in_flight)

            server.on("/api/show", [look, *answer({"model_info": {}})])
            assert (await b.ask("/api/show")).status == 200
            chat = b.post()
            await chat.until(b'"x"')
            assert (await b.ask("/api/show")).status == 200
            assert counts == [0, 1]
            chat.call.leave()
            await chat.whole()


# ---- waiting


async def test_who_waits_is_served_when_there_is_room() -> None:
    async with ScriptedServer() as server:
        go_on = asyncio.Event()
        server.on("/api/chat", [go_on, *OK])
        async with bench(at(server, max_concurrency=1), queue_size=2) as b:
            calls = [b.post() for _ in range(4)]
            await calls[3].whole()
            assert (calls[3].status, calls[3].error) == (503, "server busy, please try again.  maximum pending requests exceeded")
            assert int(calls[3].headers["retry-after"]) > 0
            go_on.set()
            assert [(await call.whole()).status for call in calls[:3]] == [200, 200, 200]


# ---- malformed requests, and the end


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"model":5}'])
async def test_a_malformed_request_reaches_no_server(raw: bytes) -> None:
    async with ScriptedServer() as server, bench(at(server)) as b:
        got = await b.ask(raw=raw)
        assert (got.status, got.answers) == (400, 1)
        assert not server.requests()


async def test_an_error_of_ours_is_told_without_details(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ScriptedServer() as server, bench(at(server)) as b:
        monkeypatch.setattr(b.fleet, "_indexes", {"none": None})
        got = await b.ask()
        assert (got.status, got.json) == (500, {"error": "internal error of the orchestrator"})


async def test_stopping_ends_streams_with_an_error_and_tells_who_waits() -> None:
    async with ScriptedServer() as server:
        server.on("/api/chat", [*ollama_begin(["x"]), hang])
        async with bench(at(server, max_concurrency=1)) as b:
            streaming = b.post()
            await streaming.until(b'"x"')
            waiting = b.post()
            while not b.admission.waiting("m"):
                await asyncio.sleep(0)
            await b.gateway.stop()
            await streaming.whole()
            await waiting.whole()
            assert "shutting down" in json.loads(streaming.body.splitlines()[-1])["error"]
            assert (waiting.status, "shutting down" in waiting.error) == (503, True)
            assert b.strikes() == {"a": 0}


async def test_a_client_of_http_1_0_gets_no_chunks() -> None:
    async with ScriptedServer() as server:
        server.on("/v1/chat/completions", openai_sse(["x"]), plain(b"{}"))
        async with bench(at(server)) as b:
            got = await b.ask("/v1/chat/completions", stream=True, chunks=False)
            assert "transfer-encoding" not in got.headers
            assert got.headers["connection"] == "close"
            assert got.body.endswith(DONE)
            assert "content-length" in (await b.ask("/v1/chat/completions", chunks=False)).headers
