"""Test connection, against scripted servers over real sockets."""

import asyncio
import json
import logging

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from orchestrator.admin import trial as module
from orchestrator.admin.routes import Endpoint
from orchestrator.admin.trial import TrialOperations
from orchestrator.fleet.specs import Secret
from orchestrator.store.secrets import Sealed
from orchestrator.upstream.control import open_session
from tests.fakes import fleets, wire
from tests.fakes.clock import FakeClock
from tests.fakes.scripted import ScriptedServer, close, hang, refusing

MASK = "***REDACTED***"
ALL = ["/v1/models", "/api/tags", "/api/version", "/api/ps"]


class World:
    """Trials beside a fleet of two registered servers, of which `a` has secrets."""

    def __init__(self, session, timeout_seconds=5.0):
        self.environment = {}
        self.fleet = fleets.fleet(fleets.spec("a", api_key=Secret("stored-key"), headers={"X-Org": Secret("stored-org")}), fleets.spec("b"))
        self.operations = TrialOperations(self.fleet, session, FakeClock(), timeout_seconds, self.environment)
        self.app = Starlette(routes=[Route("/api/servers/test", Endpoint({"POST": self.operations.test}))])

    async def ask(self, body):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://localhost") as http:
            return await http.post("/api/servers/test", json=body)

    async def found(self, url, **body):
        answer = await self.ask({"url": url, **body})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def refused(self, **body):
        """(status, code, field) of an error."""
        answer = await self.ask(body)
        error = answer.json()["error"]
        return answer.status_code, error["code"], error["field"]


@pytest.fixture
async def session():
    async with open_session() as session:
        yield session


@pytest.fixture
async def world(session):
    return World(session)


def ticks(found):
    """path -> (ok, says)."""
    return {one["path"]: (one["ok"], one["says"]) for one in found["endpoints"]}


# ---- what is found


async def test_a_server_of_both_families_gets_all_ticks(world):
    async with ScriptedServer("both", ["m:latest", "n:8b"]) as server:
        server.on("/api/ps", wire.loaded(["m:latest"]))
        found = await world.found(server.url)
    assert ticks(found) == {
        "/v1/models": (True, "2 models"),
        "/api/tags": (True, "2 models"),
        "/api/version": (True, "version 0.33.0"),
        "/api/ps": (True, "1 model in memory"),
    }
    assert [one["path"] for one in found["endpoints"]] == ALL
    assert all(one["status"] == 200 and one["seconds"] >= 0 for one in found["endpoints"])
    told = {name: found[name] for name in ("status", "statusReason", "supportsOllama", "supportsV1", "kind", "version", "models", "v1Models", "loadedModels")}
    assert told == {
        "status": "healthy",
        "statusReason": "",
        "supportsOllama": True,
        "supportsV1": True,
        "kind": "ollama",
        "version": "0.33.0",
        "models": ["m:latest", "n:8b"],
        "v1Models": ["m:latest", "n:8b"],
        "loadedModels": ["m:latest"],
    }


async def test_a_server_that_speaks_openai_alone_is_healthy(world):
    async with ScriptedServer("openai", ["m"]) as server:
        found = await world.found(server.url)
    assert (found["status"], found["supportsOllama"], found["supportsV1"]) == ("healthy", False, True)
    calm = (False, "not an Ollama server (answered 404)")
    assert ticks(found) == {"/v1/models": (True, "1 model"), "/api/tags": calm, "/api/version": calm, "/api/ps": calm}


async def test_an_ollama_without_openais_routes_is_healthy(world):
    async with ScriptedServer("ollama") as server:
        found = await world.found(server.url)
    assert (found["status"], found["supportsOllama"], found["supportsV1"]) == ("healthy", True, False)
    assert ticks(found)["/v1/models"] == (False, "does not speak OpenAI's protocol (answered 404)")


async def test_only_what_was_asked_is_ticked(world):
    async with ScriptedServer("both") as server:
        assert list(ticks(await world.found(server.url, type="openai"))) == ["/v1/models"]
        assert [seen.path for seen in server.seen] == ["/v1/models"]


async def test_a_refused_key_is_told_on_each_endpoint(world):
    async with ScriptedServer("both", key="right") as server:
        found = await world.found(server.url, apiKey="wrong")
        assert found["status"] == "configError"
        assert set(ticks(found).values()) == {(False, "answered 401: the key is missing or not accepted")}
        assert (await world.found(server.url, apiKey="right"))["status"] == "healthy"


async def test_a_server_of_neither_family_is_down(world):
    async with ScriptedServer("nothing") as server:
        found = await world.found(server.url)
    assert (found["status"], [one["status"] for one in found["endpoints"]]) == ("down", [404] * 4)
    assert (found["supportsOllama"], found["supportsV1"], found["kind"], found["models"]) == (False, False, "", [])


async def test_a_server_that_does_not_answer_in_time(session):
    async with ScriptedServer("nothing") as server:
        server.on("*", [hang])
        found = await World(session, timeout_seconds=0.05).found(server.url)
    assert found["status"] == "down"
    assert {(one["status"], one["seconds"], one["says"]) for one in found["endpoints"]} == {(None, None, "no answer within 0.05 s")}


async def test_a_refused_connection(world):
    with refusing() as url:
        found = await world.found(url)
    assert (found["status"], set(ticks(found).values())) == ("down", {(False, "connection refused")})


SHAPES = {
    "redirect": (wire.plain(b"", 302, headers={"Location": "https://elsewhere"}), "answered 302: a redirect, which is not followed"),
    "page": (wire.plain(b"<html>secret-page</html>", content_type="text/html"), "no list of models"),
    "other json": (wire.answer({"hello": "secret-page"}), "no list of models"),
    "server error": (wire.plain(b"secret-page", 500), "answered 500"),
    "too many": (wire.plain(b"", 429), "answered 429: too many requests"),
    "loading": (wire.plain(b'{"error":{"message":"Loading model"}}', 503), "the server is loading its model"),
    "no http": ([b"SSH-2.0-secret-page\r\n\r\n", close], "the answer is not valid HTTP"),
}


@pytest.mark.parametrize(("script", "says"), SHAPES.values(), ids=SHAPES)
async def test_odd_answers_are_told_in_our_words(world, script, says):
    async with ScriptedServer("nothing") as server:
        server.on("*", script)
        found = await world.found(server.url)
    told = ticks(found)
    assert told["/v1/models"] == told["/api/tags"] == told["/api/ps"] == (False, says)
    assert found["status"] != "healthy"
    assert "secret-page" not in json.dumps(found)


async def test_a_version_without_number_and_an_imitated_list_are_named(world):
    async with ScriptedServer("both") as server:
        server.on("/api/version", wire.answer({}))
        assert ticks(await world.found(server.url))["/api/version"] == (False, "no version")
        server.on("/api/tags", wire.answer({"models": [{"name": "m", "size": ""}]}))
        found = await world.found(server.url)
    assert ticks(found)["/api/tags"] == (False, "an imitation of Ollama's")
    assert (found["status"], found["supportsOllama"]) == ("healthy", False)


async def test_a_missing_variable_is_named_and_nothing_is_sent(world):
    async with ScriptedServer("both") as server:
        found = await world.found(server.url, apiKey="env:MISSING_KEY")
        assert server.seen == []
    assert (found["status"], found["statusReason"], found["endpoints"]) == ("configError", "environment variable MISSING_KEY is not set", [])


# ---- what is sent


async def test_the_mask_stands_for_what_is_stored(world):
    async with ScriptedServer("both", key="stored-key") as server:
        found = await world.found(server.url, id="a", apiKey=MASK, headers={"x-org": MASK, "X-New": "new"})
        seen = server.seen[0]
    assert found["status"] == "healthy"
    assert (seen.header("x-org"), seen.header("x-new")) == ("stored-org", "new")
    assert "stored" not in json.dumps(found)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"apiKey": MASK}, "apiKey"),
        ({"id": "nobody", "apiKey": MASK}, "apiKey"),
        ({"id": "b", "apiKey": MASK}, "apiKey"),
        ({"id": "b", "headers": {"X-Org": MASK}}, "headers"),
        ({"id": "a", "headers": {"X-Other": MASK}}, "headers"),
    ],
)
async def test_a_mask_without_anything_stored_is_refused(world, body, field):
    async with ScriptedServer("both") as server:
        assert await world.refused(url=server.url, **body) == (400, "invalid_value", field)
        assert server.seen == []


async def test_without_the_mask_nothing_stored_is_sent(world):
    async with ScriptedServer("both") as server:
        await world.found(server.url, id="a")
        assert {(seen.header("authorization"), seen.header("x-org")) for seen in server.seen} == {(None, None)}


@pytest.mark.parametrize("member", ["apiKey", "headers"])
async def test_a_stored_value_that_cannot_be_decrypted_is_never_sent(world, member):
    world.fleet = fleets.fleet(fleets.spec("a", api_key=Sealed("cipher"), headers={"X-Org": Sealed("cipher")}, fault="cannot be decrypted"))
    world.operations._fleet = world.fleet
    async with ScriptedServer("both") as server:
        body = {"apiKey": MASK} if member == "apiKey" else {"headers": {"X-Org": MASK}}
        assert await world.refused(url=server.url, id="a", **body) == (400, "invalid_value", member)
        assert server.seen == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (400, "missing_field", "url")),
        ({"url": "ftp://a"}, (400, "invalid_value", "url")),
        ({"url": "http://"}, (400, "invalid_value", "url")),
        ({"url": "http://a", "weight": 0}, (400, "invalid_value", "weight")),
        ({"url": "http://a", "id": "a/b"}, (400, "invalid_value", "id")),
        ({"url": "http://a", "more": 1}, (400, "unknown_field", "more")),
    ],
)
async def test_a_body_that_cannot_be_is_refused(world, body, expected):
    assert await world.refused(**body) == expected


# ---- nothing stays


async def test_a_trial_touches_neither_fleet_nor_log(world, caplog):
    caplog.set_level(logging.DEBUG)
    version, before = world.fleet.version, {server.id: (server.health, server.learned) for server in world.fleet.servers.values()}
    async with ScriptedServer("both", ["other"]) as server:
        await world.found(server.url, id="a", apiKey=MASK)
        await world.found(server.url, apiKey="typed-key")
    assert world.fleet.version == version
    assert {server.id: (server.health, server.learned) for server in world.fleet.servers.values()} == before
    assert not [record for record in caplog.records if "typed-key" in record.getMessage() or "stored" in record.getMessage()]


async def test_only_so_many_at_a_time(world, monkeypatch):
    monkeypatch.setattr(module, "MAX_TRIALS", 1)
    go_on = asyncio.Event()
    async with ScriptedServer("both") as server:
        server.on("/api/version", [go_on, *wire.answer({"version": "1"})])
        first = asyncio.create_task(world.found(server.url))
        await server.request("/api/version")
        assert await world.refused(url=server.url) == (503, "too_many", None)
        go_on.set()
        assert (await first)["version"] == "1"
        assert (await world.found(server.url))["status"] == "healthy"


async def test_a_client_that_leaves_ends_its_trial(world):
    left, sent = asyncio.Event(), []

    async def receive():
        if not sent:
            sent.append("body")
            return {"type": "http.request", "body": body}
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    headers = [(b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/api/servers/test", "query_string": b"", "headers": headers}
    async with ScriptedServer("nothing") as server:
        server.on("*", [hang])
        body = json.dumps({"url": server.url}).encode()
        asking = asyncio.create_task(world.app(scope, receive, send))
        asked = await server.request("/api/tags")
        left.set()
        await asyncio.wait_for(asking, 10)
        await asked.until_left()
    assert sent == ["body"]
    assert world.operations._running == 0


# ---- the route


async def test_a_server_with_the_id_test_is_a_server_like_any_other(admin):
    await admin.add("test")
    assert (await admin.ask("GET", "/api/servers/test")).json()["id"] == "test"
    assert (await admin.ask("PATCH", "/api/servers/test", {"name": "t"})).json()["name"] == "t"
    async with ScriptedServer("both") as server:
        tried = await admin.ask("POST", "/api/servers/test", {"url": server.url})
    assert (tried.status_code, tried.json()["status"]) == (200, "healthy")
    assert (await admin.ask("PUT", "/api/servers/test")).status_code == 405
    assert (await admin.ask("DELETE", "/api/servers/test")).status_code == 204


@pytest.mark.parametrize("method", ["GET", "HEAD", "PATCH", "DELETE"])
async def test_without_such_a_server_only_post_is_allowed(admin, method):
    await admin.add("a")
    answer = await admin.ask(method, "/api/servers/test", {} if method == "PATCH" else None)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert method == "HEAD" or answer.json()["error"]["code"] == "method_not_allowed"
    assert (await admin.ask(method, "/api/servers/other", {} if method == "PATCH" else None)).status_code == 404
