from random import Random

import pytest

from orchestrator.routing.retry import ALWAYS_ALLOWED, PAUSE_SECONDS, RetryBudget, pause


@pytest.mark.parametrize(("share", "in_flight", "most"), [(0.2, 0, 5), (0.2, 25, 5), (0.2, 100, 20), (0.0, 1000, 5), (1.0, 1000, 1000)])
def test_repeats_are_a_share_of_what_is_in_flight_but_a_few_are_always_allowed(share: float, in_flight: int, most: int) -> None:
    budget = RetryBudget(share)
    while budget.allows(in_flight):
        budget.active += 1
    assert budget.active == most
    budget.active -= 1
    assert budget.allows(in_flight)


def test_a_quiet_fleet_may_fail_over() -> None:
    assert RetryBudget(0.0).allows(1)
    assert ALWAYS_ALLOWED > 0


def test_those_who_failed_together_do_not_return_together() -> None:
    random = Random(1)
    pauses = [pause(random) for _ in range(100)]
    assert len(set(pauses)) == 100
    assert all(0.5 * PAUSE_SECONDS <= one <= 1.5 * PAUSE_SECONDS for one in pauses)
