import pytest

from orchestrator.fleet.outcome import Outcome
from orchestrator.fleet.server import Server
from orchestrator.gateway.judge import judge
from orchestrator.gateway.relay import Relay
from orchestrator.gateway.run import Run
from orchestrator.protocol.envelope import Envelope, Route
from orchestrator.protocol.http import Headers
from orchestrator.upstream.wire import Failure
from tests.fakes import fleets
from tests.fakes.wire import openai_event, packed

ROUTE = Route("/v1/chat/completions", "openai", "v1", "chat", "openai")


OPAQUE = Route("/v1/audio/speech", "openai", "v1", "audio/speech", "opaque")


def relay(route: Route = ROUTE) -> Relay:
    return Relay(Envelope(route, b"", "m", True), Server(fleets.spec(), fleets.RULES, 0.0), Run(), 60.0, 100.0, 100.0)


def answer(status: int, body: bytes = b"{}", headers: Headers | None = None, *, complete: bool = True, route: Route = ROUTE) -> Relay:
    made = relay(route)
    made.head(status, headers or [(b"content-type", b"application/json")])
    if body:
        made.body(body)
    if complete:
        made.end()
    return made


def outcome(status: int, body: bytes = b"{}", headers: Headers | None = None) -> Outcome:
    return judge(answer(status, body, headers)).outcome


def test_a_whole_answer_is_ok() -> None:
    assert outcome(200) is Outcome.OK
    assert outcome(201, b' \r\n\t{"id": 1}') is Outcome.OK
    assert outcome(200, b"[1, 2]") is Outcome.OK


@pytest.mark.parametrize("body", [b"", b" \n", b"<!doctype html><title>Sign in</title>", b"upstream connect error", b"\x1f\x8b\x08\0"])
def test_an_answer_that_is_no_json_is_the_servers_doing(body: bytes) -> None:
    said = judge(answer(200, body, [(b"content-type", b"text/html")]))
    assert (said.outcome, said.final) == (Outcome.SERVER_ERROR, False)
    assert "Sign in" not in said.reason


def test_a_compressed_answer_is_not_looked_into() -> None:
    assert outcome(200, b"\x1f\x8b\x08\0", [(b"content-encoding", b"gzip")]) is Outcome.OK


@pytest.mark.parametrize("body", [b"", b"RIFF", b"<p>"])
def test_an_unknown_operation_may_answer_with_anything(body: bytes) -> None:
    assert judge(answer(200, body, [(b"content-type", b"audio/wav")], route=OPAQUE)).outcome is Outcome.OK


@pytest.mark.parametrize("status", [400, 409, 413, 415, 422, 499, 501])
def test_the_requests_own_doing(status: int) -> None:
    assert outcome(status, b'{"error":"this model\'s maximum context length is 4096"}') is Outcome.CLIENT_ERROR


@pytest.mark.parametrize("status", [500, 502, 503, 504, 529, 302])
def test_the_servers_doing(status: int) -> None:
    said = judge(answer(status, b"<html>secret</html>"))
    assert said.outcome is Outcome.SERVER_ERROR
    assert "secret" not in said.reason
    assert said.text == b"%d <html>secret</html>" % status
    assert said.final == (status == 500), "the others may be said by something in between, or by a server that is merely busy"


@pytest.mark.parametrize("status", [401, 403])
def test_our_credentials(status: int) -> None:
    said = judge(answer(status, b'{"error":"Incorrect API key sk-123"}'))
    assert said.outcome is Outcome.AUTH
    assert "sk-123" not in said.reason


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, b'{"error":"model \'m\' not found"}'),
        (404, b'{"error":"model \\"m\\" not found, try pulling it first"}'),
        (404, b'{"error":{"message":"The model `m` does not exist.","type":"NotFoundError","code":404}}'),
        (404, b'{"error":{"message":"gone","code":"model_not_found"}}'),
        (400, b'{"error":{"message":"no","code":"model_not_found"}}'),
        (404, b"404 page not found"),
        (404, b'{"detail":"Not Found"}'),
        (404, b""),
        (405, b"Method Not Allowed"),
    ],
)
def test_a_missing_model_or_path(status: int, body: bytes) -> None:
    assert outcome(status, body) is Outcome.MODEL_MISSING


def test_what_only_looks_like_a_missing_model() -> None:
    assert outcome(400, b'{"error":"model is required"}') is Outcome.CLIENT_ERROR


def test_rate_limits() -> None:
    said = judge(answer(429, b"slow", [(b"retry-after", b"7")]))
    assert (said.outcome, said.retry_after_seconds, said.text) == (Outcome.RATE_LIMITED, 7.0, b"429 slow")
    assert not said.final
    assert judge(answer(429)).retry_after_seconds is None
    assert outcome(503, headers=[(b"retry-after", b"1")]) is Outcome.RATE_LIMITED


@pytest.mark.parametrize("body", [{"error": "boom"}, {"error": {"message": "boom"}}, {"id": 1, "error": {"code": 500}}])
def test_an_error_with_status_200_is_an_error(body: object) -> None:
    said = judge(answer(200, packed(body)))
    assert (said.outcome, said.final) == (Outcome.SERVER_ERROR, True)


@pytest.mark.parametrize(
    "body", [b'{"error":null,"choices":[]}', b'{"choices":[{"message":{"content":"\\"error\\": 5"}}]}', b'{"x":{"error":"inner"}}', b'["error"]', b'{"error"']
)
def test_the_word_error_is_no_error(body: bytes) -> None:
    assert outcome(200, body) is Outcome.OK


def test_a_stream_that_begins_with_an_error() -> None:
    made = answer(200, b'data: {"error":{"message":"boom"}}\n\n', [(b"content-type", b"text/event-stream")])
    assert judge(made).outcome is Outcome.SERVER_ERROR
    assert (judge(made).text, judge(made).final) == (b'{"error":{"message":"boom"}}', True)


def test_a_stream_that_begins_well() -> None:
    assert judge(answer(200, openai_event({"content": "x"}), [(b"content-type", b"text/event-stream")], complete=False)).outcome is Outcome.OK


def test_an_answer_too_large_to_hold_is_ok() -> None:
    assert judge(answer(200, b'{"error"', complete=False)).outcome is Outcome.OK


@pytest.mark.parametrize(("kind", "expected"), [("timeout", Outcome.TIMEOUT), ("reset", Outcome.SERVER_ERROR), ("malformed", Outcome.SERVER_ERROR)])
def test_failures(kind: str, expected: Outcome) -> None:
    made = relay()
    made.broken(Failure(kind, "why"))
    said = judge(made)
    assert (said.outcome, said.reason, said.text) == (expected, "why", b"")


def test_a_failure_counts_more_than_the_status_before_it() -> None:
    made = answer(200, complete=False)
    made.broken(Failure("reset", "why"))
    assert judge(made).outcome is Outcome.SERVER_ERROR


# ---- Retry-After
