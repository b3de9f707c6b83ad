"""Loading and unloading, against scripted servers over real sockets."""

import asyncio
import json
import logging

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from orchestrator.admin import loading as module
from orchestrator.admin.errors import unknown_server
from orchestrator.admin.loading import LoadingOperations
from orchestrator.admin.routes import Endpoint
from orchestrator.fleet.fleet import Fleet
from orchestrator.fleet.specs import FleetSpec, Secret, ServerSpec
from orchestrator.health.prober import Prober
from orchestrator.settings import Settings
from orchestrator.upstream.control import open_session
from tests.fakes import wire
from tests.fakes.clock import FakeClock
from tests.fakes.scripted import ScriptedServer, cut, hang

DONE = wire.answer({"model": "m", "response": "", "done": True, "done_reason": "load"})
EMBEDS = wire.ollama_error(400, '"m" does not support generate')
ACTIONS = ("load", "unload")


class Registered:
    """Looks servers up as the registry does."""

    def __init__(self, fleet):
        self.fleet = fleet

    def server(self, server_id):
        if server_id not in self.fleet.servers:
            raise unknown_server(server_id)
        return self.fleet.servers[server_id]


class World:
    """A fleet with its real prober, and the operations over it."""

    def __init__(self, session):
        self.clock = FakeClock()
        self.fleet = Fleet()
        self.noted = []
        self.environment = {}
        self.prober = Prober(self.fleet, session, self.clock, Settings(), self.store, self.environment)
        self.operations = LoadingOperations(
            Registered(self.fleet), self.prober, session, self.clock, 5.0, lambda *note: self.noted.append(note), self.environment
        )
        operations = {action: Endpoint({"POST": getattr(self.operations, action)}) for action in ACTIONS}
        self.app = Starlette(routes=[Route(f"/api/servers/{{server_id}}/models/{action}", endpoint) for action, endpoint in operations.items()])

    async def store(self, server_id, learned):
        pass

    async def add(self, server, **more):
        """The server `a`, probed."""
        self.fleet.apply(FleetSpec((ServerSpec(**({"id": "a", "url": server.url} | more)),)), self.clock.now())
        await self.prober.check("a")

    async def ask(self, action, model="m", server_id="a"):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://localhost") as http:
            return await http.post(f"/api/servers/{server_id}/models/{action}", json={"model": model})

    async def refused(self, action, **asked):
        """(status, code, message) of an error."""
        answer = await self.ask(action, **asked)
        error = answer.json()["error"]
        return answer.status_code, error["code"], error["message"]


@pytest.fixture
async def world():
    async with open_session() as session:
        world = World(session)
        yield world
        await world.operations.close()
        await world.prober.close()


def bodies(server, path="/api/generate"):
    return [json.loads(seen.body) for seen in server.requests(path)]


def in_memory(*before_and_after):
    """Answers of `/api/ps`, one after the other."""
    return [wire.loaded(models) for models in before_and_after]


# ---- what is sent and answered


async def test_a_load_is_a_generate_without_prompt(world):
    async with ScriptedServer("both", ["m:latest"]) as server:
        server.on("/api/generate", DONE).on("/api/ps", *in_memory([], ["m:latest"]))
        await world.add(server)
        answer = await world.ask("load")
    assert bodies(server) == [{"model": "m:latest", "stream": False}]
    assert server.requests("/api/generate")[0].header("content-type") == "application/json"
    assert (answer.status_code, [model["name"] for model in answer.json()["loadedModels"]]) == (200, ["m:latest"])
    assert world.noted == [("modelLoaded", "info", "a", "m:latest", "loaded in 0.0 s")]


async def test_an_unload_keeps_it_for_no_time(world):
    async with ScriptedServer("both", ["m:latest"]) as server:
        server.on("/api/generate", DONE).on("/api/ps", *in_memory(["m:latest"], []))
        await world.add(server)
        answer = await world.ask("unload", "M:latest")
    assert bodies(server) == [{"model": "m:latest", "stream": False, "keep_alive": 0}]
    assert (answer.status_code, answer.json()["loadedModels"]) == (200, [])
    assert world.noted == [("modelUnloaded", "info", "a", "m:latest", "unloaded in 0.0 s")]


@pytest.mark.parametrize("action", ACTIONS)
async def test_a_model_that_only_embeds(world, action):
    async with ScriptedServer("both") as server:
        server.on("/api/generate", EMBEDS).on("/api/embed", wire.answer({"model": "m", "embeddings": []}))
        server.on("/api/ps", wire.loaded(["m:latest"] if action == "load" else []))
        await world.add(server)
        assert (await world.ask(action)).status_code == 200
    assert bodies(server, "/api/embed") == bodies(server)


async def test_memory_that_is_freed_later_is_looked_at_again(world, monkeypatch):
    monkeypatch.setattr(module, "LOOKS_SECONDS", (0.0, 0.0, 0.0))
    async with ScriptedServer("both") as server:
        server.on("/api/generate", DONE).on("/api/ps", *in_memory(["m:latest"], ["m:latest"], []))
        await world.add(server)
        assert (await world.ask("unload")).json()["loadedModels"] == []
        assert len(server.requests("/api/ps")) == 3


async def test_a_model_that_stays_in_memory_is_no_error(world, monkeypatch):
    monkeypatch.setattr(module, "LOOKS_SECONDS", (0.0, 0.0))
    async with ScriptedServer("both") as server:
        server.on("/api/generate", DONE).on("/api/ps", wire.loaded(["m:latest"]))
        await world.add(server)
        assert [model["name"] for model in (await world.ask("unload")).json()["loadedModels"]] == ["m:latest"]


@pytest.mark.parametrize("member", [{"draining": True}, {"enabled": False}, {"models_deny": ("*",)}])
async def test_servers_out_of_use_are_managed_all_the_same(world, member):
    async with ScriptedServer("both") as server:
        server.on("/api/generate", DONE).on("/api/ps", wire.loaded(["m:latest"]))
        await world.add(server, **member)
        assert (await world.ask("load")).status_code == 200


# ---- refusals


async def test_only_what_is_there_can_be_loaded(world):
    async with ScriptedServer("both") as server:
        await world.add(server)
        assert (await world.refused("load", model="other"))[:2] == (404, "unknown_model")
        assert (await world.refused("load", server_id="b"))[:2] == (404, "unknown_server")
        assert server.requests() == []


async def test_a_server_without_ollamas_protocol_is_refused(world):
    async with ScriptedServer("openai") as server:
        await world.add(server)
        assert (await world.refused("unload"))[:2] == (409, "not_ollama")
        assert server.requests() == []


@pytest.mark.parametrize("body", [{}, {"model": ""}, {"model": 5}, {"model": "m", "more": 1}])
async def test_a_body_that_names_no_model_is_refused(world, body):
    async with ScriptedServer("both") as server, httpx.AsyncClient(transport=httpx.ASGITransport(world.app), base_url="http://localhost") as http:
        await world.add(server)
        assert (await http.post("/api/servers/a/models/load", json=body)).status_code == 400


# ---- what the server says is wrong


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (
            wire.ollama_error(500, "llama runner process has terminated: out of memory"),
            "the server answered 500: llama runner process has terminated: out of memory",
        ),
        (wire.ollama_error(404, "model 'm' not found"), "the server answered 404: model 'm' not found"),
        (wire.answer({"error": "two\nlines\x1b[31m"}), "the server answered 200: two lines [31m"),
        (wire.openai_error(503, "busy"), "the server answered 503: busy"),
        (wire.plain(b"<html>", 502, "text/html"), "the server answered 502"),
        (wire.plain(b"OK"), "the server answered 200: this is no answer of Ollama's"),
        (wire.plain(b"", 307, headers={"Location": "/x"}), "the server answered 307"),
        (cut(DONE, 20), "the connection broke before the answer was whole"),
    ],
)
async def test_what_went_wrong_is_told(world, caplog, script, message):
    caplog.set_level(logging.INFO)
    async with ScriptedServer("both") as server:
        server.on("/api/generate", script)
        await world.add(server)
        assert await world.refused("load") == (502, "server_error", message)
    assert world.noted == [("modelLoaded", "error", "a", "m:latest", f"load failed: {message}")]
    assert "failed" in caplog.text
    assert "terminated" not in caplog.text


async def test_words_of_the_server_are_bounded_and_without_our_secrets(world):
    world.environment["VARIABLE"] = "sk-other"
    async with ScriptedServer("both") as server:
        server.on("/api/generate", wire.ollama_error(500, "refused sk-secret and sk-other " + "x" * 1000))
        await world.add(server, api_key=Secret("sk-secret"), headers={"X-Org": Secret("env:VARIABLE"), "X-Odd": Secret("ok")})
        message = (await world.refused("load"))[2]
    assert message.startswith("the server answered 500: refused ***REDACTED*** and ***REDACTED*** xxx")
    assert len(message) == len("the server answered 500: ") + 300


async def test_a_server_that_is_gone_or_misconfigured(world):
    async with ScriptedServer("both") as server:
        await world.add(server)
    assert await world.refused("load") == (502, "server_error", "connection refused")
    server = world.fleet.servers["a"]
    server.spec = ServerSpec(id="a", url=server.spec.url, api_key=Secret("env:MISSING"))
    assert await world.refused("load") == (502, "server_error", "environment variable MISSING is not set")
    server.spec = ServerSpec(id="a", url=server.spec.url, fault="cannot be decrypted")
    assert await world.refused("load") == (502, "server_error", "cannot be decrypted")


@pytest.mark.parametrize(("action", "member"), [("load", {"first_event_timeout_seconds": 0.05}), ("unload", {})])
async def test_a_server_that_does_not_come_to_an_end(world, monkeypatch, action, member):
    monkeypatch.setattr(module, "UNLOAD_SECONDS", 0.05)
    async with ScriptedServer("both") as server:
        server.on("/api/generate", [hang])
        await world.add(server, **member)
        assert await world.refused(action) == (502, "server_error", "no answer within 0.05 s")


# ---- one at a time, to the end


async def test_a_model_is_loaded_once_at_a_time(world):
    go_on = asyncio.Event()
    async with ScriptedServer("both", ["m:latest", "n"]) as server:
        server.on("/api/generate", [go_on, *DONE], DONE).on("/api/ps", wire.loaded(["m:latest", "n"]))
        await world.add(server)
        first = asyncio.create_task(world.ask("load"))
        await server.request("/api/generate")
        assert (await world.refused("unload"))[:2] == (409, "busy")
        assert (await world.ask("load", "n")).status_code == 200
        go_on.set()
        assert (await first).status_code == 200
        assert (await world.ask("load")).status_code == 200


async def test_only_so_many_at_a_time(world, monkeypatch):
    monkeypatch.setattr(module, "MAX_RUNNING", 0)
    async with ScriptedServer("both") as server:
        await world.add(server)
        assert (await world.refused("load"))[:2] == (503, "too_many")


async def test_a_load_goes_on_when_its_client_leaves(world):
    go_on = asyncio.Event()
    async with ScriptedServer("both") as server:
        server.on("/api/generate", [go_on, *DONE]).on("/api/ps", wire.loaded(["m:latest"]))
        await world.add(server)
        asking = asyncio.create_task(world.ask("load"))
        await server.request("/api/generate")
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        go_on.set()
        await asyncio.gather(*world.operations._running.values())
    assert [note[0] for note in world.noted] == ["modelLoaded"]
    assert world.operations._running == {}


async def test_at_the_end_nothing_goes_on(world):
    async with ScriptedServer("both") as server:
        server.on("/api/generate", [hang])
        await world.add(server)
        asking = asyncio.create_task(world.ask("load"))
        asked = await server.request("/api/generate")
        await world.operations.close()
        await asyncio.gather(asking, return_exceptions=True)
        await asked.until_left()
    assert world.operations._running == {}


async def test_a_server_that_was_removed_meanwhile(world):
    async with ScriptedServer("both") as server:
        server.on("/api/generate", [world_without_servers(world), *DONE])
        await world.add(server)
        assert (await world.refused("load"))[:2] == (404, "unknown_server")


def world_without_servers(world):
    async def step(_):
        world.fleet.apply(FleetSpec(), world.clock.now())

    return step
