import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest

from tests.fakes import wire
from tests.fakes.scripted import ScriptedServer, bytewise, close, close_delimited, cut, early, hang, pause, refusing, repeat, reset, unanswering

POST = b"POST /api/chat HTTP/1.1\r\nHost: h\r\nX-Two: 1\r\nX-Two: 2\r\nContent-Length: 4\r\n\r\nbody"


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with ScriptedServer(models=["m:latest", "n:latest"]) as running:
        yield running


async def talk(server: ScriptedServer, request: bytes = POST, until: bytes = b"") -> bytes:
    """What the server sends until it closes, or until these bytes; b"RST" is added if it resets."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request)
    got = b""
    try:
        async with asyncio.timeout(10):
            while not (until and until in got) and (piece := await reader.read(65536)):
                got += piece
    except ConnectionResetError:
        got += b"RST"
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return got


async def test_a_whole_stream_arrives_as_scripted(server: ScriptedServer) -> None:
    server.on("/api/chat", [*wire.ollama_chat(["Hi", "!"]), close])
    got = await talk(server)
    assert got == b"".join(wire.ollama_chat(["Hi", "!"]))
    assert got.count(b'"done":false') == 2
    assert got.endswith(b"}\n\r\n0\r\n\r\n")


async def test_what_arrived_is_kept_with_repeated_headers(server: ScriptedServer) -> None:
    server.on("/api/chat", [*wire.ollama_plain("Hi"), close])
    await talk(server)
    (seen,) = server.requests("/api/chat")
    assert (seen.method, seen.path, seen.body) == ("POST", "/api/chat", b"body")
    assert [value for name, value in seen.headers if name == "x-two"] == ["1", "2"]
    assert seen.header("host") == "h"
    assert seen.header("absent") is None


async def test_chunked_request_bodies_are_read(server: ScriptedServer) -> None:
    server.on("/api/chat", [*wire.ollama_plain("Hi"), close])
    await talk(server, b"POST /api/chat HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2;ext=1\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n")
    assert server.requests("/api/chat")[0].body == b"body"


async def test_scripts_are_used_in_order_and_the_last_one_stays(server: ScriptedServer) -> None:
    server.on("/api/chat", [reset], [*wire.ollama_plain("later"), close])
    assert await talk(server) == b"RST"
    assert b"later" in await talk(server)
    assert b"later" in await talk(server)


async def test_one_connection_carries_many_requests(server: ScriptedServer) -> None:
    server.on("/api/chat", wire.ollama_plain("Hi"), [*wire.ollama_plain("Ho"), close])
    got = await talk(server, POST + POST)
    assert got.index(b"Hi") < got.index(b"Ho")
    assert server.accepted == 1
    assert [seen.connection for seen in server.requests()] == [1, 1]


async def test_a_cut_ends_after_that_many_bytes_with_a_reset(server: ScriptedServer) -> None:
    server.on("/api/chat", cut(wire.ollama_chat(["Hi"]), 150))
    got = await talk(server)
    assert got == b"".join(wire.ollama_chat(["Hi"]))[:150] + b"RST"


async def test_bytes_may_come_one_by_one(server: ScriptedServer) -> None:
    server.on("/api/chat", [*bytewise(wire.ollama_plain("Hi")), close])
    assert await talk(server) == b"".join(wire.ollama_plain("Hi"))


async def test_an_event_holds_a_script(server: ScriptedServer) -> None:
    go = asyncio.Event()
    server.on("/api/chat", [go, *wire.ollama_plain("Hi"), close])
    talking = asyncio.create_task(talk(server))
    seen = await server.request("/api/chat")
    assert seen.sent_bytes == 0
    go.set()
    assert b"Hi" in await talking
    assert seen.answered
    assert not seen.client_left


async def test_a_client_that_leaves_is_noticed_while_the_script_hangs(server: ScriptedServer) -> None:
    server.on("/api/chat", [*wire.ollama_begin(["Hi"]), hang])
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(POST)
    await reader.readuntil(b'"Hi"')
    seen = await server.request("/api/chat")
    assert not seen.left.is_set()
    writer.close()
    await seen.until_left()
    assert seen.client_left
    assert seen.left_at >= seen.arrived_at


async def test_a_client_that_leaves_after_the_answer_did_not_leave_early(server: ScriptedServer) -> None:
    server.on("/api/chat", wire.ollama_plain("Hi"))
    await talk(server, until=b"Hi")
    (seen,) = server.requests("/api/chat")
    await seen.until_left()
    assert not seen.client_left


async def test_an_early_answer_does_not_wait_for_the_body(server: ScriptedServer) -> None:
    server.on("/api/chat", early(wire.ollama_error(400, "no")))
    got = await talk(server, b"POST /api/chat HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n")
    assert b"400 Bad Request" in got
    assert not server.requests("/api/chat")[0].got_body.is_set()


async def test_a_close_delimited_body_ends_with_the_connection(server: ScriptedServer) -> None:
    server.on("/api/chat", close_delimited([wire.ollama_record("Hi"), wire.ollama_done(1)]))
    got = await talk(server)
    assert got.endswith(wire.ollama_done(1))
    assert b"Content-Length" not in got


async def test_sending_waits_for_a_client_that_does_not_read(server: ScriptedServer) -> None:
    server.on("/api/chat", [*wire.ollama_begin([]), repeat(wire.chunk(b"x" * 65536), 1000)])
    _, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
    writer.write(POST)
    seen = await server.request("/api/chat")
    await asyncio.sleep(0.2)
    assert not seen.answered
    assert seen.sent_bytes < 1000 * 65536
    writer.close()
    await seen.until_left()
    assert seen.client_left


async def test_a_key_is_demanded() -> None:
    async with ScriptedServer("openai", key="right") as server:
        request = b"GET /v1/models HTTP/1.1\r\nAuthorization: Bearer %s\r\n\r\n"
        assert b"401 Unauthorized" in await talk(server, request % b"wrong", until=b"}}")
        assert b'"m:latest"' in await talk(server, request % b"right", until=b"]}")


@pytest.mark.parametrize(("speaks", "path", "status"), [("ollama", "/v1/models", b"404"), ("ollama", "/api/tags", b"200"), ("openai", "/api/tags", b"404")])
async def test_a_server_lists_models_in_what_it_speaks(speaks: str, path: str, status: bytes) -> None:
    async with ScriptedServer(speaks) as server:  # type: ignore[arg-type]
        got = await talk(server, b"GET %s HTTP/1.1\r\n\r\n" % path.encode(), until=b"\r\n\r\n")
        assert got.startswith(b"HTTP/1.1 " + status)


async def test_a_server_that_is_down_refuses_and_comes_back_on_its_port(server: ScriptedServer) -> None:
    port = server.port
    await server.down()
    with pytest.raises(ConnectionRefusedError):
        await talk(server)
    await server.up()
    assert server.port == port
    assert b"404 page not found" in await talk(server, until=b"not found")


async def test_going_down_drops_what_is_open_and_leaves_no_task(server: ScriptedServer) -> None:
    server.on("/api/chat", [*wire.ollama_begin(["Hi"]), pause(60)])
    talking = asyncio.create_task(talk(server))
    seen = await server.request("/api/chat")
    await server.down()
    assert b'"done":true' not in await talking
    assert not seen.client_left
    assert len(asyncio.all_tasks()) == 1


async def test_a_refusing_address_refuses() -> None:
    with refusing() as url, pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))


async def test_an_unanswering_address_neither_accepts_nor_refuses() -> None:
    with unanswering() as url, socket.socket() as client:
        client.setblocking(False)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", int(url.rpartition(":")[2]))), 0.2)


def test_only_bytes_can_be_cut() -> None:
    with pytest.raises(TypeError):
        cut([b"x", hang], 1)
