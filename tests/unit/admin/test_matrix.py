"""The matrix of models over fleets without sockets."""

import asyncio
import json
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.json import encode

from orchestrator.admin import matrix as module
from orchestrator.admin import slices
from orchestrator.admin.matrix import MatrixOperations
from orchestrator.fleet.specs import FleetSpec, Learned, ListedModel, Observation, ServerSpec
from orchestrator.gateway.admission import Admission
from orchestrator.routing.candidates import Wanted
from orchestrator.routing.policies import named
from orchestrator.routing.router import Router
from tests.fakes import fleets
from tests.fakes.clock import FakeClock


def listed(name, **members):
    return ListedModel(name, raw=Raw(encode({"name": name, **members})))


def tagged(name, digest="d", size=5):
    return listed(name, size=size, digest=digest, details={"parameter_size": "8.0B", "quantization_level": "Q4_K_M", "context_length": 4096})


def server(server_id, models=(), v1_models=(), **more):
    learned = Learned(kind="x", supports_ollama=bool(models), supports_v1=bool(v1_models), models=tuple(models), v1_models=tuple(v1_models))
    return ServerSpec(id=server_id, url=f"http://{server_id}.test", learned=learned, **more)


class World:
    def __init__(self, *specs, policy="least-in-flight", queue_size=10):
        self.clock = FakeClock()
        self.fleet = fleets.fleet(*specs)
        self.admission = Admission(Router(named(policy, Random(1))), self.clock, queue_size, 60.0)
        self.operations = MatrixOperations(self.fleet, self.admission.preview, self.clock)

    async def models(self):
        """name -> model."""
        answer = await self.operations.models(None)
        assert (answer.media_type, answer.headers["cache-control"]) == ("application/json", "no-store")
        return {model["name"]: model for model in json.loads(answer.body)["models"]}

    async def one(self):
        (model,) = (await self.models()).values()
        return model


async def test_an_empty_fleet_has_no_models():
    assert await World().models() == {}


async def test_what_is_known_of_a_model():
    world = World(server("a", [tagged("m:latest")], [listed("m:latest")]), server("b", (), [listed("m", max_model_len=9)]))
    world.fleet.servers["a"].resident.add("m")
    assert await world.one() == {
        "name": "m",
        "size": 5,
        "parameters": "8.0B",
        "quantisation": "Q4_K_M",
        "contextLength": 4096,
        "sameEverywhere": True,
        "servers": {"a": {"ollama": True, "openai": True, "loaded": True}, "b": {"openai": True}},
        "ollama": {"servers": ["a"], "waits": False, "reason": ""},
        "openai": {"servers": ["a"], "waits": False, "reason": ""},
    }


async def test_what_nobody_reported_is_null_or_empty():
    model = await World(server("a", (), [listed("m")])).one()
    assert [model[name] for name in ("size", "parameters", "quantisation", "contextLength", "ollama")] == [None, "", "", None, None]


async def test_the_first_that_reports_something_counts():
    world = World(server("a", (), [listed("m")]), server("b", [tagged("m", size=7)]), server("c", [tagged("m", size=8)]))
    assert (await world.one())["size"] == 7


async def test_spellings_of_a_name_are_one_model_and_names_are_sorted():
    world = World(server("a", [tagged("Zeta:8b"), tagged("alpha:latest")]), server("b", [tagged("ALPHA"), tagged("library/beta")]))
    models = await world.models()
    assert list(models) == ["alpha:latest", "library/beta", "Zeta:8b"]
    assert list(models["alpha:latest"]["servers"]) == ["a", "b"]


async def test_the_name_is_the_spelling_of_servers_that_take_no_other():
    world = World(server("a", [tagged("org/M:latest")], [listed("org/M:latest")]), server("b", (), [listed("org/m")]), server("c", (), [listed("ORG/m")]))
    model = await world.one()
    assert model["name"] == "org/m"
    assert model["openai"]["servers"] == ["a"]


async def test_other_digests_are_flagged():
    assert (await World(server("a", [tagged("m", "1")]), server("b", [tagged("m", "1")]), server("c", (), [listed("m")])).one())["sameEverywhere"]
    assert not (await World(server("a", [tagged("m", "1")]), server("b", [tagged("m", "2")])).one())["sameEverywhere"]


async def test_a_denied_model_is_shown_as_such_and_goes_nowhere():
    world = World(server("a", [tagged("m")], models_deny=("m*",)), server("b", (), [listed("m")], models_allow=("other",)))
    model = await world.one()
    assert model["servers"] == {"a": {"ollama": True, "denied": True}, "b": {"openai": True, "denied": True}}
    refused = {"servers": [], "waits": False, "reason": "model 'm' not found: no server that has it is allowed to serve it"}
    assert (model["ollama"], model["openai"]) == (refused, refused)


async def test_the_words_of_a_refusal_are_those_of_the_router():
    world = World(server("a", [tagged("m")], enabled=False), server("b", [tagged("m")], draining=True))
    assert (await world.one())["ollama"] == {"servers": [], "waits": False, "reason": "no server can take model 'm' now: a (disabled), b (draining)"}


async def test_full_servers_are_waited_for():
    world = World(server("a", [tagged("m")], max_concurrency=1), server("b", [tagged("m")], enabled=False))
    world.fleet.servers["a"].in_flight = 1
    assert (await world.one())["ollama"] == {"servers": ["a"], "waits": True, "reason": ""}


async def test_a_full_line_is_a_refusal():
    world = World(server("a", [tagged("m")], max_concurrency=1), queue_size=0)
    world.fleet.servers["a"].in_flight = 1
    assert (await world.one())["ollama"]["reason"].startswith("server busy")


async def test_chance_names_all_that_it_may_draw():
    specs = [server("a", [tagged("m")]), server("b", [tagged("m")]), server("c", [tagged("m")], priority=1)]
    assert (await World(*specs, policy="random").one())["ollama"]["servers"] == ["a", "b"]
    assert (await World(*specs).one())["ollama"]["servers"] == ["a"]


async def test_asking_changes_no_turn_and_keeps_no_spelling():
    world = World(server("a", [tagged("m")]), server("b", [tagged("m")]))
    for expected in ("a", "b", "a"):
        for _ in range(3):
            assert (await world.one())["ollama"]["servers"] == [expected]
        flight = world.admission.take(Wanted(*found(world.fleet, "m"), set()), 1000.0)
        assert flight.server.id == expected
        flight.server.in_flight = 0
    assert world.fleet.indexes["ollama"]._asked == {}


def found(fleet, name):
    model = fleet.indexes["ollama"].models[name]
    return model, name, model.hosts_for(name)


names = st.sampled_from(["m", "M:latest", "library/m", "n:8b", "N:8B", "o"])
specs = st.tuples(
    st.lists(names, max_size=3, unique=True),
    st.lists(names, max_size=3, unique=True),
    st.booleans(),
    st.sampled_from([(), (), ("n*",)]),
    st.sampled_from([None, None, 1]),
    st.integers(0, 1),
)


@given(st.lists(specs, min_size=1, max_size=4), st.sampled_from(["least-in-flight", "round-robin", "weighted-random", "random"]))
async def test_a_request_goes_where_the_matrix_says(drawn, policy):
    made = [
        server(f"s{n}", [tagged(name) for name in models], [listed(name) for name in v1], enabled=enabled, models_deny=deny, max_concurrency=limit)
        for n, (models, v1, enabled, deny, limit, _) in enumerate(drawn)
    ]
    world = World(*made, policy=policy)
    for one, (*_, in_flight) in zip(world.fleet.servers.values(), drawn, strict=True):
        one.in_flight = in_flight
    for name in await world.models():
        for family, member in (("ollama", "ollama"), ("v1", "openai")):
            where, listing = (await world.models())[name][member], world.fleet.find(family, name)
            if where is None or where["reason"]:
                assert listing is None or not [host for host in listing[1] if host.server.routable(1000.0)]
                continue
            flight = world.admission.take(Wanted(listing[0], name, listing[1], set()), 1000.0)
            assert where["waits"] == (flight is None)
            assert where["servers"]
            if flight is not None:
                assert flight.server.id in where["servers"]
                flight.server.in_flight -= 1


# ---- what is kept


async def test_rows_are_made_anew_only_when_a_list_changes(monkeypatch):
    world, made = World(server("a", [tagged("m")]), server("b", [tagged("n")])), []
    original = module._rows

    async def counted(*arguments):
        made.append(1)
        return await original(*arguments)

    monkeypatch.setattr(module, "_rows", counted)
    await asyncio.gather(world.models(), world.models())
    world.fleet.observe("a", Observation(status="healthy", learned=world.fleet.servers["a"].learned, loaded=()), 1000.0, world.clock.utc())
    assert (len(await world.models()), len(made)) == (2, 1)
    world.fleet.observe("a", Observation(status="healthy", learned=Learned(supports_ollama=True, models=(tagged("k"),))), 1000.0, world.clock.utc())
    assert (list(await world.models()), len(made)) == (["k", "n"], 2)
    world.fleet.apply(FleetSpec((server("b", [tagged("n")], models_deny=("n",)),)), 1000.0)
    assert ((await world.one())["servers"], len(made)) == ({"b": {"ollama": True, "denied": True}}, 3)


async def test_what_moves_is_never_kept():
    world = World(server("a", [tagged("m")]))
    assert (await world.one())["ollama"]["servers"] == ["a"]
    world.fleet.servers["a"].resident.add("m")
    world.fleet.servers["a"].health = "down"
    model = await world.one()
    assert (model["servers"]["a"]["loaded"], model["ollama"]["reason"]) == (True, "no server can take model 'm' now: a (down)")


async def test_others_have_their_turn_between_models(monkeypatch):
    monkeypatch.setattr(slices, "SLICE_SECONDS", 0.0)
    world, turns = World(*(server(f"s{n}", [tagged(f"m{i}") for i in range(20)]) for n in range(3))), []

    async def other():
        while True:
            turns.append(1)
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    assert len(await world.models()) == 20
    task.cancel()
    assert len(turns) >= 3 * 20 + 20 + 20


async def test_a_fleet_that_changes_meanwhile_is_answered(monkeypatch):
    monkeypatch.setattr(slices, "SLICE_SECONDS", 0.0)
    world = World(server("a", [tagged("m"), tagged("n")]))
    asking = asyncio.create_task(world.models())
    for _ in range(4):
        await asyncio.sleep(0)
    world.fleet.apply(FleetSpec(), 1000.0)
    assert set(await asking) == {"m", "n"}
    assert await world.models() == {}


@pytest.mark.parametrize("raw", [b"[]", b"5", b'{"size":"","digest":5,"details":[]}'])
async def test_entries_of_any_shape_are_shown(raw):
    assert (await World(server("a", [ListedModel("m", raw=Raw(raw))])).one())["servers"] == {"a": {"ollama": True}}


async def test_the_route_answers(admin):
    assert (await admin.ask("GET", "/api/models")).json() == {"models": []}
