"""What real clients send, connection by connection, and whether what they get is what they can read."""

import base64
import json
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Literal

import ollama as ollama_types
import openai.types as openai_types
import openai.types.chat as chat_types
import pytest
import pytest_asyncio
from pydantic import TypeAdapter
from typing_extensions import TypedDict

from tests.backends.scripted_gguf import SAID
from tests.fakes.replay import GOLDEN, Replay, split
from tests.fakes.strict import Answer, StrictClient, requests_of
from tests.integration.front import Front, fronted

pytestmark = pytest.mark.asyncio(loop_scope="module")
CONNECTIONS = sorted(file.name.removesuffix(".request") for file in (GOLDEN / "clients").glob("*.request"))
MANAGEMENT = ("/api/pull", "/api/push", "/api/create", "/api/copy", "/api/delete")


# The newer protocols have more members by now than the recorded server gives; their clients do not mind, but the types they publish do.
class Event(TypedDict):
    type: str


class Response(TypedDict):
    id: str
    object: Literal["response"]
    status: Literal["completed"]
    model: str
    output: list[dict[str, Any]]


class Message(TypedDict):
    id: str
    type: Literal["message"]
    role: Literal["assistant"]
    model: str
    content: list[dict[str, str]]
    stop_reason: Literal["end_turn", "max_tokens", "tool_use"]
    usage: dict[str, int]


# path -> (type of a plain answer, type of an event of a stream), of the client that the path is made for.
TYPES: dict[str, tuple[Any, Any]] = {
    "/api/tags": (ollama_types.ListResponse, None),
    "/api/ps": (ollama_types.ProcessResponse, None),
    "/api/show": (ollama_types.ShowResponse, None),
    "/api/embed": (ollama_types.EmbedResponse, None),
    "/api/embeddings": (ollama_types.EmbeddingsResponse, None),
    "/api/generate": (ollama_types.GenerateResponse, ollama_types.GenerateResponse),
    "/api/chat": (ollama_types.ChatResponse, ollama_types.ChatResponse),
    "/v1/chat/completions": (chat_types.ChatCompletion, chat_types.ChatCompletionChunk),
    "/v1/completions": (openai_types.Completion, openai_types.Completion),
    "/v1/responses": (Response, Event),
    "/v1/messages": (Message, Event),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def front(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    async with fronted(tmp_path_factory.mktemp("front")) as running, Replay("ollama") as server, running.servers(ollama=server.url):
        yield running


@pytest.mark.parametrize("name", CONNECTIONS)
async def test_a_recorded_connection_gets_answers_that_its_client_reads(front: Front, name: str) -> None:
    requests = requests_of((GOLDEN / "clients" / f"{name}.request").read_bytes())
    async with StrictClient(front.port) as client:
        for request in requests:
            first, _, body = split(request)
            method, path, _ = first.split(" ")
            read(method, path, body, await client.ask(request))
    assert requests


def read(method: str, path: str, asked: bytes, answer: Answer) -> None:
    """As the client reads it; fails where the client would."""
    assert answer.header("x-request-id")
    assert answer.header("content-encoding") is None  # all offer gzip; a stream must not wait for it
    if method == "HEAD":
        assert (answer.status, answer.body) == (200, b"")
    elif path in MANAGEMENT:
        assert (answer.status, answer.media_type, list(json.loads(answer.body))) == (501, "application/json", ["error"])
    elif answer.status >= 400:
        read_error(path, asked, answer)
    elif path in ("/api/version", "/api/tags", "/api/ps") or path.startswith("/v1/models"):
        read_list(path, answer)
    elif path == "/v1/embeddings":
        read_embeddings(json.loads(asked), answer)
    elif streams(path, asked):
        read_stream(path, answer)
    else:
        assert answer.media_type == "application/json"
        TypeAdapter(TYPES[path][0]).validate_json(answer.body)


def streams(path: str, asked: bytes) -> bool:
    """Whether the client waits for a stream: Ollama streams unless told otherwise, but not for a prompt that only loads or unloads."""
    body = json.loads(asked)
    if path in ("/api/chat", "/api/generate"):
        return body.get("stream") is not False and body.get("prompt") != ""
    return bool(body.get("stream"))


def read_error(path: str, asked: bytes, answer: Answer) -> None:
    """Go clients know a missing model by its status; each SDK finds the text where its protocol has it."""
    error = json.loads(answer.body)["error"]
    unknown = json.loads(asked).get("model") == "c3"  # a copy that was deleted since
    assert (answer.status, isinstance(error, str)) == (404 if unknown else 400, path.startswith("/api/"))


def read_list(path: str, answer: Answer) -> None:
    assert (answer.status, answer.media_type) == (200, "application/json")
    value = json.loads(answer.body)
    if path == "/api/version":
        assert all(part.isdigit() for part in value["version"].split("."))
    elif path == "/v1/models":
        assert value["object"] == "list"
        assert {openai_types.Model.model_validate(entry, strict=True).id for entry in value["data"]} >= {"scripted:latest", "embed:latest"}
    elif path.startswith("/v1/models/"):
        assert openai_types.Model.model_validate(value, strict=True).id == path.rpartition("/")[2]
    else:
        TypeAdapter(TYPES[path][0]).validate_json(answer.body)
        for entry in value["models"]:  # the ollama command slices the digest without looking
            assert (entry["name"], len(entry["digest"]), type(entry["size"])) == (entry["model"], 64, int)


def read_embeddings(asked: dict[str, Any], answer: Answer) -> None:
    assert (answer.status, answer.media_type) == (200, "application/json")
    for entry in json.loads(answer.body)["data"]:
        vector = entry["embedding"]
        if asked.get("encoding_format") == "base64":
            vector = struct.unpack(f"<{len(base64.b64decode(vector)) // 4}f", base64.b64decode(vector))
        assert vector
        assert all(isinstance(number, float) for number in vector)


def read_stream(path: str, answer: Answer) -> None:
    """Every record is whole and of the right shape, and the end is there."""
    media_type, records = STREAMS[path.startswith("/api/")]
    assert (answer.status, answer.media_type) == (200, media_type)
    validate = TypeAdapter(TYPES[path][1]).validate_json
    *events, last = list(records(answer.body))
    for event in events:
        validate(event)
    if path in ("/v1/chat/completions", "/v1/completions"):
        assert last == b"[DONE]"
    else:
        end = json.loads(last)
        validate(last)
        assert end.get("done") is True or end["type"] in ("response.completed", "message_stop")
    assert text(path, events) in (SAID, "Therefore yes!", "")  # "" for a tool call


def lines(body: bytes) -> Iterator[bytes]:
    """NDJSON as strict clients read it: no blank line anywhere."""
    assert body.endswith(b"\n")
    yield from body[:-1].split(b"\n")


def events_of(body: bytes) -> Iterator[bytes]:
    """Server-sent events of one data line each, an `event:` line before it at most."""
    assert body.endswith(b"\n\n")
    for event in body[:-2].split(b"\n\n"):
        *names, data = event.split(b"\n")
        assert all(name.startswith(b"event: ") for name in names), names
        assert data.startswith(b"data: ")
        yield data[6:]


STREAMS: dict[bool, tuple[str, Callable[[bytes], Iterator[bytes]]]] = {True: ("application/x-ndjson", lines), False: ("text/event-stream", events_of)}


def text(path: str, events: list[bytes]) -> str:
    """What was said, thinking apart."""
    found = ""
    for value in map(json.loads, events):
        if path.startswith("/api/"):
            found += value.get("response", "") or value.get("message", {}).get("content", "")
        elif path == "/v1/responses":
            found += value["delta"] if value["type"] == "response.output_text.delta" else ""
        elif path == "/v1/messages":
            found += value.get("delta", {}).get("text", "")
        else:
            found += "".join(choice.get("text") or choice.get("delta", {}).get("content") or "" for choice in value["choices"])
    return found.strip()


async def test_the_reader_refuses_what_clients_refuse() -> None:
    for body in (b'{"a":1}\n\n{"b":2}\n', b'{"a":1}'):
        with pytest.raises((AssertionError, ValueError)):
            [json.loads(line) for line in lines(body)]
    for body in (b"retry: 5\n\n", b"event: x\n\n", b'data: {"a":1}\n'):
        with pytest.raises(AssertionError):
            list(events_of(body))
