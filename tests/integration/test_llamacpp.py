"""A real llama.cpp behind the orchestrator: what it says arrives to the letter, its death is noticed, its return too."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import ollama
import openai
import pytest
import pytest_asyncio

from tests.backends.llamacpp import LlamaCpp
from tests.backends.scripted_gguf import SAID, WIDTH
from tests.fakes.replay import recordings
from tests.integration.front import Front, fronted

pytestmark = pytest.mark.asyncio(loop_scope="module")
HI = [{"role": "user", "content": "hi"}]
COUNT = [{"role": "user", "content": "count"}]
SILENT = {"chat_template_kwargs": {"enable_thinking": False}}
TOOLS = json.loads(recordings("llamacpp")["chat-tools"].body)["tools"]
VOLATILE = ("id", "created", "timings", "system_fingerprint", "usage", "tool_calls", "sequence_number")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[LlamaCpp]:
    running = LlamaCpp()
    await asyncio.to_thread(running.__enter__)
    try:
        yield running
    finally:
        await asyncio.to_thread(running.__exit__, None, None, None)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def front(server: LlamaCpp, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    """Probes several times a second, so that a death and a return show soon."""
    async with fronted(tmp_path_factory.mktemp("front"), PROBE_INTERVAL_SECONDS="0.3") as running, running.servers(llama=server.url):
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(front: Front) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{front.base}/v1", api_key="sk-none", max_retries=0) as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def direct(server: LlamaCpp) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="sk-none", max_retries=0) as found:
        yield found


async def chat(client: openai.AsyncOpenAI, **how: Any) -> Any:
    """The answer as JSON value; a list of them if it streams."""
    answer = await client.chat.completions.create(**{"model": "scripted", "messages": HI, "extra_body": SILENT, **how})
    return [event.to_dict() async for event in answer] if how.get("stream") else answer.to_dict()


def lasting(value: Any) -> Any:
    """Without what differs from one answer to the next of the same server."""
    if isinstance(value, dict):
        return {name: lasting(member) for name, member in value.items() if name not in VOLATILE}
    return [lasting(member) for member in value] if isinstance(value, list) else value


def text(events: list[Any], member: str = "content") -> str:
    return "".join(choice["delta"].get(member) or "" for event in events for choice in event["choices"])


async def test_it_is_found_to_be_what_it_is(front: Front) -> None:
    state = await front.server("llama")
    expected = {"kind": "llamacpp", "supportsOllama": False, "supportsV1": True, "models": [], "v1Models": ["scripted"], "status": "healthy"}
    assert {name: state[name] for name in expected} == expected
    _, models = await front.ask("GET", "/api/servers/llama/models")
    ((name, length),) = [(model["name"], model["contextLength"]) for model in models["v1Models"]]
    assert (name, models["models"]) == ("scripted", [])
    assert length >= 4096


async def test_ollama_clients_do_not_see_it(front: Front) -> None:
    async with ollama.AsyncClient(front.base) as client:
        assert (await client.list()).models == []
        with pytest.raises(ollama.ResponseError, match="model 'scripted' not found"):
            await client.chat(model="scripted", messages=HI)


@pytest.mark.parametrize(
    "more", [{}, {"extra_body": {}}, {"tools": TOOLS}, {"max_tokens": 3}, {"stop": ["lazy"]}, {"n": 2}, {"logprobs": True, "max_tokens": 2}]
)
@pytest.mark.parametrize("stream", [False, True])
async def test_chat_is_the_same_to_the_letter_as_without_the_orchestrator(
    client: openai.AsyncOpenAI, direct: openai.AsyncOpenAI, stream: bool, more: dict[str, Any]
) -> None:
    through, without = await chat(client, stream=stream, **more), await chat(direct, stream=stream, **more)
    if stream and more.get("n"):  # the two answers come in any order
        through, without = (sorted(map(repr, lasting(events))) for events in (through, without))
    assert lasting(through) == lasting(without)


async def test_it_says_its_sentence_calls_a_tool_and_reasons(client: openai.AsyncOpenAI) -> None:
    assert (await chat(client))["choices"][0]["message"]["content"] == SAID
    assert text(await chat(client, stream=True)) == SAID
    events = await chat(client, stream=True, tools=TOOLS)
    calls = [call["function"] for event in events for choice in event["choices"] for call in choice["delta"].get("tool_calls") or []]
    assert "".join(call.get("name") or "" for call in calls) == "get_weather"
    assert json.loads("".join(call.get("arguments") or "" for call in calls)) == {"city": "Paris"}
    thought = await chat(client, stream=True, extra_body={})
    assert text(thought, "reasoning_content").strip() == "First consider both sides,"
    assert text(thought).strip() == "Therefore yes!"


async def test_completions_responses_and_messages(client: openai.AsyncOpenAI, front: Front) -> None:
    completed = await client.completions.create(model="scripted", prompt="hi <|say|>", max_tokens=64)
    assert completed.choices[0].text.strip() == SAID
    pieces = await client.completions.create(model="scripted", prompt="hi <|count|>", max_tokens=5, stream=True)
    assert "".join([piece.choices[0].text async for piece in pieces]).split() == ["1", "2", "3", "4", "5"]
    events = [event async for event in await client.responses.create(model="scripted", input="hi", stream=True)]
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta").strip() == "Therefore yes!"
    assert events[-1].type == "response.completed"
    async with anthropic.AsyncAnthropic(base_url=front.base, api_key="sk-none", max_retries=0) as other:
        stream = await other.messages.create(model="scripted", max_tokens=32, messages=HI, stream=True)
        told = [event async for event in stream]
    texts = [event.delta.text for event in told if event.type == "content_block_delta" and event.delta.type == "text_delta"]
    assert ("".join(texts).strip(), told[-1].type) == ("Therefore yes!", "message_stop")


async def test_a_conversation_too_long_is_the_clients_own_mistake(client: openai.AsyncOpenAI, front: Front) -> None:
    for _ in range(6):
        with pytest.raises(openai.BadRequestError, match="exceed") as raised:
            await chat(client, messages=[{"role": "user", "content": "word " * 9000}])
        assert raised.value.type == "exceed_context_size_error"
    assert (await front.server("llama"))["status"] == "healthy"


async def test_a_server_for_embeddings_stands_beside_it(client: openai.AsyncOpenAI, front: Front) -> None:
    other = LlamaCpp("embed", embedding=True)
    await asyncio.to_thread(other.__enter__)
    try:
        async with front.servers(embedder=other.url), openai.AsyncOpenAI(base_url=f"{other.url}/v1", api_key="sk-none") as direct:
            through, without = [await one.embeddings.create(model="embed", input=["hi", "ho"]) for one in (client, direct)]
            assert [len(entry.embedding) for entry in through.data] == [WIDTH, WIDTH]
            assert [entry.embedding for entry in through.data] == [entry.embedding for entry in without.data]
    finally:
        await asyncio.to_thread(other.__exit__, None, None, None)


async def count_until_killed(client: openai.AsyncOpenAI, server: LlamaCpp, events: list[Any]) -> None:
    """A long stream, whose server dies as soon as it has said something."""
    stream = await client.chat.completions.create(model="scripted", messages=COUNT, stream=True, logprobs=True, top_logprobs=20, extra_body=SILENT)
    async for event in stream:
        events.append(event.to_dict())
        if text(events) and server.running:
            server.kill()


async def test_its_death_in_a_stream_is_an_error_and_its_return_is_found(server: LlamaCpp, client: openai.AsyncOpenAI, front: Front) -> None:
    events: list[Any] = []
    with pytest.raises(openai.APIError, match="upstream error: ") as raised:
        await count_until_killed(client, server, events)
    assert raised.value.code == "upstream_closed"
    assert text(events).split()[:1] == ["1"]
    assert not any(choice["finish_reason"] for event in events for choice in event["choices"])
    with pytest.raises(openai.InternalServerError) as refused:
        await chat(client)
    assert "llama" in refused.value.body["message"]
    state = await front.until("llama", status="down", healthy=False)
    assert (state["inFlight"], "refused" in state["statusReason"]) == (0, True)

    await asyncio.to_thread(server.start)
    await front.until("llama", healthy=True)
    assert (await chat(client))["choices"][0]["message"]["content"] == SAID
    assert (await front.server("llama"))["inFlight"] == 0
