import asyncio
import json

import pytest

from orchestrator.edge import routes
from orchestrator.errors import Refusal
from orchestrator.fleet.models import Host
from orchestrator.fleet.outcome import Outcome
from orchestrator.gateway.answer import failure_of, refusal_bytes, success_head
from orchestrator.gateway.attempts import Attempt
from orchestrator.gateway.call import Call
from orchestrator.gateway.flight import Flight
from orchestrator.gateway.judge import Judgement
from orchestrator.gateway.relay import Relay
from orchestrator.gateway.run import Run
from orchestrator.protocol.envelope import Envelope
from orchestrator.protocol.http import Headers, RequestHeaders
from tests.fakes import fleets
from tests.fakes.client import FakeClient


def call(path: bytes = b"/v1/chat/completions", *, chunks: bool = True, attempts: int = 0, server: str = "") -> Call:
    route = routes.find(path)
    assert route is not None
    loop = asyncio.new_event_loop()
    try:
        made = Call(
            FakeClient(chunks=chunks), route, path, RequestHeaders([]), b"", request_id="r1", extra=b"x-request-id: r1\r\n", keep_alive=chunks, started_at=0.0,
            loop=loop,
        )  # fmt: skip
    finally:
        loop.close()
    made.attempts, made.server = attempts, server
    return made


def relay(status: int, headers: Headers, body: bytes = b"", *, complete: bool = True) -> Relay:
    made = Relay(Envelope(call().route, b"", "m", True), fleets.fleet(fleets.spec()).servers["a"], Run(), 60.0, 1e9, 1e9)
    made.head(status, headers)
    if body:
        made.body(body)
    if complete:
        made.end()
    return made


def lines(made: Relay, of: Call | None = None) -> tuple[list[bytes], bool]:
    head, framed = success_head(of or call(attempts=2), made, "a")
    assert head.endswith(b"\r\n\r\n")
    return head[:-4].split(b"\r\n"), framed


def test_the_servers_head_is_framed_anew() -> None:
    headers = [(b"content-type", b"application/json"), (b"transfer-encoding", b"chunked"), (b"connection", b"x-hop"), (b"x-hop", b"1"), (b"x-own", b"2")]
    headers += [(b"set-cookie", b"c"), (b"x-request-id", b"theirs"), (b"x-orchestrator-server", b"fake")]
    assert lines(relay(201, headers, b"12345")) == (
        [
            b"HTTP/1.1 201 Created", b"content-type: application/json", b"x-own: 2", b"x-request-id: r1", b"x-orchestrator-server: a",
            b"x-orchestrator-attempts: 2", b"content-length: 5",
        ],
        False,
    )  # fmt: skip


@pytest.mark.parametrize("status", [204, 304])
def test_answers_without_body_have_no_length(status: int) -> None:
    said, framed = lines(relay(status, [(b"content-length", b"10")]))
    assert not any(line.startswith((b"content-length", b"transfer-encoding")) for line in said)
    assert not framed


STREAM: Headers = [(b"content-type", b"text/event-stream"), (b"content-length", b"99")]


@pytest.mark.parametrize("complete", [True, False])
def test_a_stream_is_chunked_for_http_1_1_and_ends_with_the_connection_for_1_0(complete: bool) -> None:
    said, framed = lines(relay(200, STREAM, b"data: x\n\n", complete=complete))
    assert (said[-1], framed) == (b"transfer-encoding: chunked", True)
    assert not any(line.startswith(b"content-length") for line in said)
    said, framed = lines(relay(200, STREAM, b"data: x\n\n", complete=complete), call(chunks=False))
    assert (said[-1], framed) == (b"connection: close", False)


def test_a_large_plain_answer_keeps_its_length_or_is_chunked() -> None:
    said, framed = lines(relay(200, [(b"content-length", b"99")], b"x", complete=False))
    assert (said[-1], framed) == (b"content-length: 99", False)
    said, framed = lines(relay(200, [(b"content-type", b"audio/wav")], b"x", complete=False))
    assert (said[-1], framed) == (b"transfer-encoding: chunked", True)
    said, framed = lines(relay(200, [(b"content-type", b"audio/wav")], b"x", complete=False), call(chunks=False))
    assert (said[-1], framed) == (b"connection: close", False)


def test_a_compressed_body_keeps_its_encoding() -> None:
    said, _ = lines(relay(200, [(b"content-type", b"text/event-stream"), (b"content-encoding", b"gzip")], b"x"))
    assert b"content-encoding: gzip" in said
    assert said[-1] == b"content-length: 1"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b"/api/chat", {"error": "why"}),
        (b"/v1/chat/completions", {"error": {"message": "why", "type": "api_error", "param": None, "code": "queue_full"}}),
        (b"/v1/messages", {"type": "error", "error": {"type": "overloaded_error", "message": "why"}, "request_id": "r1"}),
    ],
)
def test_refusals_in_each_dialect(path: bytes, expected: object) -> None:
    said = refusal_bytes(call(path, attempts=3, server="a"), Refusal(503, "queue_full", "why", retry_after_seconds=0.2))
    head, _, body = said.partition(b"\r\n\r\n")
    assert json.loads(body) == expected
    assert head.split(b"\r\n")[0] == b"HTTP/1.1 503 Service Unavailable"
    for line in (b"x-request-id: r1", b"x-orchestrator-attempts: 3", b"x-orchestrator-server: a", b"retry-after: 1", b"content-length: %d" % len(body)):
        assert line in head.split(b"\r\n")


def test_a_refusal_before_any_server_was_asked_names_none() -> None:
    said = refusal_bytes(call(), Refusal(404, "model_not_found", "why"))
    assert b"\r\nx-orchestrator-attempts: 0\r\n" in said
    assert b"x-orchestrator-server" not in said


def test_a_refusal_to_http_1_0_closes() -> None:
    assert b"\r\nconnection: close\r\n" in refusal_bytes(call(chunks=False), Refusal(400, "x", "y"))


@pytest.mark.parametrize(
    ("outcome", "status", "code"),
    [
        (Outcome.AUTH, 502, "server_misconfigured"),
        (Outcome.TIMEOUT, 504, "upstream_timeout"),
        (Outcome.CONNECT_ERROR, 502, "upstream_unreachable"),
        (Outcome.SERVER_ERROR, 502, "upstream_closed"),
    ],
)
def test_what_is_said_when_no_answer_came(outcome: Outcome, status: int, code: str) -> None:
    server = fleets.fleet(fleets.spec()).servers["a"]
    attempt = Attempt(Flight(Host(server, "m", True), "m", 0.0), relay(200, []), Judgement(outcome, "environment variable SECRET is not set"))
    said = failure_of(attempt, Envelope(call().route, b"", "m", True))
    assert (said.status, said.code) == (status, code)
    assert "'a'" in said.message
    assert ("SECRET" in said.message) == (outcome in (Outcome.CONNECT_ERROR, Outcome.SERVER_ERROR))
