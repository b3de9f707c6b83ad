import pytest

from orchestrator.fleet.fleet import Fleet
from orchestrator.fleet.models import Host
from orchestrator.fleet.outcome import Outcome
from orchestrator.gateway.attempts import Attempt, Attempts
from orchestrator.gateway.flight import Flight
from orchestrator.gateway.judge import Judgement
from orchestrator.gateway.relay import Relay
from orchestrator.gateway.run import Run
from orchestrator.protocol.envelope import Envelope, Route
from tests.fakes import fleets

NOW = 1000.0
ROUTE = Route("/api/chat", "ollama", "ollama", "chat", "ollama")


def two() -> Fleet:
    return fleets.fleet(fleets.spec("a"), fleets.spec("b"))


def attempt(fleet: Fleet, server: str, outcome: Outcome, text: bytes = b"", *, wait: float | None = None, answered: bool = True) -> Attempt:
    flight = Flight(Host(fleet.servers[server], "m", True), "m", NOW)
    relay = Relay(Envelope(ROUTE, b"", "m", True), flight.server, Run(), 60.0, NOW + 60, NOW + 60)
    if answered:
        relay.head(500, [])
        relay.body(text)
        relay.end()
    flight.finish(outcome, NOW)
    return Attempt(flight, relay, Judgement(outcome, "why", wait, text))


def strikes(fleet: Fleet) -> dict[str, int]:
    return {name: server.breakers["m"].failures if "m" in server.breakers else 0 for name, server in fleet.servers.items()}


def test_the_same_failure_of_a_second_server_strikes_nobody() -> None:
    fleet, attempts = two(), Attempts()
    attempts.failed(attempt(fleet, "a", Outcome.SERVER_ERROR, b"500 bad option"), NOW)
    attempts.failed(attempt(fleet, "b", Outcome.SERVER_ERROR, b"500 bad option"), NOW)
    attempts.settle(NOW)
    assert attempts.repeated
    assert strikes(fleet) == {"a": 0, "b": 0}


def test_different_failures_strike_both() -> None:
    fleet, attempts = two(), Attempts()
    attempts.failed(attempt(fleet, "a", Outcome.SERVER_ERROR, b"500 out of memory"), NOW)
    assert strikes(fleet) == {"a": 0, "b": 0}
    attempts.failed(attempt(fleet, "b", Outcome.SERVER_ERROR, b"500 disk full"), NOW)
    assert strikes(fleet) == {"a": 1, "b": 0}
    attempts.settle(NOW)
    attempts.settle(NOW)
    assert strikes(fleet) == {"a": 1, "b": 1}
    assert not attempts.repeated


def test_the_same_failure_of_the_same_server_counts_once() -> None:
    fleet, attempts = two(), Attempts()
    for _ in range(2):
        attempts.failed(attempt(fleet, "a", Outcome.SERVER_ERROR, b"500 x"), NOW)
    attempts.settle(NOW)
    assert not attempts.repeated
    assert strikes(fleet) == {"a": 1, "b": 0}


def test_a_success_elsewhere_strikes_the_first() -> None:
    fleet, attempts = two(), Attempts()
    attempts.failed(attempt(fleet, "a", Outcome.SERVER_ERROR, b"500 x"), NOW)
    attempts.settle(NOW)
    assert strikes(fleet) == {"a": 1, "b": 0}


@pytest.mark.parametrize("outcome", [Outcome.TIMEOUT, Outcome.SERVER_ERROR])
def test_failures_without_words_are_never_the_same(outcome: Outcome) -> None:
    fleet, attempts = two(), Attempts()
    for server in ("a", "b"):
        attempts.failed(attempt(fleet, server, outcome, answered=False), NOW)
    assert strikes(fleet) == {"a": 1, "b": 1}
    assert not attempts.repeated


def test_a_server_that_says_when_to_come_back_is_left_alone_until_then() -> None:
    fleet, attempts = two(), Attempts()
    attempts.failed(attempt(fleet, "a", Outcome.RATE_LIMITED, b"429 slow", wait=30.0), NOW)
    breaker = fleet.servers["a"].breakers["m"]
    assert breaker.retry_at == NOW + 30.0
    assert [transition.after for _, transition in attempts.transitions] == [breaker.state]


@pytest.mark.parametrize("outcome", [Outcome.AUTH, Outcome.MODEL_MISSING])
def test_what_is_no_illness_is_no_strike(outcome: Outcome) -> None:
    fleet, attempts = two(), Attempts()
    attempts.failed(attempt(fleet, "a", outcome, b"x"), NOW)
    attempts.settle(NOW)
    assert strikes(fleet) == {"a": 0, "b": 0}


def test_another_kind_of_failure_in_between_settles_the_first() -> None:
    fleet, attempts = two(), Attempts()
    attempts.failed(attempt(fleet, "a", Outcome.SERVER_ERROR, b"500 x"), NOW)
    attempts.failed(attempt(fleet, "b", Outcome.CONNECT_ERROR, answered=False), NOW)
    assert strikes(fleet) == {"a": 1, "b": 0}
    assert fleet.servers["b"].breaker.failures == 1


def test_the_last_answer_is_the_one_to_pass_on() -> None:
    fleet, attempts = two(), Attempts()
    first, second = attempt(fleet, "a", Outcome.SERVER_ERROR, b"1"), attempt(fleet, "b", Outcome.SERVER_ERROR, b"2")
    attempts.failed(first, NOW)
    assert attempts.answer is first
    attempts.failed(second, NOW)
    assert attempts.answer is second
    gone = attempt(fleet, "a", Outcome.TIMEOUT, answered=False)
    attempts.failed(gone, NOW)
    assert attempts.answer is second
    assert attempts.last is gone


def test_a_refusal_of_our_credentials_is_never_passed_on() -> None:
    fleet, attempts = two(), Attempts()
    attempts.failed(attempt(fleet, "a", Outcome.AUTH, b"key sk-1 is wrong"), NOW)
    assert attempts.answer is None
