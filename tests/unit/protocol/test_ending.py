import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.protocol.ending import MARKS, Ending
from orchestrator.protocol.events import End, payloads
from tests.fakes.golden import BROKEN, COMPLETE, Stream


def packed(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def chunk(finish: str | None = None, index: int = 0, **delta: Any) -> bytes:
    return packed({"choices": [{"index": index, "delta": delta, "finish_reason": finish}]})


TOKEN, FINISH, USAGE, ERROR, DONE = chunk(content="x"), chunk("stop"), packed({"choices": [], "usage": {}}), packed({"error": {"message": "m"}}), b"[DONE]"


def told(style: str, *found: bytes, choices: int = 1) -> End:
    """Record by record, shown only what `tells` asks for, as a stream that passes."""
    ending = Ending(style, choices)
    for payload in found:
        if ending.tells(b"data: " + payload + b"\n\n"):
            ending.read([payload])
    return ending.end


@pytest.mark.parametrize("after", [[], [USAGE], [USAGE] * 50, [chunk()] * 50, [chunk(role="assistant"), USAGE] * 20])
def test_a_finish_reason_holds_whatever_bookkeeping_follows(after: list[bytes]) -> None:
    assert told("openai", TOKEN, FINISH, *after) is End.FINISHED
    assert told("openai", TOKEN, FINISH, *after, DONE) is End.COMPLETE


@pytest.mark.parametrize("after", [[], [USAGE] * 50, [TOKEN] * 50, [DONE], [*[USAGE] * 50, FINISH, DONE]])
def test_an_error_stays_one_whatever_follows(after: list[bytes]) -> None:
    assert told("openai", TOKEN, ERROR, *after) is End.ERROR


def test_content_after_a_finish_reason_goes_on() -> None:
    assert told("openai", TOKEN, FINISH, TOKEN) is End.OPEN
    assert told("openai", TOKEN, FINISH, TOKEN, *[USAGE] * 50) is End.OPEN
    assert told("openai", TOKEN, FINISH, TOKEN, FINISH, USAGE) is End.FINISHED


def test_nothing_follows_the_end() -> None:
    assert told("openai", TOKEN, FINISH, DONE, TOKEN, FINISH) is End.COMPLETE


@pytest.mark.parametrize("between", [0, 50])
def test_of_several_answers_all_must_have_finished(between: int) -> None:
    found = [chunk(index=0, content="x"), chunk("stop", 0), *[chunk(index=1, content="x")] * between]
    assert told("openai", *found, choices=2) is End.OPEN
    assert told("openai", *found, chunk("length", 1), *[USAGE] * between, choices=2) is End.FINISHED
    assert told("openai", *found, chunk("stop", 0), choices=2) is End.OPEN


@pytest.mark.parametrize(
    ("style", "found", "end"),
    [
        ("ollama", [{"message": {"content": "x"}, "done": False}, {"done": True}], End.COMPLETE),
        ("ollama", [{"message": {"content": "x"}, "done": False}, {"error": "it broke"}], End.ERROR),
        ("responses", [{"type": "response.output_text.delta"}, {"type": "response.incomplete"}], End.COMPLETE),
        ("responses", [{"type": "response.output_text.delta"}, {"type": "response.failed"}], End.ERROR),
        ("messages", [{"type": "message_delta", "delta": {"stop_reason": "end_turn"}}, *[{"type": "ping"}] * 50], End.FINISHED),
        ("messages", [{"type": "message_delta", "delta": {"stop_reason": "end_turn"}}, {"type": "ping"}, {"type": "message_stop"}], End.COMPLETE),
        ("messages", [{"type": "error", "error": {"type": "overloaded_error"}}, *[{"type": "ping"}] * 50, {"type": "message_stop"}], End.ERROR),
        ("opaque", [{"anything": 1}], End.OPEN),
        ("opaque", [{"anything": 1}, {"error": "no"}], End.ERROR),
    ],
)
def test_ends_of_the_other_styles(style: str, found: list[dict[str, Any]], end: End) -> None:
    assert told(style, *map(packed, found)) is end


@pytest.mark.parametrize("stream", [*COMPLETE, BROKEN], ids=lambda stream: stream.name)
def test_recorded_streams_are_told_to_their_end(stream: Stream) -> None:
    found = payloads(stream.body, stream.framing)
    assert told(stream.style, *found) is (End.ERROR if stream is BROKEN else End.COMPLETE)
    assert told(stream.style, *found[:-1]) in (End.OPEN, End.FINISHED)


@given(st.sampled_from([*COMPLETE, BROKEN]), st.data())
def test_the_end_is_the_same_however_many_records_come_at_once(stream: Stream, data: st.DataObject) -> None:
    found = payloads(stream.body, stream.framing)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(found)), max_size=8)))
    ending = Ending(stream.style, 1)
    for start, end in pairwise([0, *cuts, len(found)]):
        if ending.tells(b"\n\n".join(found[start:end])):
            ending.read(found[start:end])
    assert ending.end is told(stream.style, *found)


@pytest.mark.parametrize("style", MARKS)
def test_records_of_text_need_no_look(style: str) -> None:
    """What keeps the cost of a record low; a text that holds the marks has them escaped."""
    text = packed(
        {"choices": [{"delta": {"content": '"finish_reason":"stop" "done":true "error" "message_stop" "response.completed"'}, "finish_reason": None}]}
    )
    assert not Ending(style, 1).tells(text)
    assert Ending(style, 2).tells(text)
