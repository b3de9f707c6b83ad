import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.protocol.ending import Ending
from orchestrator.protocol.events import End, Event, boundary, classify, finished, first_telling, framing, guess, is_whole, payloads, usage
from tests.fakes.golden import BROKEN, COMPLETE, Stream


def ending(style: str, found: list[bytes], choices: int = 1) -> End:
    said = Ending(style, choices)
    said.read(found)
    return said.end


def packed(value: object) -> bytes:
    return json.dumps(value).encode()


# ---- where records end


@st.composite
def sse_streams(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    """A stream of events with one kind of line ending, comments and other fields, and the payloads that it holds."""
    end = draw(st.sampled_from([b"\n", b"\r\n", b"\r"]))
    line = st.text(st.characters(exclude_characters="\r\n", exclude_categories=("Cs",)), max_size=12).map(str.encode)
    stream, found = b"", []
    for _ in range(draw(st.integers(0, 6))):
        data = draw(st.lists(line, max_size=2))
        lines = [
            b"data:" + draw(st.sampled_from([b" ", b""])) * (not part.startswith(b" ")) + part if not part.startswith(b" ") else b"data: " + part
            for part in data
        ]
        extra = draw(st.lists(st.sampled_from([b": OPENROUTER PROCESSING", b":", b"event: x", b"id: 1", b"retry: 5"]), max_size=2, unique=True))
        if lines or extra:
            stream += end.join([*extra, *lines]) + end * draw(st.integers(2, 3))
        if data:
            found.append(b"\n".join(data))
    return stream, found


def framed(data: bytes, cuts: list[int], framing: str) -> tuple[list[bytes], bytes]:
    """(payloads, what is held back) when the data comes in these pieces."""
    held, found, at = b"", [], 0
    for cut in [*sorted(cuts), len(data)]:
        held, at = held + data[at:cut], max(at, cut)
        end = boundary(held, framing)
        found += payloads(held[:end], framing)
        held = held[end:]
    return found, held


@given(sse_streams(), st.data())
def test_sse_records_are_the_same_for_any_cutting(stream: tuple[bytes, list[bytes]], data: st.DataObject) -> None:
    body, expected = stream
    cuts = data.draw(st.lists(st.integers(0, len(body)), max_size=8))
    assert framed(body, cuts, "sse") == (expected, b"") or (framed(body, cuts, "sse")[0] == expected and not framed(body, cuts, "sse")[1].strip())


@given(sse_streams())
def test_sse_records_are_the_same_byte_by_byte(stream: tuple[bytes, list[bytes]]) -> None:
    body, expected = stream
    assert framed(body, list(range(len(body))), "sse")[0] == expected


@given(st.lists(st.dictionaries(st.text(max_size=3), st.text(max_size=8), max_size=2)), st.sampled_from([b"\n", b"\r\n", b"\n\n"]), st.data())
def test_ndjson_records_are_the_same_for_any_cutting(values: list[Any], end: bytes, data: st.DataObject) -> None:
    records = [json.dumps(value, ensure_ascii=False).encode() for value in values]
    body = b"".join(record + end for record in records)
    cuts = data.draw(st.lists(st.integers(0, len(body)), max_size=8))
    assert framed(body, cuts, "ndjson") == (records, b"")


@pytest.mark.parametrize("stream", [*COMPLETE, BROKEN], ids=lambda stream: stream.name)
def test_recorded_streams_have_the_same_records_byte_by_byte(stream: Stream) -> None:
    assert framed(stream.body, list(range(len(stream.body))), stream.framing) == (payloads(stream.body, stream.framing), b"")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", 0),
        (b"data: a", 0),
        (b"data: a\n", 0),
        (b"data: a\n\n", 9),
        (b"data: a\n\ndata: b\n", 9),
        (b"data: a\r\n\r", 0),
        (b"data: a\r\n\r\n", 11),
        (b"data: a\r\r", 9),
        (b"data: a\r\rdata: b\r\n\r\nx", 20),
        (b": ping\n\n", 8),
    ],
)
def test_boundary_is_behind_the_last_blank_line(data: bytes, expected: int) -> None:
    assert boundary(data, "sse") == expected


def test_characters_that_look_like_line_ends_end_nothing() -> None:
    text = "a\u2028b\u0085c\x0bd\x0ce\x1cf".encode()
    assert payloads(b'{"x":"%b"}\n' % text, "ndjson") == [b'{"x":"%b"}' % text]
    assert payloads(b"data: %b\n\n" % text, "sse") == [text]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"data:x\n\n", [b"x"]),
        (b"data:  x\n\n", [b" x"]),
        (b"data: a\ndata: b\n\n", [b"a\nb"]),
        (b"event: e\nid: 1\ndata: a\n\n", [b"a"]),
        (b": comment\n\n:\n\nretry: 5\n\n", []),
        (b"data: a\n\ndata: b", [b"a", b"b"]),
        (b'error: {"code":500}\n\n', [b'{"error":{"code":500}}']),
    ],
)
def test_payloads_of_sse(data: bytes, expected: list[bytes]) -> None:
    assert payloads(data, "sse") == expected
    assert payloads(data.replace(b"\n", b"\r\n"), "sse") == expected
    assert payloads(data.replace(b"\n", b"\r"), "sse") == expected


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        (b"text/event-stream", "sse"),
        (b"Text/Event-Stream; charset=utf-8", "sse"),
        (b"application/x-ndjson", "ndjson"),
        (b"application/jsonl", "ndjson"),
        (b"application/json", ""),
        (b"", ""),
        (b"text/plain", ""),
    ],
)
def test_framing_follows_the_content_type(content_type: bytes, expected: str) -> None:
    assert framing(content_type) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'data: {"choices":[]}\n\n', "sse"),
        (b'\n\ndata:{"a', "sse"),
        (b"event: message_start\n", "sse"),
        (b": OPENROUTER PROCESSING\n\n", "sse"),
        (b'{"model":"m","done":false}\n', "ndjson"),
        (b'{"model":"m","done":false}\r\n{"mod', "ndjson"),
        (b'{"model":"m","done":false}', ""),
        (b'{"model":"m","message":{"content":"a', ""),
        (b'{\n  "id": 1,\n  "done": true\n}\n', ""),
        (b'{"id":"c","object":"chat.completion","choices":[]}\n', ""),
        (b'{"error":"no"}\n', ""),
        (b"<html>data: event:</html>\n", ""),
        (b"", ""),
    ],
)
def test_a_stream_that_does_not_say_what_it_is_is_known_by_its_first_bytes(data: bytes, expected: str) -> None:
    assert guess(data) == expected


@pytest.mark.parametrize("stream", [*COMPLETE, BROKEN], ids=lambda stream: stream.name)
def test_recorded_streams_are_known_by_their_first_chunk(stream: Stream) -> None:
    known = guess(stream.chunks[0])
    assert known == stream.framing or (not known and stream is BROKEN)


@given(st.binary(max_size=40))
def test_any_bytes_may_be_guessed_at(data: bytes) -> None:
    assert guess(data) in ("", "sse", "ndjson")


# ---- what an event means


def chat(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"id": "c", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}], "usage": None}


AZURE_FIRST = {"choices": [], "created": 0, "id": "", "model": "", "object": "", "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {}}]}
AZURE_FILTER = {"choices": [{"index": 0, "finish_reason": None, "delta": {}, "content_filter_results": {"hate": {"filtered": False}}}]}
USAGE = {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}
OPENROUTER_ERROR = {"id": "g", "error": {"code": 502, "message": "down"}, "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}]}
TOOL = {"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}]}


@pytest.mark.parametrize(
    ("value", "event"),
    [
        (chat(role="assistant"), Event.NOTHING),
        (chat(role="assistant", content=""), Event.NOTHING),
        (chat(role="assistant", content=None, refusal=None, tool_calls=[]), Event.NOTHING),
        (AZURE_FIRST, Event.NOTHING),
        (AZURE_FILTER, Event.NOTHING),
        (USAGE, Event.NOTHING),
        ({"choices": None}, Event.NOTHING),
        ({"choices": [None, 5]}, Event.NOTHING),
        (chat(content="x"), Event.USEFUL),
        (chat(content=" "), Event.USEFUL),
        (chat(role="assistant", content="x"), Event.USEFUL),
        (chat(reasoning_content="x"), Event.USEFUL),
        (chat(reasoning="x", content=""), Event.USEFUL),
        (chat(reasoning_details=[{"text": "x"}]), Event.USEFUL),
        (chat(refusal="no"), Event.USEFUL),
        (chat(**TOOL), Event.USEFUL),
        (chat(function_call={"name": "f"}), Event.USEFUL),
        ({"choices": [{"index": 0, "text": "x", "finish_reason": None}]}, Event.USEFUL),
        ({"choices": [{"index": 0, "text": "", "finish_reason": None}]}, Event.NOTHING),
        (chat("stop"), Event.FINISH),
        (chat("tool_calls", content="last words of vLLM"), Event.FINISH),
        (chat("", content=""), Event.NOTHING),
        ({"choices": [{"index": 0, "text": "", "finish_reason": "length"}]}, Event.FINISH),
        ({"error": {"message": "m"}}, Event.ERROR),
        ({"error": "m"}, Event.ERROR),
        (OPENROUTER_ERROR, Event.ERROR),
        ({"error": None, **chat(content="x")}, Event.USEFUL),
    ],
)
def test_events_of_openai_servers(value: object, event: Event) -> None:
    assert classify("openai", packed(value)) is event


@pytest.mark.parametrize(
    ("value", "event"),
    [
        ({"model": "m", "message": {"role": "assistant", "content": "x"}, "done": False}, Event.USEFUL),
        ({"model": "m", "message": {"role": "assistant", "content": ""}, "done": False}, Event.NOTHING),
        ({"model": "m", "message": {"role": "assistant", "content": "", "thinking": "x"}, "done": False}, Event.USEFUL),
        ({"model": "m", "message": {"role": "assistant", "content": "", "tool_calls": [{}]}, "done": False}, Event.USEFUL),
        ({"model": "m", "message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"}, Event.DONE),
        ({"model": "m", "response": "x", "done": False}, Event.USEFUL),
        ({"model": "m", "response": "", "done": False}, Event.NOTHING),
        ({"model": "m", "response": "", "thinking": "x", "done": False}, Event.USEFUL),
        ({"model": "m", "response": "", "done": True}, Event.DONE),
        ({"error": "it broke"}, Event.ERROR),
        ({"embeddings": [[0.1]]}, Event.USEFUL),
        ({"status": "pulling"}, Event.USEFUL),
    ],
)
def test_events_of_ollama(value: object, event: Event) -> None:
    assert classify("ollama", packed(value)) is event


@pytest.mark.parametrize(
    ("kind", "event"),
    [
        ("response.created", Event.NOTHING),
        ("response.in_progress", Event.NOTHING),
        ("response.queued", Event.NOTHING),
        ("response.output_item.added", Event.USEFUL),
        ("response.output_text.delta", Event.USEFUL),
        ("response.completed", Event.DONE),
        ("response.incomplete", Event.DONE),
        ("response.failed", Event.ERROR),
        ("error", Event.ERROR),
    ],
)
def test_events_of_responses(kind: str, event: Event) -> None:
    assert classify("responses", packed({"type": kind, "response": {"error": None}})) is event


@pytest.mark.parametrize(
    ("value", "event"),
    [
        ({"type": "message_start", "message": {"content": []}}, Event.NOTHING),
        ({"type": "ping"}, Event.NOTHING),
        ({"type": "content_block_start", "index": 0}, Event.USEFUL),
        ({"type": "content_block_delta", "index": 0}, Event.USEFUL),
        ({"type": "message_delta", "delta": {"stop_reason": "end_turn"}}, Event.FINISH),
        ({"type": "message_delta", "delta": {"stop_reason": None}, "usage": {"output_tokens": 1}}, Event.NOTHING),
        ({"type": "message_stop"}, Event.DONE),
        ({"type": "error", "error": {"type": "overloaded_error"}}, Event.ERROR),
        ({"type": "error"}, Event.ERROR),
    ],
)
def test_events_of_messages(value: object, event: Event) -> None:
    assert classify("messages", packed(value)) is event


@pytest.mark.parametrize("style", ["ollama", "openai", "responses", "messages", "opaque"])
def test_the_end_mark_and_text_mean_the_same_in_every_style(style: str) -> None:
    assert classify(style, b"[DONE]") is Event.DONE
    assert classify(style, b" [DONE] ") is Event.DONE
    assert classify(style, b"hello") is Event.USEFUL
    assert classify(style, b'"[DONE]"') is Event.USEFUL
    assert classify(style, b'{"cut":') is Event.USEFUL
    assert classify(style, b"\xff") is Event.USEFUL


@given(
    st.sampled_from(["ollama", "openai", "responses", "messages", "opaque"]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.sampled_from(["choices", "delta", "error", "type", "message", "done", "finish_reason"]), x),
        max_leaves=10,
    ),
)
def test_any_json_is_some_event(style: str, value: object) -> None:
    assert isinstance(classify(style, packed(value)), Event)
    assert isinstance(finished([packed(value)]), set)


def test_an_opaque_stream_is_useful_from_its_first_event() -> None:
    assert classify("opaque", b"{}") is Event.USEFUL
    assert classify("opaque", b'{"error":"x"}') is Event.ERROR


def test_first_telling_event_skips_bookkeeping() -> None:
    found = [packed(chat(role="assistant")), packed(AZURE_FIRST), packed(chat(content="x")), b"[DONE]"]
    assert first_telling("openai", found) == (Event.USEFUL, found[2])
    assert first_telling("openai", found[:2]) == (Event.NOTHING, b"")
    assert first_telling("openai", []) == (Event.NOTHING, b"")


@pytest.mark.parametrize(
    ("payload", "whole"), [(b"{}", True), (b"[DONE]", True), (b" [DONE]", True), (b"[DONE", False), (b'{"a":', False), (b"", False), (b"\xff", False)]
)
def test_a_cut_payload_is_told_from_a_whole_one(payload: bytes, whole: bool) -> None:
    assert is_whole(payload) is whole


# ---- how a stream stands

TOKEN, FINISH, ERROR, DONE = packed(chat(content="x")), packed(chat("stop")), packed({"error": {"message": "m"}}), b"[DONE]"


@pytest.mark.parametrize(
    ("found", "end"),
    [
        ([], End.OPEN),
        ([TOKEN], End.OPEN),
        ([TOKEN, FINISH], End.FINISHED),
        ([TOKEN, FINISH, packed(USAGE)], End.FINISHED),
        ([FINISH, TOKEN], End.OPEN),
        ([FINISH, packed(AZURE_FILTER)], End.FINISHED),
        ([TOKEN, FINISH, DONE], End.COMPLETE),
        ([TOKEN, FINISH, packed(USAGE), DONE], End.COMPLETE),
        ([TOKEN, DONE], End.COMPLETE),
        ([TOKEN, ERROR], End.ERROR),
        ([TOKEN, ERROR, DONE], End.ERROR),
        ([FINISH, ERROR], End.ERROR),
        ([packed(OPENROUTER_ERROR), DONE], End.ERROR),
    ],
)
def test_endings_of_a_chat(found: list[bytes], end: End) -> None:
    assert ending("openai", found) is end


def test_one_finish_of_several_answers_is_no_end() -> None:
    assert ending("openai", [TOKEN, FINISH], choices=2) is End.OPEN
    assert ending("openai", [TOKEN, FINISH, DONE], choices=2) is End.COMPLETE
    assert ending("openai", [FINISH, TOKEN, FINISH]) is End.FINISHED


def test_the_answers_that_finished_are_told_by_their_index() -> None:
    def choice(index: int, finish: str | None) -> dict[str, Any]:
        return {"index": index, "delta": {}, "finish_reason": finish}

    assert finished([packed({"choices": [choice(0, "stop")]}), packed({"choices": [choice(2, None), choice(1, "length")]})]) == {0, 1}
    assert finished([b"[DONE]", b"cut {", packed(USAGE), packed({"choices": None}), packed({"choices": [5]}), b"\xff"]) == set()


@pytest.mark.parametrize("stream", COMPLETE, ids=lambda stream: stream.name)
def test_recorded_streams_are_complete_only_at_their_end(stream: Stream) -> None:
    found = payloads(stream.body, stream.framing)
    assert ending(stream.style, found) is End.COMPLETE
    for count in range(len(found)):
        assert ending(stream.style, found[:count]) in (End.OPEN, End.FINISHED)
    events = [classify(stream.style, payload) for payload in found]
    assert Event.DONE not in events[:-1]
    assert Event.ERROR not in events


def test_a_recorded_stream_that_broke_is_an_error() -> None:
    assert ending(BROKEN.style, payloads(BROKEN.body, BROKEN.framing)) is End.ERROR


# ---- tokens


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("ollama/chat-stream", (43, 24)),
        ("ollama/v1-chat-stream-usage", (43, 24)),
        ("ollama/v1-chat-stream", (None, None)),
        ("llamacpp/chat-stream-usage", (9, 24)),
        ("ollama/v1-messages-stream", (43, 11)),
        ("ollama/v1-responses-stream", (43, 11)),
    ],
)
def test_tokens_are_those_that_the_server_counted(name: str, counts: tuple[int | None, int | None]) -> None:
    stream = next(stream for stream in COMPLETE if stream.name == name)
    assert usage(stream.body[-2048:]) == counts


def test_words_of_the_answer_are_no_counts() -> None:
    assert usage(packed({"message": {"content": '"eval_count": 5, "prompt_tokens":7'}, "eval_count": None})) == (None, None)
    assert usage(b"") == (None, None)
    assert usage(b'{"usage": {"prompt_tokens": 3}}') == (3, None)


@pytest.mark.parametrize("count", [b"99999999999999999999999", b"1e300", b"1.5", b"-5"])
def test_a_count_that_no_answer_can_have_is_unknown(count):
    assert usage(b'"usage":{"prompt_tokens":%b,"completion_tokens":2}' % count) == (None, 2)
