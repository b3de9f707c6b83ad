"""Lists merged of several servers."""

import json

import pytest
from msgspec import Raw
from msgspec.structs import replace

from orchestrator.edge.lists import Lists, v1_entry
from orchestrator.fleet.fleet import Fleet
from orchestrator.fleet.specs import FleetSpec, Learned, ListedModel, LoadedModel, Observation, ServerSpec
from tests.fakes.clock import FakeClock


def raw(value):
    return Raw(json.dumps(value).encode())


def tag(name, time="2026-01-01T00:00:00Z", **more):
    return ListedModel(name, time, raw({"name": name, "model": name, "modified_at": time, **more}))


def v1(name, **more):
    return ListedModel(name, raw=raw({"id": name, "object": "model", "created": 1, "owned_by": "vllm"} | more))


def ps(name, expires, **more):
    return LoadedModel(name, expires_at=expires, raw=raw({"name": name, "expires_at": expires, **more}))


class World:
    def __init__(self):
        self.clock = FakeClock()
        self.fleet = Fleet()
        self.lists = Lists(self.fleet, self.clock)
        self.specs = {}

    def serve(self, server_id, *, models=(), v1_models=None, loaded=(), kind="ollama", version="0.33.0", **spec):
        """A healthy server; models: of `/api/tags`, None if it does not speak Ollama; likewise v1_models."""
        learned = Learned(kind, version, models is not None, v1_models is not None, tuple(models or ()), tuple(v1_models or ()))
        self.specs[server_id] = ServerSpec(id=server_id, url=f"http://{server_id}", **spec)
        self.apply()
        self.fleet.observe(server_id, Observation(status="healthy", learned=learned, loaded=tuple(loaded)), self.clock.now(), self.clock.utc())

    def apply(self):
        self.fleet.apply(FleetSpec(tuple(self.specs.values())), self.clock.now())

    def change(self, server_id, **spec):
        self.specs[server_id] = replace(self.specs[server_id], **spec)
        self.apply()

    def tags(self):
        return [model["name"] for model in json.loads(self.lists.tags())["models"]]

    def loaded(self):
        return [model["name"] for model in json.loads(self.lists.loaded())["models"]]

    def version(self):
        return json.loads(self.lists.version())["version"]

    def v1(self):
        return [model["id"] for model in json.loads(self.lists.v1_models())["data"]]


@pytest.fixture
def world():
    return World()


def test_an_empty_fleet_has_empty_lists(world):
    assert [world.lists.tags(), world.lists.loaded()] == [b'{"models":[]}'] * 2
    assert world.lists.v1_models() == b'{"object":"list","data":[]}\n'
    assert world.lists.version() == b'{"version":"0.0.0"}'
    assert world.lists.v1_model("m") is None


class TestTags:
    def test_the_newest_come_first_whatever_their_time_zone(self, world):
        world.serve("a", models=[tag("old", "2026-01-01T00:00:00Z"), tag("new", "2026-01-02T01:00:00.123456789+02:00")])
        world.serve("b", models=[tag("newest", "2026-01-01T20:00:00-07:00"), tag("unknown", "")])
        assert world.tags() == ["newest", "new", "old", "unknown"]

    def test_within_a_second_the_order_is_the_servers(self, world):
        world.serve("a", models=[tag("x", "2026-01-01T00:00:00.1Z"), tag("y", "2026-01-01T00:00:00.9Z"), tag("z", "2026-01-01T00:00:00.5Z")])
        assert world.tags() == ["x", "y", "z"]

    def test_a_model_of_two_servers_is_listed_once_as_modified_last(self, world):
        world.serve("a", models=[tag("M:latest", "2026-01-01T00:00:00Z", digest="old")])
        world.serve("b", models=[tag("m:latest", "2026-01-03T00:00:00Z", digest="new")])
        world.serve("c", models=[tag("m", "2026-01-02T00:00:00Z", digest="mid")])
        assert [model["digest"] for model in json.loads(world.lists.tags())["models"]] == ["new"]

    def test_entries_are_the_bytes_that_were_reported(self, world):
        odd = Raw(b'{"name":"m", "size":1.0,"unknown":12345678901234567890}')
        world.serve("a", models=[ListedModel("m", "", odd)])
        assert world.lists.tags() == b'{"models":[' + bytes(odd) + b"]}"

    def test_only_servers_that_speak_ollama_count(self, world):
        world.serve("a", models=None, v1_models=[v1("gpt")])
        assert world.tags() == []

    def test_allow_and_deny_are_obeyed(self, world):
        world.serve("a", models=[tag("small:latest"), tag("big:latest"), tag("small:70b")], models_allow=("small*",), models_deny=("*:70b",))
        assert world.tags() == ["small:latest"]

    @pytest.mark.parametrize("time", ["yesterday", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "2026-01-01"])
    def test_no_time_upsets_the_order(self, world, time):
        world.serve("a", models=[tag("odd", time), tag("m")])
        assert sorted(world.tags()) == ["m", "odd"]


class TestRoutable:
    def test_what_takes_no_requests_is_not_listed(self, world):
        world.serve("a", models=[tag("m")], v1_models=[v1("m")], loaded=[ps("m", "2030-01-01T00:00:00Z")])
        for change in ({"enabled": False}, {"enabled": True, "draining": True}, {"draining": False, "fault": "x"}):
            world.change("a", **change)
            assert (world.tags(), world.v1(), world.loaded(), world.lists.v1_model("m")) == ([], [], [], None)
        world.change("a", fault=None)
        assert world.tags() == ["m"]

    def test_a_change_of_health_shows_at_once(self, world):
        world.serve("a", models=[tag("m")])
        world.serve("b", models=[tag("n")])
        assert sorted(world.tags()) == ["m", "n"]
        world.fleet.servers["a"].blame_config("401")
        assert world.tags() == ["n"]

    def test_a_rate_limit_that_ends_shows_at_once(self, world):
        world.serve("a", models=[tag("m")])
        world.fleet.observe("a", Observation(status="rateLimited", retry_after_seconds=5.0), world.clock.now(), world.clock.utc())
        assert world.tags() == []
        world.clock.advance(5)
        assert world.tags() == ["m"]

    def test_what_did_not_change_is_not_made_again(self, world):
        world.serve("a", models=[tag("m")], v1_models=[v1("m")])
        for make in (world.lists.tags, world.lists.loaded, world.lists.version, world.lists.v1_models):
            assert make() is make()
        before = world.lists.tags()
        world.serve("b", models=[tag("n")])
        assert world.lists.tags() != before


class TestLoaded:
    def test_the_union_with_the_longest_stay_first(self, world):
        world.serve("a", loaded=[ps("m", "2026-01-01T00:05:00Z"), ps("x", "2318-01-01T00:00:00Z")])
        world.serve("b", loaded=[ps("y", "2026-01-01T00:07:00Z")])
        assert world.loaded() == ["x", "y", "m"]

    def test_a_model_loaded_twice_stays_as_long_as_the_longer(self, world):
        world.serve("a", loaded=[ps("m:latest", "2026-01-01T00:05:00Z", size_vram=1)])
        world.serve("b", loaded=[ps("m", "2026-01-01T00:09:00Z", size_vram=2)])
        assert [model["size_vram"] for model in json.loads(world.lists.loaded())["models"]] == [2]

    def test_what_has_expired_stays_as_reported(self, world):
        world.serve("a", loaded=[ps("m", "1999-01-01T00:00:00Z")])
        assert world.loaded() == ["m"]

    def test_what_is_denied_is_not_shown(self, world):
        world.serve("a", loaded=[ps("m", ""), ps("n", "")], models_deny=("m",))
        assert world.loaded() == ["n"]


class TestVersion:
    @pytest.mark.parametrize(
        ("versions", "lowest"),
        [
            (["0.33.0", "0.5.13"], "0.5.13"),
            (["0.9.0", "0.10.0"], "0.9.0"),
            (["0.33.0", "0.33.0-rc2"], "0.33.0-rc2"),
            (["v0.7.1", "0.8"], "0.7.1"),
            (["0.33.0", "0.1.0+gateway"], "0.33.0"),
            (["weird", ""], "0.0.0"),
            (["0.0.0"], "0.0.0"),
        ],
    )
    def test_the_lowest_that_clients_can_read(self, world, versions, lowest):
        for i, number in enumerate(versions):
            world.serve(f"s{i}", version=number)
        assert world.version() == lowest

    def test_only_ollamas_count(self, world):
        world.serve("a", version="0.33.0")
        world.serve("b", models=None, v1_models=[], version="0.1.0")
        assert world.version() == "0.33.0"

    def test_without_an_ollama_that_takes_requests_the_others_tell(self, world):
        world.serve("a", version="0.33.0", enabled=False)
        assert world.version() == "0.33.0"


class TestV1:
    def test_models_of_both_kinds_of_server_once_each_in_a_stable_order(self, world):
        world.serve("a", models=[tag("m:latest")], v1_models=[v1("m:latest", owned_by="library"), v1("z")])
        world.serve("b", models=None, v1_models=[v1("Org/Model"), v1("m"), v1("a")], kind="vllm")
        assert world.v1() == ["m:latest", "z", "Org/Model", "a"]
        world.fleet.observe("a", Observation(status="healthy", learned=world.fleet.servers["a"].learned), world.clock.now(), world.clock.utc())
        assert world.v1() == ["m:latest", "z", "Org/Model", "a"]

    def test_whole_entries_are_the_bytes_that_were_reported(self, world):
        odd = Raw(b'{"meta":{"n_ctx":4096.0}, "id":"m","object":"model","created":7,"owned_by":"x"}')
        world.serve("a", models=None, v1_models=[ListedModel("m", raw=odd)])
        assert world.lists.v1_models() == b'{"object":"list","data":[' + bytes(odd) + b"]}\n"

    @pytest.mark.parametrize(
        ("given", "filled"),
        [
            ({"id": "m"}, {"id": "m", "object": "model", "created": 0, "owned_by": "lmstudio"}),
            ({"name": "m", "created": 5}, {"name": "m", "created": 5, "id": "m", "object": "model", "owned_by": "lmstudio"}),
            ({"id": "m", "object": None, "created": None, "owned_by": None}, {"id": "m", "object": "model", "created": 0, "owned_by": "lmstudio"}),
            ({"id": "m", "pricing": {"a": "1"}}, {"id": "m", "pricing": {"a": "1"}, "object": "model", "created": 0, "owned_by": "lmstudio"}),
        ],
    )
    def test_what_clients_insist_on_is_filled_in(self, given, filled):
        assert json.loads(v1_entry(ListedModel("m", raw=raw(given)), "lmstudio")) == filled

    def test_other_members_stay_as_they_were_written(self):
        entry = v1_entry(ListedModel("m", raw=Raw(b'{"id":"m","price":1.0,"big":12345678901234567890}')), "openai")
        assert b'"price":1.0' in entry
        assert b'"big":12345678901234567890' in entry

    def test_allow_and_deny_are_obeyed(self, world):
        world.serve("a", v1_models=[v1("m"), v1("n")], models_deny=("n",))
        assert world.v1() == ["m"]
        assert world.lists.v1_model("n") is None


class TestV1Model:
    @pytest.mark.parametrize("asked", ["m", "M", "m:latest", "library/m", "M:Latest"])
    def test_an_ollama_echoes_what_was_asked(self, world, asked):
        world.serve("a", v1_models=[v1("m:latest", owned_by="library")])
        found = world.lists.v1_model(asked)
        assert found.endswith(b"}\n")
        assert json.loads(found) == {"id": asked, "object": "model", "created": 1, "owned_by": "library"}

    def test_other_servers_answer_with_their_entry(self, world):
        world.serve("a", models=None, v1_models=[v1("Org/Sub/Model", max_model_len=7)], kind="vllm")
        for asked in ("Org/Sub/Model", "org/sub/model", "Org/Sub/Model:latest"):
            assert json.loads(world.lists.v1_model(asked)) == {"id": "Org/Sub/Model", "object": "model", "created": 1, "owned_by": "vllm", "max_model_len": 7}

    def test_the_exact_spelling_comes_before_others(self, world):
        world.serve("a", models=None, v1_models=[v1("Model", owned_by="first")])
        world.serve("b", models=None, v1_models=[v1("model", owned_by="second")])
        assert [json.loads(world.lists.v1_model(asked))["owned_by"] for asked in ("model", "Model")] == ["second", "first"]

    def test_a_tag_is_not_made_up(self, world):
        world.serve("a", v1_models=[v1("m:8b")])
        assert world.lists.v1_model("m") is None
        assert world.lists.v1_model("") is None
