"""The package `ollama`, as its users use it, in front of servers that work and servers that do not."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import ollama
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer

from orchestrator.demo.emulated import build
from orchestrator.demo.speech import TEXT, WIDTH, Profile, vector
from tests.backends.scripted_gguf import SAID
from tests.fakes import wire
from tests.fakes.replay import Replay, recordings
from tests.fakes.scripted import Script, ScriptedServer, close, cut, reset
from tests.integration.front import Front, fronted

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.parametrize("kind", ["sync", "async"])]
MODELS = ("llama3.2:latest", "nomic-embed:latest", "team/own:7b")
HI = [{"role": "user", "content": "hi"}]
CALL_PATHS = {"chat": "/api/chat", "generate": "/api/generate"}
TOOL = json.loads(recordings("ollama")["chat-tools"].body)["tools"][0]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def front(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    async with fronted(tmp_path_factory.mktemp("front")) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def emulated(front: Front) -> AsyncIterator[None]:
    async with TestServer(build(Profile(speaks="ollama", models=MODELS))) as server, front.servers(emulated=str(server.make_url("")).rstrip("/")):
        yield


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def replayed(front: Front) -> AsyncIterator[None]:
    async with Replay("ollama") as server, front.servers(replayed=server.url):
        yield


class Streamed(Exception):
    """A stream that ended with an error: what came before it, and the error."""

    def __init__(self, records: list[Any], error: ollama.ResponseError) -> None:
        self.records = records
        self.error = error.error
        self.status = error.status_code


async def call(kind: str, front: Front, method: str, **how: Any) -> Any:
    """The answer of a method of the sync or async client; the list of records if it streams. Raises Streamed if its stream ends with an error."""
    if kind == "sync":
        return await asyncio.to_thread(_call, front, method, how)
    records: list[Any] = []
    async with ollama.AsyncClient(front.base) as client:
        answer = await getattr(client, method)(**how)
        if not how.get("stream"):
            return answer
        try:
            async for record in answer:
                records.append(record)
        except ollama.ResponseError as error:
            raise Streamed(records, error) from None
    return records


def _call(front: Front, method: str, how: dict[str, Any]) -> Any:
    records: list[Any] = []
    with ollama.Client(front.base) as client:
        answer = getattr(client, method)(**how)
        if not how.get("stream"):
            return answer
        try:
            for record in answer:
                records.append(record)
        except ollama.ResponseError as error:
            raise Streamed(records, error) from None
    return records


# ---- what works


async def test_chat_and_generate_say_the_text(front: Front, emulated: None, kind: str) -> None:
    chat = await call(kind, front, "chat", model="llama3.2", messages=HI)
    assert (chat.model, chat.message.content, chat.done, chat.done_reason) == ("llama3.2", TEXT, True, "stop")
    generated = await call(kind, front, "generate", model="LLAMA3.2:latest", prompt="hi")
    assert (generated.model, generated.response, generated.done) == ("LLAMA3.2:latest", TEXT, True)


async def test_streams_come_in_pieces_with_the_counts_at_the_end(front: Front, emulated: None, kind: str) -> None:
    *pieces, last = await call(kind, front, "chat", model="team/own:7b", messages=HI, stream=True)
    assert "".join(piece.message.content for piece in pieces) == TEXT
    assert (len(pieces), last.done, last.eval_count) == (20, True, 20)
    *pieces, last = await call(kind, front, "generate", model="llama3.2", prompt="hi", stream=True, options={"num_predict": 3})
    assert ([piece.response for piece in pieces], last.done_reason) == ([" The", " quick", " brown"], "length")


async def test_embeddings_of_both_ages(front: Front, emulated: None, kind: str) -> None:
    both = await call(kind, front, "embed", model="nomic-embed", input=["a", "b"])
    assert [list(one) for one in both.embeddings] == [vector("a"), vector("b")]
    old = await call(kind, front, "embeddings", model="nomic-embed", prompt="a")
    assert len(old.embedding) == WIDTH


async def test_lists_and_details(front: Front, emulated: None, kind: str) -> None:
    listed = await call(kind, front, "list")
    assert {model.model for model in listed.models} >= set(MODELS)
    assert all(model.digest and model.size and model.modified_at for model in listed.models)
    shown = await call(kind, front, "show", model="llama3.2")
    assert (shown.details.family, shown.capabilities) == ("llama", ["completion"])


async def test_loaded_models_show_in_ps(front: Front, emulated: None, kind: str) -> None:
    assert (await call(kind, front, "generate", model="team/own:7b", keep_alive="10m")).done_reason == "load"
    await front.ask("POST", "/api/servers/emulated/check")
    assert "team/own:7b" in {model.model for model in (await call(kind, front, "ps")).models}
    assert (await call(kind, front, "generate", model="team/own:7b", keep_alive=0)).done_reason == "unload"


@pytest.mark.parametrize("stream", [False, True])
async def test_tool_calls_pass_whole(front: Front, replayed: None, kind: str, stream: bool) -> None:
    answer = await call(kind, front, "chat", model="scripted", messages=HI, tools=[TOOL], stream=stream)
    (called,) = [one for record in (answer if stream else [answer]) for one in record.message.tool_calls or []]
    assert (called.function.name, called.function.arguments) == ("get_weather", {"city": "Paris"})


async def test_thinking_passes_apart_from_the_text(front: Front, replayed: None, kind: str) -> None:
    records = await call(kind, front, "chat", model="scripted", messages=HI, think=True, stream=True)
    assert "".join(record.message.thinking or "" for record in records).strip() == "First consider both sides,"
    assert "".join(record.message.content for record in records).strip() == "Therefore yes!"
    plain = await call(kind, front, "chat", model="scripted", messages=HI, think=False)
    assert plain.message.content.strip() == SAID


# ---- what does not


async def test_an_unknown_model_is_a_404_with_ollamas_words(front: Front, emulated: None, kind: str) -> None:
    with pytest.raises(ollama.ResponseError) as plain:
        await call(kind, front, "chat", model="nope", messages=HI)
    assert (plain.value.status_code, plain.value.error) == (404, "model 'nope' not found")
    with pytest.raises(Streamed) as streamed:
        await call(kind, front, "generate", model="nope", prompt="hi", stream=True)
    assert (streamed.value.status, streamed.value.error, streamed.value.records) == (404, "model 'nope' not found", [])
    with pytest.raises(ollama.ResponseError) as shown:
        await call(kind, front, "show", model="nope")
    assert (shown.value.status_code, shown.value.error) == (404, "model 'nope:latest' not found")


async def test_what_is_not_built_says_so(front: Front, kind: str) -> None:
    with pytest.raises(ollama.ResponseError, match="pulling a model is not possible") as pulled:
        await call(kind, front, "pull", model="llama3.2")
    assert pulled.value.status_code == 501
    with pytest.raises(ollama.ResponseError, match="deleting a model is not possible"):
        await call(kind, front, "delete", model="llama3.2")


async def test_a_clients_own_mistake_comes_back_in_the_servers_words(front: Front, replayed: None, kind: str) -> None:
    with pytest.raises(ollama.ResponseError) as raised:
        await call(kind, front, "chat", model="count", messages=HI, think=True)
    assert (raised.value.status_code, raised.value.error) == (400, '"count" does not support thinking')


def begun(method: str) -> list[bytes]:
    """Two tokens of a stream that is still open."""
    return wire.ollama_begin(["a", "b"]) if method == "chat" else wire.ollama_generate(["a", "b"])[:3]


BREAKS: dict[str, Script] = {
    "reset": [reset],
    "closed": [close],
    "ended": [wire.LAST_CHUNK],
    "malformed": [wire.MALFORMED_CHUNK],
    "cut in a record": [b'20\r\n{"model":"m","mess', close],
}


@pytest.mark.parametrize("method", ["chat", "generate"])
@pytest.mark.parametrize("broken", BREAKS)
async def test_a_cut_stream_raises_our_message_after_what_came(front: Front, kind: str, method: str, broken: str) -> None:
    asked = {"messages": HI} if method == "chat" else {"prompt": "hi"}
    async with ScriptedServer("ollama").on(CALL_PATHS[method], [*begun(method), *BREAKS[broken]]) as server, front.servers(faulty=server.url):
        with pytest.raises(Streamed) as raised:
            await call(kind, front, method, model="m", stream=True, **asked)
    texts = [record.message.content if method == "chat" else record.response for record in raised.value.records]
    assert texts == ["a", "b"]
    assert not any(record.done for record in raised.value.records)
    assert raised.value.error.startswith("upstream error: ")


async def test_the_servers_own_error_record_is_raised_as_it_is(front: Front, kind: str) -> None:
    script = [*begun("chat"), wire.ollama_error_record("llama runner process has terminated"), wire.LAST_CHUNK]
    async with ScriptedServer("ollama").on("/api/chat", script) as server, front.servers(faulty=server.url):
        with pytest.raises(Streamed) as raised:
            await call(kind, front, "chat", model="m", messages=HI, stream=True)
    assert (len(raised.value.records), raised.value.error) == (2, "llama runner process has terminated")


async def test_a_break_before_the_first_token_is_not_seen(front: Front, kind: str) -> None:
    async with ScriptedServer("ollama") as bad, ScriptedServer("ollama") as good, front.servers(bad=bad.url, good=good.url):
        bad.on("/api/chat", cut(wire.ollama_chat(["a"]), 60))
        good.on("/api/chat", wire.ollama_chat(["c", "d"]))
        for _ in range(4):  # equal servers take turns
            records = await call(kind, front, "chat", model="m", messages=HI, stream=True)
            assert ["".join(record.message.content for record in records), records[-1].done] == ["cd", True]
        assert bad.requests("/api/chat")


async def test_a_plain_answer_that_is_cut_is_an_error_with_our_words(front: Front, kind: str) -> None:
    async with ScriptedServer("ollama").on("/api/chat", cut(wire.ollama_plain("said"), 150)) as server, front.servers(faulty=server.url):
        with pytest.raises(ollama.ResponseError, match="server 'faulty' failed before it answered") as raised:
            await call(kind, front, "chat", model="m", messages=HI)
    assert raised.value.status_code == 502


async def test_a_busy_server_says_when_to_come_back(front: Front, kind: str) -> None:
    busy = wire.ollama_error(503, "server busy, please try again.  maximum pending requests exceeded", {"Retry-After": "30"})
    async with ScriptedServer("ollama").on("/api/chat", busy) as server, front.servers(faulty=server.url):
        with pytest.raises(ollama.ResponseError, match="server busy") as raised:
            await call(kind, front, "chat", model="m", messages=HI)
    assert raised.value.status_code == 503
