"""What becomes of runtime state when the registry or the probes say something new."""

import pytest
from msgspec.structs import replace

from orchestrator.fleet.fleet import Fleet
from orchestrator.fleet.specs import FleetSpec, Learned, ListedModel, Observation, Secret, ServerSpec
from tests.fakes.clock import FakeClock

OLLAMA = Learned(kind="ollama", supports_ollama=True, supports_v1=True, models=(ListedModel("m:latest"),), v1_models=(ListedModel("m:latest"),))
VLLM = Learned(kind="vllm", supports_v1=True, v1_models=(ListedModel("Org/Model"),))
UP = Observation(status="healthy", learned=OLLAMA)
A = ServerSpec(id="a", url="http://a")
B = ServerSpec(id="b", url="http://b")


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def fleet(clock):
    fleet = Fleet()
    fleet.apply(FleetSpec((A, B)), clock.now())
    return fleet


def observe(fleet, clock, server_id, seen=UP):
    return fleet.observe(server_id, seen, clock.now(), clock.utc())


def hosts(fleet, family, asked):
    found = fleet.find(family, asked)
    return [host.server.id for host in found[1]] if found else None


class TestApply:
    def test_servers_keep_the_order_of_registration(self, fleet, clock):
        fleet.apply(FleetSpec((B, A)), clock.now())
        assert list(fleet.servers) == ["b", "a"]

    def test_what_was_learned_before_a_restart_routes_at_once(self, clock):
        fleet = Fleet()
        fleet.apply(FleetSpec((replace(A, learned=OLLAMA),)), clock.now())
        assert hosts(fleet, "ollama", "m") == ["a"]
        assert fleet.servers["a"].routable(clock.now())

    def test_a_survivor_keeps_its_state(self, fleet, clock):
        observe(fleet, clock, "a")
        kept = fleet.servers["a"]
        kept.in_flight = 2
        fleet.apply(FleetSpec((replace(A, weight=3.0, tags=("gpu",), draining=True),)), clock.now())
        assert fleet.servers["a"] is kept
        assert (kept.in_flight, kept.spec.weight, kept.learned, kept.health) == (2, 3.0, OLLAMA, "healthy")
        assert "b" not in fleet.servers

    def test_another_url_is_another_server_with_the_same_flights(self, fleet, clock):
        observe(fleet, clock, "a")
        fleet.servers["a"].in_flight = 2
        fleet.apply(FleetSpec((replace(A, url="http://elsewhere"),)), clock.now())
        server = fleet.servers["a"]
        assert (server.in_flight, server.learned, server.health) == (2, Learned(), "unknown")
        assert hosts(fleet, "ollama", "m") is None

    @pytest.mark.parametrize("change", [{"api_key": Secret("k")}, {"headers": {"X": Secret("v")}}, {"type": "ollama"}, {"verify_tls": False}, {"fault": "x"}])
    def test_after_a_change_of_access_the_last_probe_says_nothing(self, fleet, clock, change):
        observe(fleet, clock, "a")
        fleet.servers["a"].blame_config("401")
        fleet.apply(FleetSpec((replace(A, **change),)), clock.now())
        assert (fleet.servers["a"].health, fleet.servers["a"].learned) == ("unknown", OLLAMA)

    def test_an_unchanged_secret_is_no_change(self, clock):
        fleet = Fleet()
        fleet.apply(FleetSpec((replace(A, api_key=Secret("k")),)), clock.now())
        observe(fleet, clock, "a")
        fleet.apply(FleetSpec((replace(A, api_key=Secret("k")),)), clock.now())
        assert fleet.servers["a"].health == "healthy"

    def test_allow_and_deny_work_at_once(self, fleet, clock):
        observe(fleet, clock, "a")
        fleet.apply(FleetSpec((replace(A, models_deny=("m",)),)), clock.now())
        assert hosts(fleet, "ollama", "m") is None
        assert hosts(fleet, "v1", "m") is None


class TestObserve:
    def test_a_change_is_told_and_indexed(self, fleet, clock):
        assert observe(fleet, clock, "a")
        assert not observe(fleet, clock, "a")
        assert hosts(fleet, "ollama", "m") == ["a"]

    def test_a_server_that_is_gone_is_nobodys_business(self, fleet, clock):
        version = fleet.version
        assert not observe(fleet, clock, "gone")
        assert fleet.version == version

    def test_each_family_lists_only_its_own(self, fleet, clock):
        observe(fleet, clock, "a")
        observe(fleet, clock, "b", Observation(status="healthy", learned=VLLM))
        assert hosts(fleet, "ollama", "Org/Model") is None
        assert hosts(fleet, "v1", "Org/Model") == ["b"]
        assert hosts(fleet, "v1", "m") == ["a"]

    def test_a_name_in_another_case_goes_to_an_openai_server_as_it_lists_it(self, fleet, clock):
        observe(fleet, clock, "b", Observation(status="healthy", learned=VLLM))
        assert fleet.find("v1", "org/model")[1][0].outgoing("org/model") == "Org/Model"

    def test_a_list_counts_only_as_long_as_its_family_is_spoken(self, fleet, clock):
        observe(fleet, clock, "a")
        observe(fleet, clock, "a", Observation(status="healthy", learned=replace(OLLAMA, supports_v1=False)))
        assert hosts(fleet, "v1", "m") is None
        assert hosts(fleet, "ollama", "m") == ["a"]

    def test_every_visible_change_raises_the_version(self, fleet, clock):
        seen = [fleet.version]
        for change in (lambda: observe(fleet, clock, "a"), lambda: fleet.forget_model(fleet.servers["a"]), lambda: fleet.apply(FleetSpec((A,)), clock.now())):
            change()
            seen.append(fleet.version)
        assert seen == sorted(set(seen))

    def test_a_server_that_lacks_a_listed_model_is_to_be_probed_soon(self, fleet, clock):
        observe(fleet, clock, "a")
        fleet.forget_model(fleet.servers["a"])
        assert fleet.servers["a"].wants_probe
        assert hosts(fleet, "ollama", "m") == ["a"]
