"""Faults of servers before anything useful was said: nothing of them reaches the client as long as somebody else can answer."""

import asyncio

import pytest
from msgspec.structs import replace

from tests.fakes import wire
from tests.fakes.scripted import close, hang, pause, refusing, reset, unanswering
from tests.integration.dialects import BOTH, OLLAMA, OPENAI, payload

pytestmark = pytest.mark.asyncio(loop_scope="module")
both = pytest.mark.parametrize("dialect", BOTH, ids=lambda dialect: dialect.name)
each_way = pytest.mark.parametrize("stream", [True, False], ids=["stream", "plain"])
WORDS = ["Hel", "lo", "!"]
CANARY = "canary-5b1d"

# What the first server does -> how the attempt is counted.
FAULTS = {
    "is reset": (lambda d: [reset], "serverError"),
    "closes": (lambda d: [close], "serverError"),
    "hangs": (lambda d: [hang], "timeout"),
    "hangs after the head": (lambda d: [wire.head(200, d.media_type, {"Transfer-Encoding": "chunked"}), hang], "timeout"),
    "answers 500": (lambda d: d.error(500, CANARY), "serverError"),
    "answers 502 in HTML": (lambda d: wire.plain(b"<html>canary</html>", 502, "text/html"), "serverError"),
    "answers 503": (lambda d: d.error(503, CANARY), "serverError"),
    "answers 503 with Retry-After": (lambda d: d.error(503, CANARY, {"Retry-After": "60"}), "rateLimited"),
    "answers 429": (lambda d: d.error(429, CANARY), "rateLimited"),
    "answers 429 with Retry-After": (lambda d: d.error(429, CANARY, {"Retry-After": "60"}), "rateLimited"),
    "answers 401": (lambda d: d.error(401, CANARY), "auth"),
    "answers 403": (lambda d: d.error(403, CANARY), "auth"),
    "lacks the model": (lambda d: d.error(404, "model 'm' not found"), "modelMissing"),
    "lacks the path": (lambda d: wire.plain(b"404 page not found", 404, "text/plain"), "modelMissing"),
    "allows no POST": (lambda d: wire.plain(b"Method Not Allowed", 405, "text/plain", {"Allow": "GET"}), "modelMissing"),
    "answers 200 with an error": (lambda d: d.error(200, CANARY), "serverError"),
    "answers 200 with a page": (lambda d: wire.plain(b"<html>canary</html>", content_type="text/html"), "serverError"),
    "answers 200 with nothing": (lambda d: wire.plain(b""), "serverError"),
    "redirects": (lambda d: wire.plain(b"", 307, headers={"Location": "http://elsewhere/"}), "serverError"),
    "sends no HTTP": (lambda d: [b"\x16\x03\x01 canary\r\n\r\n", hang], "serverError"),
    "sends a malformed head": (lambda d: [b"HTTP/1.1 200 OK\r\nBad Header\x00: canary\r\n\r\n", hang], "serverError"),
    "frames in two ways": (lambda d: [wire.head(200, wire.JSON, {"Content-Length": "2", "Transfer-Encoding": "chunked"}), b"{}", hang], "serverError"),
    "is cut in the head": (lambda d: [b"HTTP/1.1 200 OK\r\nContent-Ty", reset], "serverError"),
    "closes in the head": (lambda d: [b"HTTP/1.1 200 OK\r\nContent-Ty", close], "serverError"),
    "switches protocols": (lambda d: [b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", hang], "serverError"),
}
STREAM_FAULTS = {
    "is cut before the first token": (lambda d: [*d.silent(), reset], "serverError"),
    "closes before the first token": (lambda d: [*d.silent(), close], "serverError"),
    "ends before the first token": (lambda d: [*d.silent(), wire.LAST_CHUNK], "serverError"),
    "stalls before the first token": (lambda d: [*d.silent(), hang], "timeout"),
    "sends half a first token": (lambda d: [*d.silent(), d.event("canary")[:-9], reset], "serverError"),
    "sends a malformed first chunk": (lambda d: [*d.silent(), wire.MALFORMED_CHUNK, hang], "serverError"),
    "begins with an error": (lambda d: [*d.begin([]), d.error_event(CANARY), wire.LAST_CHUNK], "serverError"),
    "begins with an error and stays open": (lambda d: [*d.begin([]), d.error_event(CANARY), hang], "serverError"),
    "sends only comments": (lambda d: [*wire.chunked([b": ping canary\n\n", b":\n\n"], wire.SSE), hang], "timeout"),
}
PLAIN_FAULTS = {
    "is cut in the body": (lambda d: [wire.head(200, wire.JSON, {"Content-Length": "1000"}) + b'{"canary', reset], "serverError"),
    "closes in the body": (lambda d: [wire.head(200, wire.JSON, {"Content-Length": "1000"}) + b'{"canary', close], "serverError"),
    "sends a malformed chunk": (lambda d: [*wire.chunked([b'{"canary'], wire.JSON), wire.MALFORMED_CHUNK, hang], "serverError"),
    "stalls in the body": (lambda d: [wire.head(200, wire.JSON, {"Content-Length": "1000"}) + b'{"canary', hang], "timeout"),
}
CASES = [
    *((name, *fault, stream) for name, fault in FAULTS.items() for stream in (True, False)),
    *((name, *fault, True) for name, fault in STREAM_FAULTS.items()),
    *((name, *fault, False) for name, fault in PLAIN_FAULTS.items()),
]
IMPATIENT = {"firstEventTimeoutSeconds": 0.1, "answerTimeoutSeconds": 0.1}


@both
@each_way
async def test_an_answer_passes_byte_for_byte(orchestrated, fleet, dialect, stream):
    a = await fleet.add("a")
    script = dialect.stream(WORDS) if stream else dialect.plain("Hello!")
    a.on(dialect.path, script)
    answer = await orchestrated.answer(dialect.ask(stream))
    assert (answer.status, answer.ended) == (200, "whole")
    assert answer.body == (payload(script) if stream else script[0].partition(b"\r\n\r\n")[2])
    assert answer.header("x-orchestrator-server") == "a"
    assert answer.header("x-orchestrator-attempts") == "1"
    await orchestrated.quiet()
    assert await orchestrated.outcomes("a") == {"ok": 1}


@both
@pytest.mark.parametrize(("fault", "outcome", "stream"), [case[1:] for case in CASES], ids=[f"{c[0]}-{'stream' if c[3] else 'plain'}" for c in CASES])
async def test_a_faulty_server_is_not_seen_while_there_is_another(orchestrated, fleet, dialect, fault, outcome, stream):
    a, b = await fleet.add("a", **(IMPATIENT if outcome == "timeout" else {})), await fleet.add("b")
    good = dialect.stream(WORDS) if stream else dialect.plain("Hello!")
    a.on(dialect.path, fault(dialect))
    b.on(dialect.path, good)
    answer = await orchestrated.answer(dialect.ask(stream))
    assert (answer.status, answer.ended) == (200, "whole")
    assert answer.body == (payload(good) if stream else good[0].partition(b"\r\n\r\n")[2])
    assert answer.header("x-orchestrator-server") == "b"
    assert answer.header("x-orchestrator-attempts") == "2"
    assert [len(a.requests(dialect.path)), len(b.requests(dialect.path))] == [1, 1]
    assert a.requests(dialect.path)[0].body == b.requests(dialect.path)[0].body
    await orchestrated.quiet()
    assert await orchestrated.outcomes("a") == {outcome: 1}
    assert await orchestrated.outcomes("b") == {"ok": 1}
    struck = await orchestrated.breaker("a", "m:latest")
    if outcome in ("auth", "modelMissing"):
        assert struck is None
    else:
        assert (struck["requests"], struck["failures"]) == (1, 1)
    assert (await orchestrated.breaker("a"))["failures"] == 0


@both
async def test_a_server_that_hangs_is_left_when_its_time_is_over(orchestrated, fleet, dialect):
    a, b = await fleet.add("a", **IMPATIENT), await fleet.add("b")
    a.on(dialect.path, [hang])
    b.on(dialect.path, dialect.stream(WORDS))
    assert (await orchestrated.answer(dialect.ask())).header("x-orchestrator-server") == "b"
    await a.requests(dialect.path)[0].until_left()


@both
@pytest.mark.parametrize("address", [refusing, unanswering])
async def test_a_server_that_cannot_be_reached_counts_against_the_server(orchestrated, fleet, dialect, address):
    a, b = await fleet.add("a", connectTimeoutSeconds=0.3), await fleet.add("b")
    b.on(dialect.path, dialect.stream(WORDS))
    await a.down()
    with address() as url:
        orchestrated.plane.fleet.servers["a"].spec = with_url(orchestrated, "a", url)
        answer = await orchestrated.answer(dialect.ask())
    assert (answer.status, answer.header("x-orchestrator-server"), answer.header("x-orchestrator-attempts")) == (200, "b", "2")
    assert await orchestrated.outcomes("a") == {"connectError": 1}
    assert (await orchestrated.breaker("a"))["failures"] == 1
    assert await orchestrated.breaker("a", "m:latest") is None


@both
@each_way
async def test_a_slow_first_token_is_waited_for(orchestrated, fleet, dialect, stream):
    a, b = await fleet.add("a"), await fleet.add("b")
    go = asyncio.Event()
    a.on(dialect.path, [go, *(dialect.stream(WORDS) if stream else dialect.plain("Hello!"))])
    client = await orchestrated.send(dialect.ask(stream))
    async with client:
        await a.request(dialect.path)
        assert (await orchestrated.server_state("a"))["inFlight"] == 1
        go.set()
        answer = await client.answer()
    assert (answer.status, answer.header("x-orchestrator-attempts")) == (200, "1")
    assert b.requests() == []


# ---- the only server


@both
@each_way
@pytest.mark.parametrize("fault", [[reset], [close], "500"], ids=["reset", "close", "500"])
async def test_the_only_server_is_asked_once_more(orchestrated, fleet, dialect, stream, fault):
    a = await fleet.add("a")
    a.on(dialect.path, dialect.error(500, "once") if fault == "500" else fault, dialect.stream(WORDS) if stream else dialect.plain("Hello!"))
    answer = await orchestrated.answer(dialect.ask(stream))
    assert (answer.status, answer.ended, answer.header("x-orchestrator-attempts")) == (200, "whole", "2")
    await orchestrated.quiet()
    assert await orchestrated.outcomes("a") == {"ok": 1, "serverError": 1}
    assert (await orchestrated.breaker("a", "m:latest"))["consecutiveFailures"] == 0


@both
@each_way
@pytest.mark.parametrize("status", [500, 502, 503])
async def test_the_last_answer_of_the_only_server_passes_as_it_is(orchestrated, fleet, dialect, stream, status):
    a = await fleet.add("a")
    script = dialect.error(status, "out of memory: \u2028 <b>", {"X-Own": "kept"})
    a.on(dialect.path, script)
    answer = await orchestrated.answer(dialect.ask(stream))
    assert (answer.status, answer.ended) == (status, "whole")
    assert answer.body == script[0].partition(b"\r\n\r\n")[2]
    assert answer.header("x-own") == "kept"
    assert (answer.header("x-orchestrator-server"), answer.header("x-orchestrator-attempts")) == ("a", "2")
    await orchestrated.quiet()
    assert await orchestrated.outcomes("a") == {"serverError": 2}


@both
@each_way
@pytest.mark.parametrize(("script", "status", "attempts", "outcomes"), [
    ([reset], 502, "2", {"serverError": 2}),
    ([b"garbage\r\n\r\n", hang], 502, "2", {"serverError": 2}),
    ([hang], 504, "1", {"timeout": 1}),
], ids=["reset", "garbage", "hang"])  # fmt: skip
async def test_without_any_answer_the_error_is_told_in_the_dialect(orchestrated, fleet, dialect, stream, script, status, attempts, outcomes):
    a = await fleet.add("a", **(IMPATIENT if status == 504 else {}))
    a.on(dialect.path, script)
    answer = await orchestrated.answer(dialect.ask(stream))
    assert (answer.status, answer.ended, answer.header("x-orchestrator-attempts")) == (status, "whole", attempts)
    assert answer.header("x-orchestrator-server") == "a"
    assert "'a'" in dialect.error_text(answer)
    await orchestrated.quiet()
    assert await orchestrated.outcomes("a") == outcomes


@both
async def test_the_only_server_refuses_connections(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    await a.down()
    answer = await orchestrated.answer(dialect.ask())
    assert (answer.status, answer.header("x-orchestrator-attempts")) == (502, "1")
    assert "connection refused" in dialect.error_text(answer)
    await orchestrated.quiet()
    assert await orchestrated.outcomes("a") == {"connectError": 1}


@both
@pytest.mark.parametrize("ending", [[wire.LAST_CHUNK], [hang]], ids=["ended", "open"])
async def test_an_error_as_first_event_passes_when_nobody_else_is_there(orchestrated, fleet, dialect, ending):
    a = await fleet.add("a")
    script = [*dialect.begin([]), dialect.error_event("bad option")]
    a.on(dialect.path, [*script, *ending])
    answer = await orchestrated.answer(dialect.ask())
    assert (answer.status, answer.ended, answer.body) == (200, "whole", payload(script))
    assert dialect.stream_error(answer.body) == "bad option"
    await orchestrated.quiet()
    assert "ok" not in await orchestrated.outcomes("a")


@both
async def test_a_short_retry_after_of_the_only_server_is_waited_for(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    a.on(dialect.path, dialect.error(429, "slow down", {"Retry-After-Ms": "50"}), dialect.stream(WORDS))
    answer = await orchestrated.answer(dialect.ask())
    assert (answer.status, answer.header("x-orchestrator-attempts")) == (200, "2")
    first, second = a.requests(dialect.path)
    assert second.arrived_at - first.arrived_at >= 0.04
    await orchestrated.quiet()
    assert await orchestrated.outcomes("a") == {"ok": 1, "rateLimited": 1}


@both
@pytest.mark.parametrize("status", [429, 503])
async def test_a_long_retry_after_of_the_only_server_is_passed_on(orchestrated, fleet, dialect, status):
    a = await fleet.add("a")
    a.on(dialect.path, dialect.error(status, "slow down", {"Retry-After": "60"}))
    answer = await orchestrated.answer(dialect.ask())
    assert (answer.status, answer.header("retry-after"), answer.header("x-orchestrator-attempts")) == (status, "60", "1")
    assert dialect.error_text(answer) == "slow down"


@both
@pytest.mark.parametrize("status", [401, 403])
async def test_refused_credentials_are_a_502_that_quotes_nothing(orchestrated, fleet, dialect, status):
    a = await fleet.add("a", key="right", apiKey="right")
    a.on(dialect.path, dialect.error(status, f"Incorrect API key provided: {CANARY}", {"X-Key": CANARY}))
    for attempts in ("1", "0"):  # the second time nobody is asked: the server is known to be misconfigured
        answer = await orchestrated.answer(dialect.ask())
        assert (answer.status, answer.header("x-orchestrator-attempts")) == (502, attempts)
        dialect.error_text(answer)
        assert CANARY not in str(answer)
        assert "right" not in str(answer)
    state = await orchestrated.server_state("a")
    assert (state["status"], state["breakers"]["open"], state["outcomes"]["auth"]) == ("configError", 0, 1)
    assert CANARY not in str(state)


@both
async def test_a_missing_environment_variable_is_a_502_that_names_only_the_server(orchestrated, fleet, dialect, monkeypatch):
    monkeypatch.setenv("LATER_GONE_KEY", "canary")
    a, b = await fleet.add("a", key="canary", apiKey="env:LATER_GONE_KEY"), await fleet.add("b", enabled=False)
    monkeypatch.delenv("LATER_GONE_KEY")
    answer = await orchestrated.answer(dialect.ask())
    assert answer.status == 502
    assert "'a'" in dialect.error_text(answer)
    assert (a.requests(), b.requests()) == ([], [])
    state = await orchestrated.server_state("a")
    assert state["status"] == "configError"
    assert "LATER_GONE_KEY" in state["statusReason"]


@both
async def test_a_model_that_the_only_server_lost_is_a_404(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    a.on(dialect.path, dialect.error(404, "model 'm' not found"))
    answer = await orchestrated.answer(dialect.ask())
    assert (answer.status, dialect.error_text(answer)) == (404, "model 'm' not found")
    assert orchestrated.plane.fleet.servers["a"].open_breakers(0.0) == ""


@both
@each_way
@pytest.mark.parametrize("status", [404, 405])
async def test_a_path_that_no_server_has_passes_the_last_answer(orchestrated, fleet, dialect, stream, status):
    a, b = await fleet.add("a"), await fleet.add("b")
    for server, text in ((a, b"first"), (b, b"last")):
        server.on(dialect.path, wire.plain(text, status, "text/plain", {"X-Own": "kept"}))
    answer = await orchestrated.answer(dialect.ask(stream))
    assert (answer.status, answer.ended, answer.body, answer.header("x-own")) == (status, "whole", b"last", "kept")
    assert (answer.header("x-orchestrator-server"), answer.header("x-orchestrator-attempts")) == ("b", "2")
    for server in "ab":
        assert await orchestrated.breaker(server, "m:latest") is None


async def test_the_list_of_a_server_that_lost_a_model_is_asked_for_again(orchestrated, fleet):
    a, b = await fleet.add("a", models=("m:latest", "n:latest")), await fleet.add("b")
    a.on(OLLAMA.path, OLLAMA.error(404, "model 'm' not found"))
    a.on("/api/tags", wire.tags(["n:latest"]))
    b.on(OLLAMA.path, OLLAMA.stream(WORDS))
    assert (await orchestrated.answer(OLLAMA.ask())).header("x-orchestrator-server") == "b"
    server = orchestrated.plane.fleet.servers["a"]
    await orchestrated.until(lambda: [model.name for model in server.learned.models] == ["n:latest"])
    assert (await orchestrated.answer(OLLAMA.ask())).header("x-orchestrator-attempts") == "1"


# ---- whose doing it was


@both
@each_way
@pytest.mark.parametrize(("status", "text", "code"), [
    (400, "This model's maximum context length is 8192 tokens.", "context_length_exceeded"),
    (400, "The response was filtered", "content_filter"),
    (413, "too large", None),
    (422, "bad tool", None),
    (501, "not implemented", None),
])  # fmt: skip
async def test_what_the_request_did_wrong_passes_untouched_and_nobody_else_is_asked(orchestrated, fleet, dialect, stream, status, text, code):
    a, b = await fleet.add("a"), await fleet.add("b")
    script = wire.openai_error(status, text, code=code) if dialect is OPENAI else wire.ollama_error(status, text)
    a.on(dialect.path, script)
    answer = await orchestrated.answer(dialect.ask(stream))
    assert (answer.status, answer.header("x-orchestrator-attempts")) == (status, "1")
    assert answer.body == script[0].partition(b"\r\n\r\n")[2]
    assert b.requests() == []
    await orchestrated.quiet()
    assert await orchestrated.outcomes("a") == {"clientError": 1}
    assert await orchestrated.breaker("a", "m:latest") is None


@both
@each_way
async def test_a_failure_that_a_second_server_repeats_strikes_nobody(orchestrated, fleet, dialect, stream):
    a, b, c = await fleet.add("a"), await fleet.add("b"), await fleet.add("c")
    script = dialect.error(500, 'option "num_ctx" must be of type integer')
    for server in (a, b):
        server.on(dialect.path, script)
    answer = await orchestrated.answer(dialect.ask(stream, options={"num_ctx": "x"}))
    assert (answer.status, answer.header("x-orchestrator-attempts"), answer.header("x-orchestrator-server")) == (500, "2", "b")
    assert answer.body == script[0].partition(b"\r\n\r\n")[2]
    assert c.requests() == []
    await orchestrated.quiet()
    for server in "ab":
        assert await orchestrated.breaker(server, "m:latest") is None
        assert (await orchestrated.server_state(server))["status"] == "healthy"


@both
@each_way
@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_servers_that_are_busy_in_the_same_words_send_the_request_to_a_third(orchestrated, fleet, dialect, stream, status):
    a, b, c = await fleet.add("a"), await fleet.add("b"), await fleet.add("c")
    for server in (a, b):
        server.on(dialect.path, dialect.error(status, "try again later"))
    c.on(dialect.path, dialect.stream(WORDS) if stream else dialect.plain("Hello!"))
    answer = await orchestrated.answer(dialect.ask(stream))
    assert (answer.status, answer.header("x-orchestrator-attempts"), answer.header("x-orchestrator-server")) == (200, "3", "c")
    c.on(dialect.path, dialect.error(status, "try again later"))
    answer = await orchestrated.answer(dialect.ask(stream))
    assert (answer.status, answer.header("x-orchestrator-attempts"), dialect.error_text(answer)) == (status, "3", "try again later")
    for server in "abc":
        assert (await orchestrated.breaker(server, "m:latest") or {"failures": 0})["failures"] == 0


@both
async def test_a_server_that_breaks_in_between_does_not_hide_that_two_others_agree(orchestrated, fleet, dialect):
    a, b, c, d = [await fleet.add(name) for name in "abcd"]
    for server in (a, c):
        server.on(dialect.path, dialect.error(500, "bad option"))
    b.on(dialect.path, [reset])
    answer = await orchestrated.answer(dialect.ask())
    assert (answer.status, answer.header("x-orchestrator-attempts"), dialect.error_text(answer)) == (500, "3", "bad option")
    assert d.requests() == []
    assert (await orchestrated.breaker("b", "m:latest"))["failures"] == 1
    for server in "ac":
        assert await orchestrated.breaker(server, "m:latest") is None


@both
async def test_one_bad_client_opens_no_breaker(orchestrated, fleet, dialect):
    a, b = await fleet.add("a", priority=0), await fleet.add("b", priority=0)
    for server in (a, b):
        server.on(dialect.path, [*dialect.begin([]), dialect.error_event("bad option"), wire.LAST_CHUNK])
    for _ in range(12):
        assert (await orchestrated.answer(dialect.ask())).status == 200
    breakers = await orchestrated.admin("GET", "/api/breakers")
    assert {(one["state"], one["failures"]) for one in breakers} == {("closed", 0)}


@both
async def test_failures_in_different_words_strike_each_server(orchestrated, fleet, dialect):
    a, b, c = await fleet.add("a"), await fleet.add("b"), await fleet.add("c")
    a.on(dialect.path, dialect.error(500, "CUDA error"))
    b.on(dialect.path, dialect.error(500, "out of memory"))
    c.on(dialect.path, dialect.stream(WORDS))
    answer = await orchestrated.answer(dialect.ask())
    assert (answer.status, answer.header("x-orchestrator-attempts"), answer.header("x-orchestrator-server")) == (200, "3", "c")
    for server in "ab":
        assert (await orchestrated.breaker(server, "m:latest"))["failures"] == 1


@both
async def test_an_error_is_the_servers_doing_when_the_next_one_succeeds(orchestrated, fleet, dialect):
    a, b = await fleet.add("a"), await fleet.add("b")
    a.on(dialect.path, dialect.error(500, "boom"))
    b.on(dialect.path, dialect.error(400, "context too long"))
    assert (await orchestrated.answer(dialect.ask())).status == 400
    assert (await orchestrated.breaker("a", "m:latest"))["failures"] == 1
    assert await orchestrated.breaker("b", "m:latest") is None


# ---- bounds


@both
async def test_attempts_are_bounded(orchestrated, fleet, dialect):
    servers = [await fleet.add(f"s{number}") for number in range(6)]
    for number, server in enumerate(servers):
        server.on(dialect.path, dialect.error(500, f"boom {number}"))
    answer = await orchestrated.answer(dialect.ask())
    assert (answer.status, answer.header("x-orchestrator-attempts"), dialect.error_text(answer)) == (500, "4", "boom 3")
    assert [len(server.requests()) for server in servers] == [1, 1, 1, 1, 0, 0]


@both
@pytest.mark.parametrize("orchestrated", [{"commit_timeout_seconds": 1.0}], indirect=True)
async def test_attempts_share_one_deadline_until_the_commit(orchestrated, fleet, dialect):
    a, b = await fleet.add("a"), await fleet.add("b")
    a.on(dialect.path, [*dialect.silent(), hang])
    b.on(dialect.path, dialect.stream(WORDS))
    answer = await orchestrated.answer(dialect.ask())
    assert (answer.status, answer.header("x-orchestrator-attempts")) == (504, "1")
    assert b.requests() == []


@both
@pytest.mark.parametrize("orchestrated", [{"commit_timeout_seconds": 0.5, "connect_timeout_seconds": 300.0}], indirect=True)
async def test_connecting_shares_that_deadline(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    await a.down()
    with unanswering() as url:
        orchestrated.plane.fleet.servers["a"].spec = with_url(orchestrated, "a", url)
        answer = await orchestrated.answer(dialect.ask())
    assert answer.status == 502
    assert "no connection within" in dialect.error_text(answer)


@both
@pytest.mark.parametrize("orchestrated", [{"commit_timeout_seconds": 1.0}], indirect=True)
async def test_a_committed_stream_has_no_deadline(orchestrated, fleet, dialect):
    a = await fleet.add("a", firstEventTimeoutSeconds=1.0)
    a.on(dialect.path, [*dialect.begin(["Hel"]), pause(1.5), dialect.event("lo"), *dialect.end()])
    answer = await orchestrated.answer(dialect.ask())
    assert (answer.ended, dialect.said(answer.body)) == ("whole", "Hello")


# ---- pooled connections


@both
@each_way
@pytest.mark.parametrize("ending", [close, reset])
async def test_a_pooled_connection_that_dies_is_replaced_in_silence(orchestrated, fleet, dialect, stream, ending):
    a = await fleet.add("a")
    good = dialect.stream(WORDS) if stream else dialect.plain("Hello!")
    a.on(dialect.path, good, [ending], good)
    assert (await orchestrated.answer(dialect.ask(stream))).status == 200
    answer = await orchestrated.answer(dialect.ask(stream))
    assert (answer.status, answer.ended, answer.header("x-orchestrator-attempts")) == (200, "whole", "1")
    first, died, third = a.requests(dialect.path)
    assert first.connection == died.connection != third.connection
    await orchestrated.quiet()
    assert await orchestrated.outcomes("a") == {"ok": 2}


def with_url(orchestrated, server_id, url):
    """The server moved without anybody knowing: what was learned of it stands."""
    return replace(orchestrated.plane.fleet.servers[server_id].spec, url=url)
