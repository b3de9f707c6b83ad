import asyncio
import socket
import ssl
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.protocol.http import Headers
from orchestrator.upstream.wire import DRAIN_SECONDS, IDLE_SECONDS, MAX_IDLE, ConnectFailed, Connection, Failure, Pool
from tests.fakes.scripted import ScriptedServer, refusing, unanswering
from tests.fakes.transport import FakeTransport
from tests.fakes.wire import LAST_CHUNK, chunk, plain

ASK = b"POST /api/chat HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n"


class Taker:
    """Takes an answer and notes what came; in_time: may be given to copy whole chunks unparsed."""

    def __init__(self, copies: Callable[[bytes], bool] = lambda data: False) -> None:
        self.copies = copies
        self.copied: list[bytes] = []
        self.status = 0
        self.headers: Headers = []
        self.received = b""
        self.flushed = 0
        self.ended = False
        self.failure: Failure | None = None

    def copy(self, data: bytes) -> bool:
        if self.copies(data):
            self.copied.append(data)
            return True
        return False

    def head(self, status: int, headers: Headers) -> None:
        assert self.status == 0, "a second head"
        self.status, self.headers = status, headers

    def body(self, data: bytes) -> None:
        assert self.status
        assert not self.is_over
        self.received += data

    def flush(self) -> None:
        assert not self.is_over
        self.flushed += 1

    def end(self) -> None:
        assert not self.is_over, "ended twice"
        self.ended = True

    def broken(self, failure: Failure) -> None:
        assert not self.is_over, "ended twice"
        self.failure = failure

    @property
    def is_over(self) -> bool:
        return self.ended or self.failure is not None

    @property
    def kind(self) -> str:
        return self.failure.kind if self.failure else ""


def new_pool() -> Pool:
    return Pool("127.0.0.1", 1, None)


def connected(pool: Pool | None = None) -> tuple[Connection, FakeTransport]:
    connection, transport = Connection(pool or new_pool()), FakeTransport()
    connection.connection_made(transport)
    return connection, transport


def asked(connection: Connection, taker: Taker | None = None) -> Taker:
    taker = taker or Taker()
    connection.ask(taker, ASK, b"{}")
    return taker


def answered(*pieces: bytes, eof: bool = False) -> tuple[Taker, FakeTransport, Pool]:
    """A fresh connection is asked and gets these bytes."""
    pool = new_pool()
    connection, transport = connected(pool)
    taker = asked(connection)
    for piece in pieces:
        if not transport.closed:
            connection.data_received(piece)
    if eof:
        connection.eof_received()
        connection.connection_lost(None)
    return taker, transport, pool


def idle(pool: Pool) -> bool:
    return pool.take() is not None


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
STREAM = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


# ---- asking


def test_head_and_body_go_out_in_one_write() -> None:
    connection, transport = connected()
    asked(connection)
    assert (transport.take(), transport.writes) == (ASK + b"{}", 1)


def test_a_large_body_is_not_copied_behind_its_head() -> None:
    connection, transport = connected()
    body = bytes(100_000)
    connection.ask(Taker(), ASK, body)
    assert (transport.take(), transport.writes) == (ASK + body, 2)


# ---- whole answers


def test_a_whole_answer_gives_the_connection_back() -> None:
    taker, transport, pool = answered(OK)
    assert (taker.status, taker.headers, taker.received, taker.ended) == (200, [(b"content-length", b"2")], b"ok", True)
    assert idle(pool)
    assert not transport.closed


@pytest.mark.parametrize("interim", [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", b"HTTP/1.1 102 Processing\r\n\r\n" * 3])
def test_interim_answers_are_skipped_with_their_headers(interim: bytes) -> None:
    for pieces in ((interim + OK,), (interim, OK), tuple(bytes([byte]) for byte in interim + OK)):
        taker, _, pool = answered(*pieces)
        assert (taker.status, taker.headers, taker.received, taker.ended) == (200, [(b"content-length", b"2")], b"ok", True)
        assert idle(pool)


def test_an_interim_answer_alone_is_none() -> None:
    taker, _, _ = answered(b"HTTP/1.1 100 Continue\r\n\r\n", eof=True)
    assert (taker.status, taker.kind) == (0, "reset")


@pytest.mark.parametrize("status", [204, 304])
def test_answers_without_body_end_with_their_head(status: int) -> None:
    taker, _, pool = answered(b"HTTP/1.1 %d X\r\n\r\n" % status)
    assert (taker.status, taker.ended) == (status, True)
    assert idle(pool)


def test_trailers_are_no_headers() -> None:
    taker, _, pool = answered(STREAM + chunk(b"hi") + b"0\r\nX-Late: 1\r\nX-Later: 5\r\n\r\n")
    assert (taker.headers, taker.received, taker.ended) == ([(b"transfer-encoding", b"chunked")], b"hi", True)
    assert idle(pool)


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n", b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"]
)
def test_an_answer_without_length_ends_with_the_connection(head: bytes) -> None:
    taker, _, _ = answered(head, b"some ", b"text")
    assert not taker.is_over
    taker, _, pool = answered(head, b"some ", b"text", eof=True)
    assert (taker.received, taker.ended) == (b"some text", True)
    assert not idle(pool)


def test_a_reset_does_not_end_an_answer_without_length() -> None:
    connection, _ = connected()
    taker = asked(connection)
    connection.data_received(b"HTTP/1.1 200 OK\r\n\r\nsome")
    connection.connection_lost(ConnectionResetError())
    assert taker.kind == "reset"


@pytest.mark.parametrize("answer", [OK, STREAM + chunk(b"ok") + LAST_CHUNK])
def test_connection_close_is_obeyed_after_a_whole_answer(answer: bytes) -> None:
    taker, transport, pool = answered(answer.replace(b" OK\r\n", b" OK\r\nConnection: close\r\n"))
    assert (taker.received, taker.ended) == (b"ok", True)
    assert transport.closed
    assert not idle(pool)


@pytest.mark.parametrize("interim", [b"", b"HTTP/1.1 100 Continue\r\n\r\n"])
@pytest.mark.parametrize("answer", [OK, STREAM + chunk(b"o") + chunk(b"k") + LAST_CHUNK, b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\nok"])
def test_any_cut_of_an_answer_is_no_whole_answer(answer: bytes, interim: bytes) -> None:
    for end in range(len(interim + answer)):
        taker, _, pool = answered((interim + answer)[:end], eof=True)
        assert not taker.ended
        assert taker.kind == "reset"
        assert b"ok".startswith(taker.received)
        assert not idle(pool)


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=5), st.booleans(), st.booleans(), st.data())
def test_answers_are_the_same_for_any_cutting(parts: list[bytes], chunked: bool, interim: bool, data: st.DataObject) -> None:
    body = b"".join(parts)
    answer = b"HTTP/1.1 100 Continue\r\n\r\n" * interim
    if chunked:
        answer += STREAM + b"".join(map(chunk, parts)) + LAST_CHUNK
    else:
        answer += b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    cuts = sorted(data.draw(st.lists(st.integers(1, len(answer) - 1), max_size=10)))
    pieces = [answer[a:b] for a, b in zip([0, *cuts], [*cuts, len(answer)], strict=True) if b > a]
    taker, transport, pool = answered(*pieces)
    assert (taker.status, taker.received, taker.ended) == (200, body, True)
    assert taker.flushed <= len(pieces) - 1
    assert idle(pool)
    assert not transport.closed


# ---- what is wrong with answers


@pytest.mark.parametrize(
    "answer",
    [
        b"garbage\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nBad Header\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n\0\0",
        STREAM + b"ZZ\r\nthis is no chunk\r\n",
        STREAM + b"2\r\nokay\r\n",
        STREAM + chunk(b"ok") + b"-1\r\n",
        STREAM + chunk(b"ok") + b"fffffffffffffffff\r\n",
    ],
)
def test_a_malformed_answer_is_broken_and_never_a_whole_one(answer: bytes) -> None:
    for pieces in ((answer,), tuple(bytes([byte]) for byte in answer)):
        taker, transport, pool = answered(*pieces)
        assert (taker.ended, taker.kind) == (False, "malformed")
        assert transport.aborted
        assert not idle(pool)


@pytest.mark.parametrize("extra", [OK, b"HTTP/1.1 200 OK\r\nX-Evil: 1\r\n", b"HTTP", b"garbage", b"\r\nHTTP/1.1 200 OK\r\n\r\n"])
@pytest.mark.parametrize("answer", [OK, STREAM + chunk(b"ok") + LAST_CHUNK, OK.replace(b" OK\r\n", b" OK\r\nConnection: close\r\n")])
def test_bytes_behind_an_answer_reach_nobody(answer: bytes, extra: bytes) -> None:
    taker, transport, pool = answered(answer + extra)
    assert (taker.status, len(taker.headers), taker.received, taker.ended) == (200, answer.split(b"\r\n\r\n")[0].count(b"\r\n"), b"ok", True)
    assert transport.closed
    assert not idle(pool)


def test_bytes_that_nobody_asked_for_end_an_idle_connection() -> None:
    connection, transport = connected()
    taker = asked(connection)
    connection.data_received(OK)
    connection.data_received(b"H")
    assert taker.ended
    assert transport.aborted


def test_an_answer_before_the_request_was_read_is_taken_but_the_connection_is_not_used_again() -> None:
    pool = new_pool()
    connection, transport = connected(pool)
    transport.buffered_bytes = 1_000_000
    taker = asked(connection)
    connection.data_received(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
    assert (taker.status, taker.received, taker.ended) == (413, b"no", True)
    assert transport.closed
    assert not idle(pool)


# ---- the fast way for whole chunks


def test_whole_chunks_are_offered_for_copying_only_between_chunks() -> None:
    connection, _ = connected()
    taker = asked(connection, Taker(lambda data: data.endswith(b"\r\n")))
    connection.data_received(STREAM)
    connection.data_received(chunk(b"one"))
    connection.data_received(b"5\r\nfi")
    connection.data_received(b"v\r\n\r\n")  # in the middle of a chunk: what looks like its end is its payload
    connection.data_received(chunk(b"three"))
    connection.data_received(b"0\r\n\r")
    connection.data_received(b"\n")
    assert taker.copied == [chunk(b"one"), chunk(b"three")]
    assert taker.received == b"fiv\r\n"
    assert taker.ended


def test_nothing_is_offered_where_the_answer_has_a_length() -> None:
    connection, _ = connected()
    taker = asked(connection, Taker(lambda data: True))
    connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n")
    connection.data_received(chunk(b"one"))
    assert (taker.copied, taker.received, taker.ended) == ([], chunk(b"one"), True)


# ---- reuse


def test_a_connection_serves_many_requests() -> None:
    pool = new_pool()
    connection, _ = connected(pool)
    for _ in range(3):
        for answer in (OK, STREAM + chunk(b"ok") + LAST_CHUNK, b"HTTP/1.1 204 No\r\n\r\n"):
            taker = asked(connection)
            connection.data_received(answer)
            assert taker.ended
            assert pool.take() is connection


@pytest.mark.parametrize("exc", [None, ConnectionResetError()])
def test_a_reused_connection_that_dies_before_any_byte_is_stale(exc: Exception | None) -> None:
    connection, _ = connected()
    asked(connection)
    connection.data_received(OK)
    taker = asked(connection)
    connection.connection_lost(exc)
    assert taker.kind == "stale"


@pytest.mark.parametrize("answer", [b"H", STREAM, STREAM + chunk(b"x")])
def test_after_the_first_byte_it_is_a_reset(answer: bytes) -> None:
    connection, _ = connected()
    asked(connection)
    connection.data_received(OK)
    taker = asked(connection)
    connection.data_received(answer)
    connection.eof_received()
    connection.connection_lost(None)
    assert taker.kind == "reset"


def test_a_new_connection_is_never_stale() -> None:
    taker, _, _ = answered(eof=True)
    assert taker.kind == "reset"


def test_an_aborted_call_tells_its_receiver_nothing_more() -> None:
    pool = new_pool()
    connection, transport = connected(pool)
    taker = asked(connection)
    connection.data_received(STREAM + chunk(b"x"))
    connection.abort()
    connection.data_received(chunk(b"y"))
    connection.connection_lost(None)
    assert transport.aborted
    assert (taker.received, taker.is_over) == (b"x", False)
    assert not pool.connections


# ---- leaving before the end


def test_a_left_connection_is_read_to_its_end_and_used_again() -> None:
    pool = new_pool()
    connection, transport = connected(pool)
    taker = asked(connection)
    connection.data_received(STREAM + chunk(b"data: [DONE]\n\n"))
    connection.leave()
    assert not idle(pool)
    connection.data_received(b"0\r\n")
    connection.data_received(b"\r\n")
    assert not taker.is_over
    assert pool.take() is connection
    taker = asked(connection)
    connection.data_received(OK)
    assert taker.ended
    assert not transport.closed


def test_a_left_connection_that_goes_on_talking_is_cut_off() -> None:
    pool = new_pool()
    connection, transport = connected(pool)
    asked(connection)
    pool.sweep(1000.0)
    connection.data_received(STREAM + chunk(b"x"))
    connection.leave()
    pool.sweep(1000.0 + DRAIN_SECONDS)
    connection.data_received(chunk(b"more"))
    assert not transport.closed
    pool.sweep(1000.1 + DRAIN_SECONDS)
    assert transport.aborted


def test_a_left_connection_may_break() -> None:
    pool = new_pool()
    connection, transport = connected(pool)
    taker = asked(connection)
    connection.data_received(STREAM + chunk(b"x"))
    connection.leave()
    connection.data_received(b"ZZ\r\n")
    connection.connection_lost(None)
    assert transport.aborted
    assert not taker.is_over
    assert not idle(pool)
    assert not pool.connections


# ---- the pool


def released(pool: Pool) -> tuple[Connection, FakeTransport]:
    connection, transport = connected(pool)
    asked(connection)
    connection.data_received(OK)
    return connection, transport


def test_the_newest_idle_connection_is_taken_first() -> None:
    pool = new_pool()
    (first, _), (second, _) = released(pool), released(pool)
    assert [pool.take(), pool.take(), pool.take()] == [second, first, None]


def test_closing_connections_are_not_taken() -> None:
    pool = new_pool()
    first, _ = released(pool)
    _, transport = released(pool)
    transport.close()
    assert pool.take() is first
    assert pool.take() is None


def test_idle_connections_age() -> None:
    pool = new_pool()
    pool.sweep(1000.0)
    _, old = released(pool)
    pool.sweep(1000.0 + IDLE_SECONDS - 1)
    young, _ = released(pool)
    pool.sweep(1000.0 + IDLE_SECONDS + 1)
    assert old.closed
    assert pool.take() is young
    assert pool.take() is None


def test_a_lost_connection_leaves_the_pool() -> None:
    pool = new_pool()
    connection, _ = released(pool)
    connection.connection_lost(None)
    assert pool.take() is None
    assert not pool.connections


def test_only_so_many_stay_idle() -> None:
    pool = new_pool()
    pairs = []
    for _ in range(MAX_IDLE + 2):
        connection, transport = connected(pool)
        asked(connection)
        pairs.append((connection, transport))
    for connection, _ in pairs:
        connection.data_received(OK)
    assert sum(transport.closed for _, transport in pairs) == 2


def test_a_closed_pool_lets_answers_end_and_keeps_nothing() -> None:
    pool = new_pool()
    _, idle_transport = released(pool)
    draining, draining_transport = connected(pool)
    asked(draining)
    draining.data_received(STREAM)
    draining.leave()
    busy, busy_transport = connected(pool)
    taker = asked(busy)
    pool.close()
    assert (idle_transport.closed, draining_transport.closed, busy_transport.closed) == (True, True, False)
    busy.data_received(OK)
    assert taker.ended
    assert busy_transport.closed
    assert pool.take() is None


# ---- connecting


async def test_connecting_gives_a_connection_that_can_be_asked() -> None:
    async with ScriptedServer() as server:
        server.on("/api/chat", plain(b"ok"))
        pool = Pool("127.0.0.1", server.port, None)
        connection = await pool.connect(5.0)
        taker = asked(connection)
        async with asyncio.timeout(5):
            while not taker.is_over:
                await asyncio.sleep(0)
        assert (taker.received, taker.ended) == (b"ok", True)
        assert pool.take() is connection
        connection.abort()
        await asyncio.sleep(0)


async def test_a_refused_connection_says_so() -> None:
    with refusing() as url, pytest.raises(ConnectFailed, match="connection refused"):
        await Pool("127.0.0.1", int(url.rpartition(":")[2]), None).connect(5.0)


async def test_a_server_that_never_accepts_is_given_up() -> None:
    with unanswering() as url, pytest.raises(ConnectFailed, match=r"no connection within 0\.05 s"):
        await Pool("127.0.0.1", int(url.rpartition(":")[2]), None).connect(0.05)


@pytest.mark.parametrize("host", ["a" * 300, "host..invalid"])
async def test_a_host_without_address_is_a_failed_connection(host: str) -> None:
    with pytest.raises(ConnectFailed):
        await Pool(host, 1, None).connect(5.0)


async def test_a_server_without_tls_fails_the_handshake() -> None:
    async def plain_text(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = await asyncio.start_server(plain_text, sock=listener)
        with pytest.raises(ConnectFailed):
            await Pool("127.0.0.1", listener.getsockname()[1], ssl.create_default_context()).connect(5.0)
        server.close()
        await server.wait_closed()
