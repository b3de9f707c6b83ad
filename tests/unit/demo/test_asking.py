from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from pytest_aiohttp.plugin import AiohttpServer

from orchestrator.demo.asking import Dialect, ask
from orchestrator.demo.emulated import build
from orchestrator.demo.speech import TEXT, Profile, tokens_of
from tests.fakes import wire
from tests.fakes.scripted import ScriptedServer, close, cut


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as open_session:
        yield open_session


@pytest.fixture
async def emulated(aiohttp_server: AiohttpServer) -> TestServer:
    return await aiohttp_server(build(Profile(models=("m:latest",))))


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("dialect", ["ollama", "openai"])
async def test_a_whole_answer_is_read_in_both_dialects(session: aiohttp.ClientSession, emulated: TestServer, dialect: Dialect, stream: bool) -> None:
    answer = await ask(session, str(emulated.make_url("")).rstrip("/"), dialect, "m:latest", stream=stream)
    assert answer.fault == ""
    assert answer.text == TEXT
    assert answer.tokens == len(tokens_of(TEXT))
    assert answer.first_token_seconds > 0


async def test_who_answered_is_read_from_the_headers(session: aiohttp.ClientSession) -> None:
    async with ScriptedServer() as server:
        head, *rest = wire.ollama_chat(["Hi"])
        server.on("/api/chat", [head.replace(b"\r\n", b"\r\nX-Orchestrator-Server: attic\r\nX-Orchestrator-Attempts: 2\r\n", 1), *rest])
        answer = await ask(session, server.url, "ollama", "m", stream=True)
    assert (answer.server, answer.attempts, answer.text) == ("attic", "2", "Hi")


@pytest.mark.parametrize(
    ("dialect", "script"),
    [
        ("ollama", wire.ollama_chat(["Hi"], done=False)),
        ("openai", wire.openai_sse(["Hi"], done=False)),
        ("ollama", cut(wire.ollama_chat(["Hi"]), 250)),
        ("ollama", [*wire.ollama_begin(["Hi"]), wire.ollama_error_record("broken"), wire.LAST_CHUNK]),
        ("openai", [*wire.openai_begin(["Hi"]), wire.openai_error_event("broken"), wire.LAST_CHUNK]),
        ("openai", wire.openai_error(503, "busy")),
        ("openai", [close]),
    ],
)
async def test_an_answer_that_is_not_whole_is_a_fault(session: aiohttp.ClientSession, dialect: Dialect, script: list) -> None:
    async with ScriptedServer() as server:
        server.on("*", script)
        answer = await ask(session, server.url, dialect, "m", stream=True)
    assert answer.fault
