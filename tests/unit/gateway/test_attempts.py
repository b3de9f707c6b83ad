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


def of(*names: str) -> Fleet:
    return fleets.fleet(*map(fleets.spec, names))


def two() -> Fleet:
    return of("a", "b")


def attempt(fleet: Fleet, server: str, outcome: Outcome, text: bytes = b"", *, wait: float | None = None, answered: bool = True, final: bool = True) -> Attempt:
    flight = Flight(Host(fleet.servers[server], "m", True), "m", NOW)
    relay = Relay(Envelope(ROUTE, b"", "m", True), flight.server, Run(), 60.0, NOW + 60, NOW + 60)
    if answered:
        relay.head(500, [])
        relay.body(text)
        relay.end()
    flight.finish(outcome, NOW)
    return Attempt(flight, relay, Judgement(outcome, "why", wait, text, final))


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
    attempts.failed(attempt(fleet, "b", Outcome.SERVER_ERROR, b"500 disk full"), NOW)
    assert strikes(fleet) == {"a": 0, "b": 0}, "a third might repeat either"
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


@pytest.mark.parametrize("between", [Outcome.SERVER_ERROR, Outcome.TIMEOUT, Outcome.CONNECT_ERROR, Outcome.AUTH, Outcome.MODEL_MISSING])
def test_another_failure_in_between_does_not_hide_that_a_third_server_repeats_the_first(between: Outcome) -> None:
    fleet, attempts = of("a", "b", "c"), Attempts()
    attempts.failed(attempt(fleet, "a", Outcome.SERVER_ERROR, b"500 x"), NOW)
    attempts.failed(attempt(fleet, "b", between, answered=False), NOW)
    assert not attempts.repeated
    attempts.failed(attempt(fleet, "c", Outcome.SERVER_ERROR, b"500 x"), NOW)
    attempts.settle(NOW)
    assert attempts.repeated
    assert strikes(fleet) == {"a": 0, "b": int(between.strikes == "model"), "c": 0}
    assert fleet.servers["b"].breaker.failures == (between is Outcome.CONNECT_ERROR)


def test_servers_that_are_busy_in_the_same_words_do_not_end_the_search_and_none_is_struck() -> None:
    fleet, attempts = of("a", "b", "c"), Attempts()
    for server in ("a", "b", "c"):
        attempts.failed(attempt(fleet, server, Outcome.RATE_LIMITED, b"429 slow", final=False), NOW)
        assert not attempts.repeated
    attempts.settle(NOW)
    assert strikes(fleet) == {"a": 0, "b": 0, "c": 0}


def test_a_server_that_fails_otherwise_between_those_that_agree_is_struck() -> None:
    fleet, attempts = of("a", "b", "c"), Attempts()
    for server, text in (("a", b"503 busy"), ("b", b"503 broken"), ("c", b"503 busy")):
        attempts.failed(attempt(fleet, server, Outcome.SERVER_ERROR, text, final=False), NOW)
    attempts.settle(NOW)
    assert strikes(fleet) == {"a": 0, "b": 1, "c": 0}


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome.retryable])
def test_a_request_is_alone_with_a_server_while_no_second_one_could_be_reached(outcome: Outcome) -> None:
    fleet, attempts = two(), Attempts()
    assert attempts.alone
    attempts.failed(attempt(fleet, "a", Outcome.SERVER_ERROR, b"500 x"), NOW)
    attempts.failed(attempt(fleet, "a", Outcome.SERVER_ERROR, b"500 y"), NOW)
    assert attempts.alone
    attempts.failed(attempt(fleet, "b", outcome, answered=False), NOW)
    assert attempts.alone == (outcome is Outcome.CONNECT_ERROR)


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
