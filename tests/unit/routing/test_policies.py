from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.fleet.fleet import Fleet
from orchestrator.fleet.models import Host
from orchestrator.routing.policies import MAX_TURNS, LeastInFlight, Policy, RoundRobin, Tiers, Turns, Uniform, WeightedRandom, named
from tests.fakes import fleets

NAMES = ["least-in-flight", "round-robin", "weighted-random", "random"]


def hosts_of(fleet: Fleet) -> list[Host]:
    return list(fleets.wanted(fleet).hosts)


def hosts(*weights: float, **more: float) -> list[Host]:
    return hosts_of(fleets.fleet(*(fleets.spec("abcdef"[number], weight=weight, **more) for number, weight in enumerate(weights))))


def choices(policy: Policy, among: list[Host], count: int) -> Counter[str]:
    return Counter(policy.choose(among).server.spec.id for _ in range(count))


@pytest.mark.parametrize("name", NAMES)
@given(weights=st.lists(st.floats(0.01, 100), min_size=1, max_size=6), seed=st.integers(0, 100))
def test_every_policy_chooses_one_of_those_that_are_there(name: str, weights: list[float], seed: int) -> None:
    policy, among = named(name, Random(seed)), hosts(*weights)
    for _ in range(5):
        assert policy.choose(among) in among


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_makes_the_same_choices(name: str) -> None:
    among = hosts(1.0, 2.0, 3.0)
    first, second = named(name, Random(7)), named(name, Random(7))
    assert [first.choose(among) for _ in range(50)] == [second.choose(among) for _ in range(50)]


@pytest.mark.parametrize("name", NAMES)
@given(servers=st.lists(st.tuples(st.floats(0.01, 100), st.integers(0, 1), st.integers(0, 3)), min_size=1, max_size=6), seed=st.integers(0, 100))
def test_a_peek_contains_the_next_choice_and_changes_nothing(name: str, servers: list[tuple[float, int, int]], seed: int) -> None:
    policy, other = named(name, Random(seed)), named(name, Random(seed))
    among = hosts_of(fleets.fleet(*(fleets.spec("abcdef"[n], weight=weight, priority=priority) for n, (weight, priority, _) in enumerate(servers))))
    for host, (_, _, in_flight) in zip(among, servers, strict=True):
        host.server.in_flight = in_flight
    for _ in range(5):
        peeked = policy.peek(among)
        chosen = policy.choose(among)
        assert chosen in peeked
        assert chosen is other.choose(among)


@pytest.mark.parametrize(("name", "count"), [("least-in-flight", 1), ("round-robin", 1), ("weighted-random", 2), ("random", 2)])
def test_a_peek_gives_more_than_one_only_where_chance_decides(name: str, count: int) -> None:
    among = hosts_of(fleets.fleet(fleets.spec("a"), fleets.spec("b"), fleets.spec("c", priority=1)))
    assert [host.server.spec.id for host in named(name, Random(1)).peek(among)] == ["a", "b"][:count]


# ---- least in flight


def test_the_fewest_in_flight_are_chosen() -> None:
    among = hosts(1.0, 1.0, 1.0)
    for host, in_flight in zip(among, (3, 1, 2), strict=True):
        host.server.in_flight = in_flight
    assert choices(LeastInFlight(), among, 10) == {"b": 10}


def test_in_flight_counts_per_weight() -> None:
    among = hosts(1.0, 4.0)
    among[0].server.in_flight, among[1].server.in_flight = 1, 3
    assert LeastInFlight().choose(among).server.spec.id == "b"
    among[1].server.in_flight = 5
    assert LeastInFlight().choose(among).server.spec.id == "a"


def test_ties_take_turns() -> None:
    policy, among = LeastInFlight(), hosts(1.0, 1.0, 1.0)
    chosen = [policy.choose(among).server.spec.id for _ in range(9)]
    assert chosen == ["a", "b", "c"] * 3


@given(st.lists(st.integers(1, 5), min_size=2, max_size=5), st.data())
def test_load_follows_the_weights_as_requests_come_and_go(weights: list[int], data: st.DataObject) -> None:
    policy, among = LeastInFlight(), hosts(*map(float, weights))
    total = sum(weights) * 10
    for _ in range(total):
        policy.choose(among).server.in_flight += 1
    for host, weight in zip(among, weights, strict=True):
        assert abs(host.server.in_flight - 10 * weight) <= 1


# ---- round robin


@given(st.lists(st.integers(1, 5), min_size=1, max_size=5))
def test_turns_are_in_proportion_to_weight(weights: list[int]) -> None:
    among = hosts(*map(float, weights))
    among[0].server.in_flight = 100  # whatever is in flight
    counted = choices(RoundRobin(), among, 20 * sum(weights))
    for host, weight in zip(among, weights, strict=True):
        assert abs(counted[host.server.spec.id] - 20 * weight) <= 1


@pytest.mark.parametrize("policy", [RoundRobin(), LeastInFlight()])
def test_a_new_server_is_neither_flooded_nor_starved(policy: Policy) -> None:
    among = hosts(1.0, 1.0, 1.0)
    choices(policy, among[:2], 1000)
    counted = choices(policy, among, 30)
    assert all(9 <= counted[name] <= 11 for name in "abc")


@pytest.mark.parametrize("policy", [RoundRobin(), LeastInFlight()])
def test_a_server_that_was_away_catches_up_on_nothing(policy: Policy) -> None:
    among = hosts(1.0, 1.0)
    choices(policy, among, 10)
    choices(policy, among[:1], 500)
    counted = choices(policy, among, 20)
    assert abs(counted["a"] - counted["b"]) <= 2


@pytest.mark.parametrize("policy", [RoundRobin(), LeastInFlight()])
@pytest.mark.parametrize("between", [0, 1, 5])
def test_requests_for_other_models_on_other_servers_change_no_turns(policy: Policy, between: int) -> None:
    of_one, of_other = hosts(1.0, 1.0, 1.0, 1.0)[:2], hosts(1.0, 1.0, 1.0, 1.0)[2:]
    counted: Counter[str] = Counter()
    for _ in range(40):
        choices(policy, of_other, between)
        counted += choices(policy, of_one, 1)
    assert counted == {"a": 20, "b": 20}


def test_a_changed_weight_counts_from_the_next_turn_on() -> None:
    policy = RoundRobin()
    choices(policy, hosts(1.0, 1.0), 100)
    counted = choices(policy, hosts(3.0, 1.0), 40)
    assert 29 <= counted["a"] <= 31


def test_turns_of_endlessly_many_servers_are_not_kept() -> None:
    turns = Turns()
    for number in range(MAX_TURNS):
        turns._started[f"gone-{number}"] = 1.0
    turns.next(hosts(1.0))
    assert len(turns._started) == 1


# ---- at random


def test_weighted_random_follows_the_weights() -> None:
    counted = choices(WeightedRandom(Random(1)), hosts(1.0, 3.0), 4000)
    assert 0.7 < counted["b"] / 4000 < 0.8


def test_uniform_ignores_the_weights() -> None:
    counted = choices(Uniform(Random(1)), hosts(1.0, 100.0), 4000)
    assert 0.45 < counted["b"] / 4000 < 0.55


# ---- tiers


@pytest.mark.parametrize("name", NAMES)
def test_only_the_first_tier_that_is_there_is_used(name: str) -> None:
    fleet = fleets.fleet(fleets.spec("a", priority=1), fleets.spec("b", priority=0), fleets.spec("c", priority=0), fleets.spec("d", priority=5))
    policy, among = named(name, Random(1)), hosts_of(fleet)
    among[1].server.in_flight = among[2].server.in_flight = 50
    assert set(choices(policy, among, 60)) == {"b", "c"}
    assert set(choices(policy, [among[0], among[3]], 10)) == {"a"}
    assert set(choices(policy, [among[3]], 10)) == {"d"}


def test_an_unknown_name_is_the_default() -> None:
    policy = named("least-in-flight", Random(1))
    assert isinstance(policy, Tiers)
    assert isinstance(policy.inner, LeastInFlight)
