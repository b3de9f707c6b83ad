"""Whether a failed attempt may be repeated, where and when."""

from random import Random

PAUSE_SECONDS = 0.2
SHORT_WAIT_SECONDS = 5.0
BUDGET_WAIT_SECONDS = 10.0
ALWAYS_ALLOWED = 5


class RetryBudget:
    """Repeats under way are a bounded share of what is in flight, so that an outage is not multiplied.

    A few are always allowed, or a quiet fleet could never fail over.
    """

    __slots__ = ("active", "share")

    def __init__(self, share: float) -> None:
        self.share = share
        self.active = 0

    def allows(self, in_flight: int) -> bool:
        return self.active < max(ALWAYS_ALLOWED, self.share * in_flight)


def pause(random: Random) -> float:
    """Seconds before the only server is asked again: around PAUSE_SECONDS, so that those who failed together do not return together."""
    return PAUSE_SECONDS * (0.5 + random.random())
