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
