"""HTTP/1.1 as clients and servers really speak it, and as attackers do."""

import asyncio
import gzip
import zlib
from contextlib import AsyncExitStack

import pytest
import zstandard

from tests.fakes import wire
from tests.fakes.scripted import close, early, hang
from tests.integration.client import post
from tests.integration.dialects import BOTH, OLLAMA, OPENAI, payload

pytestmark = pytest.mark.asyncio(loop_scope="module")
both = pytest.mark.parametrize("dialect", BOTH, ids=lambda dialect: dialect.name)
small = pytest.mark.parametrize("orchestrated", [{"max_body_bytes": 4096, "max_header_bytes": 2048}], indirect=True)
hurried = pytest.mark.parametrize("orchestrated", [{"header_timeout_seconds": 0.3, "body_timeout_seconds": 0.3}], indirect=True)

TAGS = b"GET /api/tags HTTP/1.1\r\nHost: localhost\r\n\r\n"


def raw(dialect, *lines, body=b"", path=None, method="POST"):
    """A request with exactly these header lines after Host."""
    head = [f"{method} {path or dialect.path} HTTP/1.1", "Host: localhost", *lines, "", ""]
    return "\r\n".join(head).encode("latin-1") + body


def chat(**more):
    return b'{"model":"m","messages":[{"role":"user","content":"Hi"}]' + b"".join(b',"%b":%b' % (k.encode(), v) for k, v in more.items()) + b"}"


# ---- several requests on a connection


@both
async def test_requests_on_one_connection_are_answered_one_after_the_other(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    a.on(dialect.path, dialect.stream(["Hi"]))
    async with await orchestrated.connect() as client:
        for _ in range(10):
            client.send(dialect.ask())
            assert (await client.answer()).body == payload(dialect.stream(["Hi"]))
    assert len({seen.connection for seen in a.requests()}) == 1


HOT, COLD, ERROR = "hot", "cold", "error"


@both
@pytest.mark.parametrize("order", [
    [HOT, HOT], [HOT, HOT, HOT, HOT], [HOT, COLD], [COLD, HOT], [COLD, COLD], [HOT, ERROR, HOT], [COLD, ERROR, HOT], [ERROR, COLD],
    [HOT, COLD, HOT, COLD, ERROR, HOT],
], ids="+".join)  # fmt: skip
@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "in pieces"])
async def test_requests_sent_ahead_are_answered_in_order(orchestrated, fleet, dialect, order, at_once):
    a = await fleet.add("a")
    scripts = [dialect.plain(f"number {number}") for number in range(order.count(HOT))]
    if scripts:
        a.on(dialect.path, *scripts)
    requests = {HOT: dialect.ask(stream=False), COLD: TAGS, ERROR: post(dialect.path, b"{nonsense")}
    data = b"".join(requests[kind] for kind in order)
    async with await orchestrated.connect() as client:
        if at_once:
            client.send(data)
        else:
            for at in range(0, len(data), 37):
                client.send(data[at : at + 37])
                await asyncio.sleep(0)
        hot = 0
        for kind in order:
            answer = await client.answer()
            if kind == HOT:
                assert (answer.status, answer.body) == (200, scripts[hot][0].partition(b"\r\n\r\n")[2])
                hot += 1
            elif kind == COLD:
                assert (answer.status, len(answer.json()["models"])) == (200, 1)
            else:
                assert answer.status == 400
                dialect.error_text(answer)


@both
async def test_streams_sent_ahead_are_answered_in_order(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    a.on(dialect.path, dialect.stream(["one"]), dialect.stream(["two"]), dialect.stream(["three"]))
    async with await orchestrated.send(dialect.ask() * 3) as client:
        assert [dialect.said((await client.answer()).body) for _ in range(3)] == ["one", "two", "three"]


@both
async def test_the_server_sees_the_second_request_only_after_the_first_is_answered(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    go = asyncio.Event()
    a.on(dialect.path, [go, *dialect.plain("one")], dialect.plain("two"))
    async with await orchestrated.send(dialect.ask(stream=False) * 2) as client:
        await a.request(dialect.path)
        assert (await orchestrated.server_state("a"))["inFlight"] == 1
        assert len(a.requests()) == 1
        go.set()
        assert b"one" in (await client.answer()).body
        assert b"two" in (await client.answer()).body


@both
async def test_a_broken_request_after_a_good_one_is_answered_after_it(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    a.on(dialect.path, dialect.plain("one"))
    async with await orchestrated.send(dialect.ask(stream=False) + b"\x00\x01garbage\r\n\r\n") as client:
        assert b"one" in (await client.answer()).body
        assert (await client.answer()).status == 400
        assert await client.closed() == b""


@both
async def test_much_sent_ahead_does_not_pile_up(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    go = asyncio.Event()
    a.on(dialect.path, [go, *dialect.plain("one")], dialect.plain("more"))
    request = dialect.ask(stream=False, filler="x" * 20000)
    async with await orchestrated.send(request * 400) as client:
        await a.request(dialect.path)
        (wire_side,) = [c for c in orchestrated.server.server_state.connections if c.call is not None]
        assert len(wire_side._backlog) < 2 << 20
        go.set()
        for _ in range(400):
            assert (await client.answer()).status == 200


@both
async def test_connection_close_is_obeyed(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    a.on(dialect.path, dialect.stream(["Hi"]))
    async with await orchestrated.send(dialect.ask(headers={"Connection": "close"}) + dialect.ask()) as client:
        answer = await client.answer()
        assert (answer.status, answer.header("connection"), answer.ended) == (200, "close", "whole")
        assert await client.closed() == b""
    assert len(a.requests()) == 1


# ---- bodies


@both
@pytest.mark.parametrize("sizes", [[1000], [1] * 80, [7, 30, 1000], [40, 0]], ids=str)
async def test_chunked_bodies_arrive_whole_with_a_length(orchestrated, fleet, dialect, sizes):
    a = await fleet.add("a")
    a.on(dialect.path, dialect.stream(["Hi"]))
    body, chunks = chat(), b""
    rest = body
    for size in sizes:
        piece, rest = rest[:size], rest[size:]
        chunks += wire.chunk(piece) if piece else b""
    chunks += wire.chunk(rest) if rest else b""
    request = raw(dialect, "Transfer-Encoding: chunked", body=chunks.replace(b"\r\n", b";ext=1\r\n", 1) + b"0\r\nX-Trailer: canary\r\n\r\n")
    answer = await orchestrated.answer(request)
    assert answer.status == 200
    (seen,) = a.requests()
    assert (seen.body, seen.header("content-length"), seen.header("transfer-encoding")) == (body, str(len(body)), None)
    assert "canary" not in str(seen.headers)


@both
async def test_a_request_may_come_byte_by_byte(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    a.on(dialect.path, dialect.stream(["Hi"]))
    async with await orchestrated.connect() as client:
        for byte in dialect.ask():
            client.send(bytes([byte]))
            await asyncio.sleep(0)
        assert (await client.answer()).status == 200
    assert a.requests()[0].body == dialect.ask().partition(b"\r\n\r\n")[2]


BAD_FRAMING = {
    "both": ["Content-Length: 5", "Transfer-Encoding: chunked"],
    "both, the other way round": ["Transfer-Encoding: chunked", "Content-Length: 5"],
    "two lengths": ["Content-Length: 5", "Content-Length: 6"],
    "a list of lengths": ["Content-Length: 5, 6"],
    "a negative length": ["Content-Length: -5"],
    "a length with a sign": ["Content-Length: +5"],
    "a length in hex": ["Content-Length: 0x5"],
    "a length with a space": ["Content-Length: 1 2"],
    "a length beyond 64 bits": ["Content-Length: 99999999999999999999999999"],
    "no length": ["Content-Length: "],
    "another coding": ["Transfer-Encoding: gzip"],
    "chunked not last": ["Transfer-Encoding: chunked, gzip"],
    "chunked misspelt": ["Transfer-Encoding: xchunked"],
    "chunked twice": ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
    "a space before the colon": ["Content-Length : 5"],
    "a folded header": ["X-A: b", " Content-Length: 5"],
    "a null byte": ["X-A: b\x00c"],
    "a bare carriage return": ["X-A: b\rContent-Length: 5"],
}


@both
@pytest.mark.parametrize("lines", BAD_FRAMING.values(), ids=BAD_FRAMING)
async def test_a_request_whose_end_is_in_doubt_is_refused(orchestrated, fleet, dialect, lines):
    a = await fleet.add("a")
    a.on(dialect.path, dialect.stream(["Hi"]))
    async with await orchestrated.send(raw(dialect, *lines, body=b"5\r\nhello\r\n0\r\n\r\n" + dialect.ask())) as client:
        answer = await client.answer()
        assert (answer.status, answer.header("connection")) == (400, "close")
        assert await client.closed() == b""
    assert a.requests() == []


@both
@pytest.mark.parametrize("size", ["zz", "-1", "ffffffffffffffffff", "5;\n"])
async def test_a_malformed_chunk_of_a_request_is_refused(orchestrated, fleet, dialect, size):
    a = await fleet.add("a")
    async with await orchestrated.send(raw(dialect, "Transfer-Encoding: chunked", body=size.encode() + b"\r\nhello\r\n0\r\n\r\n")) as client:
        assert (await client.answer()).status == 400
        assert await client.closed() == b""
    assert a.requests() == []


@pytest.mark.parametrize("garbage", [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500,
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"hello\r\n\r\n",
    b"POST /api/chat HTTP/3.7\r\nHost: localhost\r\n\r\n",
    b"\xff" * 1000,
    b"BREW /api/chat HTTP/1.1\r\nHost: localhost\r\n\r\n",
], ids=["TLS", "HTTP/2", "words", "HTTP/3.7", "bytes", "method"])  # fmt: skip
async def test_what_is_no_http_is_a_400(orchestrated, fleet, garbage):
    async with await orchestrated.send(garbage) as client:
        answer = await client.answer()
        assert (answer.status, answer.header("connection")) == (400, "close")
        assert await client.closed() == b""


async def test_http_0_9_is_not_spoken(orchestrated, fleet):
    async with await orchestrated.send(b"GET /\r\n\r\n") as client:
        assert (await client.answer()).status == 505
        assert await client.closed() == b""


@both
@pytest.mark.parametrize(("name", "compress"), [
    ("gzip", gzip.compress), ("x-gzip", gzip.compress), ("deflate", zlib.compress), ("zstd", zstandard.compress), ("identity", bytes),
    ("gzip, zstd", lambda body: zstandard.compress(gzip.compress(body))),
], ids=["gzip", "x-gzip", "deflate", "zstd", "identity", "both"])  # fmt: skip
async def test_compressed_bodies_are_sent_on_plain(orchestrated, fleet, dialect, name, compress):
    a = await fleet.add("a")
    a.on(dialect.path, dialect.stream(["Hi"]))
    answer = await orchestrated.answer(post(dialect.path, compress(chat()), {"Content-Encoding": name}))
    assert answer.status == 200
    (seen,) = a.requests()
    assert (seen.body, seen.header("content-encoding"), seen.header("content-length")) == (chat(), None, str(len(chat())))


@both
@pytest.mark.parametrize(("name", "body", "status"), [
    ("gzip", b"no gzip", 400), ("gzip", gzip.compress(b"{}" * 1000)[:-9], 400), ("zstd", b"no zstd", 400), ("br", b"x", 415),
])  # fmt: skip
async def test_bodies_that_cannot_be_decoded_are_refused(orchestrated, fleet, dialect, name, body, status):
    a = await fleet.add("a")
    answer = await orchestrated.answer(post(dialect.path, body, {"Content-Encoding": name}))
    assert answer.status == status
    dialect.error_text(answer)
    assert a.requests() == []


# ---- limits


@both
@small
@pytest.mark.parametrize("framing", ["length", "chunked", "gzip", "zstd", "gzip of gzip"])
async def test_a_body_that_is_too_large_is_a_413(orchestrated, fleet, dialect, framing):
    a = await fleet.add("a")
    large = chat(filler=b'"' + b"x" * 100_000 + b'"')
    requests = {
        "length": post(dialect.path, large),
        "chunked": raw(
            dialect, "Transfer-Encoding: chunked", body=b"".join(wire.chunk(large[at : at + 1000]) for at in range(0, len(large), 1000)) + b"0\r\n\r\n"
        ),
        "gzip": post(dialect.path, gzip.compress(large), {"Content-Encoding": "gzip"}),
        "zstd": post(dialect.path, zstandard.compress(large), {"Content-Encoding": "zstd"}),
        "gzip of gzip": post(dialect.path, gzip.compress(gzip.compress(large)), {"Content-Encoding": "gzip, gzip"}),
    }
    async with await orchestrated.send(requests[framing]) as client:
        answer = await client.answer()
        assert (answer.status, answer.ended) == (413, "whole")
        assert "4096 bytes" in dialect.error_text(answer)
    assert a.requests() == []


@both
async def test_a_bomb_costs_no_memory(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    bomb = zstandard.compress(b"\0" * (1 << 28))
    answer = await orchestrated.answer(post(dialect.path, bomb, {"Content-Encoding": "zstd"}))
    assert answer.status == 413
    assert a.requests() == []


@both
@small
async def test_a_body_at_the_limit_passes(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    a.on(dialect.path, dialect.stream(["Hi"]))
    body = chat(filler=b'"' + b"x" * (4096 - len(chat(filler=b'""'))) + b'"')
    assert len(body) == 4096
    assert (await orchestrated.answer(post(dialect.path, body))).status == 200
    assert a.requests()[0].body == body


@both
@small
@pytest.mark.parametrize("how", ["one header", "many headers", "path", "unended"])
async def test_a_head_that_is_too_large_is_a_431(orchestrated, fleet, dialect, how):
    a = await fleet.add("a")
    a.on(dialect.path, dialect.stream(["Hi"]))
    requests = {
        "one header": raw(dialect, "X-Long: " + "x" * 5000, "Content-Length: 2", body=b"{}"),
        "many headers": raw(dialect, *(f"X-{number}: y" for number in range(500)), "Content-Length: 2", body=b"{}"),
        "path": raw(dialect, "Content-Length: 2", path=dialect.path + "?" + "x" * 5000, body=b"{}"),
        "unended": raw(dialect, "X-Long: " + "x" * 5000)[:-4],
    }
    async with await orchestrated.send(requests[how] + (b"" if how == "unended" else dialect.ask())) as client:
        answer = await client.answer()
        assert (answer.status, answer.header("connection"), answer.ended) == (431, "close", "whole")
        assert await client.closed() == b""
    assert a.requests() == []


@both
@small
async def test_what_follows_a_refused_body_is_not_taken_for_a_request(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    a.on(dialect.path, dialect.stream(["Hi"]))
    async with await orchestrated.send(raw(dialect, "Content-Length: 5000", body=dialect.ask() * 20)) as client:
        assert (await client.answer()).status == 413
        assert await client.closed() == b""
    assert a.requests() == []


@both
@hurried
async def test_slow_senders_are_not_waited_for(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    requests = {
        "nothing": b"",
        "half a head": dialect.ask()[:60],
        "half a body": dialect.ask()[:-5],
        "half a chunk": raw(dialect, "Transfer-Encoding: chunked", body=b"50\r\n{"),
        "no body": raw(dialect, "Content-Length: 500", "Expect: 100-continue"),
    }
    async with AsyncExitStack() as stack:
        clients = {sent: await stack.enter_async_context(await orchestrated.send(request)) for sent, request in requests.items()}
        for sent, client in clients.items():
            if sent == "no body":
                assert await client.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            if sent != "nothing":
                answer = await client.answer()
                assert (answer.status, answer.header("connection")) == (408, "close")
            assert await client.closed() == b""
    assert a.requests() == []


@hurried
async def test_a_head_that_trickles_in_is_not_waited_for(orchestrated, fleet):
    head = b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\n"
    trickle = asyncio.Event()

    async def talk(client):
        client.send(head)
        while not trickle.is_set():
            client.send(b"X-A: b\r\n")
            await asyncio.sleep(0.05)

    async with await orchestrated.connect() as client:
        talking = asyncio.create_task(talk(client))
        answer = await client.answer()
        trickle.set()
        await talking
        assert answer.status == 408


@hurried
async def test_a_body_that_keeps_coming_is_waited_for(orchestrated, fleet):
    a = await fleet.add("a")
    a.on(OLLAMA.path, OLLAMA.stream(["Hi"]))
    request = OLLAMA.ask(filler="x" * 1000)
    async with await orchestrated.connect() as client:
        for at in range(0, len(request), 100):
            client.send(request[at : at + 100])
            await asyncio.sleep(0.1)
        assert (await client.answer()).status == 200


@pytest.mark.parametrize("orchestrated", [{"keepalive_timeout_seconds": 0.3}], indirect=True)
async def test_idle_connections_are_closed(orchestrated, fleet):
    async with await orchestrated.send(TAGS) as client:
        assert (await client.answer()).status == 200
        assert await client.closed() == b""


@pytest.mark.parametrize("orchestrated", [{"send_timeout_seconds": 0.5}], indirect=True)
@pytest.mark.parametrize("kind", ["stream", "plain"])
async def test_a_client_that_never_reads_is_cut_off(orchestrated, fleet, kind):
    a = await fleet.add("a")
    if kind == "stream":

        async def talk_on(exchange):
            while True:
                await exchange.send(OLLAMA.event("x" * 60000))

        a.on(OLLAMA.path, [*OLLAMA.begin(["Hi"]), talk_on])
    else:
        a.on(OLLAMA.path, wire.plain(b"x" * (8 << 20)))
    async with await orchestrated.connect() as client:
        client.writer.transport.pause_reading()
        client.send(OLLAMA.ask(stream=kind == "stream", number=1) * 3)
        await a.request(OLLAMA.path)
        await orchestrated.until(lambda: not orchestrated.server.server_state.connections)
    await orchestrated.quiet()


@pytest.mark.parametrize("orchestrated", [{"max_connections": 3}], indirect=True)
async def test_too_many_connections_are_told_so(orchestrated, fleet):
    clients = [await orchestrated.connect() for _ in range(3)]
    for client in clients:
        client.send(TAGS)
        assert (await client.answer()).status == 200
    async with await orchestrated.connect() as one_more:
        answer = await one_more.answer()
        assert (answer.status, answer.header("retry-after"), answer.header("connection")) == (503, "1", "close")
    for client in clients:
        client.close()
    await orchestrated.until(lambda: not orchestrated.server.server_state.connections)
    assert (await orchestrated.answer(TAGS)).status == 200


# ---- versions and methods


@both
@pytest.mark.parametrize("stream", [True, False], ids=["stream", "plain"])
async def test_http_1_0_clients_get_no_chunks(orchestrated, fleet, dialect, stream):
    a = await fleet.add("a")
    script = dialect.stream(["Hi"]) if stream else dialect.plain("Hi")
    a.on(dialect.path, script)
    async with await orchestrated.send(dialect.ask(stream).replace(b"HTTP/1.1", b"HTTP/1.0")) as client:
        answer = await client.answer()
        assert (answer.status, answer.header("transfer-encoding"), answer.header("connection")) == (200, None, "close")
        assert answer.body == (payload(script) if stream else script[0].partition(b"\r\n\r\n")[2])
        assert await client.closed() == b""


async def test_an_http_1_0_list_is_answered_and_closed(orchestrated, fleet):
    async with await orchestrated.send(b"GET /api/tags HTTP/1.0\r\n\r\n") as client:
        assert (await client.answer()).json() == {"models": []}
        assert await client.closed() == b""


@both
async def test_expect_100_continue_is_answered_before_the_body(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    a.on(dialect.path, dialect.stream(["Hi"]))
    async with await orchestrated.send(raw(dialect, f"Content-Length: {len(chat())}", "Expect: 100-continue")) as client:
        assert await client.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.send(chat())
        assert (await client.answer()).status == 200
    assert a.requests()[0].header("expect") is None


@both
@small
async def test_expect_100_continue_with_too_large_a_body_is_refused_at_once(orchestrated, fleet, dialect):
    await fleet.add("a")
    async with await orchestrated.send(raw(dialect, "Content-Length: 5000", "Expect: 100-continue")) as client:
        assert (await client.answer()).status == 413
        assert await client.closed() == b""


@both
@pytest.mark.parametrize("method", ["HEAD", "GET", "PUT", "DELETE"])
async def test_other_methods_on_inference_paths_are_405(orchestrated, fleet, dialect, method):
    a = await fleet.add("a")
    async with await orchestrated.send(raw(dialect, method=method) + TAGS) as client:
        head = await client.head()
        assert (head.status, head.header("allow")) == (405, "POST")
        if method != "HEAD":
            await client.rest(head)
        assert (await client.answer()).status == 200
    assert a.requests() == []


@pytest.mark.parametrize(("path", "status"), [("/", 200), ("/api/version", 200), ("/api/tags", 200), ("/api/ps", 405), ("/v1/models", 405), ("/nowhere", 404)])
async def test_head_answers_have_a_length_and_no_body(orchestrated, fleet, path, status):
    await fleet.add("a")
    async with await orchestrated.send(raw(OLLAMA, path=path, method="HEAD") + TAGS) as client:
        assert (await client.head()).status == status
        assert (await client.answer()).json()["models"]


@both
@pytest.mark.parametrize("authority", ["http://localhost", "http://127.0.0.1:5100", "HTTP://localhost"])
async def test_absolute_urls_are_understood(orchestrated, fleet, dialect, authority):
    a = await fleet.add("a")
    a.on(dialect.path, dialect.stream(["Hi"]))
    answer = await orchestrated.answer(post(authority + dialect.path + "?x=1", chat(stream=b"true")))
    assert answer.status == 200
    assert a.requests()[0].path == dialect.path + "?x=1"


@both
@pytest.mark.parametrize("lines", [
    ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"],
    ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="],
], ids=["h2c", "websocket"])  # fmt: skip
@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_an_offered_upgrade_is_declined_and_the_body_read(orchestrated, fleet, dialect, lines, framing):
    a = await fleet.add("a")
    a.on(dialect.path, dialect.stream(["Hi"]))
    if framing == "length":
        request = raw(dialect, *lines, f"Content-Length: {len(chat())}", body=chat())
    else:
        request = raw(dialect, *lines, "Transfer-Encoding: chunked", body=wire.chunk(chat()) + b"0\r\n\r\n")
    async with await orchestrated.send(request) as client:
        assert (await client.answer()).status == 200
        client.send(request + dialect.ask())
        assert [(await client.answer()).status for _ in range(2)] == [200, 200]
    assert [seen.body for seen in a.requests()][:2] == [chat(), chat()]
    sent = {name for name, _ in a.requests()[0].headers}
    assert not sent & {"upgrade", "connection", "http2-settings"}


async def test_connect_opens_no_tunnel(orchestrated, fleet):
    async with await orchestrated.send(b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1:22\r\n\r\n") as client:
        assert (await client.answer()).status in (400, 404, 405)


@pytest.mark.parametrize(
    "path", ["/v1/../api/delete", "/v1/x/../../api/pull", "/v1/%2e%2e/api/delete", "/v1/%2E./api/delete", "/v1/..%2fapi/delete", "/v1/./x", "/v1//x"]
)
async def test_no_path_leads_out_of_its_family(orchestrated, fleet, path):
    a = await fleet.add("a")
    a.on("*", wire.answer({"canary": True}))
    answer = await orchestrated.answer(post(path, {"model": "m"}))
    assert answer.status in (307, 404)
    assert a.requests() == []


# ---- headers


@both
async def test_what_is_the_clients_own_never_reaches_a_server(orchestrated, fleet, dialect):
    a = await fleet.add("a", key="ours", apiKey="ours", headers={"X-Extra": "ours"})
    a.on(dialect.path, dialect.stream(["Hi"]))
    theirs = {
        "Authorization": "Bearer theirs",
        "X-Api-Key": "theirs",
        "Api-Key": "theirs",
        "Cookie": "theirs=1",
        "Origin": "http://localhost:3000",
        "Referer": "http://localhost:3000/theirs",
        "Proxy-Authorization": "theirs",
        "X-Extra": "theirs",
        "X-Orchestrator-Server": "a",
        "X-Orchestrator-Attempts": "theirs",
        "Accept-Encoding": "gzip, theirs",
        "Connection": "keep-alive, X-Named",
        "X-Named": "theirs",
        "Keep-Alive": "theirs",
        "TE": "trailers, theirs",
    }
    answer = await orchestrated.answer(dialect.ask(headers={**theirs, "X-Kept": "kept", "User-Agent": "kept/1"}))
    assert answer.status == 200
    (seen,) = a.requests()
    assert "theirs" not in str(seen.headers)
    assert (seen.header("authorization"), seen.header("x-extra"), seen.header("x-kept"), seen.header("user-agent")) == ("Bearer ours", "ours", "kept", "kept/1")
    assert (seen.header("host"), seen.header("accept-encoding")) == (f"127.0.0.1:{a.port}", "identity")
    assert len([name for name, _ in seen.headers]) == len({name for name, _ in seen.headers})
    assert "ours" not in str(answer)


@both
@pytest.mark.parametrize("given", ["abc-123", "550e8400-e29b-41d4-a716-446655440000", "x" * 128])
async def test_a_request_id_goes_through(orchestrated, fleet, dialect, given):
    a = await fleet.add("a")
    a.on(dialect.path, dialect.stream(["Hi"]))
    answer = await orchestrated.answer(dialect.ask(headers={"X-Request-Id": given}))
    assert (answer.header("x-request-id"), a.requests()[0].header("x-request-id")) == (given, given)


@both
@pytest.mark.parametrize("given", [None, "", "two words", "x" * 129, "umlaut-\xe4", "tab\there"])
async def test_a_request_id_that_cannot_be_kept_is_replaced(orchestrated, fleet, dialect, given):
    a = await fleet.add("a")
    a.on(dialect.path, dialect.stream(["Hi"]))
    lines = [f"Content-Length: {len(chat())}"] + ([] if given is None else [f"X-Request-Id: {given}"])
    answers = [await orchestrated.answer(raw(dialect, *lines, body=chat())) for _ in range(2)]
    ids = [answer.header("x-request-id") for answer in answers]
    assert ids == [seen.header("x-request-id") for seen in a.requests()]
    assert len(set(ids)) == 2
    assert all(one.isalnum() and one != given for one in ids)


@both
@pytest.mark.parametrize("name", ["X-Request-Id", "X-Orchestrator-Server", "X-Any"])
async def test_no_header_can_be_smuggled_in(orchestrated, fleet, dialect, name):
    a = await fleet.add("a")
    a.on(dialect.path, dialect.stream(["Hi"]))
    for value in ("a\rX-Evil: 1", "a\nX-Evil: 1", "a\r\n\tX-Evil: 1", "a%0d%0aX-Evil: 1", "\r\n\r\nHTTP/1.1 200 OK"):
        async with await orchestrated.send(raw(dialect, f"Content-Length: {len(chat())}", f"{name}: {value}", body=chat())) as client:
            answer = await client.answer()
            assert answer.header("x-evil") is None
    assert all(seen.header("x-evil") is None for seen in a.requests())


async def test_an_error_has_a_request_id_too(orchestrated, fleet):
    for request in (OLLAMA.ask(model="nope", headers={"X-Request-Id": "mine"}), post(OLLAMA.path, b"{nonsense", {"X-Request-Id": "mine"})):
        assert (await orchestrated.answer(request)).header("x-request-id") == "mine"


# ---- servers


@both
@pytest.mark.parametrize("stream", [True, False], ids=["stream", "plain"])
async def test_headers_of_the_server_pass_but_for_those_of_its_connection(orchestrated, fleet, dialect, stream):
    a = await fleet.add("a")
    script = dialect.stream(["Hi"]) if stream else dialect.plain("Hi")
    own = (
        b"Connection: keep-alive, X-Hop\r\nX-Hop: canary\r\nKeep-Alive: timeout=5, canary\r\nProxy-Authenticate: canary\r\nTrailer: canary\r\n"
        b"Upgrade: canary\r\nX-Request-Id: canary\r\nX-Orchestrator-Server: canary\r\nX-Orchestrator-Attempts: canary\r\nSet-Cookie: canary\r\n"
        b"X-Ratelimit-Remaining: 5\r\nOpenai-Processing-Ms: 12\r\nDate: Fri, 02 Jan 2026 03:04:05 GMT\r\nServer: theirs\r\n"
    )
    first, _, rest = script[0].partition(b"\r\n")
    a.on(dialect.path, [first + b"\r\n" + own + rest, *script[1:]])
    answer = await orchestrated.answer(dialect.ask(stream))
    assert (answer.status, answer.ended) == (200, "whole")
    assert "canary" not in str(answer.headers)
    assert (answer.header("x-ratelimit-remaining"), answer.header("openai-processing-ms")) == ("5", "12")
    assert (answer.header("server"), answer.header("date")) == ("theirs", "Fri, 02 Jan 2026 03:04:05 GMT")


@both
async def test_cors_headers_of_a_server_do_not_meet_ours(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    script = dialect.plain("Hi")
    first, _, rest = script[0].partition(b"\r\n")
    a.on(dialect.path, [first + b"\r\nAccess-Control-Allow-Origin: *\r\nAccess-Control-Allow-Credentials: true\r\n" + rest])
    answer = await orchestrated.answer(dialect.ask(stream=False, headers={"Origin": "http://localhost:3000"}))
    assert answer.header("access-control-allow-origin") == "http://localhost:3000"
    assert answer.header("access-control-allow-credentials") is None


@both
async def test_a_web_page_from_elsewhere_gets_nothing(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
        answer = await orchestrated.answer(dialect.ask(headers=headers))
        assert (answer.status, answer.body) == (403, b"")
        assert answer.header("access-control-allow-origin") is None
    assert a.requests() == []


@both
async def test_a_server_that_closes_after_each_answer_is_connected_to_anew(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    first, _, rest = dialect.plain("Hi")[0].partition(b"\r\n")
    a.on(dialect.path, [first + b"\r\nConnection: close\r\n" + rest, close])
    for _ in range(3):
        answer = await orchestrated.answer(dialect.ask(stream=False))
        assert (answer.status, answer.header("connection"), answer.header("x-orchestrator-attempts")) == (200, None, "1")
    assert len({seen.connection for seen in a.requests()}) == 3


@both
async def test_answers_of_http_1_0_servers_pass(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    body = dialect.plain("Hi")[0].partition(b"\r\n\r\n")[2]
    a.on(dialect.path, [b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + body, close])
    answer = await orchestrated.answer(dialect.ask(stream=False))
    assert (answer.status, answer.ended, answer.body, answer.header("content-length")) == (200, "whole", body, str(len(body)))


@both
async def test_provisional_answers_are_not_passed_on(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    early_hints = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    a.on(dialect.path, [early_hints, *dialect.stream(["Hi"])])
    answer = await orchestrated.answer(dialect.ask())
    assert (answer.status, answer.ended, answer.header("link")) == (200, "whole", None)
    assert dialect.said(answer.body) == "Hi"


@both
@pytest.mark.parametrize("stream", [True, False], ids=["stream", "plain"])
async def test_a_second_answer_to_one_request_reaches_nobody(orchestrated, fleet, dialect, stream):
    a = await fleet.add("a")
    script = dialect.stream(["Hi"]) if stream else dialect.plain("Hi")
    evil = wire.plain(b'{"canary": true}', headers={"X-Evil": "canary"})
    a.on(dialect.path, [b"".join([*script, *evil])], script, [b"".join([*script, *evil])], script)
    async with await orchestrated.connect() as client:
        for _ in range(4):
            client.send(dialect.ask(stream))
            answer = await client.answer()
            assert (answer.status, answer.ended) == (200, "whole")
            assert answer.body == (payload(script) if stream else script[0].partition(b"\r\n\r\n")[2])
            assert "canary" not in str(answer.headers)


@both
async def test_trailers_are_no_headers(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    body = dialect.plain("Hi")[0].partition(b"\r\n\r\n")[2]
    a.on(dialect.path, [*wire.chunked([body], wire.JSON), b"0\r\nX-Evil: canary\r\n\r\n"])
    answer = await orchestrated.answer(dialect.ask(stream=False))
    assert (answer.status, answer.body, answer.header("x-evil")) == (200, body, None)


@both
@pytest.mark.parametrize("status", [400, 413])
async def test_an_answer_before_the_body_was_read_is_passed_on(orchestrated, fleet, dialect, status):
    a = await fleet.add("a")
    script = dialect.error(status, "no need to read on")
    a.on(dialect.path, early(script))
    answer = await orchestrated.answer(dialect.ask(filler="x" * 8_000_000))
    assert (answer.status, dialect.error_text(answer)) == (status, "no need to read on")


@both
async def test_a_connection_with_an_early_answer_is_not_used_again(orchestrated, fleet, dialect):
    a = await fleet.add("a")
    a.on(dialect.path, [*early(dialect.error(400, "early"))[:-1], hang], dialect.plain("Hi"))
    assert (await orchestrated.answer(dialect.ask(stream=False, filler="x" * 8_000_000))).status == 400
    assert (await orchestrated.answer(dialect.ask(stream=False))).status == 200
    assert len({seen.connection for seen in a.requests()}) == 2


@both
@pytest.mark.parametrize("status", [204, 304])
async def test_answers_without_a_body_have_no_framing(orchestrated, fleet, dialect, status):
    a = await fleet.add("a")
    a.on(dialect.path, [f"HTTP/1.1 {status} Status\r\nX-Own: kept\r\n\r\n".encode()])
    async with await orchestrated.send(dialect.ask(stream=False)) as client:
        answer = await client.answer()
        assert answer.status == status
        assert (answer.header("content-length"), answer.header("transfer-encoding")) == (None, None)
        client.send(TAGS)
        assert (await client.answer()).status == 200


async def test_compressed_answers_pass_as_they_are(orchestrated, fleet):
    a = await fleet.add("a")
    body = gzip.compress(payload(OPENAI.stream(["Hi"])))
    a.on(OPENAI.path, wire.plain(body, content_type=wire.SSE, headers={"Content-Encoding": "gzip"}))
    answer = await orchestrated.answer(OPENAI.ask())
    assert (answer.body, answer.header("content-encoding")) == (body, "gzip")
