import asyncio
import json
import os
import signal
import sys

import pytest
from aiohttp.test_utils import TestClient
from pytest_aiohttp.plugin import AiohttpClient

from orchestrator.demo.emulated import build, main
from orchestrator.demo.speech import TEXT, Profile, tokens_of

OLLAMA = Profile(speaks="ollama", models=("llama3.2:latest", "nomic-embed:latest"))
OPENAI = Profile(speaks="openai", models=("org/gpt-demo",), key="right")
CHAT = {"model": "llama3.2", "messages": [{"role": "user", "content": "hi there"}]}
V1_CHAT = {"model": "org/gpt-demo", "messages": [{"role": "user", "content": "hi there"}]}
COUNT = len(tokens_of(TEXT))


@pytest.fixture
async def ollama(aiohttp_client: AiohttpClient) -> TestClient:
    return await aiohttp_client(build(OLLAMA))


@pytest.fixture
async def openai(aiohttp_client: AiohttpClient) -> TestClient:
    return await aiohttp_client(build(OPENAI), headers={"Authorization": "Bearer right"})


def events(body: str) -> list[dict]:
    """The JSON of each SSE event but [DONE]."""
    return [json.loads(part.removeprefix("data: ")) for part in body.split("\n\n") if part and part != "data: [DONE]"]


# ---- Ollama


async def test_it_is_recognised_as_ollama(ollama: TestClient) -> None:
    assert await (await ollama.get("/")).text() == "Ollama is running"
    assert isinstance((await (await ollama.get("/api/version")).json())["version"], str)
    assert (await ollama.head("/")).status == 200


async def test_tags_list_every_model_with_what_it_can(ollama: TestClient) -> None:
    models = (await (await ollama.get("/api/tags")).json())["models"]
    assert [entry["name"] for entry in models] == ["llama3.2:latest", "nomic-embed:latest"]
    assert [entry["capabilities"] for entry in models] == [["completion"], ["embedding"]]
    assert len(models[0]["digest"]) == 64


async def test_a_chat_streams_by_default_one_record_a_token(ollama: TestClient) -> None:
    response = await ollama.post("/api/chat", json=CHAT)
    records = [json.loads(line) for line in (await response.text()).splitlines()]
    assert response.headers["Content-Type"] == "application/x-ndjson"
    assert len(records) == COUNT + 1
    assert "".join(record["message"]["content"] for record in records) == TEXT
    assert {record["model"] for record in records} == {"llama3.2"}
    assert records[-1]["done"] is True
    assert records[-1]["done_reason"] == "stop"
    assert records[-1]["eval_count"] == COUNT
    assert records[-1]["total_duration"] >= records[-1]["eval_duration"]


async def test_a_plain_chat_is_one_object(ollama: TestClient) -> None:
    body = await (await ollama.post("/api/chat", json={**CHAT, "stream": False})).json()
    assert body["message"] == {"role": "assistant", "content": TEXT}
    assert body["prompt_eval_count"] == 2


async def test_num_predict_ends_with_length(ollama: TestClient) -> None:
    body = await (await ollama.post("/api/generate", json={"model": "llama3.2", "prompt": "hi", "stream": False, "options": {"num_predict": 3}})).json()
    assert body["response"] == " The quick brown"
    assert body["done_reason"] == "length"


async def test_generate_gives_a_context(ollama: TestClient) -> None:
    last = json.loads((await (await ollama.post("/api/generate", json={"model": "llama3.2", "prompt": "hi"})).text()).splitlines()[-1])
    assert last["context"]
    assert last["response"] == ""


@pytest.mark.parametrize(("keep_alive", "loaded"), [(300, True), ("5m", True), ("1h30m", True), (-1, True), ("-1s", True), (None, True)])
async def test_a_load_is_seen_in_ps(ollama: TestClient, keep_alive: object, loaded: bool) -> None:
    answer = await (await ollama.post("/api/generate", json={"model": "LLAMA3.2", "keep_alive": keep_alive})).json()
    assert answer["done_reason"] == "load"
    models = (await (await ollama.get("/api/ps")).json())["models"]
    assert [entry["name"] for entry in models] == ["llama3.2:latest"] * loaded


@pytest.mark.parametrize("keep_alive", [0, "0", "0s"])
async def test_an_unload_is_seen_in_ps(ollama: TestClient, keep_alive: object) -> None:
    await ollama.post("/api/chat", json=CHAT)
    answer = await (await ollama.post("/api/chat", json={"model": "llama3.2", "messages": [], "keep_alive": keep_alive})).json()
    assert answer["done_reason"] == "unload"
    assert (await (await ollama.get("/api/ps")).json())["models"] == []


async def test_a_keep_alive_without_unit_is_refused(ollama: TestClient) -> None:
    response = await ollama.post("/api/generate", json={"model": "llama3.2", "keep_alive": "300"})
    assert response.status == 400
    assert await response.json() == {"error": 'time: missing unit in duration "300"'}


@pytest.mark.parametrize(
    ("path", "body", "status", "text"),
    [
        ("/api/chat", {"model": "x", "messages": []}, 404, "model 'x' not found"),
        ("/api/chat", {}, 400, "model is required"),
        ("/api/generate", {}, 404, "model '' not found"),
        ("/api/embed", {"model": "x"}, 404, 'model "x" not found, try pulling it first'),
        ("/api/show", {"name": "x"}, 404, "model 'x:latest' not found"),
        ("/api/embed", {"model": "nomic-embed", "input": [1]}, 400, "invalid input type"),
    ],
)
async def test_errors_are_said_as_ollama_says_them(ollama: TestClient, path: str, body: dict, status: int, text: str) -> None:
    response = await ollama.post(path, json=body)
    assert response.status == status
    assert await response.json() == {"error": text}


async def test_a_body_is_wanted_and_its_content_type_is_not(ollama: TestClient) -> None:
    assert await (await ollama.post("/api/chat")).json() == {"error": "missing request body"}
    response = await ollama.post("/api/chat", data=json.dumps(CHAT), headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert response.status == 200


async def test_embeddings_have_length_one_and_are_always_the_same(ollama: TestClient) -> None:
    body = await (await ollama.post("/api/embed", json={"model": "nomic-embed", "input": ["a", "b", "a"]})).json()
    first, second, third = body["embeddings"]
    assert first == third != second
    assert sum(value * value for value in first) == pytest.approx(1.0, abs=1e-5)
    legacy = await (await ollama.post("/api/embeddings", json={"model": "nomic-embed", "prompt": "a"})).json()
    assert legacy == {"embedding": first}


async def test_show_says_what_a_model_can(ollama: TestClient) -> None:
    body = await (await ollama.post("/api/show", json={"model": "", "name": "llama3.2"})).json()
    assert body["capabilities"] == ["completion"]
    assert body["model_info"]["llama.context_length"] == 4096


async def test_unknown_paths_and_methods_are_told_as_go_does(ollama: TestClient) -> None:
    missing, wrong = await ollama.get("/v1/models"), await ollama.get("/api/chat")
    assert (missing.status, await missing.text()) == (404, "404 page not found")
    assert (wrong.status, await wrong.text(), wrong.headers["Allow"]) == (405, "405 method not allowed", "POST")


# ---- OpenAI


async def test_without_the_key_everything_is_401(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(build(OPENAI))
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "right"}):
        response = await client.get("/v1/models", headers=headers)
        assert response.status == 401
        assert (await response.json())["error"]["code"] == "invalid_api_key"


async def test_models_are_listed_and_found_by_ids_with_slashes(openai: TestClient) -> None:
    listed = await (await openai.get("/v1/models")).json()
    assert [entry["id"] for entry in listed["data"]] == ["org/gpt-demo"]
    assert (await (await openai.get("/v1/models/org/gpt-demo")).json())["id"] == "org/gpt-demo"
    missing = await openai.get("/v1/models/other")
    assert (missing.status, (await missing.json())["error"]["code"]) == (404, "model_not_found")


async def test_a_chat_is_plain_by_default(openai: TestClient) -> None:
    body = await (await openai.post("/v1/chat/completions", json=V1_CHAT)).json()
    assert body["choices"][0]["message"]["content"] == TEXT
    assert body["choices"][0]["finish_reason"] == "stop"
    assert body["usage"] == {"prompt_tokens": 2, "completion_tokens": COUNT, "total_tokens": COUNT + 2}


async def test_a_stream_ends_with_finish_usage_and_done(openai: TestClient) -> None:
    response = await openai.post("/v1/chat/completions", json={**V1_CHAT, "stream": True, "stream_options": {"include_usage": True}})
    body = await response.text()
    *tokens, finish, usage = events(body)
    assert response.headers["Content-Type"] == "text/event-stream"
    assert "".join(event["choices"][0]["delta"]["content"] for event in tokens) == TEXT
    assert finish["choices"][0] == {"index": 0, "delta": {}, "finish_reason": "stop"}
    assert usage["choices"] == []
    assert usage["usage"]["completion_tokens"] == COUNT
    assert len({event["id"] for event in [*tokens, finish, usage]}) == 1
    assert body.endswith("data: [DONE]\n\n")


async def test_usage_is_streamed_only_if_asked_for(openai: TestClient) -> None:
    body = await (await openai.post("/v1/chat/completions", json={**V1_CHAT, "stream": True})).text()
    assert "usage" not in body


async def test_completions_stream_text(openai: TestClient) -> None:
    body = await (await openai.post("/v1/completions", json={"model": "org/gpt-demo", "prompt": "hi", "stream": True, "max_tokens": 2})).text()
    assert [event["choices"][0]["text"] for event in events(body)] == [" The", " quick", ""]
    assert events(body)[-1]["choices"][0]["finish_reason"] == "length"


async def test_embeddings_come_as_floats_or_base64(openai: TestClient) -> None:
    request = {"model": "org/gpt-demo", "input": "a"}
    floats = (await (await openai.post("/v1/embeddings", json=request)).json())["data"][0]["embedding"]
    coded = (await (await openai.post("/v1/embeddings", json={**request, "encoding_format": "base64"})).json())["data"][0]["embedding"]
    assert len(floats) == 8
    assert len(coded) == 44


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [({"model": "x", "messages": []}, 404, "model_not_found"), ({**V1_CHAT, "messages": []}, 400, None), ({}, 404, "model_not_found")],
)
async def test_errors_are_said_as_openai_says_them(openai: TestClient, body: dict, status: int, code: str | None) -> None:
    response = await openai.post("/v1/chat/completions", json=body)
    told = (await response.json())["error"]
    assert (response.status, told["code"], told["type"]) == (status, code, "invalid_request_error")


async def test_another_content_type_is_refused(openai: TestClient) -> None:
    response = await openai.post("/v1/chat/completions", data=json.dumps(V1_CHAT), headers={"Content-Type": "text/plain"})
    assert response.status == 415


async def test_both_protocols_share_what_is_served(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(build(Profile(speaks="both", models=("m:latest",))))
    assert (await (await client.get("/api/tags")).json())["models"][0]["name"] == "m:latest"
    assert (await (await client.get("/v1/models")).json())["data"][0]["id"] == "m:latest"


# ---- as a process


async def test_as_a_process_it_tells_its_url_and_ends_on_sigterm() -> None:
    env = {**os.environ, "EMULATED_KEY": "right"}
    command = (sys.executable, "-m", "orchestrator.demo.emulated", "--speaks", "openai", "--models", "a,b", "--key-env", "EMULATED_KEY")
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=env)
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), 20)
    assert line.startswith(b"http://127.0.0.1:")
    process.send_signal(signal.SIGTERM)
    _, errors = await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode == 0
    assert errors == b""


def test_a_key_that_is_not_set_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    with pytest.raises(SystemExit):
        main(["--key-env", "NO_SUCH_KEY"])
    assert "NO_SUCH_KEY is not set" in capsys.readouterr().err
