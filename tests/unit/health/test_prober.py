"""Probes against scripted servers over real sockets, and against scripted answers where only the words matter."""

import asyncio
import logging

import pytest
from aiohttp import ClientError
from aioresponses import aioresponses
from msgspec.structs import replace

from orchestrator.fleet.fleet import Fleet
from orchestrator.fleet.specs import FleetSpec, Secret, ServerSpec
from orchestrator.health import prober as module
from orchestrator.health.prober import Prober
from orchestrator.settings import Settings
from orchestrator.upstream.control import open_session
from tests.fakes import wire
from tests.fakes.clock import FakeClock
from tests.fakes.scripted import ScriptedServer, hang, refusing

AZURE = "https://my-resource.openai.azure.com"
OPENROUTER = "https://openrouter.ai/api"
PROBE = {"/api/tags", "/api/version", "/api/ps", "/v1/models"}


class World:
    """A fleet, its prober and what was stored."""

    def __init__(self, session):
        self.clock = FakeClock()
        self.fleet = Fleet()
        self.environment = {}
        self.stored = []
        self.store_error = None
        settings = Settings(probe_timeout_seconds=5.0, probe_interval_seconds=10.0)
        self.prober = Prober(self.fleet, session, self.clock, settings, self.store, self.environment)

    async def store(self, server_id, learned):
        self.stored.append((server_id, learned))
        if self.store_error:
            raise self.store_error

    def apply(self, *specs):
        self.fleet.apply(FleetSpec(specs), self.clock.now())

    def status(self, server_id="a"):
        return self.fleet.servers[server_id].status(self.clock.now())[0]

    def be_impatient(self):
        """Requests of probes time out soon."""
        self.prober._timeout_seconds = 0.05


@pytest.fixture
async def world():
    async with open_session() as session:
        world = World(session)
        yield world
        await world.prober.close()


def spec(url, **more):
    return ServerSpec(**({"id": "a", "url": url} | more))


def paths(server):
    return [seen.path for seen in server.seen]


# ---- what is asked


async def test_a_server_of_both_families_is_learned_and_stored(world):
    async with ScriptedServer("both", ["m:latest"]) as server:
        world.apply(spec(server.url))
        seen = await world.prober.check("a")
        assert set(paths(server)) == PROBE
        assert len(server.seen) == 4
    learned = world.fleet.servers["a"].learned
    assert (seen.status, learned.kind, learned.version, learned.supports_ollama, learned.supports_v1) == ("healthy", "ollama", "0.33.0", True, True)
    assert world.stored == [("a", learned)]
    assert world.status() == "healthy"
    assert world.fleet.servers["a"].last_check_time == world.clock.utc()
    assert world.fleet.servers["a"].probe_response_seconds > 0


async def test_what_did_not_change_is_not_stored_again(world):
    async with ScriptedServer() as server:
        world.apply(spec(server.url))
        for _ in range(3):
            await world.prober.check("a")
    assert len(world.stored) == 1


async def test_a_server_of_type_openai_is_not_asked_for_ollamas_routes(world):
    async with ScriptedServer("both") as server:
        world.apply(spec(server.url, type="openai"))
        await world.prober.check("a")
        assert paths(server) == ["/v1/models"]
    assert not world.fleet.servers["a"].learned.supports_ollama


async def test_a_server_of_type_ollama_is_asked_for_both(world):
    async with ScriptedServer("ollama") as server:
        world.apply(spec(server.url, type="ollama"))
        await world.prober.check("a")
        assert set(paths(server)) == PROBE
    assert (world.fleet.servers["a"].learned.supports_ollama, world.fleet.servers["a"].learned.supports_v1) == (True, False)


async def test_keys_are_resolved_at_each_probe(world):
    async with ScriptedServer("openai", key="k1") as server:
        world.apply(spec(server.url, api_key=Secret("env:KEY")))
        world.environment["KEY"] = "wrong"
        assert (await world.prober.check("a")).status == "configError"
        world.environment["KEY"] = "k1"
        assert (await world.prober.check("a")).status == "healthy"
    assert world.status() == "healthy"


async def test_a_missing_variable_is_named_and_nothing_is_sent(world):
    async with ScriptedServer() as server:
        world.apply(spec(server.url, api_key=Secret("env:NOT_THERE")))
        seen = await world.prober.check("a")
        assert (seen.status, seen.reason) == ("configError", "environment variable NOT_THERE is not set")
        assert server.seen == []


async def test_azure_is_asked_below_openai_with_its_own_header(world):
    with aioresponses() as network:
        network.get(f"{AZURE}/openai/v1/models", payload={"data": [{"id": "gpt"}]})
        world.apply(spec(AZURE, api_key=Secret("k")))
        seen = await world.prober.check("a")
        (call,) = [call for calls in network.requests.values() for call in calls]
    assert call.kwargs["headers"]["api-key"] == "k"
    assert call.kwargs["allow_redirects"] is False
    assert (seen.status, world.fleet.servers["a"].learned.kind) == ("healthy", "azure")


async def test_a_base_path_is_kept_and_a_hosted_service_is_not_asked_for_ollamas_routes(world):
    with aioresponses() as network:
        network.get(f"{OPENROUTER}/v1/models", payload={"data": [{"id": "org/name:free"}]})
        world.apply(spec(OPENROUTER + "/v1/"))
        await world.prober.check("a")
        assert [str(url) for _, url in network.requests] == [f"{OPENROUTER}/v1/models"]
    assert [model.name for model in world.fleet.servers["a"].learned.v1_models] == ["org/name:free"]


async def test_tls_is_verified_unless_the_operator_said_otherwise(world):
    for verify in (True, False):
        with aioresponses() as network:
            network.get("https://h/v1/models", payload={"data": []})
            world.apply(spec("https://h", type="openai", verify_tls=verify))
            await world.prober.check("a")
            (call,) = [call for calls in network.requests.values() for call in calls]
        assert call.kwargs["ssl"] is verify


# ---- what it means


@pytest.mark.parametrize(
    ("status", "headers", "body", "health"),
    [
        (401, {}, "sk-secret", "configError"),
        (403, {}, "sk-secret", "configError"),
        (429, {"Retry-After": "20"}, "", "rateLimited"),
        (503, {}, '{"error":{"message":"Loading model","code":503}}', "warming"),
        (500, {}, "sk-secret", "down"),
        (404, {}, "", "down"),
        (200, {}, '{"error":"Unexpected endpoint or method."}', "down"),
        (200, {}, "<html>sk-secret</html>", "down"),
    ],
)
async def test_every_kind_of_trouble_has_its_status_and_quotes_nothing(world, status, headers, body, health, caplog):
    caplog.set_level(logging.DEBUG)
    with aioresponses() as network:
        network.get("http://h/v1/models", status=status, headers=headers, body=body)
        world.apply(spec("http://h", type="openai", api_key=Secret("sk-secret")))
        seen = await world.prober.check("a")
    assert (seen.status, world.status()) == (health, health)
    assert "sk-secret" not in seen.reason + caplog.text


@pytest.mark.parametrize("error", [ClientError("sk-secret"), OSError("sk-secret"), TimeoutError("sk-secret")])
async def test_an_error_of_the_network_marks_down_and_quotes_nothing(world, error, caplog):
    with aioresponses() as network:
        network.get("http://h/v1/models", exception=error)
        world.apply(spec("http://h", type="openai"))
        seen = await world.prober.check("a")
    assert seen.status == "down"
    assert "sk-secret" not in seen.reason + caplog.text


async def test_three_failures_mark_down_and_one_success_marks_up(world):
    async with ScriptedServer() as server:
        world.apply(spec(server.url))
        await world.prober.check("a")
        await server.down()
        seen = []
        for _ in range(3):
            await world.prober.check("a")
            seen.append(world.status())
        assert seen == ["degraded", "degraded", "down"]
        await server.up()
        await world.prober.check("a")
    assert world.status() == "healthy"
    assert world.fleet.find("ollama", "m") is not None


async def test_an_unreachable_server_says_so(world):
    with refusing() as url:
        world.apply(spec(url))
        seen = await world.prober.check("a")
    assert (seen.status, seen.reason) == ("down", "/api/tags: connection refused; /v1/models: connection refused")


async def test_a_family_that_hangs_does_not_take_the_other_with_it(world):
    world.apply(spec("http://h"))
    for v1 in ({"payload": {"data": [{"id": "m"}]}}, {"exception": TimeoutError()}):
        with aioresponses() as network:
            network.get("http://h/api/tags", payload={"models": [{"name": "m:latest"}]})
            network.get("http://h/api/version", payload={"version": "0.33.0"})
            network.get("http://h/api/ps", payload={"models": []})
            network.get("http://h/v1/models", **v1)
            seen = await world.prober.check("a")
    assert (seen.status, seen.reason) == ("healthy", "/v1/models: no answer within 5 s")
    assert world.fleet.servers["a"].learned.supports_v1


class TestBusy:
    """A probe that times out while tokens flow from that server does not count."""

    async def probe_hanging(self, world, flowed_before_seconds, times=3):
        async with ScriptedServer("both") as server:
            world.apply(spec(server.url))
            await world.prober.check("a")
            world.be_impatient()
            for path in PROBE:
                server.on(path, [hang])
            world.clock.advance(100)
            world.fleet.servers["a"].flowed_at = world.clock.now() - flowed_before_seconds
            for _ in range(times):
                assert (await world.prober.check("a")).timed_out
        return world.fleet.servers["a"]

    async def test_while_tokens_flow_timeouts_do_not_count(self, world):
        server = await self.probe_hanging(world, 20.0)
        assert (world.status(), server.failures) == ("healthy", 0)
        assert (server.last_check_time, server.check_seconds) == (world.clock.utc(), None)

    async def test_without_tokens_they_do(self, world):
        server = await self.probe_hanging(world, 20.1)
        assert (world.status(), server.failures) == ("down", 3)

    async def test_a_refused_connection_counts_even_so(self, world):
        async with ScriptedServer() as server:
            world.apply(spec(server.url))
            await world.prober.check("a")
        world.fleet.servers["a"].flowed_at = world.clock.now()
        await world.prober.check("a")
        assert world.fleet.servers["a"].failures == 1


# ---- when


async def test_two_callers_share_one_probe(world):
    go = asyncio.Event()
    async with ScriptedServer("openai") as server:
        server.on("/v1/models", [go, *wire.v1_models(["m"])])
        world.apply(spec(server.url, type="openai"))
        first, second = asyncio.create_task(world.prober.check("a")), asyncio.create_task(world.prober.check("a"))
        await server.request("/v1/models")
        third = asyncio.create_task(world.prober.check("a"))
        await asyncio.sleep(0)
        go.set()
        seen = await asyncio.gather(first, second, third)
        assert len(server.seen) == 1
    assert seen[0].status == "healthy"
    assert seen[0] is seen[1] is seen[2]


async def test_a_caller_that_leaves_does_not_end_the_probe_of_the_others(world):
    go = asyncio.Event()
    async with ScriptedServer("openai") as server:
        server.on("/v1/models", [go, *wire.v1_models(["m"])])
        world.apply(spec(server.url, type="openai"))
        leaving, staying = asyncio.create_task(world.prober.check("a")), asyncio.create_task(world.prober.check("a"))
        await server.request("/v1/models")
        leaving.cancel()
        await asyncio.wait([leaving])
        go.set()
        assert (await staying).status == "healthy"


async def test_a_result_for_what_was_changed_meanwhile_is_dropped_and_the_next_probe_waits_its_turn(world):
    go = asyncio.Event()
    async with ScriptedServer("openai") as server:
        server.on("/v1/models", [go, *wire.v1_models(["old"])], wire.v1_models(["new"]))
        old = spec(server.url, type="openai", api_key=Secret("k1"))
        world.apply(old)
        first = asyncio.create_task(world.prober.check("a"))
        await server.request("/v1/models")
        world.apply(replace(old, api_key=Secret("k2")))
        second = asyncio.create_task(world.prober.check("a"))
        await asyncio.sleep(0)
        assert len(server.seen) == 1
        go.set()
        assert await first is None
        assert (await second).status == "healthy"
        assert [seen.header("authorization") for seen in server.seen] == ["Bearer k1", "Bearer k2"]
    assert [model.name for model in world.fleet.servers["a"].learned.v1_models] == ["new"]
    assert len(world.stored) == 1


async def test_a_change_that_is_none_of_the_probes_business_keeps_its_result(world):
    go = asyncio.Event()
    async with ScriptedServer("openai") as server:
        server.on("/v1/models", [go, *wire.v1_models(["m"])])
        world.apply(spec(server.url, type="openai"))
        check = asyncio.create_task(world.prober.check("a"))
        await server.request("/v1/models")
        world.apply(spec(server.url, type="openai", weight=2.0, draining=True))
        go.set()
        assert (await check).status == "healthy"


async def test_a_server_removed_during_its_probe_is_forgotten(world):
    go = asyncio.Event()
    async with ScriptedServer("openai") as server:
        server.on("/v1/models", [go, *wire.v1_models(["m"])])
        world.apply(spec(server.url, type="openai"))
        check = asyncio.create_task(world.prober.check("a"))
        await server.request("/v1/models")
        world.apply()
        go.set()
        assert await check is None
    assert world.stored == []


async def test_unknown_and_unusable_servers_are_not_probed(world):
    async with ScriptedServer() as server:
        world.apply(spec(server.url, fault="the key cannot be decrypted"))
        assert await world.prober.check("a") is None
        assert await world.prober.check("nobody") is None
        assert server.seen == []
    assert world.status() == "configError"


async def test_a_server_that_asked_to_be_left_alone_is_left_alone(world):
    async with ScriptedServer("openai") as server:
        server.on("/v1/models", wire.openai_error(429, "slow down", headers={"Retry-After": "30"}), wire.v1_models(["m"]))
        world.apply(spec(server.url, type="openai"))
        assert (await world.prober.check("a")).status == "rateLimited"
        world.clock.advance(29)
        assert await world.prober.check("a") is None
        assert len(server.seen) == 1
        world.clock.advance(1)
        assert (await world.prober.check("a")).status == "healthy"


async def test_another_key_is_tried_at_once_after_a_rate_limit(world):
    async with ScriptedServer("openai") as server:
        server.on("/v1/models", wire.openai_error(429, "slow down", headers={"Retry-After": "30"}), wire.v1_models(["m"]))
        world.apply(spec(server.url, type="openai"))
        await world.prober.check("a")
        world.apply(spec(server.url, type="openai", api_key=Secret("other")))
        assert (await world.prober.check("a")).status == "healthy"


async def test_all_servers_are_probed_so_many_at_a_time(world, monkeypatch):
    monkeypatch.setattr(module, "MAX_CONCURRENT", 2)
    go = asyncio.Event()
    async with ScriptedServer("openai") as server:
        server.on("/v1/models", [go, *wire.v1_models(["m"])])
        world.apply(*(spec(f"{server.url}/{i}", id=f"s{i}", type="openai") for i in range(5)))
        server.on("*", [go, *wire.v1_models(["m"])])
        checking = asyncio.create_task(world.prober.check_all())
        while len(server.seen) < 2:
            await asyncio.sleep(0)
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(server.seen) == 2
        go.set()
        await checking
        assert sorted(paths(server)) == [f"/{i}/v1/models" for i in range(5)]
    assert {world.status(f"s{i}") for i in range(5)} == {"healthy"}


async def test_one_servers_surprise_does_not_end_the_probing_of_the_others(world, caplog):
    async with ScriptedServer("openai") as server:
        world.apply(spec("not a url at all", id="bad"), spec(server.url, id="good", type="openai"))
        await world.prober.check_all()
    assert world.status("good") == "healthy"
    assert "probe of server bad failed inside" in caplog.text


async def test_closing_ends_probes_under_way(world):
    async with ScriptedServer("openai") as server:
        server.on("/v1/models", [hang])
        world.apply(spec(server.url, type="openai"))
        check = asyncio.create_task(world.prober.check("a"))
        seen = await server.request("/v1/models")
        await world.prober.close()
        await seen.until_left()
        assert await check is None


# ---- what is told


async def test_a_store_that_fails_is_logged_and_nothing_more(world, caplog):
    world.store_error = RuntimeError("postgres://user:sk-secret@db is down")
    async with ScriptedServer() as server:
        world.apply(spec(server.url))
        assert (await world.prober.check("a")).status == "healthy"
    assert world.status() == "healthy"
    assert "what was learned of server a could not be stored: RuntimeError" in caplog.text
    assert "sk-secret" not in caplog.text


async def test_changes_of_status_are_logged_once_each(world, caplog):
    caplog.set_level(logging.INFO, "orchestrator.health.prober")
    async with ScriptedServer("openai", key="sk-secret") as server:
        world.apply(spec(server.url, type="openai", api_key=Secret("sk-secret")))
        await world.prober.check("a")
        await world.prober.check("a")
        world.apply(spec(server.url, type="openai", api_key=Secret("sk-other-secret")))
        await world.prober.check("a")
    assert [record.message for record in caplog.records] == [
        "server a: unknown -> healthy",
        "server a: unknown -> configError (/v1/models answered 401: the key is missing or not accepted)",
    ]
