import json

import msgspec

from orchestrator.telemetry.record import AttemptRecord, RequestRecord


def test_a_record_is_camel_case_and_leaves_out_what_is_unknown() -> None:
    plain = RequestRecord(1.0, "r1", "openai", "chat")
    assert json.loads(msgspec.json.encode(plain)) == {"time": 1.0, "requestId": "r1", "dialect": "openai", "operation": "chat"}


def test_a_whole_record_can_be_read_back() -> None:
    whole = RequestRecord(
        1.0, "r1", "openai", "chat", model="m", stream=True, server="a", outcome="ok", status=200, attempts=[AttemptRecord("b", "timeout", "why", 1.5, 0.5)],
        first_event_seconds=0.5, duration_seconds=2.0, prompt_tokens=0, completion_tokens=4,
    )  # fmt: skip
    encoded = msgspec.json.encode(whole)
    assert msgspec.json.decode(encoded, type=RequestRecord) == whole
    line = json.loads(encoded)
    assert line["attempts"] == [{"server": "b", "outcome": "timeout", "reason": "why", "seconds": 1.5, "startedSeconds": 0.5}]
    assert (line["firstEventSeconds"], line["promptTokens"]) == (0.5, 0)


def test_records_share_no_attempts() -> None:
    first, second = RequestRecord(1.0, "r1", "openai", "chat"), RequestRecord(1.0, "r2", "openai", "chat")
    first.attempts.append(AttemptRecord("a", "ok", "", 0.0))
    assert second.attempts == []
