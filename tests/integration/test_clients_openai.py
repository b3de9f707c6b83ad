"""The packages `openai` and `anthropic`, as their users use them, in front of servers that work and servers that do not."""

import asyncio
import json
import struct
from base64 import b64decode
from collections.abc import AsyncIterator, Sequence
from operator import attrgetter
from typing import Any

import anthropic
import openai
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer

from orchestrator.demo.emulated import build
from orchestrator.demo.speech import TEXT, Profile, vector
from tests.backends.scripted_gguf import SAID
from tests.fakes import wire
from tests.fakes.replay import Replay, recordings
from tests.fakes.scripted import Script, ScriptedServer, close, cut, repeat, reset
from tests.integration.front import Front, fronted

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.parametrize("kind", ["sync", "async"])]
MODELS = ("llama3.2:latest", "nomic-embed:latest", "org/team/own-7b")
HI = [{"role": "user", "content": "hi"}]
TOOLS = json.loads(recordings("ollama")["v1-chat-tools"].body)["tools"]
CLIENTS: dict[tuple[str, str], Any] = {
    ("openai", "sync"): openai.OpenAI,
    ("openai", "async"): openai.AsyncOpenAI,
    ("anthropic", "sync"): anthropic.Anthropic,
    ("anthropic", "async"): anthropic.AsyncAnthropic,
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def front(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    async with fronted(tmp_path_factory.mktemp("front")) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def emulated(front: Front) -> AsyncIterator[None]:
    async with TestServer(build(Profile(speaks="openai", models=MODELS))) as server, front.servers(emulated=str(server.make_url("")).rstrip("/")):
        yield


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def replayed(front: Front) -> AsyncIterator[Replay]:
    async with Replay("ollama") as server, front.servers(replayed=server.url):
        yield server


class Streamed(Exception):
    """A stream that ended with an error: what came before it, and the error."""

    def __init__(self, events: list[Any], error: openai.APIError | anthropic.APIError) -> None:
        self.events = events
        self.error = error


async def call(kind: str, front: Front, method: str, *, package: str = "openai", **how: Any) -> Any:
    """The answer of a method (by its dotted name), or the list of events if it streams. Raises Streamed if its stream ends with an error."""
    base = front.base + ("/v1" if package == "openai" else "")
    client = CLIENTS[package, kind](base_url=base, api_key="sk-none", max_retries=0)
    if kind == "sync":
        return await asyncio.to_thread(_call, client, method, how)
    events: list[Any] = []
    async with client:
        answer = await attrgetter(method)(client)(**how)
        if not how.get("stream"):
            return answer
        try:
            async for event in answer:
                events.append(event)
        except (openai.APIError, anthropic.APIError) as error:
            raise Streamed(events, error) from None
    return events


def _call(client: Any, method: str, how: dict[str, Any]) -> Any:
    events: list[Any] = []
    with client:
        answer = attrgetter(method)(client)(**how)
        if not how.get("stream"):
            return answer
        try:
            for event in answer:
                events.append(event)
        except (openai.APIError, anthropic.APIError) as error:
            raise Streamed(events, error) from None
    return events


def said(chunks: Sequence[Any]) -> str:
    """The text of the chunks of a chat stream."""
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


# ---- what works


async def test_chat_and_completions_say_the_text(front: Front, emulated: None, kind: str) -> None:
    chat = await call(kind, front, "chat.completions.create", model="llama3.2", messages=HI)
    assert (chat.choices[0].message.content, chat.choices[0].finish_reason, chat.usage.completion_tokens) == (TEXT, "stop", 20)
    assert chat._request_id
    completed = await call(kind, front, "completions.create", model="org/team/own-7b", prompt="hi", max_tokens=2)
    assert (completed.choices[0].text, completed.choices[0].finish_reason) == (" The quick", "length")


async def test_streams_come_in_pieces_with_the_usage_at_the_end(front: Front, emulated: None, kind: str) -> None:
    options = {"stream": True, "stream_options": {"include_usage": True}}
    chunks = await call(kind, front, "chat.completions.create", model="llama3.2", messages=HI, **options)
    assert (len(chunks), said(chunks)) == (22, TEXT)
    assert (chunks[-2].choices[0].finish_reason, chunks[-1].usage.completion_tokens) == ("stop", 20)
    *pieces, _ = await call(kind, front, "completions.create", model="llama3.2", prompt="hi", max_tokens=2, stream=True)
    assert [piece.choices[0].text for piece in pieces] == [" The", " quick"]


async def test_the_helper_that_gathers_a_stream_ends(front: Front, emulated: None, kind: str) -> None:
    if kind == "sync":

        def gather() -> Any:
            with (
                openai.OpenAI(base_url=f"{front.base}/v1", api_key="sk-none") as client,
                client.chat.completions.stream(model="llama3.2", messages=HI) as stream,
            ):
                return stream.get_final_completion()

        final = await asyncio.to_thread(gather)
    else:
        client = openai.AsyncOpenAI(base_url=f"{front.base}/v1", api_key="sk-none")
        async with client, client.chat.completions.stream(model="llama3.2", messages=HI) as stream:
            final = await stream.get_final_completion()
    assert final.choices[0].message.content == TEXT


async def test_embeddings_come_in_base64_unless_asked_otherwise(front: Front, emulated: None, kind: str) -> None:
    expected = [vector("a"), vector("b")]
    default = await call(kind, front, "embeddings.create", model="nomic-embed", input=["a", "b"])
    assert [one.embedding for one in default.data] == [pytest.approx(values) for values in expected]
    floats = await call(kind, front, "embeddings.create", model="nomic-embed", input=["a", "b"], encoding_format="float")
    assert [one.embedding for one in floats.data] == expected
    coded = await call(kind, front, "embeddings.create", model="nomic-embed", input="a", encoding_format="base64")
    assert struct.unpack("<8f", b64decode(coded.data[0].embedding)) == pytest.approx(expected[0])


async def test_models_are_listed_and_found_by_their_ids(front: Front, emulated: None, kind: str) -> None:
    listed = await call(kind, front, "models.list")
    assert {model.id for model in listed.data} >= set(MODELS)
    found = await call(kind, front, "models.retrieve", model="org/team/own-7b")
    assert (found.id, found.object) == ("org/team/own-7b", "model")


async def test_every_answer_tells_who_gave_it(front: Front, emulated: None, kind: str) -> None:
    headers = {"X-Orchestrator-Server": "emulated", "X-Request-Id": "mine-1"}
    raw = await call(kind, front, "chat.completions.with_raw_response.create", model="llama3.2", messages=HI, extra_headers=headers)
    assert (raw.headers["x-orchestrator-server"], raw.headers["x-orchestrator-attempts"], raw.request_id) == ("emulated", "1", "mine-1")


@pytest.mark.parametrize("stream", [False, True])
async def test_tool_calls_pass_whole(front: Front, replayed: Replay, kind: str, stream: bool) -> None:
    answer = await call(kind, front, "chat.completions.create", model="scripted", messages=HI, tools=TOOLS, stream=stream)
    messages = [choice.delta for chunk in answer for choice in chunk.choices] if stream else [answer.choices[0].message]
    calls = [one for message in messages for one in message.tool_calls or []]
    assert next(one.function.name for one in calls) == "get_weather"
    assert json.loads("".join(one.function.arguments or "" for one in calls)) == {"city": "Paris"}
    finish = [choice.finish_reason for chunk in answer for choice in chunk.choices][-1] if stream else answer.choices[0].finish_reason
    assert finish == "tool_calls"


async def test_responses_pass_whole(front: Front, replayed: Replay, kind: str) -> None:
    plain = await call(kind, front, "responses.create", model="scripted", input="hi")
    assert (plain.status, plain.output_text.strip()) == ("completed", "Therefore yes!")
    events = await call(kind, front, "responses.create", model="scripted", input="hi", stream=True)
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta").strip() == "Therefore yes!"
    assert events[-1].type == "response.completed"


async def test_messages_pass_whole_to_the_anthropic_package(front: Front, replayed: Replay, kind: str) -> None:
    plain = await call(kind, front, "messages.create", package="anthropic", model="scripted", max_tokens=64, messages=HI)
    assert ([block.type for block in plain.content], plain.stop_reason) == (["thinking", "text"], "end_turn")
    events = await call(kind, front, "messages.create", package="anthropic", model="scripted", max_tokens=64, messages=HI, stream=True)
    texts = [event.delta.text for event in events if event.type == "content_block_delta" and event.delta.type == "text_delta"]
    assert ("".join(texts).strip(), events[-1].type) == ("Therefore yes!", "message_stop")


async def test_one_server_speaks_to_both_packages_in_the_same_words(front: Front, replayed: Replay, kind: str) -> None:
    chunks = await call(kind, front, "chat.completions.create", model="scripted", messages=HI, stream=True, reasoning_effort="none")
    assert said(chunks).strip() == SAID


# ---- what does not


async def test_an_unknown_model_is_a_not_found_error_with_its_code(front: Front, emulated: None, kind: str) -> None:
    with pytest.raises(openai.NotFoundError) as raised:
        await call(kind, front, "chat.completions.create", model="nope", messages=HI, stream=True)
    assert (raised.value.code, raised.value.type, raised.value.body["message"]) == ("model_not_found", "not_found_error", "model 'nope' not found")
    assert raised.value.request_id
    with pytest.raises(openai.NotFoundError, match="model 'org/nope' not found"):
        await call(kind, front, "models.retrieve", model="org/nope")
    with pytest.raises(anthropic.NotFoundError) as message:
        await call(kind, front, "messages.create", package="anthropic", model="nope", max_tokens=64, messages=HI)
    assert (message.value.type, message.value.body["error"]["message"]) == ("not_found_error", "model 'nope' not found")


@pytest.mark.parametrize(
    ("status", "code", "kind_of_error"),
    [
        (400, "context_length_exceeded", openai.BadRequestError),
        (400, "content_filter", openai.BadRequestError),
        (422, "invalid", openai.UnprocessableEntityError),
        (429, "rate_limit_exceeded", openai.RateLimitError),
        (500, "server_error", openai.InternalServerError),
    ],
)
async def test_the_servers_error_keeps_its_type_code_and_words(
    front: Front, kind: str, status: int, code: str, kind_of_error: type[openai.APIStatusError]
) -> None:
    answer = wire.openai_error(status, "the server's own words", code=code, kind="some_type", headers={"Retry-After": "30"} if status == 429 else {})
    async with ScriptedServer("openai").on("/v1/chat/completions", answer) as server, front.servers(faulty=server.url):
        with pytest.raises(kind_of_error) as raised:
            await call(kind, front, "chat.completions.create", model="m", messages=HI)
    assert (raised.value.status_code, raised.value.code, raised.value.type) == (status, code, "some_type")
    assert raised.value.body["message"] == "the server's own words"
    assert raised.value.response.headers.get("retry-after") == ("30" if status == 429 else None)


async def test_refused_credentials_are_not_the_clients_and_nothing_is_quoted(front: Front, kind: str) -> None:
    answer = wire.openai_error(401, "Incorrect API key provided: sk-up***", code="invalid_api_key")
    async with ScriptedServer("openai").on("/v1/chat/completions", answer) as server, front.servers(faulty=server.url):
        with pytest.raises(openai.InternalServerError) as raised:
            await call(kind, front, "chat.completions.create", model="m", messages=HI)
    assert (raised.value.status_code, raised.value.code) == (502, "server_misconfigured")
    assert "sk-up" not in str(raised.value)


BREAKS: dict[str, Script] = {
    "reset": [reset],
    "closed": [close],
    "ended": [wire.LAST_CHUNK],
    "malformed": [wire.MALFORMED_CHUNK],
    "cut in an event": [b'20\r\ndata: {"id":"c', close],
}


@pytest.mark.parametrize("broken", BREAKS)
async def test_a_cut_chat_raises_our_message_after_what_came(front: Front, kind: str, broken: str) -> None:
    script = [*wire.openai_begin(["a", "b"]), *BREAKS[broken]]
    async with ScriptedServer("openai").on("/v1/chat/completions", script) as server, front.servers(faulty=server.url):
        with pytest.raises(Streamed) as raised:
            await call(kind, front, "chat.completions.create", model="m", messages=HI, stream=True)
    assert said(raised.value.events) == "ab"
    assert (raised.value.error.code, raised.value.error.message[:16]) == ("upstream_closed", "upstream error: ")


@pytest.mark.parametrize("part", [0.5, 0.7, 0.9])
async def test_a_cut_response_raises_our_message(front: Front, replayed: Replay, kind: str, part: float) -> None:
    replayed.break_next("/v1/responses", cut, after_bytes=bytes_of("v1-responses-stream", part))
    with pytest.raises(Streamed) as raised:
        await call(kind, front, "responses.create", model="scripted", input="hi", stream=True)
    assert raised.value.events
    assert (raised.value.error.code, raised.value.error.message[:16]) == ("upstream_closed", "upstream error: ")


@pytest.mark.parametrize("part", [0.5, 0.7, 0.9])
async def test_a_cut_message_raises_our_message(front: Front, replayed: Replay, kind: str, part: float) -> None:
    replayed.break_next("/v1/messages", cut, after_bytes=bytes_of("v1-messages-stream", part))
    with pytest.raises(Streamed) as raised:
        await call(kind, front, "messages.create", package="anthropic", model="scripted", max_tokens=64, messages=HI, stream=True)
    assert raised.value.events
    assert raised.value.error.body["error"]["message"].startswith("upstream error: ")


async def test_a_cut_completion_raises_our_message(front: Front, kind: str) -> None:
    event = {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "m", "choices": [{"index": 0, "text": "a", "finish_reason": None}]}
    script = [*wire.chunked([b"data: " + wire.packed(event) + b"\n\n"], wire.SSE), reset]
    async with ScriptedServer("openai").on("/v1/completions", script) as server, front.servers(faulty=server.url):
        with pytest.raises(Streamed) as raised:
            await call(kind, front, "completions.create", model="m", prompt="hi", stream=True)
    assert [event.choices[0].text for event in raised.value.events] == ["a"]
    assert raised.value.error.message.startswith("upstream error: ")


async def test_a_cut_before_the_first_word_is_not_seen(front: Front, replayed: Replay, kind: str) -> None:
    replayed.break_next("/v1/completions", cut, after_bytes=bytes_of("v1-completions-stream", 0.5))  # events without text so far
    before = len(replayed.requests("/v1/completions"))
    *events, _ = await call(kind, front, "completions.create", model="scripted", prompt="hi", max_tokens=4, stream=True)
    assert events
    assert len(replayed.requests("/v1/completions")) == before + 2


def bytes_of(name: str, part: float) -> int:
    """That part of the recorded answer."""
    return int(len(recordings("ollama")[name].answer) * part)


async def test_an_error_event_of_the_server_is_raised_in_its_own_words(front: Front, kind: str) -> None:
    script = [*wire.openai_begin(["a"]), wire.openai_error_event("the engine died"), wire.chunk(wire.DONE), wire.LAST_CHUNK]
    async with ScriptedServer("openai").on("/v1/chat/completions", script) as server, front.servers(faulty=server.url):
        with pytest.raises(Streamed) as raised:
            await call(kind, front, "chat.completions.create", model="m", messages=HI, stream=True)
    assert (said(raised.value.events), raised.value.error.message) == ("a", "the engine died")


async def test_a_break_before_the_first_token_is_not_seen(front: Front, kind: str) -> None:
    async with ScriptedServer("openai") as bad, ScriptedServer("openai") as good, front.servers(bad=bad.url, good=good.url):
        bad.on("/v1/chat/completions", [*wire.openai_begin([]), reset])  # a role, which says nothing yet
        good.on("/v1/chat/completions", wire.openai_sse(["c", "d"]))
        for _ in range(4):  # equal servers take turns
            assert said(await call(kind, front, "chat.completions.create", model="m", messages=HI, stream=True)) == "cd"
        assert bad.requests("/v1/chat/completions")


async def test_a_stream_without_done_is_whole_if_it_said_why_it_ends(front: Front, kind: str) -> None:
    async with ScriptedServer("openai").on("/v1/chat/completions", wire.openai_sse(["a"], done=False)) as server, front.servers(faulty=server.url):
        chunks = await call(kind, front, "chat.completions.create", model="m", messages=HI, stream=True)
    assert (said(chunks), chunks[-1].choices[0].finish_reason) == ("a", "stop")


async def test_a_plain_answer_too_long_to_hold_breaks_the_connection_when_cut(front: Front, kind: str) -> None:
    head = wire.head(200, headers={"Content-Length": str(40 << 20)})
    script = [head, b'{"choices":"', repeat(b"x" * 65536, 400), reset]
    async with ScriptedServer("openai").on("/v1/chat/completions", script) as server, front.servers(faulty=server.url):
        with pytest.raises(openai.APIConnectionError):
            await call(kind, front, "chat.completions.create", model="m", messages=HI)


async def test_the_package_tries_again_what_the_orchestrator_could_not_mend(front: Front, kind: str) -> None:
    script = wire.openai_plain("said at last")
    async with ScriptedServer("openai") as server, front.servers(faulty=server.url):
        server.on("/v1/chat/completions", [reset], [reset], script)  # both attempts of the first request, then the package's own second request
        client = CLIENTS["openai", kind](base_url=f"{front.base}/v1", api_key="sk-none", max_retries=1)
        asked = {"model": "m", "messages": HI}
        if kind == "sync":
            answer = await asyncio.to_thread(_call, client, "chat.completions.create", asked)
        else:
            async with client:
                answer = await client.chat.completions.create(**asked)
    assert answer.choices[0].message.content == "said at last"
    assert len(server.requests()) == 3
