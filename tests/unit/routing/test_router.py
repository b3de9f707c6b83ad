from random import Random

import pytest

from orchestrator.errors import Refusal
from orchestrator.routing.policies import named
from orchestrator.routing.router import Router
from tests.fakes import fleets

NOW = 1000.0


def router() -> Router:
    return Router(named("least-in-flight", Random(1)))


def test_the_policy_chooses_among_those_that_are_free() -> None:
    fleet = fleets.fleet(fleets.spec("a", max_concurrency=1), fleets.spec("b"))
    fleet.servers["a"].in_flight, fleet.servers["b"].in_flight = 1, 7
    host = router().pick(fleets.wanted(fleet), NOW)
    assert host is not None
    assert host.server.id == "b"


def test_none_where_all_are_full() -> None:
    fleet = fleets.fleet(fleets.spec("a", max_concurrency=1))
    fleet.servers["a"].in_flight = 1
    assert router().pick(fleets.wanted(fleet), NOW) is None
    assert router().pick(fleets.wanted(fleet, light=True), NOW) is not None


def test_a_full_server_is_worth_waiting_for_only_where_it_may_be_asked() -> None:
    fleet = fleets.fleet(fleets.spec("a", max_concurrency=1), fleets.spec("b", enabled=False))
    fleet.servers["a"].in_flight = 1
    with pytest.raises(Refusal, match=r"b \(disabled\)"):
        router().pick(fleets.wanted(fleet, tried=("a",)), NOW)


def test_an_open_breaker_is_tried_before_anybody_waits_in_vain() -> None:
    fleet = fleets.fleet(fleets.spec("a"))
    for _ in range(fleets.RULES.failures):
        fleet.servers["a"].breaker.fail("x", NOW)
    assert router().pick(fleets.wanted(fleet), NOW) is not None


def test_a_preview_gives_what_the_next_pick_gives_and_changes_nothing() -> None:
    fleet = fleets.fleet(fleets.spec("a"), fleets.spec("b"), fleets.spec("c", priority=1))
    asking = router()
    for _ in range(4):
        seen = [asking.preview(fleets.wanted(fleet), NOW) for _ in range(3)]
        assert seen[0] == seen[1] == seen[2]
        assert seen[0] is not None
        assert list(seen[0]) == [asking.pick(fleets.wanted(fleet), NOW)]


def test_a_preview_of_a_full_or_disabled_fleet_is_as_the_pick() -> None:
    fleet = fleets.fleet(fleets.spec("a", max_concurrency=1))
    fleet.servers["a"].in_flight = 1
    assert router().preview(fleets.wanted(fleet), NOW) is None
    assert router().preview(fleets.wanted(fleet, light=True), NOW) is not None
    with pytest.raises(Refusal, match=r"a \(disabled\)"):
        router().preview(fleets.wanted(fleets.fleet(fleets.spec("a", enabled=False))), NOW)
