"""Trials, loading and unloading, and the matrix, as the whole orchestrator answers them."""

import asyncio
import json

import pytest

from tests.fakes import wire
from tests.fakes.scripted import ScriptedServer, hang
from tests.integration.client import post

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.parametrize("orchestrated", [{"probe_timeout_seconds": 60.0}], indirect=True)]
DONE = wire.answer({"model": "m", "response": "", "done": True, "done_reason": "load"})


def chat(family, model):
    path = "/api/chat" if family == "ollama" else "/v1/chat/completions"
    return post(path, {"model": model, "messages": [{"role": "user", "content": "x"}], "stream": False})


async def where(orchestrated, name, family):
    (model,) = [model for model in (await orchestrated.admin("GET", "/api/models"))["models"] if model["name"] == name]
    return model[family]


# ---- trials


async def test_a_server_is_tried_registered_and_tried_again_by_its_mask(orchestrated, fleet):
    async with ScriptedServer("both", ["m"], key="secret-key") as server:
        tried = await orchestrated.admin("POST", "/api/servers/test", {"url": server.url, "apiKey": "secret-key"})
        assert (tried["status"], [one["ok"] for one in tried["endpoints"]]) == ("healthy", [True] * 4)
        assert await orchestrated.admin("GET", "/api/servers") == []
        await orchestrated.register("test", server.url, apiKey="secret-key")
        again = await orchestrated.admin("POST", "/api/servers/test", {"id": "test", "url": server.url, "apiKey": "***REDACTED***"})
        assert (again["status"], "secret-key" in json.dumps(again)) == ("healthy", False)
        assert (await orchestrated.server_state("test"))["id"] == "test"


async def test_a_client_that_leaves_ends_its_trial(orchestrated, fleet):
    async with ScriptedServer("nothing") as server:
        server.on("*", [hang])
        client = await orchestrated.send(post("/api/servers/test", {"url": server.url}))
        asked = await server.request("/api/tags")
        client.close()
        await asked.until_left()  # long before the deadline of the probe


# ---- loading


async def test_a_model_is_loaded_and_unloaded_and_told_of(orchestrated, fleet):
    a = await fleet.add("a")
    a.on("/api/generate", DONE).on("/api/ps", wire.loaded(["m:latest"]))
    loaded = await orchestrated.admin("POST", "/api/servers/a/models/load", {"model": "m"})
    assert [model["name"] for model in loaded["loadedModels"]] == ["m:latest"]
    assert (await orchestrated.admin("GET", "/api/models"))["models"][0]["servers"] == {"a": {"ollama": True, "openai": True, "loaded": True}}
    a.on("/api/ps", wire.loaded([]))
    assert (await orchestrated.admin("POST", "/api/servers/a/models/unload", {"model": "m"}))["loadedModels"] == []
    assert [json.loads(seen.body).get("keep_alive") for seen in a.requests("/api/generate")] == [None, 0]
    events = (await orchestrated.admin("GET", "/api/activity"))["events"]
    told = [(event["kind"], event["server"], event["model"]) for event in events if event["kind"].startswith("model")]
    assert told[:2] == [("modelUnloaded", "a", "m:latest"), ("modelLoaded", "a", "m:latest")]


async def test_what_the_server_refuses_is_told(orchestrated, fleet):
    a = await fleet.add("a")
    a.on("/api/generate", wire.ollama_error(500, "out of memory"))
    answer = await orchestrated.admin("POST", "/api/servers/a/models/load", {"model": "m"}, 502)
    assert answer["error"] == {"code": "server_error", "message": "the server answered 500: out of memory", "field": None}


# ---- where a request would go


async def test_a_real_request_goes_where_the_matrix_says(orchestrated, fleet):
    servers = {
        "a": await fleet.add("a", models=["m:latest", "only-a"], priority=0),
        "b": await fleet.add("b", models=["m:latest"], priority=0),
        "c": await fleet.add("c", "openai", models=["m", "only-c"], priority=0),
    }
    for server in servers.values():
        server.on("/api/chat", wire.ollama_plain("x")).on("/v1/chat/completions", wire.openai_plain("x"))
    for name in ("m", "only-a", "only-c"):
        for family, member in (("ollama", "ollama"), ("v1", "openai")):
            for _ in range(3):
                said = await where(orchestrated, name, member)
                answer = await orchestrated.answer(chat(family, name))
                if said is None:
                    assert answer.status == 404
                else:
                    assert (answer.status, [answer.header("x-orchestrator-server")]) == (200, said["servers"])


async def test_a_request_waits_where_the_matrix_says_that_it_would(orchestrated, fleet):
    a, go_on = await fleet.add("a", maxConcurrency=1), asyncio.Event()
    a.on("/api/chat", [go_on, *wire.ollama_plain("x")], wire.ollama_plain("x"))
    first = await orchestrated.send(chat("ollama", "m"))
    await a.request("/api/chat")
    assert await where(orchestrated, "m:latest", "ollama") == {"servers": ["a"], "waits": True, "reason": ""}
    second = await orchestrated.send(chat("ollama", "m"))
    await orchestrated.until(lambda: orchestrated.plane.admission.waiting("m"))
    go_on.set()
    assert [(await client.answer()).status for client in (first, second)] == [200, 200]


async def test_a_refusal_has_the_words_that_the_client_gets(orchestrated, fleet):
    await fleet.add("a", enabled=False)
    said = await where(orchestrated, "m:latest", "ollama")
    answer = await orchestrated.answer(chat("ollama", "m:latest"))
    assert (answer.status, said) == (503, {"servers": [], "waits": False, "reason": answer.json()["error"]})
