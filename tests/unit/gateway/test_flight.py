import itertools

import pytest

from orchestrator.fleet.breaker import State
from orchestrator.fleet.models import Host
from orchestrator.fleet.outcome import Outcome
from orchestrator.fleet.server import Server
from orchestrator.gateway.flight import Flight
from tests.fakes import fleets

NOW = 1000.0


def server() -> Server:
    return fleets.fleet(fleets.spec()).servers["a"]


def flight(of: Server, now: float = NOW) -> Flight:
    return Flight(Host(of, "m", True), "m", now)


def opened(of: Server, now: float = NOW) -> None:
    """The breaker of the model opens by itself."""
    for _ in range(fleets.RULES.failures):
        of.breaker_of("m", now).fail("it broke", now)
    assert of.breakers["m"].state is State.OPEN


@pytest.mark.parametrize("outcome", Outcome)
def test_a_flight_counts_from_its_making_to_its_end_and_ends_once(outcome: Outcome) -> None:
    one = server()
    made = flight(one)
    assert one.in_flight == 1
    for again in (outcome, *Outcome):
        made.finish(again, NOW)
    assert one.in_flight == 0
    assert one.outcomes == {outcome.label: 1}


@pytest.mark.parametrize("outcome", Outcome)
def test_what_costs_next_to_nothing_takes_no_slot(outcome: Outcome) -> None:
    one = server()
    made = Flight(Host(one, "m", True), "m", NOW, light=True)
    assert one.in_flight == 0
    made.finish(outcome, NOW)
    assert one.in_flight == 0
    assert one.outcomes == {outcome.label: 1}


@pytest.mark.parametrize("order", list(itertools.permutations(["finish", "strike", "forgive", "finish again"])))
@pytest.mark.parametrize("outcome", [Outcome.SERVER_ERROR, Outcome.CLIENT_GONE, Outcome.OK])
def test_counts_are_right_in_every_order(order: tuple[str, ...], outcome: Outcome) -> None:
    one = server()
    opened(one)
    made = flight(one, NOW + 100)
    assert one.breakers["m"].trial
    for step in order:
        if step == "strike":
            made.strike(Outcome.SERVER_ERROR, "x", NOW + 100)
        elif step == "forgive":
            made.forgive()
        else:
            made.finish(outcome, NOW + 100)
    assert one.in_flight == 0
    assert not one.breakers["m"].trial


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome.strikes == "none" and outcome is not Outcome.OK])
def test_what_says_nothing_of_the_server_is_no_strike_and_ends_a_trial(outcome: Outcome) -> None:
    one = server()
    opened(one)
    made = flight(one, NOW + 100)
    made.finish(outcome, NOW + 100)
    breaker = one.breakers["m"]
    assert (breaker.state, breaker.trial, breaker.failures) == (State.HALF_OPEN, False, fleets.RULES.failures)
    assert flight(one, NOW + 101)._trials


def test_a_failure_is_not_struck_before_it_is_known_whose_it_was() -> None:
    one = server()
    flight(one).finish(Outcome.SERVER_ERROR, NOW)
    assert one.breakers == {}


def test_a_success_closes_what_was_open() -> None:
    one = server()
    opened(one)
    transition = flight(one, NOW + 100).finish(Outcome.OK, NOW + 100)
    assert transition is not None
    assert transition.after is State.CLOSED
    assert one.flowed_at == NOW + 100


def test_a_struck_trial_opens_again_for_longer() -> None:
    one = server()
    opened(one)
    first = one.breakers["m"].retry_at - NOW
    made = flight(one, NOW + 100)
    made.finish(Outcome.SERVER_ERROR, NOW + 100)
    transition = made.strike(Outcome.SERVER_ERROR, "again", NOW + 100)
    assert transition is not None
    assert transition.after is State.OPEN
    assert one.breakers["m"].retry_at - (NOW + 100) == 2 * first


def test_a_request_from_before_ends_no_trial_of_another() -> None:
    """The first began while the breaker was closed; its client leaves while another request is the trial."""
    one = server()
    before = flight(one)
    opened(one)
    trial = flight(one, NOW + 100)
    before.finish(Outcome.CLIENT_GONE, NOW + 101)
    assert one.breakers["m"].trial
    late = flight(one, NOW + 101)
    late.finish(Outcome.CLIENT_ERROR, NOW + 102)
    assert one.breakers["m"].trial
    trial.finish(Outcome.CLIENT_GONE, NOW + 103)
    assert not one.breakers["m"].trial


def test_a_connection_failure_strikes_the_server_and_others_the_model() -> None:
    one = server()
    flight(one).strike(Outcome.CONNECT_ERROR, "refused", NOW)
    assert (one.breaker.failures, one.breakers) == (1, {})
    flight(one).strike(Outcome.TIMEOUT, "slow", NOW)
    assert (one.breaker.failures, one.breakers["m"].failures) == (1, 1)


def test_requests_in_flight_outlive_a_change_of_the_servers_address() -> None:
    one = server()
    opened(one)
    made = flight(one, NOW + 100)
    one.become(fleets.spec(url="http://elsewhere.test"), NOW + 100)
    assert one.in_flight == 1
    made.finish(Outcome.OK, NOW + 101)
    assert one.in_flight == 0
