"""Bytes of real servers, through the orchestrator: what comes out is what went in."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.fakes.replay import Recording, Replay, recordings, split
from tests.fakes.strict import Answer, StrictClient
from tests.integration.front import Front, fronted

pytestmark = pytest.mark.asyncio(loop_scope="module")
OLLAMA, LLAMACPP = recordings("ollama"), recordings("llamacpp")

# The orchestrator itself answers these: lists, unknown models and paths, and bodies that say not where to go. Compared by status, media type and shape.
OWN = {"v1-model", "v1-model-missing", "show-missing", "v1-chat-missing", "v1-messages-missing"}
OWN |= {name for name, one in OLLAMA.items() if name.startswith("error-") and one.status in (400, 404, 405)} - {"error-bad-type", "error-bad-keep-alive"}
OWN |= {"v1-chat-bad-json", "chat-bad-json"}
NOT_OF_ONE_SERVER = {"root", "root-head", "version", "tags", "tags-head", "ps", "ps-none", "v1-models"}
MANAGEMENT = re.compile("create|copy|delete|blob|pull|push")
CORS = {"cors-preflight", "cors-foreign"}
# An OpenAI-compatible server answers to every model name; the orchestrator only to those that it lists.
NAMES_NOBODY = {"chat-other-model"}
VOLATILE = re.compile(r"(_at|_id|^created|^id|^digest|^size|_vram)$")


def relayed(found: dict[str, Recording], path: str) -> list[Any]:
    passed = (name for name, one in found.items() if one.method == "POST" and one.path.startswith(path) and name not in OWN | CORS | NAMES_NOBODY)
    return [pytest.param(found[name], id=name) for name in passed if not MANAGEMENT.search(name)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def front(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    async with fronted(tmp_path_factory.mktemp("front")) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ollama(front: Front) -> AsyncIterator[Replay]:
    async with Replay("ollama") as server, front.servers(ollama=server.url):
        yield server


async def exchange(front: Front, recording: Recording) -> Answer:
    """The answer to the recorded request, which asked for the end of the connection."""
    async with StrictClient(front.port) as client:
        return await client.ask(recording.request)


async def same_through(front: Front, server: Replay, recording: Recording) -> None:
    answer = await exchange(front, recording)
    assert (answer.status, answer.header("content-type"), answer.body) == (recording.status, recording.headers["content-type"], recording.answer_body)
    assert answer.header("x-orchestrator-attempts") == ("2" if recording.status == 500 else "1")
    assert server.requests()[-1].body == recording.body


@pytest.mark.parametrize("recording", relayed(OLLAMA, "/"))
async def test_ollama_answers_pass_byte_for_byte_and_so_do_the_requests(front: Front, ollama: Replay, recording: Recording) -> None:
    await same_through(front, ollama, recording)


async def test_llamacpp_answers_pass_byte_for_byte(tmp_path: Any) -> None:
    async with fronted(tmp_path) as front, Replay("llamacpp") as server, front.servers(l=server.url):
        for param in relayed(LLAMACPP, "/v1/"):
            await same_through(front, server, param.values[0])
        state = await front.server("l")
        assert {name: state[name] for name in ("kind", "supportsOllama", "supportsV1", "v1Models")} == {
            "kind": "llamacpp", "supportsOllama": False, "supportsV1": True, "v1Models": ["scripted"],
        }  # fmt: skip
        assert not any(breaker["state"] != "closed" for breaker in (await front.ask("GET", "/api/breakers"))[1])


def blanked(value: Any) -> Any:
    """Without what changes from server to server and from time to time; lists of models in one order."""
    if isinstance(value, dict):
        return {name: "~" if VOLATILE.search(name) else blanked(member) for name, member in value.items()}
    return sorted((blanked(member) for member in value), key=json.dumps) if isinstance(value, list) else value


@pytest.mark.parametrize("name", ["root", "root-head", "version", "tags", "tags-head", "ps", "v1-models", "v1-model"])
async def test_lists_are_as_the_only_server_gives_them(front: Front, ollama: Replay, name: str) -> None:
    recording = OLLAMA[name]
    answer = await exchange(front, recording)
    assert (answer.status, answer.header("content-type")) == (recording.status, recording.headers["content-type"])
    if recording.media_type == "application/json" and recording.method == "GET":
        assert blanked(json.loads(answer.body)) == blanked(json.loads(recording.answer_body))
    else:
        assert answer.body == recording.answer_body


def shape(value: Any) -> Any:
    """Names and types of the members; servers differ in whether a missing text is null."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items()}
    return "str" if value is None else type(value).__name__


@pytest.mark.parametrize("name", sorted(OWN - {"v1-model", "chat-bad-json"}))
async def test_errors_of_its_own_look_like_those_of_the_real_server(front: Front, ollama: Replay, name: str) -> None:
    recording, before = OLLAMA[name], len(ollama.requests())
    answer = await exchange(front, recording)
    assert (answer.status, answer.media_type) == (recording.status, recording.media_type)
    if recording.media_type == "application/json":
        assert shape(json.loads(answer.body)) == shape(json.loads(recording.answer_body))
    else:
        assert answer.body == recording.answer_body
    assert len(ollama.requests()) == before


@pytest.mark.parametrize("name", sorted(name for name in OLLAMA if MANAGEMENT.search(name)))
async def test_management_is_not_built_and_says_so(front: Front, ollama: Replay, name: str) -> None:
    answer = await exchange(front, OLLAMA[name])
    assert (answer.status, answer.media_type) == (501, "application/json")
    if OLLAMA[name].method != "HEAD":
        assert "is not possible through the orchestrator" in json.loads(answer.body)["error"]


@pytest.mark.parametrize("name", sorted(CORS))
async def test_origins_are_treated_as_ollama_treats_them(front: Front, ollama: Replay, name: str) -> None:
    recording = OLLAMA[name]
    answer = await exchange(front, recording)
    assert (answer.status, answer.body) == (recording.status, recording.answer_body)
    for header in (header for header in recording.headers if header.startswith("access-control-")):
        assert answer.header(header) is not None, header


async def test_no_recorded_failure_of_a_client_opens_a_breaker_where_a_second_server_repeats_it(front: Front, ollama: Replay) -> None:
    async with Replay("ollama") as second, front.servers(second=second.url):
        for recording in (one.values[0] for one in relayed(OLLAMA, "/") if one.values[0].status >= 400):
            for _ in range(6):
                answer = await exchange(front, recording)
                assert (answer.status, answer.body) == (recording.status, recording.answer_body)
        for name in ("ollama", "second"):
            state = await front.server(name)
            assert (state["status"], state["inFlight"]) == ("healthy", 0), state


async def test_every_recording_is_compared() -> None:
    everywhere = OWN | NOT_OF_ONE_SERVER | CORS | NAMES_NOBODY
    for found in (OLLAMA, LLAMACPP):
        relays = {param.id for param in relayed(found, "/")}
        left = {name for name, one in found.items() if name not in everywhere | relays and not MANAGEMENT.search(name)}
        assert left <= {"health", "models", "metrics", "props", "slots", "tags", "ollama-version", "root", "not-found", "tokenize"}, left


async def test_the_recordings_are_whole() -> None:
    assert (len(OLLAMA), len(LLAMACPP)) == (100, 32)
    assert all(split(one.answer)[0].startswith("HTTP/1.1 ") for one in (*OLLAMA.values(), *LLAMACPP.values()))
