import logging
from collections.abc import Sequence

import pytest

from orchestrator.protocol.http import RequestHeaders
from orchestrator.telemetry import recorder as module
from orchestrator.telemetry.record import RequestRecord
from orchestrator.telemetry.recorder import Kept, Recorder

HEADERS = RequestHeaders([(b"host", b"a")])


def record(number: int) -> RequestRecord:
    return RequestRecord(0.0, f"r{number}", "ollama", "chat")


def ids(batch: Sequence[Kept]) -> list[str]:
    return [kept.record.request_id for kept in batch]


def test_what_was_gathered_goes_to_every_reader_once_in_order() -> None:
    batches: list[list[str]] = []
    recorder = Recorder(lambda batch: batches.append(ids(batch)))
    recorder.readers.append(lambda batch: batches.append(ids(batch)))
    recorder.add(record(1), HEADERS)
    recorder.add(record(2), HEADERS)
    assert batches == []
    recorder.flush()
    recorder.flush()
    assert batches == [["r1", "r2"], ["r1", "r2"]]
    recorder.add(record(3), HEADERS)
    recorder.flush()
    assert batches[2:] == [["r3"], ["r3"]]


def test_a_reader_that_fails_takes_nothing_from_the_others(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_batch: Sequence[Kept]) -> None:
        raise ValueError("no room")

    read: list[str] = []
    recorder = Recorder(fail, lambda batch: read.extend(ids(batch)))
    recorder.add(record(1), HEADERS)
    with caplog.at_level(logging.ERROR):
        recorder.flush()
    recorder.add(record(2), HEADERS)
    recorder.flush()
    assert read == ["r1", "r2"]
    assert "a reader of requests failed" in caplog.text


def test_requests_are_lost_and_counted_when_nobody_takes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_GATHERED", 3)
    read: list[str] = []
    recorder = Recorder(lambda batch: read.extend(ids(batch)))
    for number in range(5):
        recorder.add(record(number), HEADERS)
    recorder.flush()
    assert (read, recorder.lost) == (["r0", "r1", "r2"], 2)
    recorder.add(record(5), HEADERS)
    recorder.flush()
    assert (read[3:], recorder.lost) == (["r5"], 2)


def test_headers_are_kept_of_no_more_requests_at_once_than_somebody_can_look_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WITH_HEADERS", 2)
    read: list[Kept] = []
    recorder = Recorder(read.extend)
    for number in range(3):
        recorder.add(record(number), HEADERS)
    recorder.flush()
    recorder.add(record(3), HEADERS)
    recorder.flush()
    assert [kept.headers is not None for kept in read] == [True, True, False, True]
