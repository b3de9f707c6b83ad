import asyncio
import gzip
import json

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from uvicorn.server import ServerState

from orchestrator.edge.wire import BACKLOG_BYTES, CONTINUE, LINGER_SECONDS
from tests.unit.edge.wires import LIMITS, Line, chunked, post

BODY = b'{"model":"m"}'


def status(answer: bytes) -> int:
    assert answer.startswith(b"HTTP/1.1 "), answer
    return int(answer.split(b" ", 2)[1])


def error_of(answer: bytes) -> object:
    return json.loads(answer.partition(b"\r\n\r\n")[2])["error"]


# ---- requests


async def test_a_request_becomes_a_call() -> None:
    line = Line().send(
        post(BODY, b"/v1/chat/completions?x=1", b"X-Own: 1", b"X-Request-Id: abc", b"Authorization: Bearer secret", b"Content-Type: application/json")
    )
    (call,) = line.gate.calls
    assert (call.path, call.body, call.route.path, call.request_id) == (b"/v1/chat/completions?x=1", BODY, "/v1/chat/completions", "abc")
    assert call.headers.lines == b"x-own: 1\r\ncontent-type: application/json\r\n"
    assert call.extra == b"x-request-id: abc\r\n"
    assert call.keep_alive
    assert call.client.chunks
    assert line.got == b""


@pytest.mark.parametrize("given_id", [b"", b"X-Request-Id: " + b"x" * 129, b"X-Request-Id: a b", b"X-Request-Id: \xff"])
async def test_a_request_without_a_sane_id_gets_one(given_id: bytes) -> None:
    line = Line().send(post(BODY, b"/api/chat", *([given_id] if given_id else [])))
    assert line.gate.calls[0].request_id.isalnum()


async def test_requests_sent_ahead_are_answered_one_after_the_other() -> None:
    line = Line().send(post(b"1") + post(b"2", b"/v1/completions") + chunked(b"3"))
    for number in (b"1", b"2", b"3"):
        assert line.gate.calls[-1].body == number
        line.gate.finish(b"answer " + number)
    assert line.got == b"answer 1answer 2answer 3"
    assert [path for path, _ in line.calls] == [b"/api/chat", b"/v1/completions", b"/api/chat"]


REQUESTS = st.lists(
    st.binary(max_size=30).map(post) | st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=3).map(lambda parts: chunked(*parts)),
    min_size=1,
    max_size=4,
)


def bodies_of(requests: list[bytes]) -> list[bytes]:
    """As a lenient reader finds them."""
    found = []
    for request in requests:
        head, _, rest = request.partition(b"\r\n\r\n")
        if b"chunked" not in head:
            found.append(rest)
            continue
        body = b""
        while size := int(rest.partition(b"\r\n")[0], 16):
            rest = rest.partition(b"\r\n")[2]
            body, rest = body + rest[:size], rest[size + 2 :]
        found.append(body)
    return found


@given(REQUESTS, st.data())
def test_requests_are_the_same_for_any_cutting(requests: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(requests)
    cuts = sorted(set(data.draw(st.lists(st.integers(1, len(stream) - 1), max_size=10))))
    loop = asyncio.new_event_loop()
    try:
        line = Line(loop=loop)
        for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
            line.send(stream[begin:end])
            if line.gate.open and data.draw(st.booleans()):
                line.gate.finish()
        while line.gate.open:
            line.gate.finish()
    finally:
        loop.close()
    assert [body for _, body in line.calls] == bodies_of(requests)
    assert line.got == b"answer" * len(requests)
    assert not line.transport.closed


@given(REQUESTS)
def test_requests_are_the_same_byte_by_byte(requests: list[bytes]) -> None:
    loop = asyncio.new_event_loop()
    try:
        line = Line(loop=loop)
        for byte in b"".join(requests):
            line.send(bytes([byte]))
            if line.gate.open:
                line.gate.finish()
    finally:
        loop.close()
    assert [body for _, body in line.calls] == bodies_of(requests)


async def test_what_is_sent_while_an_answer_is_made_waits_within_bounds() -> None:
    line = Line().send(post())
    line.send(bytes(BACKLOG_BYTES))
    assert not line.transport.paused
    line.send(b"x")
    assert line.transport.paused


async def test_a_connection_goes_on_reading_after_a_full_backlog() -> None:
    big = Line(LIMITS)
    big.send(post(b"1"))
    for _ in range(BACKLOG_BYTES // 5000 + 2):
        big.send(post(bytes(5000)))
    assert big.transport.paused
    while big.gate.open:
        big.gate.finish()
    assert not big.transport.paused
    assert len(big.calls) == BACKLOG_BYTES // 5000 + 3


# ---- keeping the connection


async def test_the_connection_is_kept() -> None:
    line = Line()
    for _ in range(3):
        line.send(post())
        line.gate.finish()
    assert len(line.calls) == 3
    assert not line.transport.closed


@pytest.mark.parametrize(
    "request_bytes", [post(BODY, b"/api/chat", b"Connection: close"), post(version=b"1.0"), post(BODY, b"/api/chat", b"Connection: keep-alive", version=b"1.0")]
)
async def test_a_client_that_wants_it_closed_or_is_old_is_closed_after_the_answer(request_bytes: bytes) -> None:
    line = Line().send(request_bytes + post())
    assert not line.gate.calls[0].keep_alive
    line.gate.finish()
    assert line.transport.closed
    assert len(line.calls) == 1


async def test_http_1_0_takes_no_chunks() -> None:
    assert not Line().send(post(version=b"1.0")).gate.calls[0].client.chunks


# ---- other paths


async def test_everything_that_is_no_inference_goes_to_asgi_whole_and_in_order() -> None:
    line = Line()
    line.send(b"GET /api/tags?a=b HTTP/1.1\r\nHost: localhost\r\n\r\n" + post(b"1") + post(b"xyz", b"/api/servers"))
    await line.settle()
    assert line.got.endswith(b"GET /api/tags?a=b ")
    line.gate.finish(b"answer")
    await line.settle()
    got = line.got
    assert got.startswith(b"answerHTTP/1.1 200")
    assert got.endswith(b"POST /api/servers? xyz")


@pytest.mark.parametrize(
    "request_line", [b"GET /api/chat", b"PUT /v1/chat/completions", b"POST /", b"POST /v1/models", b"POST /v1/models/x", b"POST /V1/chat", b"DELETE /v1/x"]
)
async def test_only_a_post_to_an_inference_path_is_a_call(request_line: bytes) -> None:
    line = await Line().send(request_line + b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n").settle()
    assert not line.gate.calls
    assert status(line.got) == 200


async def test_head_has_no_body() -> None:
    line = await Line().send(b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n").settle()
    assert line.got.endswith(b"\r\n\r\n")


async def test_an_absolute_url_is_taken_apart_for_asgi() -> None:
    line = await Line().send(b"GET http://localhost/api/tags?x=1 HTTP/1.1\r\nHost: localhost\r\n\r\n").settle()
    assert line.got.endswith(b"GET /api/tags?x=1 ")


@pytest.mark.parametrize("protocol", [b"h2c", b"websocket"])
async def test_an_offer_to_upgrade_is_answered_as_plain_http(protocol: bytes) -> None:
    upgrade = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: " + protocol, b"HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA")
    for pieces in ([post(BODY, b"/api/chat", *upgrade) + post(b"2")], [bytes([byte]) for byte in post(BODY, b"/api/chat", *upgrade) + post(b"2")]):
        line = Line().send(*pieces)
        line.gate.finish()
        assert [body for _, body in line.calls] == [BODY, b"2"]
        assert b"upgrade" not in line.gate.calls[0].headers.lines
        assert b"http2-settings" not in line.gate.calls[0].headers.lines


# ---- Expect


async def test_a_client_that_asks_before_it_sends_is_told_to_go_on() -> None:
    head, _, body = post(BODY, b"/api/chat", b"Expect: 100-Continue").partition(b"\r\n\r\n")
    line = Line().send(head + b"\r\n\r\n")
    assert line.got == CONTINUE
    line.send(body)
    assert line.calls == [(b"/api/chat", BODY)]
    assert b"expect" not in line.gate.calls[0].headers.lines
    line.gate.finish()
    assert line.got == b"answer"


async def test_a_body_that_would_be_too_large_is_refused_before_it_is_sent() -> None:
    line = Line().send(b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999\r\nExpect: 100-continue\r\n\r\n")
    got = line.got
    assert status(got) == 413
    assert CONTINUE not in got


async def test_a_client_that_asks_behind_another_request_is_told_when_its_turn_comes() -> None:
    second = b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    line = Line().send(post() + second)
    assert line.got == b""
    line.gate.finish()
    assert line.got == b"answer" + CONTINUE
    line.send(b"{}")
    assert line.calls[-1] == (b"/api/chat", b"{}")


# ---- what is refused

AMBIGUOUS = [
    b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3, 4\r\n\r\nabcd",
    b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: +1\r\n\r\na",
    b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\nabc",
    b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nabc\r\n",
    b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n",
    b"POST /api/chat HTTP/1.1\r\nHost : localhost\r\nContent-Length: 0\r\n\r\n",
    b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\n folded: x\r\n\r\n",
    b"POST /api/chat HTTP/1.1\r\nX: a\rb\r\n\r\n",
    b"POST /api/chat HTTP/3.1\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01",
    b"hello\r\n\r\n",
]


@pytest.mark.parametrize("request_bytes", AMBIGUOUS)
async def test_what_two_readers_could_read_differently_is_refused(request_bytes: bytes) -> None:
    for pieces in ([request_bytes], [bytes([byte]) for byte in request_bytes]):
        line = Line().send(*pieces, post(b"smuggled"))
        assert status(line.got) == 400
        assert not line.gate.calls
        assert line.transport.eof_written


async def test_a_malformed_request_behind_a_good_one_is_refused_in_its_turn() -> None:
    line = Line().send(post(b"1") + b"garbage\r\n\r\n" + post(b"3"))
    assert (line.got, [body for _, body in line.calls]) == (b"", [b"1"])
    line.gate.finish()
    got = line.got
    assert got.startswith(b"answerHTTP/1.1 400 ")
    assert len(line.calls) == 1


@pytest.mark.parametrize("size", [LIMITS.max_body_bytes, LIMITS.max_body_bytes + 1])
@pytest.mark.parametrize("how", [post, chunked])
async def test_bodies_have_a_limit(size: int, how: object) -> None:
    line = Line().send(how(b"x" * size))  # type: ignore[operator]
    if size > LIMITS.max_body_bytes:
        got = line.got
        assert status(got) == 413
        assert b"larger than 10000 bytes" in got
        assert not line.calls
    else:
        assert len(line.calls) == 1


async def test_a_body_too_large_is_refused_as_soon_as_that_is_known() -> None:
    line = Line().send(b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
    line.send(b"fffffff\r\n", bytes(LIMITS.max_body_bytes))
    assert line.got == b""
    line.send(b"x")
    assert status(line.got) == 413


async def test_a_body_too_large_behind_another_request_is_refused_in_its_turn() -> None:
    line = Line().send(post(b"1") + b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\nxxx")
    line.gate.finish()
    assert line.got.startswith(b"answerHTTP/1.1 413 ")


async def test_a_compressed_body_is_decoded_within_the_limit() -> None:
    for name, packed in ((b"gzip", gzip.compress(BODY)), (b"zstd", zstandard.ZstdCompressor().compress(BODY))):
        line = Line().send(post(packed, b"/v1/responses", b"Content-Encoding: " + name))
        assert line.calls == [(b"/v1/responses", BODY)]
        assert b"content-encoding" not in line.gate.calls[0].headers.lines
    line = await Line().send(post(gzip.compress(bytes(50_000)), b"/v1/responses", b"Content-Encoding: gzip")).settle()
    assert status(line.got) == 413
    line.send(post())
    assert len(line.calls) == 1


@pytest.mark.parametrize("trickled", [False, True])
async def test_heads_have_a_limit(trickled: bool) -> None:
    head = b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * LIMITS.max_header_bytes + b"\r\nContent-Length: 2\r\n\r\n{}"
    line = Line().send(*([head[at : at + 100] for at in range(0, len(head), 100)] if trickled else [head]))
    assert status(line.got) == 431
    assert not line.calls


async def test_the_body_does_not_count_as_head() -> None:
    assert len(Line().send(post(bytes(9_000))).calls) == 1


async def test_endless_empty_lines_are_no_head() -> None:
    line = Line()
    for _ in range(30):
        line.send(b"\r\n" * 50)
    assert status(line.got) == 431


async def test_endless_trailers_and_chunk_extensions_are_refused() -> None:
    start = b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    for flood in (b"X-More: " + b"x" * 500 + b"\r\n", b"x" * 500):
        line = Line().send(start, b"0\r\n" if b"\r\n" in flood else b"1;")
        for _ in range(100):
            line.send(flood)
        assert status(line.got) == 431
        assert not line.calls


async def test_trailers_are_no_headers() -> None:
    trailer = b"0\r\nX-Orchestrator-Server: b\r\nAuthorization: x\r\n\r\n"
    line = Line().send(b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n" + trailer + post(b"2"))
    assert line.calls == [(b"/api/chat", b"{}")]
    assert not line.gate.calls[0].headers.seen.keys() & {b"x-orchestrator-server", b"authorization"}
    line.gate.finish()
    assert line.calls[-1] == (b"/api/chat", b"2")


async def test_trailers_are_no_headers_for_asgi_either() -> None:
    line = Line().send(b"PUT /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nAuthorization: x\r\n\r\n")
    assert line.wire.scope["headers"] == [(b"host", b"localhost"), (b"transfer-encoding", b"chunked")]
    await line.settle()
    assert line.got.endswith(b"PUT /x? {}")


async def test_small_chunks_are_no_flood() -> None:
    assert Line().send(chunked(*([b"x"] * 3000))).calls == [(b"/api/chat", b"x" * 3000)]


async def test_connections_have_a_limit() -> None:
    state = ServerState()
    lines = [Line(state=state) for _ in range(LIMITS.max_connections + 1)]
    assert [line.got[:12] for line in lines] == [b"", b"", b"", b"HTTP/1.1 503"]


@pytest.mark.parametrize(
    ("path", "shape"),
    [(b"/api/chat", str), (b"/v1/chat/completions", dict), (b"/v1/messages", dict), (b"/v1/anything", dict)],
)
async def test_refusals_speak_the_dialect_of_the_path(path: bytes, shape: type) -> None:
    line = Line().send(post(bytes(20_000), path, b"X-Request-Id: abc"))
    got = line.got
    assert isinstance(error_of(got), shape)
    assert b"x-request-id: abc\r\n" in got
    assert b"connection: close\r\n" in got
    body = json.loads(got.partition(b"\r\n\r\n")[2])
    assert (body.get("type") == "error") == (path == b"/v1/messages")


async def test_refusals_elsewhere_are_plain_text() -> None:
    got = Line().send(post(bytes(20_000), b"/other")).got
    assert b"content-type: text/plain" in got


async def test_what_still_comes_after_a_refusal_is_read_and_dropped() -> None:
    line = Line().send(post(bytes(20_000))[:100])
    assert status(line.got) == 413
    line.send(bytes(50_000), post())
    assert (line.got, line.calls, line.transport.closed) == (b"", [], False)
    line.wire.check(1000.0)
    line.wire.check(1000.0 + LINGER_SECONDS + 0.1)
    assert line.transport.aborted


@pytest.mark.parametrize(("header", "code"), [(b"Host: evil.example", 403), (b"Origin: https://evil.example", 403)])
async def test_a_foreign_page_is_refused_and_told_nothing(header: bytes, code: int) -> None:
    request = post(BODY, b"/api/chat", header)
    line = Line().send(request.replace(b"Host: localhost\r\n", b"") if header.startswith(b"Host") else request)
    got = line.got
    assert status(got) == code
    assert got.endswith(b"\r\n\r\n")
    assert not line.calls


async def test_an_allowed_page_may_read_its_answer() -> None:
    line = Line().send(post(BODY, b"/api/chat", b"Origin: http://localhost:3000"))
    assert b"access-control-allow-origin: http://localhost:3000\r\n" in line.gate.calls[0].extra


async def test_after_a_refusal_of_a_whole_request_the_connection_is_kept() -> None:
    line = Line().send(post(b"no gzip", b"/api/chat", b"Content-Encoding: gzip") + post(b"2"))
    assert status(line.got) == 400
    await line.settle()
    assert line.calls == [(b"/api/chat", b"2")]


# ---- clients that leave


@pytest.mark.parametrize("how", ["fin", "reset", "close"])
async def test_a_client_that_leaves_ends_its_call(how: str) -> None:
    line = Line().send(post())
    call = line.gate.calls[0]
    if how == "fin":
        line.wire.eof_received()
        assert line.transport.aborted
    else:
        line.wire.connection_lost(ConnectionResetError() if how == "reset" else None)
    assert call.gone
    assert not line.state.connections or how == "fin"


async def test_a_client_that_leaves_between_requests_disturbs_nobody() -> None:
    line = Line().send(post())
    line.gate.finish()
    line.wire.eof_received()
    line.wire.connection_lost(None)
    assert not line.gate.calls[0].gone


async def test_nothing_is_written_to_a_client_that_left() -> None:
    line = Line().send(post())
    line.transport.abort()
    line.wire.connection_lost(None)
    line.gate.finish(b"too late")
    assert line.got == b""


# ---- flow control


class Paused:
    """Stands for the relay of a call."""

    is_over = False

    def __init__(self) -> None:
        self.paused = False

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False


async def test_a_slow_client_pauses_what_is_relayed_to_it() -> None:
    line = Line().send(post())
    relay = line.gate.calls[0].relay = Paused()  # type: ignore[assignment]
    line.wire.pause_writing()
    assert relay.paused  # type: ignore[attr-defined]
    assert line.wire.paused
    line.wire.resume_writing()
    assert not relay.paused  # type: ignore[attr-defined]
    assert not line.wire.paused


# ---- time


async def test_a_head_has_to_come_in_time_however_it_trickles() -> None:
    line = Line()
    for second in range(int(LIMITS.header_timeout_seconds) + 5):
        line.send(b"P" if second == 0 else b"POST /api/chat HTTP/1.1\r\nX: y"[second : second + 1])
        line.wire.check(1000.0 + second)
    assert status(line.got) == 408


async def test_a_body_has_to_keep_coming() -> None:
    line = Line().send(post()[:-5])
    line.wire.check(1000.0)
    line.wire.check(1000.0 + LIMITS.body_timeout_seconds - 1)
    line.send(post()[-5:-4])
    line.wire.check(1000.0 + LIMITS.body_timeout_seconds)
    line.wire.check(1000.0 + 2 * LIMITS.body_timeout_seconds - 1)
    assert line.got == b""
    line.wire.check(1000.1 + 2 * LIMITS.body_timeout_seconds)
    got = line.got
    assert status(got) == 408
    assert isinstance(error_of(got), str)


async def test_a_connection_that_never_asks_is_closed() -> None:
    line = Line()
    line.wire.check(1000.0)
    line.wire.check(1000.0 + LIMITS.header_timeout_seconds)
    assert not line.transport.closed
    line.wire.check(1000.1 + LIMITS.header_timeout_seconds)
    assert line.transport.closed
    assert line.got == b""


async def test_an_idle_connection_is_closed() -> None:
    line = Line().send(post())
    line.gate.finish()
    line.wire.check(1000.0)
    line.wire.check(1000.0 + LIMITS.keepalive_timeout_seconds)
    assert not line.transport.closed
    line.wire.check(1000.1 + LIMITS.keepalive_timeout_seconds)
    assert line.transport.closed


async def test_an_answer_may_take_its_time() -> None:
    line = Line().send(post())
    for now in (1000.0, 2000.0, 9000.0):
        line.wire.check(now)
    assert not line.transport.closed


async def test_a_client_that_does_not_read_is_cut_off() -> None:
    line = Line().send(post())
    line.wire.check(1000.0)
    line.wire.pause_writing()
    line.wire.check(1010.0)
    line.wire.check(1010.0 + LIMITS.send_timeout_seconds)
    assert not line.transport.closed
    line.wire.check(1010.1 + LIMITS.send_timeout_seconds)
    assert line.transport.aborted
    assert line.gate.calls[0].gone


# ---- the end


async def test_shutdown_closes_idle_connections_at_once_and_others_after_their_answer() -> None:
    idle, busy = Line(), Line().send(post())
    idle.wire.shutdown()
    busy.wire.shutdown()
    assert (idle.transport.closed, busy.transport.closed) == (True, False)
    busy.gate.finish()
    assert busy.transport.closed


async def test_aborting_lets_nobody_take_the_answer_for_whole() -> None:
    line = Line().send(post() + post())
    line.wire.abort()
    line.gate.finish(b"")
    assert line.transport.aborted
    assert len(line.calls) == 1


def test_limits_are_those_of_the_settings() -> None:
    from orchestrator.settings import Settings

    assert {field.name for field in msgspec.structs.fields(type(LIMITS))} <= {field.name for field in msgspec.structs.fields(Settings)}
