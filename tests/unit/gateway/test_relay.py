import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.fleet.breaker import BreakerRules
from orchestrator.fleet.server import Server
from orchestrator.fleet.specs import ServerSpec
from orchestrator.gateway.relay import HELD_ANSWER_BYTES, HELD_RECORD_BYTES, OURS, SETTLE_SECONDS, Relay
from orchestrator.gateway.run import Run
from orchestrator.protocol import events
from orchestrator.protocol.ending import Ending
from orchestrator.protocol.envelope import Envelope, Route
from orchestrator.protocol.events import END_RECORD, End, Event
from orchestrator.upstream.wire import Connection, Pool
from tests.fakes.client import FakeClient, unframed
from tests.fakes.golden import BROKEN, COMPLETE, Stream
from tests.fakes.transport import FakeTransport
from tests.fakes.wire import DONE, LAST_CHUNK, MALFORMED_CHUNK, chunk, ollama_done, ollama_record, openai_event, openai_usage, packed

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"
TYPES = {"sse": b"text/event-stream", "ndjson": b"application/x-ndjson", "": b"application/json"}
DIALECTS: dict[str, Any] = {"ollama": "ollama", "messages": "anthropic"}
IDLE_SECONDS = 60.0
BY_NAME = {stream.name: stream for stream in [*COMPLETE, BROKEN]}


def stands(style: str, found: list[bytes]) -> End:
    said = Ending(style, 1)
    said.read(found)
    return said.end


class SlowRelay(Relay):
    """Without the fast way."""

    def copy(self, data: bytes) -> bool:
        return False


class CountingRelay(Relay):
    """Counts the reads that went the fast way."""

    copied = 0

    def copy(self, data: bytes) -> bool:
        taken = super().copy(data)
        self.copied += taken
        return taken


def head_of(framing: str, *, length: int | None = None) -> bytes:
    how = b"Transfer-Encoding: chunked" if length is None else b"Content-Length: %d" % length
    return b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\n%b\r\n\r\n" % (TYPES[framing], how)


def raw(stream: Stream) -> bytes:
    """The stream as a whole HTTP answer."""
    return head_of(stream.framing) + b"".join(map(chunk, stream.chunks)) + LAST_CHUNK


class Play:
    """A relay between a real upstream connection without a network and a client in memory; commits as the gateway does.

    commit_after: how many more reads come between the moment when it is ready and the commit.
    """

    def __init__(
        self,
        style: str,
        *,
        kind: type[Relay] = Relay,
        chunks: bool = True,
        stream: bool = True,
        choices: int = 1,
        commit_after: int = 0,
        deadline_at: float = 1e9,
        answer_deadline_at: float = 1e9,
    ) -> None:
        route = Route("/v1/x", DIALECTS.get(style, "openai"), "ollama" if style == "ollama" else "v1", "chat", style)
        self.server = Server(ServerSpec(id="a", url="http://a"), BreakerRules(), 0.0)
        self.run = Run()
        envelope = Envelope(route, b"", "m", stream=stream, choices=choices)
        self.relay = kind(envelope, self.server, self.run, IDLE_SECONDS, deadline_at, answer_deadline_at)
        self.transport, self.client = FakeTransport(), FakeClient(chunks=chunks)
        self.pool = Pool("a", 1, None)
        self.connection = Connection(self.pool)
        self.connection.connection_made(self.transport)
        self.relay.attach(self.connection)
        self.connection.ask(self.relay, b"", b"")
        self.commit_after = commit_after
        self.committed = False

    def feed(self, *pieces: bytes) -> "Play":
        for piece in pieces:
            if self.transport.closed:
                break
            self.connection.data_received(piece)
            self.settle()
        return self

    def settle(self, *, now: bool = False) -> None:
        """What the gateway does when it wakes."""
        if self.committed or not self.relay.is_ready or (self.relay.failure is not None):
            return
        if self.commit_after > 0 and not now and not self.relay.complete:
            self.commit_after -= 1
            return
        self.committed = True
        self.relay.commit(self.client, HEAD, framed=self.client.chunks and self.relay.framing != "")

    def eof(self) -> "Play":
        """The server closes."""
        self.settle(now=True)
        self.connection.eof_received()
        self.connection.connection_lost(None)
        self.settle()
        return self

    def reset(self) -> "Play":
        self.settle(now=True)
        self.connection.connection_lost(ConnectionResetError())
        self.settle()
        return self

    @property
    def body(self) -> bytes:
        """What the client got, which must be framed properly to its end."""
        assert self.client.data.startswith(HEAD)
        data = self.client.data[len(HEAD) :]
        if not self.client.chunks:
            return data
        payload, ended = unframed(data)
        assert ended == (self.relay.is_over and not self.client.aborted)
        return payload

    @property
    def errors(self) -> list[bytes]:
        """The error records that the client sees."""
        style, framing = self.relay._route.style, self.relay.framing
        return [payload for payload in events.payloads(self.body, framing) if events.classify(style, payload) is Event.ERROR]


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(set(cuts)), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges) if b > a]


def is_end(style: str, payload: bytes) -> bool:
    return events.classify(style, payload) is Event.DONE


def check_cut(style: str, framing: str, sent: bytes, play: Play) -> None:
    """The rule for a stream of which `sent` was sent before the server was gone."""
    cut = events.boundary(sent, framing)
    whole, rest = sent[:cut], sent[cut:]
    if not play.committed:
        assert play.client.data == b""
        assert play.relay.failure is not None
        assert events.first_telling(style, events.payloads(whole, framing))[0] is Event.NOTHING
        return
    body = play.body
    assert play.relay.is_over
    assert body.startswith(whole)
    added = body[cut:]
    said = events.payloads(whole, framing)
    last = [payload for payload in events.payloads(rest, framing) if events.is_whole(payload)]
    said_at_end = [*said, *last]
    if any(is_end(style, payload) for payload in said_at_end):
        assert added.strip() == (rest.strip() if last else b"")
        assert play.relay.end_of is End.COMPLETE
        assert play.relay.failure is None
    elif stands(style, said_at_end) is End.FINISHED:
        assert added == (rest.rstrip(b"\r\n") + b"\n\n" if last else b"") + END_RECORD[style]
        assert play.relay.end_of is End.COMPLETE
    else:
        (error,) = events.payloads(added, framing)
        assert events.classify(style, error) is Event.ERROR
        assert events.boundary(added, framing) == len(added)
        assert play.relay.failure is not None
        assert not any(is_end(style, payload) for payload in events.payloads(body, framing))


EVERY_BYTE = [stream.name for stream in COMPLETE]


@pytest.mark.parametrize("name", EVERY_BYTE)
@pytest.mark.parametrize("how", ["one read", "read by read"])
def test_a_stream_cut_at_any_byte_ends_properly_or_with_one_error(name: str, how: str) -> None:
    stream = BY_NAME[name]
    answer = raw(stream)
    start = len(head_of(stream.framing))
    edges = [start]
    for data in stream.chunks:
        edges.append(edges[-1] + len(chunk(data)))
    for end in range(len(answer)):
        play = Play(stream.style).feed(*pieces(answer[:end], [edge for edge in edges if edge < end] if how == "read by read" else [])).eof()
        check_cut(stream.style, stream.framing, payload_of(answer[start:end]), play)


def payload_of(chunked: bytes) -> bytes:
    """What a lenient reader makes of cut chunks."""
    out, at = b"", 0
    while (line_end := chunked.find(b"\r\n", at)) >= 0 and (size := int(chunked[at:line_end], 16)):
        out += chunked[line_end + 2 : line_end + 2 + size]
        at = line_end + 4 + size
    return out


@given(st.sampled_from(COMPLETE), st.data())
def test_any_cutting_of_a_cut_stream_gives_the_client_the_same_bytes(stream: Stream, data: st.DataObject) -> None:
    answer = raw(stream)
    end = data.draw(st.integers(len(head_of(stream.framing)), len(answer)))
    cuts = data.draw(st.lists(st.integers(1, end), max_size=12))
    commit_after = data.draw(st.integers(0, 3))
    broken_by_reset = data.draw(st.booleans())

    def played(*reads: bytes, kind: type[Relay] = Relay, commit_after: int = 0) -> Play:
        play = Play(stream.style, kind=kind, commit_after=commit_after).feed(*reads)
        return play.reset() if broken_by_reset else play.eof()

    plays = [
        played(answer[:end]),
        played(*pieces(answer[:end], cuts), commit_after=commit_after),
        played(*pieces(answer[:end], cuts), kind=SlowRelay),
        played(*(bytes([byte]) for byte in answer[:end])),
    ]
    results = {(play.body, play.relay.end_of, play.relay.failure is None) if play.committed else None for play in plays}
    assert len(results) == 1


@pytest.mark.parametrize("stream", COMPLETE, ids=lambda stream: stream.name)
def test_a_recorded_stream_reaches_the_client_as_it_was(stream: Stream) -> None:
    for reads in ([raw(stream)], [head_of(stream.framing), *map(chunk, stream.chunks), LAST_CHUNK], [bytes([byte]) for byte in raw(stream)]):
        play = Play(stream.style).feed(*reads)
        assert play.body == stream.body
        assert (play.relay.end_of, play.relay.failure) == (End.COMPLETE, None)
        assert play.pool.take() is play.connection


@pytest.mark.parametrize("stream", [*COMPLETE, BROKEN], ids=lambda stream: stream.name)
def test_the_fast_way_gives_the_same_bytes_as_the_slow_one(stream: Stream) -> None:
    reads = [head_of(stream.framing), *map(chunk, stream.chunks), LAST_CHUNK]
    fast, slow = Play(stream.style, kind=CountingRelay).feed(*reads), Play(stream.style, kind=SlowRelay).feed(*reads)
    assert fast.client.data == slow.client.data
    assert (fast.relay.end_of, fast.relay.usage()) == (slow.relay.end_of, slow.relay.usage())
    if len(stream.chunks) > 6:
        assert fast.relay.copied > 0  # type: ignore[attr-defined]


@given(st.data())
def test_the_fast_way_is_only_for_whole_chunks_of_whole_records(data: st.DataObject) -> None:
    """Chunks that end in the middle of a record, hold several, or come with upper-case sizes and extensions."""
    records = [
        openai_event({"content": text}) for text in data.draw(st.lists(st.sampled_from(["a", "}\n\n", "{", "[DONE]", "\u00e9"]), min_size=1, max_size=8))
    ]
    body = b"".join(records) + openai_event({}, finish="stop") + DONE
    cuts = data.draw(st.lists(st.integers(1, len(body) - 1), max_size=8))
    size = data.draw(st.sampled_from([b"%x\r\n", b"%X\r\n", b"00%x\r\n", b"%x;ext=1\r\n"]))
    reads = [size % len(part) + part + b"\r\n" for part in pieces(body, cuts)]
    fast, slow = (Play("openai", kind=kind).feed(head_of("sse"), *reads, LAST_CHUNK) for kind in (Relay, SlowRelay))
    assert fast.body == slow.body == body
    assert fast.relay.end_of is slow.relay.end_of is End.COMPLETE


@pytest.mark.parametrize("kind", [Relay, SlowRelay])
def test_a_chunk_that_completes_a_record_follows_its_beginning(kind: type[Relay]) -> None:
    for at in range(1, len(TOKEN)):
        assert openai(TOKEN, TOKEN[:at], TOKEN[at:], kind=kind).body == 2 * TOKEN


def test_an_error_of_the_server_passes_as_it_is() -> None:
    play = Play(BROKEN.style).feed(raw(BROKEN))
    assert play.body == BROKEN.body
    assert (play.relay.end_of, play.relay.failure) == (End.ERROR, None)


# ---- ends


TOKEN, FINISH = openai_event({"content": "x"}), openai_event({}, finish="stop")
ERROR = b"data: " + packed({"error": {"message": "broke"}}) + b"\n\n"


def openai(*records: bytes, **how: Any) -> Play:
    return Play("openai", **how).feed(head_of("sse"), *map(chunk, records))


def test_done_without_the_end_of_the_message_is_the_end_for_the_client() -> None:
    play = openai(TOKEN, FINISH, DONE)
    assert play.relay.is_over
    assert play.body == TOKEN + FINISH + DONE
    assert not play.transport.closed
    play.feed(LAST_CHUNK)
    assert play.pool.take() is play.connection


def test_done_of_ollama_is_the_end_for_the_client() -> None:
    play = Play("ollama").feed(head_of("ndjson"), chunk(ollama_record("x")), chunk(ollama_done(1)))
    assert (play.relay.is_over, play.relay.end_of) == (True, End.COMPLETE)
    assert play.relay.usage() == (57, 1)


def test_an_error_followed_by_done_passes_as_it_is_and_is_no_success() -> None:
    play = openai(TOKEN, ERROR, DONE).feed(LAST_CHUNK)
    assert play.body == TOKEN + ERROR + DONE
    assert (play.relay.end_of, play.relay.failure) == (End.ERROR, None)


@pytest.mark.parametrize("ending", ["last chunk", "eof", "reset", "malformed"])
def test_a_finish_reason_without_done_gets_its_done(ending: str) -> None:
    for records in ([TOKEN, FINISH], [TOKEN, FINISH, openai_usage(1)]):
        play = openai(*records)
        {"last chunk": lambda p: p.feed(LAST_CHUNK), "eof": Play.eof, "reset": Play.reset, "malformed": lambda p: p.feed(MALFORMED_CHUNK)}[ending](play)
        assert play.body == b"".join(records) + DONE
        assert (play.relay.end_of, play.relay.failure) == (End.COMPLETE, None)


@pytest.mark.parametrize("ending", ["last chunk", "eof", "reset", "malformed"])
def test_a_stream_that_never_finished_ends_with_an_error(ending: str) -> None:
    play = openai(TOKEN)
    {"last chunk": lambda p: p.feed(LAST_CHUNK), "eof": Play.eof, "reset": Play.reset, "malformed": lambda p: p.feed(MALFORMED_CHUNK)}[ending](play)
    assert len(play.errors) == 1
    assert b"[DONE]" not in play.body
    assert play.relay.failure is not None
    assert json.loads(play.errors[0])["error"]["code"] == "upstream_closed"


PING = b": ping\n\n"
MANY = 40


@pytest.mark.parametrize("kind", [Relay, SlowRelay])
@pytest.mark.parametrize("after", [PING, openai_usage(1), openai_event({}), PING + openai_usage(1)], ids=["pings", "usage", "empty", "both"])
def test_a_finish_reason_is_not_hidden_by_what_follows_it(kind: type[Relay], after: bytes) -> None:
    play = openai(TOKEN, FINISH, *[after] * MANY, kind=kind).eof()
    assert play.body == TOKEN + FINISH + MANY * after + DONE
    assert (play.relay.end_of, play.relay.failure) == (End.COMPLETE, None)


@pytest.mark.parametrize("kind", [Relay, SlowRelay])
def test_content_after_a_finish_reason_takes_it_back(kind: type[Relay]) -> None:
    play = openai(TOKEN, FINISH, *[TOKEN] * MANY, kind=kind).eof()
    assert len(play.errors) == 1
    assert play.relay.failure is not None


@pytest.mark.parametrize("kind", [Relay, SlowRelay])
@pytest.mark.parametrize("after", [PING, TOKEN, openai_usage(1)], ids=["pings", "tokens", "usage"])
@pytest.mark.parametrize("last", [b"", DONE], ids=["cut", "done"])
def test_an_error_event_is_not_hidden_by_what_follows_it(kind: type[Relay], after: bytes, last: bytes) -> None:
    records = [TOKEN, ERROR, *[after] * MANY, *([last] if last else [])]
    play = openai(*records, kind=kind).eof()
    assert play.body == b"".join(records)
    assert (play.relay.end_of, play.relay.failure) == (End.ERROR, None)


def test_an_end_in_an_unusual_layout_is_found_in_the_last_records() -> None:
    finish = FINISH.replace(b'"finish_reason":', b'"finish_reason" : ')
    assert openai(TOKEN, finish).eof().body == TOKEN + finish + DONE


def test_anthropic_streams_get_their_stop() -> None:
    start, delta = (
        b'event: a\ndata: {"type":"content_block_start"}\n\n',
        b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}\n\n',
    )
    play = Play("messages").feed(head_of("sse"), chunk(start), chunk(delta)).eof()
    assert play.body == start + delta + END_RECORD["messages"]
    play = Play("messages").feed(head_of("sse"), chunk(start)).eof()
    assert play.body.startswith(start + b"event: error\ndata: ")
    assert json.loads(play.errors[0])["type"] == "error"


def several(index: int, finish: str | None = None) -> bytes:
    return b"data: " + packed({"choices": [{"index": index, "delta": {} if finish else {"content": "x"}, "finish_reason": finish}]}) + b"\n\n"


@pytest.mark.parametrize("kind", [Relay, SlowRelay])
@pytest.mark.parametrize("between", [0, 10])
def test_of_several_answers_all_must_have_finished(kind: type[Relay], between: int) -> None:
    records = [several(0), several(1), several(0, "stop"), *([several(1)] * between)]
    cut = openai(*records, choices=2, kind=kind).eof()
    assert len(cut.errors) == 1
    whole = openai(*records, several(1, "length"), choices=2, kind=kind).eof()
    assert whole.body == b"".join(records) + several(1, "length") + DONE
    assert Play("openai", choices=2).feed(head_of("sse") + b"".join(map(chunk, [*records, several(1, "length")]))).eof().body == whole.body


# ---- before the commit


ROLE = openai_event({"role": "assistant", "content": ""})


def test_nothing_goes_out_before_something_useful_came() -> None:
    play = openai(ROLE, b": ping\n\n")
    assert not play.relay.is_ready
    play.feed(chunk(TOKEN))
    assert play.body == ROLE + b": ping\n\n" + TOKEN


@pytest.mark.parametrize("ending", [Play.eof, Play.reset, lambda play: play.feed(MALFORMED_CHUNK), lambda play: play.feed(LAST_CHUNK)])
def test_a_stream_that_breaks_before_something_useful_may_be_tried_elsewhere(ending: Any) -> None:
    for records in ([], [ROLE], [ROLE, TOKEN[:30]], [ROLE, TOKEN[:-20]]):
        play = openai(*records)
        ending(play)
        assert play.relay.is_ready
        assert play.relay.failure is not None
        assert not play.committed
        assert not play.relay.close_answer()


def test_an_unterminated_last_record_counts_if_it_is_whole() -> None:
    play = openai(TOKEN.rstrip()).feed(LAST_CHUNK)
    assert play.committed
    assert len(play.errors) == 1
    done = Play("ollama").feed(head_of("ndjson"), chunk(ollama_done(0).rstrip()), LAST_CHUNK)
    assert (done.body, done.relay.end_of) == (ollama_done(0).rstrip(), End.COMPLETE)


def test_an_error_first_waits_for_the_servers_own_end() -> None:
    play = openai(ERROR)
    assert not play.relay.is_ready
    play.feed(chunk(DONE), LAST_CHUNK)
    assert (play.relay.first, play.relay.complete) == (Event.ERROR, True)
    assert play.relay.close_answer()


def test_an_error_first_does_not_wait_for_long() -> None:
    play = openai(ERROR)
    play.relay.sweep(1.0)
    assert not play.relay.is_ready
    play.relay.sweep(1.25)
    assert play.relay.is_ready


@pytest.mark.parametrize("framing", ["sse", "ndjson"])
def test_an_unknown_path_is_committed_with_its_first_byte_and_never_changed(framing: str) -> None:
    for body in (b": ping", b"data: x\r\n\r\ndata: y\n", b"a\n\n", b"\n", b'{"error":"x"}'):
        play = Play("opaque").feed(head_of(framing), chunk(body[:1]))
        assert play.committed
        if body[1:]:
            play.feed(chunk(body[1:]))
        assert play.feed(LAST_CHUNK).body == body


@pytest.mark.parametrize("framing", ["sse", "ndjson"])
def test_a_cut_unknown_stream_ends_with_an_error_in_its_framing(framing: str) -> None:
    play = Play("opaque").feed(head_of(framing), chunk(b'data: {"a":1}\n\n{"a')).eof()
    (error,) = play.errors
    assert play.body.startswith(b'data: {"a":1}\n\n')
    assert play.body.endswith(error + (b"\n\n" if framing == "sse" else b"\n"))


def test_endless_bookkeeping_is_not_held_for_ever() -> None:
    play = Play("openai").feed(head_of("sse"))
    for _ in range(HELD_RECORD_BYTES // len(ROLE) + 2):
        play.feed(chunk(ROLE))
    assert play.committed


# ---- streams that do not say what they are

NDJSON = [ollama_record("x"), ollama_record("y"), ollama_done(2)]


def untyped(content_type: bytes | None) -> bytes:
    line = b"" if content_type is None else b"Content-Type: %b\r\n" % content_type
    return b"HTTP/1.1 200 OK\r\n%bTransfer-Encoding: chunked\r\n\r\n" % line


@pytest.mark.parametrize("content_type", [None, b"text/plain", b"application/octet-stream", b"application/json"])
def test_a_stream_of_another_content_type_passes_record_by_record(content_type: bytes | None) -> None:
    play = Play("openai").feed(untyped(content_type), chunk(ROLE), chunk(TOKEN))
    assert (play.relay.framing, play.body) == ("sse", ROLE + TOKEN)
    assert play.feed(chunk(FINISH), chunk(DONE), LAST_CHUNK).body == ROLE + TOKEN + FINISH + DONE
    play = Play("ollama").feed(untyped(content_type), chunk(NDJSON[0]))
    assert (play.relay.framing, play.body) == ("ndjson", NDJSON[0])
    assert play.feed(*map(chunk, NDJSON[1:]), LAST_CHUNK).body == b"".join(NDJSON)


@pytest.mark.parametrize("content_type", [None, b"text/plain", b"application/json"])
def test_a_cut_in_a_stream_of_another_content_type_is_no_success(content_type: bytes | None) -> None:
    play = Play("openai").feed(untyped(content_type), chunk(TOKEN), chunk(TOKEN[:20])).eof()
    assert play.body.startswith(TOKEN)
    assert len(play.errors) == 1
    play = Play("ollama").feed(untyped(content_type), chunk(NDJSON[0]), LAST_CHUNK)
    assert len(play.errors) == 1
    assert play.relay.failure is not None


def test_before_its_first_token_such_a_stream_may_be_tried_elsewhere() -> None:
    play = Play("openai").feed(untyped(b"text/plain"), chunk(ROLE)).eof()
    assert not play.committed
    assert play.relay.failure is not None


def test_only_where_a_stream_was_asked_for_and_answered_is_one_looked_for() -> None:
    assert Play("openai", stream=False).feed(untyped(b"text/plain"), chunk(TOKEN)).relay.framing == ""
    refused = untyped(b"text/plain").replace(b"200 OK", b"500 Oh")
    assert Play("openai").feed(refused, chunk(TOKEN)).relay.framing == ""
    plain = packed({"id": "c", "choices": [{"message": {"content": "data: x"}}]})
    assert Play("openai").feed(untyped(b"application/json"), chunk(plain), LAST_CHUNK).client.data == HEAD + plain


# ---- plain answers


PLAIN = packed({"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": 3, "completion_tokens": 4}})


@pytest.mark.parametrize("size", [None, len(PLAIN)])
def test_a_plain_answer_is_held_until_it_is_whole(size: int | None) -> None:
    pieces_of_it = [head_of("", length=size), *((PLAIN[:10], PLAIN[10:]) if size else (chunk(PLAIN[:10]), chunk(PLAIN[10:]), LAST_CHUNK))]
    play = Play("openai")
    for piece in pieces_of_it[:-1]:
        play.feed(piece)
        assert not play.relay.is_ready
    play.feed(pieces_of_it[-1])
    assert play.client.data == HEAD + PLAIN
    assert (play.relay.is_over, play.relay.end_of, play.relay.usage()) == (True, End.COMPLETE, (3, 4))


def test_a_plain_answer_that_breaks_may_be_tried_elsewhere() -> None:
    for end in range(len(PLAIN)):
        play = Play("openai").feed(head_of("", length=len(PLAIN)) + PLAIN[:end]).eof()
        assert play.relay.failure is not None
        assert not play.committed


def test_a_plain_answer_too_large_to_hold_streams_and_a_cut_leaves_no_clean_end() -> None:
    size = HELD_ANSWER_BYTES + 1000
    play = Play("openai").feed(head_of("", length=size + 10), bytes(HELD_ANSWER_BYTES))
    assert not play.relay.is_ready
    play.feed(bytes(1000))
    assert play.committed
    assert len(play.client.data) == len(HEAD) + size
    play.feed(bytes(9))
    play.eof()
    assert play.client.aborted
    assert play.relay.failure is not None
    assert len(play.client.data) == len(HEAD) + size + 9


def test_a_large_plain_answer_that_ends_well_ends_well() -> None:
    size = HELD_ANSWER_BYTES + 1000
    play = Play("openai").feed(head_of("", length=size), bytes(HELD_ANSWER_BYTES + 1), bytes(999))
    assert (play.relay.is_over, play.relay.failure, play.client.aborted) == (True, None, False)
    assert len(play.client.data) == len(HEAD) + size


def test_a_compressed_answer_is_no_stream_of_records() -> None:
    play = Play("openai").feed(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\0")
    assert (play.relay.framing, play.client.data) == ("", HEAD + b"\x1f\x8b\0")


# ---- limits of what is held


def long_record(size: int) -> bytes:
    return openai_event({"content": "x" * size})


@pytest.mark.parametrize("size", [1000, HELD_RECORD_BYTES - 1000])
def test_an_incomplete_record_is_held_back(size: int) -> None:
    play = openai(TOKEN, long_record(size)[:-1])
    assert play.body == TOKEN
    play.eof()
    assert len(play.errors) == 1
    assert b"xxx" not in play.body


def test_an_overlong_record_streams_and_a_cut_in_it_leaves_no_clean_end() -> None:
    record = long_record(2 * HELD_RECORD_BYTES)
    play = openai(TOKEN, record[: HELD_RECORD_BYTES + 100], record[HELD_RECORD_BYTES + 100 : -1])
    assert play.body.startswith(TOKEN + record[:HELD_RECORD_BYTES])
    play.eof()
    assert play.client.aborted
    assert play.relay.failure is not None
    assert b"error" not in play.body


@pytest.mark.parametrize("kind", [Relay, SlowRelay])
def test_after_an_overlong_record_errors_are_clean_again(kind: type[Relay]) -> None:
    record = long_record(2 * HELD_RECORD_BYTES)
    play = openai(TOKEN, record[: HELD_RECORD_BYTES + 100], record[HELD_RECORD_BYTES + 100 :], TOKEN, kind=kind).eof()
    assert not play.client.aborted
    assert play.body.startswith(TOKEN + record + TOKEN)
    assert len(play.errors) == 1


@given(st.integers(0, 3000), st.integers(1, 4))
def test_overlong_records_pass_whole_wherever_they_are_cut(offset: int, parts: int) -> None:
    body = TOKEN + long_record(HELD_RECORD_BYTES + 3000) + TOKEN + FINISH + DONE
    cuts = [HELD_RECORD_BYTES + offset + 100 * part for part in range(parts)]
    assert openai(*pieces(body, cuts)).feed(LAST_CHUNK).body == body


# ---- clients


def test_a_client_of_http_1_0_gets_the_bytes_unframed() -> None:
    play = openai(TOKEN, FINISH, DONE, chunks=False)
    assert play.client.data == HEAD + TOKEN + FINISH + DONE
    cut = openai(TOKEN, chunks=False).eof()
    assert cut.client.data.startswith(HEAD + TOKEN + b'data: {"error"')
    assert not cut.client.aborted


def test_a_slow_client_stops_the_server_and_is_no_idle_stream() -> None:
    play = openai(TOKEN)
    play.client.pause(play.relay)
    assert play.transport.paused
    for now in (0.0, 1000.0, 2000.0):
        play.relay.sweep(now)
    assert not play.relay.is_over
    play.client.resume(play.relay)
    assert not play.transport.paused
    play.relay.sweep(2001.0)
    play.relay.sweep(2001.0 + IDLE_SECONDS - 1)
    assert not play.relay.is_over
    play.feed(chunk(FINISH), chunk(DONE))
    assert play.body == TOKEN + FINISH + DONE


def test_a_client_that_is_slow_from_the_start_stops_the_server_at_the_commit() -> None:
    play = Play("openai")
    play.client.paused = True
    play.feed(head_of("sse"), chunk(TOKEN))
    assert play.transport.paused


def test_a_connection_is_given_back_reading() -> None:
    """The client's buffer is full with the very last record."""
    play = openai(TOKEN)
    write = play.client.write

    def full(data: bytes) -> None:
        write(data)
        play.client.pause(play.relay)

    play.client.write = full  # type: ignore[method-assign]
    play.feed(chunk(FINISH + DONE))
    assert play.relay.is_over
    assert not play.transport.paused
    play.feed(LAST_CHUNK)
    assert play.pool.take() is play.connection


# ---- time


def test_no_answer_within_the_deadline_is_a_timeout() -> None:
    play = Play("openai", deadline_at=100.0)
    play.relay.sweep(99.9)
    assert not play.relay.is_ready
    play.relay.sweep(100.0)
    assert play.relay.is_ready
    assert play.relay.failure is not None
    assert (play.relay.failure.kind, play.transport.aborted) == ("timeout", True)


@pytest.mark.parametrize("sent", [[], [ROLE]])
def test_the_first_event_has_a_deadline_whatever_else_comes(sent: list[bytes]) -> None:
    play = Play("openai", deadline_at=100.0).feed(head_of("sse"), *map(chunk, sent))
    play.relay.sweep(99.0)
    play.feed(chunk(b": ping\n\n"))
    play.relay.sweep(100.0)
    assert play.relay.failure is not None
    assert "first event" in play.relay.failure.reason


def test_a_plain_answer_to_a_request_for_a_stream_has_the_time_of_one() -> None:
    play = Play("openai", deadline_at=100.0, answer_deadline_at=600.0).feed(head_of("", length=len(PLAIN)) + PLAIN[:10])
    play.relay.sweep(599.9)
    assert not play.relay.is_ready
    play.relay.sweep(600.0)
    assert play.relay.failure is not None
    assert play.relay.failure.kind == "timeout"
    before_its_head = Play("openai", deadline_at=100.0, answer_deadline_at=600.0)
    before_its_head.relay.sweep(100.0)
    assert before_its_head.relay.failure is not None


def test_after_the_first_event_that_deadline_is_over() -> None:
    play = Play("openai", deadline_at=100.0).feed(head_of("sse"), chunk(TOKEN))
    play.relay.sweep(100.0)
    play.relay.sweep(100.0 + IDLE_SECONDS - 0.1)
    assert not play.relay.is_over


def test_a_stream_that_stalls_ends_with_an_error() -> None:
    play = openai(TOKEN)
    play.relay.sweep(1000.0)
    play.feed(chunk(TOKEN))  # the fast way counts as movement too
    play.relay.sweep(1010.0)
    play.relay.sweep(1010.0 + IDLE_SECONDS - 0.1)
    assert not play.relay.is_over
    play.relay.sweep(1010.0 + IDLE_SECONDS)
    assert len(play.errors) == 1
    assert play.relay.failure is not None
    assert (play.relay.failure.kind, play.transport.aborted) == ("timeout", True)


def test_waiting_before_the_commit_is_not_held_against_the_stream_after_it() -> None:
    play = Play("openai").feed(head_of("sse"))
    for now in (1000.0, 1200.0):
        play.relay.sweep(now)
    play.feed(chunk(TOKEN))
    play.relay.sweep(1300.0)
    play.relay.sweep(1300.0 + IDLE_SECONDS - 0.1)
    assert not play.relay.is_over


@pytest.mark.parametrize(("records", "added"), [([TOKEN, FINISH], DONE), ([TOKEN, ERROR], b""), ([TOKEN, FINISH, openai_usage(1)], DONE)])
def test_a_stream_that_said_its_end_is_ended_after_a_moment_of_silence(records: list[bytes], added: bytes) -> None:
    play = openai(*records)
    play.relay.sweep(1000.0)
    play.relay.sweep(1000.0 + SETTLE_SECONDS - 0.1)
    assert not play.relay.is_over
    play.relay.sweep(1000.0 + SETTLE_SECONDS)
    assert play.body == b"".join(records) + added
    assert play.relay.failure is None


@pytest.mark.parametrize(("said", "added"), [(FINISH, DONE), (ERROR, b"")])
def test_a_stream_that_said_its_end_is_ended_after_a_moment_though_pings_go_on(said: bytes, added: bytes) -> None:
    play = openai(TOKEN, said)
    for now in (1000.0, 1000.5, 1001.0, 1001.5):
        play.relay.sweep(now)
        play.feed(chunk(PING))
    assert not play.relay.is_over
    play.relay.sweep(1000.0 + SETTLE_SECONDS)
    assert play.body == TOKEN + said + 4 * PING + added
    assert play.relay.failure is None
    play.pool.sweep(1e6)  # the server is not listened to for ever
    assert play.transport.closed


def test_the_moment_begins_anew_where_content_took_a_finish_reason_back() -> None:
    play = openai(TOKEN, FINISH)
    play.relay.sweep(1000.0)
    play.feed(chunk(TOKEN))
    play.relay.sweep(1001.0)
    play.feed(chunk(FINISH))
    play.relay.sweep(1009.0)
    assert not play.relay.is_over
    play.relay.sweep(1009.0 + SETTLE_SECONDS)
    assert play.body == TOKEN + FINISH + TOKEN + FINISH + DONE


def test_a_client_that_reads_slowly_is_given_its_time_after_the_finish_reason() -> None:
    play = openai(TOKEN, FINISH)
    play.client.pause(play.relay)
    for now in (1000.0, 1000.0 + 2 * SETTLE_SECONDS):
        play.relay.sweep(now)
    assert not play.relay.is_over


def test_silence_without_an_end_is_no_end() -> None:
    play = openai(TOKEN)
    for seconds in (0.0, SETTLE_SECONDS, SETTLE_SECONDS + 1):
        play.relay.sweep(1000.0 + seconds)
    assert not play.relay.is_over


def test_tokens_that_flow_are_noted_and_silence_is_not() -> None:
    play = Play("openai").feed(head_of("sse"))
    play.relay.sweep(1000.0)
    play.relay.sweep(1001.0)
    assert play.server.flowed_at == 1000.0
    play.feed(chunk(TOKEN))
    play.relay.sweep(1002.0)
    play.relay.sweep(1003.0)
    assert play.server.flowed_at == 1002.0


def test_a_relay_that_is_over_is_left_alone() -> None:
    play = openai(TOKEN, FINISH, DONE)
    before = play.client.data
    for now in (0.0, 1e6, 2e6):
        play.relay.sweep(now)
    play.relay.break_off("cancelled", "bye")
    assert play.client.data == before


@pytest.mark.parametrize("kind", OURS)
def test_breaking_off_ends_a_stream_with_an_error_that_blames_no_server(kind: str) -> None:
    play = openai(TOKEN, TOKEN[:10])
    play.relay.break_off(kind, "no more of it")
    assert play.transport.aborted
    (error,) = play.errors
    said = json.loads(error)["error"]
    assert (said["code"], said["message"]) == (kind, "no more of it")
    assert play.body.startswith(TOKEN + b"data: ")
    assert play.relay.failure is not None
    assert play.relay.failure.kind == kind


def test_breaking_off_an_answer_without_records_cuts_the_connection() -> None:
    play = Play("openai", stream=False).feed(head_of("", length=HELD_ANSWER_BYTES + 100), b"x" * (HELD_ANSWER_BYTES + 1))
    assert not play.client.aborted
    play.relay.break_off("cancelled", "no more of it")
    assert play.transport.aborted
    assert play.client.aborted


def test_idle_is_the_time_since_the_last_sweep_that_saw_something() -> None:
    play = openai(TOKEN)
    assert play.relay.idle(5.0) == 0.0
    play.relay.sweep(10.0)
    play.relay.sweep(11.0)
    assert play.relay.idle(13.5) == 3.5
    play.feed(chunk(TOKEN))
    assert play.relay.idle(14.0) == 0.0


def test_breaking_off_what_is_not_committed_does_nothing() -> None:
    play = openai(ROLE)
    play.relay.break_off("cancelled", "bye")
    assert not play.transport.aborted
    assert play.relay.failure is None


# ---- waking


def test_whoever_waits_is_woken_when_it_is_ready_and_when_it_is_over() -> None:
    woken: list[str] = []

    async def whoever(play: Play) -> None:
        while not play.relay.is_ready:
            await play.run
        woken.append("ready")
        while not play.relay.is_over:
            await play.run
        woken.append("over")

    play = Play("openai", commit_after=1000)
    play.run.start(whoever(play))
    play.feed(head_of("sse"), chunk(ROLE))
    assert woken == []
    play.feed(chunk(TOKEN))
    assert woken == ["ready"]
    play.settle(now=True)
    play.feed(chunk(TOKEN))
    assert woken == ["ready"]
    play.feed(chunk(FINISH), chunk(DONE))
    assert woken == ["ready", "over"]


def test_dropping_closes_the_call_at_once() -> None:
    play = openai(TOKEN)
    play.relay.drop()
    assert play.transport.aborted
    play.relay.drop()


def test_a_fresh_relay_has_the_same_deadlines() -> None:
    play = Play("openai", deadline_at=5.0, answer_deadline_at=6.0, choices=2)
    fresh = play.relay.fresh()
    assert fresh._answer_deadline_at == 6.0
    assert (fresh.deadline_at, fresh.idle_seconds, fresh._envelope.choices, fresh.status) == (5.0, IDLE_SECONDS, 2, 0)
