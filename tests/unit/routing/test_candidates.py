import itertools

import pytest
from msgspec.structs import replace

from orchestrator.fleet.breaker import Breaker, Verdict
from orchestrator.fleet.fleet import Fleet
from orchestrator.fleet.models import Host
from orchestrator.routing.candidates import Wanted, able, free, refusal, verdict
from tests.fakes import fleets

NOW = 1000.0


def opened(breaker: Breaker, at: float = NOW) -> None:
    for _ in range(fleets.RULES.failures):
        breaker.fail("it broke", at)


def ids(hosts: list[Host]) -> list[str]:
    return [host.server.spec.id for host in hosts]


def two() -> Fleet:
    return fleets.fleet(fleets.spec("a"), fleets.spec("b"))


# ---- what breakers say

STATES = {
    Verdict.ADMIT: lambda breaker: None,
    Verdict.OPEN: opened,
    Verdict.TRIAL: lambda breaker: opened(breaker, NOW - 100),
    Verdict.FORCED: lambda breaker: breaker.force_open("maintenance", NOW),
}
STRICTNESS = [Verdict.ADMIT, Verdict.TRIAL, Verdict.OPEN, Verdict.FORCED]


@pytest.mark.parametrize(("own", "of_model"), list(itertools.product(STATES, repeat=2)))
def test_the_stricter_of_two_breakers_counts(own: Verdict, of_model: Verdict) -> None:
    server = two().servers["a"]
    STATES[own](server.breaker)
    STATES[of_model](server.breaker_of("m", NOW))
    assert verdict(server, "m", NOW) is max(own, of_model, key=STRICTNESS.index)


def test_the_breaker_of_another_model_does_not_matter() -> None:
    server = two().servers["a"]
    server.breaker_of("other", NOW).force_open("x", NOW)
    assert verdict(server, "m", NOW) is Verdict.ADMIT


# ---- who may be asked


def test_all_that_have_the_model_in_the_order_of_registration() -> None:
    fleet = fleets.fleet(fleets.spec("b"), fleets.spec("a"), fleets.spec("c", models=("other",)))
    assert ids(able(fleets.wanted(fleet), NOW)) == ["b", "a"]


@pytest.mark.parametrize(
    "change",
    [{"enabled": False}, {"draining": True}, {"fault": "the key no longer decrypts"}],
)
def test_an_operator_takes_a_server_out(change: dict[str, object]) -> None:
    fleet = fleets.fleet(fleets.spec("a", **change), fleets.spec("b"))
    assert ids(able(fleets.wanted(fleet), NOW)) == ["b"]


@pytest.mark.parametrize(
    ("health", "able_now"),
    [("healthy", True), ("unknown", True), ("down", False), ("warming", False), ("configError", False), ("rateLimited", False)],
)
def test_health_decides(health: str, able_now: bool) -> None:
    fleet = two()
    fleet.servers["a"].health = health
    fleet.servers["a"].limited_until = NOW + 5
    assert ids(able(fleets.wanted(fleet), NOW)) == (["a", "b"] if able_now else ["b"])


def test_a_rate_limit_ends_by_itself() -> None:
    fleet = two()
    fleet.servers["a"].health = "rateLimited"
    fleet.servers["a"].limited_until = NOW + 5
    assert ids(able(fleets.wanted(fleet), NOW + 4.9)) == ["b"]
    assert ids(able(fleets.wanted(fleet), NOW + 5)) == ["a", "b"]


def test_those_that_failed_the_request_already_are_not_asked_again() -> None:
    assert ids(able(fleets.wanted(two(), tried=("a",)), NOW)) == ["b"]
    assert able(fleets.wanted(two(), tried=("a", "b")), NOW) == []


def test_an_open_breaker_sends_requests_elsewhere_but_never_blocks_the_last() -> None:
    fleet = two()
    opened(fleet.servers["a"].breaker_of("m", NOW))
    assert ids(able(fleets.wanted(fleet), NOW)) == ["b"]
    assert ids(able(fleets.wanted(fleet, tried=("b",)), NOW)) == ["a"]
    opened(fleet.servers["b"].breaker)
    assert ids(able(fleets.wanted(fleet), NOW)) == ["a", "b"]


def test_an_operators_open_blocks_even_the_last() -> None:
    fleet = two()
    for server in fleet.servers.values():
        server.breaker_of("m", NOW).force_open("maintenance", NOW)
    assert able(fleets.wanted(fleet), NOW) == []
    assert able(fleets.wanted(fleet), NOW + 1e6) == []


def test_a_trial_is_let_through_once_its_time_has_come() -> None:
    fleet = two()
    breaker = fleet.servers["a"].breaker_of("m", NOW)
    opened(breaker)
    later = breaker.retry_at
    assert ids(able(fleets.wanted(fleet), later - 0.1)) == ["b"]
    assert ids(able(fleets.wanted(fleet), later)) == ["a", "b"]
    breaker.start(later)
    assert ids(able(fleets.wanted(fleet), later)) == ["b"]


def first(fleet: Fleet, *names: str, tried: tuple[str, ...] = ()) -> Wanted:
    return replace(fleets.wanted(fleet, tried=tried), first=frozenset(names))


def test_some_are_asked_before_all_others_but_others_after_them() -> None:
    fleet = fleets.fleet(*(fleets.spec(name) for name in "abc"))
    assert ids(able(first(fleet, "b", "c"), NOW)) == ["b", "c"]
    assert ids(able(first(fleet, "b", "c", tried=("b",)), NOW)) == ["c"]
    assert ids(able(first(fleet, "b", "c", tried=("b", "c")), NOW)) == ["a"]
    assert able(first(fleet, "b", tried=("a", "b", "c")), NOW) == []


def test_those_to_be_asked_first_are_not_where_their_breaker_is_open_or_they_are_down() -> None:
    fleet = two()
    opened(fleet.servers["b"].breaker_of("m", NOW))
    assert ids(able(first(fleet, "b"), NOW)) == ["a"]
    fleet.servers["a"].health = "down"
    assert ids(able(first(fleet, "b"), NOW)) == ["b"]
    assert ids(able(first(fleet, "a"), NOW)) == ["b"]


def test_only_those_below_their_limit_are_free() -> None:
    fleet = fleets.fleet(fleets.spec("a", max_concurrency=1), fleets.spec("b", max_concurrency=2), fleets.spec("c"))
    for server in fleet.servers.values():
        server.in_flight = 1
    hosts = able(fleets.wanted(fleet), NOW)
    assert ids(hosts) == ["a", "b", "c"]
    assert ids(free(hosts)) == ["b", "c"]


# ---- reasons in words


def refused(fleet: Fleet, **how: object) -> tuple[int, str, str]:
    wanted = fleets.wanted(fleet, **how)  # type: ignore[arg-type]
    assert able(wanted, NOW) == []
    said = refusal(wanted, NOW)
    return said.status, said.code, said.message


def test_every_server_is_named_with_its_reason() -> None:
    fleet = fleets.fleet(fleets.spec("a", draining=True), fleets.spec("b", enabled=False), fleets.spec("c"), fleets.spec("d"))
    fleet.servers["c"].health = "down"
    fleet.servers["d"].breaker.force_open("maintenance", NOW)
    status, code, message = refused(fleet)
    assert (status, code) == (503, "no_server")
    assert message == "no server can take model 'm' now: a (draining), b (disabled), c (down), d (breaker opened by an operator)"


def test_a_fleet_that_is_only_misconfigured_is_no_reason_to_come_back() -> None:
    fleet = fleets.fleet(fleets.spec("a", fault="no key"))
    status, code, message = refused(fleet)
    assert (status, code) == (502, "server_misconfigured")
    assert "no key" not in message


def test_a_rate_limited_fleet_says_when_to_come_back() -> None:
    fleet = two()
    for server, until in zip(fleet.servers.values(), (NOW + 30, NOW + 7), strict=True):
        server.health, server.limited_until = "rateLimited", until
    wanted = fleets.wanted(fleet)
    said = refusal(wanted, NOW)
    assert (said.status, said.code, said.retry_after_seconds) == (503, "rate_limited", 7.0)


def test_a_fleet_that_was_tried_to_the_last_says_so() -> None:
    assert refused(two(), tried=("a", "b")) == (502, "no_server_left", "every server that has model 'm' failed")


def test_a_large_fleet_is_not_listed_whole() -> None:
    fleet = fleets.fleet(*(fleets.spec(f"s{number}", enabled=False) for number in range(50)))
    assert len(refused(fleet)[2]) < 300
