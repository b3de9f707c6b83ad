import json

import pytest

from orchestrator.protocol.ending import Ending
from orchestrator.protocol.errors import Dialect, body, record
from orchestrator.protocol.events import End, Event, boundary, classify, payloads

HARD = 'line\nend "quoted" \u2028 \u00e9'


def test_ollama_says_text() -> None:
    assert json.loads(body("ollama", 404, "model_not_found", HARD)) == {"error": HARD}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (404, "not_found_error"),
        (413, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (502, "api_error"),
        (503, "api_error"),
    ],
)
def test_openai_says_an_object(status: int, kind: str) -> None:
    assert json.loads(body("openai", status, "a_code", HARD)) == {"error": {"message": HARD, "type": kind, "param": None, "code": "a_code"}}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (413, "request_too_large"),
        (503, "overloaded_error"),
        (500, "api_error"),
        (502, "api_error"),
        (415, "invalid_request_error"),
    ],
)
def test_anthropic_says_a_typed_object_with_the_request(status: int, kind: str) -> None:
    value = json.loads(body("anthropic", status, "a_code", HARD, "req_1"))
    assert value == {"type": "error", "error": {"type": kind, "message": HARD}, "request_id": "req_1"}


@pytest.mark.parametrize("dialect", ["ollama", "openai", "anthropic"])
def test_answers_are_ascii_on_one_line(dialect: Dialect) -> None:
    said = body(dialect, 500, "c", HARD)
    assert said.isascii()
    assert b"\n" not in said


RECORDS: list[tuple[Dialect, str, str]] = [
    ("ollama", "ollama", "ndjson"), ("openai", "openai", "sse"), ("openai", "responses", "sse"), ("anthropic", "messages", "sse"),
    ("openai", "opaque", "sse"), ("openai", "opaque", "ndjson"), ("anthropic", "opaque", "sse"), ("ollama", "ollama", "sse"),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "style", "framing"), RECORDS)
def test_the_last_record_of_a_broken_stream_is_one_whole_error(dialect: Dialect, style: str, framing: str) -> None:
    said = record(dialect, style, framing, "upstream_closed", HARD)
    assert boundary(said, framing) == len(said)
    (payload,) = payloads(said, framing)
    assert classify(style, payload) is Event.ERROR
    said = Ending(style, 1)
    said.read([payload])
    assert said.end is End.ERROR
    assert HARD in json.dumps(json.loads(payload), ensure_ascii=False).encode().decode("utf-8").replace("\\n", "\n").replace('\\"', '"')


def test_only_the_styles_with_named_events_name_it() -> None:
    assert record("openai", "openai", "sse", "c", "m").startswith(b"data: ")
    assert record("openai", "responses", "sse", "c", "m").startswith(b"event: error\ndata: ")
    assert record("anthropic", "messages", "sse", "c", "m").startswith(b"event: error\ndata: ")
    assert json.loads(payloads(record("openai", "responses", "sse", "c", "m"), "sse")[0])["type"] == "error"
