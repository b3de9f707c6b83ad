import asyncio

import h11
import pytest

from tests.fakes.replay import Replay, recordings
from tests.fakes.scripted import ScriptedServer, cut, reset
from tests.fakes.strict import StrictClient, requests_of

CHAT = recordings("ollama")["chat-stream"]


def request(path: str, body: bytes) -> bytes:
    return b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (path.encode(), len(body), body)


@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        ("/api/chat", b'{"think":false,"messages":[{"content":"hi","role":"user"}],"model":"scripted:latest"}', "chat-stream"),
        ("/api/chat", b'{"model":"scripted","messages":[{"role":"user","content":"other"}]}', "chat-stream"),
        ("/api/chat", b'{"model":"scripted","messages":[{"role":"user","content":"other"}],"stream":false}', "chat"),
        ("/api/generate", b'{"model":"scripted","prompt":"","keep_alive":"0s"}', "unload"),
        ("/api/generate", b'{"model":"scripted"}', "load"),
        ("/v1/embeddings", b'{"model":"embed","input":"other","encoding_format":"base64"}', "v1-embeddings-base64"),
        ("/nothing", b"{}", "error-not-found"),
    ],
)
async def test_a_request_gets_the_answer_that_fits_best(path: str, body: bytes, name: str) -> None:
    recording = recordings("ollama")[name]
    async with Replay("ollama") as server, StrictClient(server.port) as client:
        answer = await client.ask(request(path, body))
    assert (answer.status, answer.body) == (recording.status, recording.answer_body)


async def test_an_answer_comes_in_the_pieces_of_the_real_server() -> None:
    assert len(CHAT.pieces) == 1 + CHAT.answer_body.count(b"\n") + 1
    assert b"".join(CHAT.pieces[1:]).endswith(b"0\r\n\r\n")


async def test_only_the_next_answer_breaks() -> None:
    async with Replay("ollama") as server:
        server.break_next("/api/chat", cut, after_bytes=900)
        with pytest.raises((h11.RemoteProtocolError, ConnectionResetError)):
            async with StrictClient(server.port) as client:
                await client.ask(CHAT.request)
        async with StrictClient(server.port) as client:
            assert (await client.ask(CHAT.request)).body == CHAT.answer_body
        server.fail_next("/api/chat", reset)
        with pytest.raises((h11.RemoteProtocolError, ConnectionResetError)):
            async with StrictClient(server.port) as client:
                await client.ask(CHAT.request)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    ],
)
async def test_the_strict_client_refuses_wrong_framing(answer: bytes) -> None:
    async with ScriptedServer("nothing").on("/", [answer]) as server, StrictClient(server.port) as client:
        with pytest.raises((h11.RemoteProtocolError, AssertionError)):
            async with asyncio.timeout(5):
                await client.ask(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")


def test_a_connection_falls_apart_into_its_requests() -> None:
    two = [b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", request("/a", b"body")]
    assert requests_of(b"".join(two)) == two
