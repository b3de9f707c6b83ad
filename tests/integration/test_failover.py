"""What becomes of a stream that breaks after it was committed, and of answers that are too long to be held."""

import asyncio

import pytest

from tests.fakes import wire
from tests.fakes.scripted import close, close_delimited, hang, paced, repeat, reset
from tests.integration.client import PATIENCE_SECONDS, post
from tests.integration.dialects import BOTH, OLLAMA, OPENAI, payload

pytestmark = pytest.mark.asyncio(loop_scope="module")
both = pytest.mark.parametrize("dialect", BOTH, ids=lambda dialect: dialect.name)
WORDS = ["Hel", "lo", "!"]
IMPATIENT = {"idleTimeoutSeconds": 0.2}
MIB = 1 << 20

# How the server ends a stream of which two tokens were said.
BREAKS = {
    "reset": lambda d: [reset],
    "closed": lambda d: [close],
    "ended cleanly": lambda d: [wire.LAST_CHUNK],
    "stalled": lambda d: [hang],
    "malformed chunk": lambda d: [wire.MALFORMED_CHUNK, hang],
    "half a chunk": lambda d: [d.event("canary")[:-20], reset],
    "half a record": lambda d: [wire.chunk(payload([b"", d.event("canary")])[:-20]), reset],
    "half a record, then the end": lambda d: [wire.chunk(payload([b"", d.event("canary")])[:-20]), wire.LAST_CHUNK],
    "half a record, then silence": lambda d: [wire.chunk(payload([b"", d.event("canary")])[:-20]), hang],
}
"""half a record: the data is cut, the chunk is whole."""


@both
@pytest.mark.parametrize("ending", BREAKS.values(), ids=BREAKS)
async def test_a_broken_stream_ends_with_an_error_record_on_a_clean_line(orchestrated, fleet, dialect, ending):
    a, b = await fleet.add("a", **IMPATIENT), await fleet.add("b")
    begun = dialect.begin(WORDS[:2])
    a.on(dialect.path, [*begun, *ending(dialect)])
    answer = await orchestrated.answer(dialect.ask())
    assert (answer.status, answer.ended) == (200, "whole")
    assert answer.body.startswith(payload(begun))
    assert (dialect.said(answer.body), dialect.is_ended(answer.body)) == ("Hello", False)
    assert len(dialect.records(answer.body)) == len(begun) - 1 + 1
    assert dialect.stream_error(answer.body).startswith("upstream error: ")
    assert b.requests() == []
    await orchestrated.quiet()
    assert await orchestrated.outcomes("a") == {"truncated": 1}
    assert (await orchestrated.breaker("a", "m:latest"))["failures"] == 1


@both
async def test_a_stalled_server_notices_that_it_was_given_up(orchestrated, fleet, dialect):
    a = await fleet.add("a", **IMPATIENT)
    a.on(dialect.path, [*dialect.begin(WORDS), hang])
    await orchestrated.answer(dialect.ask())
    await a.requests(dialect.path)[0].until_left()


@both
async def test_an_http_1_0_client_gets_the_error_record_too(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    begun = dialect.begin(WORDS[:2])
    a.on(dialect.path, [*begun, reset])
    answer = await orchestrated.answer(dialect.ask().replace(b"HTTP/1.1", b"HTTP/1.0"))
    assert (answer.header("transfer-encoding"), answer.header("connection"), answer.ended) == (None, "close", "whole")
    assert answer.body.startswith(payload(begun))
    assert dialect.stream_error(answer.body)


@both
async def test_truncated_streams_open_the_breaker(orchestrated, fleet, dialect):
    a, b = await fleet.add("a"), await fleet.add("b")
    a.on(dialect.path, [*dialect.begin(WORDS), reset])
    b.on(dialect.path, dialect.stream(WORDS))
    for _ in range(5):
        assert not dialect.is_ended((await orchestrated.answer(dialect.ask())).body)
    assert (await orchestrated.breaker("a", "m:latest"))["state"] == "open"
    answer = await orchestrated.answer(dialect.ask())
    assert (answer.header("x-orchestrator-server"), answer.header("x-orchestrator-attempts")) == ("b", "1")
    assert await orchestrated.outcomes("a") == {"truncated": 5}


@both
async def test_an_error_event_passes_as_it_is_and_is_no_success(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    script = [*dialect.begin(WORDS), dialect.error_event("out of memory")]
    a.on(dialect.path, [*script, wire.LAST_CHUNK])
    answer = await orchestrated.answer(dialect.ask())
    assert (answer.ended, answer.body) == ("whole", payload(script))
    await orchestrated.quiet()
    assert await orchestrated.outcomes("a") == {"serverError": 1}


async def test_an_error_event_and_the_servers_own_done_pass_as_they_are(orchestrated, fleet):
    a = await fleet.add("a")
    script = [*OPENAI.begin(WORDS), OPENAI.error_event("out of memory"), wire.chunk(wire.DONE)]
    a.on(OPENAI.path, [*script, wire.LAST_CHUNK])
    answer = await orchestrated.answer(OPENAI.ask())
    assert (answer.ended, answer.body) == ("whole", payload(script))
    await orchestrated.quiet()
    assert await orchestrated.outcomes("a") == {"serverError": 1}


# ---- a stream that said how it ends is whole, however its connection ends


@pytest.mark.parametrize("ending", [[wire.LAST_CHUNK], [close], [reset], [hang]], ids=["ended", "closed", "reset", "open"])
async def test_a_stream_with_a_finish_reason_gets_its_done(orchestrated, fleet, ending):
    a = await fleet.add("a")
    script = [*OPENAI.begin(WORDS), wire.chunk(wire.openai_event({}, finish="stop")), wire.chunk(wire.openai_usage(3))]
    a.on(OPENAI.path, [*script, *ending])
    answer = await orchestrated.answer(OPENAI.ask())
    assert (answer.ended, answer.body) == ("whole", payload(script) + wire.DONE)
    await orchestrated.quiet()
    assert await orchestrated.outcomes("a") == {"ok": 1}


@pytest.mark.parametrize("ending", [close, reset])
async def test_comments_after_a_finish_reason_do_not_hide_it(orchestrated, fleet, ending):
    a = await fleet.add("a")
    script = [*OPENAI.begin(WORDS), wire.chunk(wire.openai_event({}, finish="stop")), *[wire.chunk(b": ping\n\n")] * 12]
    a.on(OPENAI.path, [*paced(script, 0.003), ending])
    answer = await orchestrated.answer(OPENAI.ask())
    assert (answer.ended, answer.body) == ("whole", payload(script) + wire.DONE)
    await orchestrated.quiet()
    assert await orchestrated.outcomes("a") == {"ok": 1}


async def pinging(exchange):
    """Comments for ever."""
    while True:
        await exchange.send(wire.chunk(b": ping\n\n"))
        await asyncio.sleep(0.05)


async def test_pings_for_ever_after_a_finish_reason_do_not_hold_back_the_done(orchestrated, fleet):
    a = await fleet.add("a")
    script = [*OPENAI.begin(WORDS), wire.chunk(wire.openai_event({}, finish="stop"))]
    a.on(OPENAI.path, [*script, pinging])
    async with asyncio.timeout(PATIENCE_SECONDS):  # of the whole: its pieces come often enough
        answer = await orchestrated.answer(OPENAI.ask())
    assert (answer.ended, OPENAI.said(answer.body.replace(b": ping\n\n", b""))) == ("whole", "".join(WORDS))
    assert answer.body.endswith(b": ping\n\n" + wire.DONE)
    await orchestrated.quiet()
    assert await orchestrated.outcomes("a") == {"ok": 1}
    await a.requests(OPENAI.path)[0].until_left()


@pytest.mark.parametrize("after", [b": ping\n\n", wire.openai_usage(3), wire.openai_event({"content": "x"})], ids=["pings", "usage", "tokens"])
async def test_an_error_event_is_one_whatever_follows_it(orchestrated, fleet, after):
    a = await fleet.add("a")
    script = [*OPENAI.begin(WORDS), OPENAI.error_event("out of memory"), *[wire.chunk(after)] * 20, wire.chunk(wire.DONE)]
    a.on(OPENAI.path, [*paced(script, 0.002), wire.LAST_CHUNK])
    answer = await orchestrated.answer(OPENAI.ask())
    assert (answer.ended, answer.body) == ("whole", payload(script))
    await orchestrated.quiet()
    assert await orchestrated.outcomes("a") == {"serverError": 1}


# ---- streams that do not say what they are


def relabelled(dialect, script, content_type):
    """The same stream under another content type."""
    first, *rest = script
    kind = f"Content-Type: {dialect.media_type}\r\n".encode()
    assert kind in first
    return [first.replace(kind, b"" if content_type is None else b"Content-Type: %b\r\n" % content_type), *rest]


LABELS = pytest.mark.parametrize("content_type", [None, b"text/plain", b"application/json"], ids=["none", "text", "json"])


@both
@LABELS
async def test_a_stream_under_another_content_type_comes_as_it_is_said_and_a_cut_is_told(orchestrated, fleet, dialect, content_type):
    a = await fleet.add("a")
    a.on(dialect.path, [*relabelled(dialect, dialect.begin(["Hel"]), content_type), hang])
    async with await orchestrated.send(dialect.ask()) as client:
        await client.until(b'"Hel"')
    await orchestrated.quiet()
    a.on(dialect.path, relabelled(dialect, dialect.stream(WORDS), content_type), [*relabelled(dialect, dialect.begin(WORDS), content_type), reset])
    whole = await orchestrated.answer(dialect.ask())
    assert (whole.ended, whole.body) == ("whole", payload(dialect.stream(WORDS)))
    cut = await orchestrated.answer(dialect.ask())
    assert cut.body.startswith(payload(dialect.begin(WORDS)))
    assert dialect.stream_error(cut.body)
    await orchestrated.quiet()
    assert await orchestrated.outcomes("a") == {"clientGone": 1, "ok": 1, "truncated": 1}


@LABELS
async def test_such_a_stream_fails_over_before_its_first_token(orchestrated, fleet, content_type):
    a, b = await fleet.add("a"), await fleet.add("b")
    a.on(OPENAI.path, [*relabelled(OPENAI, OPENAI.silent(), content_type), reset])
    b.on(OPENAI.path, OPENAI.stream(WORDS))
    answer = await orchestrated.answer(OPENAI.ask())
    assert (answer.header("x-orchestrator-server"), OPENAI.said(answer.body)) == ("b", "".join(WORDS))


@both
async def test_a_plain_answer_to_a_request_for_a_stream_has_the_time_of_one(orchestrated, fleet, dialect):
    a = await fleet.add("a", firstEventTimeoutSeconds=1.0)
    go = asyncio.Event()
    (whole,) = dialect.plain("Hello!")
    a.on(dialect.path, [whole[:-9], go, whole[-9:]])
    async with await orchestrated.send(dialect.ask()) as client:
        await a.request(dialect.path)
        await asyncio.sleep(1.8)  # well beyond the time of a first event
        go.set()
        answer = await client.answer()
    assert (answer.status, answer.body, answer.header("x-orchestrator-attempts")) == (200, whole.partition(b"\r\n\r\n")[2], "1")


@pytest.mark.parametrize("finished", [7, 8])
async def test_several_answers_are_done_when_each_has_its_finish_reason(orchestrated, fleet, finished):
    a = await fleet.add("a")

    def event(index, delta, finish=None):
        return wire.chunk(b"data: " + wire.packed({"choices": [{"index": index, "delta": delta, "finish_reason": finish}]}) + b"\n\n")

    script = [wire.chunked([], wire.SSE)[0], *(event(n, {"content": "x"}) for n in range(8)), *(event(n, {}, "stop") for n in range(finished))]
    a.on(OPENAI.path, [*paced(script, 0.003), close])
    answer = await orchestrated.answer(OPENAI.ask(n=8))
    assert answer.ended == "whole"
    assert answer.body.startswith(payload(script))
    assert answer.body.endswith(wire.DONE) == (finished == 8)
    await orchestrated.quiet()
    assert await orchestrated.outcomes("a") == ({"ok": 1} if finished == 8 else {"truncated": 1})


@pytest.mark.parametrize("line_end", [b"\r\n", b"\r"], ids=["CRLF", "CR"])
async def test_streams_with_other_line_ends_pass_and_break_on_a_clean_line(orchestrated, fleet, line_end):
    a = await fleet.add("a")
    events = [wire.openai_event({"content": word}).replace(b"\n", line_end) for word in WORDS]
    done = wire.DONE.replace(b"\n", line_end)
    a.on(OPENAI.path, [*wire.chunked([*events, done], wire.SSE), wire.LAST_CHUNK], [*wire.chunked([*events, events[0][:30]], wire.SSE), reset])
    answer = await orchestrated.answer(OPENAI.ask())
    assert (answer.ended, answer.body) == ("whole", b"".join([*events, done]))
    answer = await orchestrated.answer(OPENAI.ask())
    assert answer.body.startswith(b"".join(events))
    assert OPENAI.stream_error(answer.body.removeprefix(b"".join(events)))


async def test_a_done_record_with_other_white_space_is_understood(orchestrated, fleet):
    a = await fleet.add("a")
    last = b'{"model": "m", "message": {"role": "assistant", "content": ""}, "done" : true}\n'
    a.on(OLLAMA.path, [*OLLAMA.begin(WORDS), wire.chunk(last), hang])
    answer = await orchestrated.answer(OLLAMA.ask())
    assert (answer.ended, answer.body) == ("whole", payload([*OLLAMA.begin(WORDS), wire.chunk(last)]))
    await orchestrated.quiet()
    assert await orchestrated.outcomes("a") == {"ok": 1}


@both
async def test_text_that_looks_like_an_end_is_none(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    words = ['data: [DONE]\n\n{"done":true}', '"done":true', "[DONE]"]
    a.on(dialect.path, [*dialect.begin(words), reset], dialect.stream(words))
    answer = await orchestrated.answer(dialect.ask())
    assert (dialect.said(answer.body), dialect.is_ended(answer.body)) == ("".join(words), False)
    assert dialect.stream_error(answer.body)
    answer = await orchestrated.answer(dialect.ask())
    assert answer.body == payload(dialect.stream(words))
    await orchestrated.quiet()
    assert await orchestrated.outcomes("a") == {"ok": 1, "truncated": 1}


@both
async def test_a_stream_that_is_done_ends_for_the_client_though_the_server_stays_open(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    script = dialect.stream(WORDS)[:-1]
    a.on(dialect.path, [*script, hang])
    async with await orchestrated.send(dialect.ask()) as client:
        answer = await client.answer()
        assert (answer.ended, answer.body) == ("whole", payload(script))
        a.on(dialect.path, dialect.stream(WORDS))
        client.send(dialect.ask())  # the same connection is good for the next request
        assert (await client.answer()).ended == "whole"
    await a.requests(dialect.path)[0].until_left()
    await orchestrated.quiet()
    assert await orchestrated.outcomes("a") == {"ok": 2}


@both
async def test_a_close_delimited_stream_is_whole_if_it_is_done(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    whole, cut = payload(dialect.stream(WORDS)), payload(dialect.begin(WORDS))
    a.on(dialect.path, close_delimited([whole], dialect.media_type), close_delimited([cut], dialect.media_type))
    answer = await orchestrated.answer(dialect.ask())
    assert (answer.ended, answer.body) == ("whole", whole)
    answer = await orchestrated.answer(dialect.ask())
    assert answer.body.startswith(cut)
    assert dialect.stream_error(answer.body)
    await orchestrated.quiet()
    assert await orchestrated.outcomes("a") == {"ok": 1, "truncated": 1}


async def test_the_last_record_may_lack_its_line_end(orchestrated, fleet):
    a = await fleet.add("a")
    body = payload(OLLAMA.stream(WORDS)).removesuffix(b"\n")
    a.on(OLLAMA.path, [*wire.chunked([body], wire.NDJSON), wire.LAST_CHUNK])
    answer = await orchestrated.answer(OLLAMA.ask())
    assert (answer.ended, answer.body) == ("whole", body)
    await orchestrated.quiet()
    assert await orchestrated.outcomes("a") == {"ok": 1}


async def test_the_last_event_may_lack_its_blank_line(orchestrated, fleet):
    a = await fleet.add("a")
    body = payload(OPENAI.stream(WORDS))
    a.on(OPENAI.path, [*wire.chunked([body.removesuffix(b"\n\n")], wire.SSE), wire.LAST_CHUNK])
    answer = await orchestrated.answer(OPENAI.ask())
    assert (answer.ended, answer.body) == ("whole", body)


@both
async def test_records_pass_whatever_the_cutting_of_the_bytes(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    body = payload(dialect.stream(WORDS))
    a.on(dialect.path, [*wire.chunked([body[at : at + 7] for at in range(0, len(body), 7)], dialect.media_type), wire.LAST_CHUNK])
    answer = await orchestrated.answer(dialect.ask())
    assert (answer.ended, answer.body) == ("whole", body)
    assert all(piece.endswith(b"\n") for piece in answer.pieces)


@both
async def test_each_record_comes_as_soon_as_it_is_said(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    a.on(dialect.path, [*dialect.begin(["Hel"]), hang])
    async with await orchestrated.send(dialect.ask()) as client:
        await client.until(b'"Hel"')
        assert (await orchestrated.server_state("a"))["inFlight"] == 1


async def test_chunks_of_whole_records_keep_their_bounds(orchestrated, fleet):
    a = await fleet.add("a")
    script = OLLAMA.stream(["a", "b", "c"])
    a.on(OLLAMA.path, script)
    answer = await orchestrated.answer(OLLAMA.ask())
    assert b"".join(answer.pieces) == payload(script)
    lines = payload(script).splitlines(keepends=True)
    assert all(piece in b"".join(lines) and piece.count(b"\n") >= 1 and piece.endswith(b"\n") for piece in answer.pieces)


@pytest.mark.parametrize("size", [300 * 1024, 3 * MIB])
async def test_a_record_too_long_to_be_held_passes(orchestrated, fleet, size):
    a = await fleet.add("a")
    script = OLLAMA.stream(["Hi", "x" * size, "!"])
    a.on(OLLAMA.path, script)
    answer = await orchestrated.answer(OLLAMA.ask())
    assert (answer.ended, answer.body) == ("whole", payload(script))


async def test_a_cut_in_a_record_too_long_to_be_held_ends_the_connection(orchestrated, fleet):
    a = await fleet.add("a")
    go = asyncio.Event()
    a.on(OLLAMA.path, [*OLLAMA.begin(["Hi"]), wire.chunk(b'{"message":{"content":"' + b"x" * MIB), go, reset])
    async with await orchestrated.send(OLLAMA.ask()) as client:
        answer = await client.head()
        while b"xxx" not in answer.body:
            await client.piece(answer)
        go.set()
        await client.rest(answer)
    assert answer.ended in ("cut", "reset")
    await orchestrated.quiet()
    assert await orchestrated.outcomes("a") == {"truncated": 1}


# ---- other streams below /v1/

RESPONSES = [
    b'event: response.created\ndata: {"type":"response.created","response":{}}\n\n',
    b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"Hi"}\n\n',
    b'event: response.completed\ndata: {"type":"response.completed","response":{}}\n\n',
]
MESSAGES = [
    b'event: message_start\ndata: {"type":"message_start","message":{}}\n\n',
    b'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n',
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n',
]
OTHERS = pytest.mark.parametrize(("path", "events", "error"), [
    ("/v1/responses", RESPONSES, b'event: error\ndata: {"type": "error", "code": "upstream_closed"'),
    ("/v1/messages?beta=true", MESSAGES, b'event: error\ndata: {"type": "error", "error": {"type": "api_error"'),
], ids=["responses", "messages"])  # fmt: skip


@OTHERS
@pytest.mark.parametrize("ending", [[wire.LAST_CHUNK], [close], [hang]], ids=["ended", "closed", "open"])
async def test_other_streams_pass_byte_for_byte(orchestrated, fleet, path, events, error, ending):
    a = await fleet.add("a")
    a.on(path.partition("?")[0], [*wire.chunked(events, wire.SSE), *ending])
    answer = await orchestrated.answer(post(path, {"model": "m", "stream": True}))
    assert (answer.ended, answer.body) == ("whole", b"".join(events))
    assert [seen.path for seen in a.requests()] == [path]
    await orchestrated.quiet()
    assert await orchestrated.outcomes("a") == {"ok": 1}


@OTHERS
async def test_other_streams_that_are_cut_end_with_an_error_of_their_dialect(orchestrated, fleet, path, events, error):
    a = await fleet.add("a")
    a.on(path.partition("?")[0], [*wire.chunked(events[:2], wire.SSE), wire.chunk(events[2][:20]), reset])
    answer = await orchestrated.answer(post(path, {"model": "m", "stream": True}))
    assert answer.ended == "whole"
    assert answer.body.startswith(b"".join(events[:2]) + error)
    assert answer.body.endswith(b"}\n\n")
    assert answer.body.count(b"\n\n") == 3
    await orchestrated.quiet()
    assert await orchestrated.outcomes("a") == {"truncated": 1}


@OTHERS
async def test_other_streams_fail_over_before_their_first_useful_event(orchestrated, fleet, path, events, error):
    a, b = await fleet.add("a"), await fleet.add("b")
    a.on(path.partition("?")[0], [*wire.chunked(events[:1], wire.SSE), reset])
    b.on(path.partition("?")[0], [*wire.chunked(events, wire.SSE), wire.LAST_CHUNK])
    answer = await orchestrated.answer(post(path, {"model": "m", "stream": True}))
    assert (answer.body, answer.header("x-orchestrator-server")) == (b"".join(events), "b")


# ---- plain answers


def long_plain(size):
    """Head and bytes of an answer of that many bytes, in pieces of a mebibyte."""
    return [wire.head(200, wire.JSON, {"Content-Length": str(size)}), repeat(b"x" * MIB, size // MIB - 1)]


@both
async def test_a_plain_answer_cut_below_8_mib_fails_over(orchestrated, fleet, dialect):
    a, b = await fleet.add("a"), await fleet.add("b")
    a.on(dialect.path, [*long_plain(8 * MIB), reset])
    b.on(dialect.path, dialect.plain("Hello!"))
    answer = await orchestrated.answer(dialect.ask(stream=False))
    assert (answer.status, answer.ended, answer.header("x-orchestrator-attempts")) == (200, "whole", "2")
    assert answer.body == dialect.plain("Hello!")[0].partition(b"\r\n\r\n")[2]
    await orchestrated.quiet()
    assert await orchestrated.outcomes("a") == {"serverError": 1}


@both
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_plain_answer_cut_above_8_mib_ends_without_a_clean_end(orchestrated, fleet, dialect, chunked):
    a, b = await fleet.add("a"), await fleet.add("b")
    begun = [wire.head(200, wire.JSON, {"Transfer-Encoding": "chunked"}), repeat(wire.chunk(b"x" * MIB), 11)] if chunked else long_plain(12 * MIB)
    go = asyncio.Event()
    a.on(dialect.path, [*begun, go, reset])
    async with await orchestrated.send(dialect.ask(stream=False)) as client:
        answer = await client.head()
        go.set()
        await client.rest(answer)
    assert (answer.status, answer.header("x-orchestrator-attempts")) == (200, "1")
    assert answer.ended in ("cut", "reset")
    assert b.requests() == []
    await orchestrated.quiet()
    assert await orchestrated.outcomes("a") == {"truncated": 1}


@both
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_plain_answer_above_8_mib_passes_whole(orchestrated, fleet, dialect, chunked):
    a = await fleet.add("a")
    if chunked:
        script = [wire.head(200, wire.JSON, {"Transfer-Encoding": "chunked"}), repeat(wire.chunk(b"x" * MIB), 20), wire.LAST_CHUNK]
    else:
        script = [wire.head(200, wire.JSON, {"Content-Length": str(20 * MIB)}), repeat(b"x" * MIB, 20)]
    a.on(dialect.path, script)
    answer = await orchestrated.answer(dialect.ask(stream=False))
    assert (answer.status, answer.ended, len(answer.body)) == (200, "whole", 20 * MIB)
    assert answer.body.count(b"x") == 20 * MIB
    await orchestrated.quiet()
    assert await orchestrated.outcomes("a") == {"ok": 1}


@both
async def test_a_client_that_does_not_read_holds_the_server_up_and_costs_no_memory(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    event = payload([b"", dialect.event("x" * 60000)])
    a.on(dialect.path, [*dialect.begin(["Hi"]), repeat(wire.chunk(event), 2000), wire.LAST_CHUNK])
    async with await orchestrated.send(dialect.ask()) as client:
        head = await client.head()
        client.writer.transport.pause_reading()
        seen = await a.request(dialect.path)
        before = -1
        while before != seen.sent_bytes:  # until it stands still
            before = seen.sent_bytes
            await asyncio.sleep(0.3)
        assert seen.sent_bytes < 60 * MIB
        assert not seen.answered
        client.writer.transport.resume_reading()
        answer = await client.rest(head)
    assert answer.ended == "whole"
    assert answer.body.count(b"x" * 60000) == 2000
    assert dialect.stream_error(answer.body)
