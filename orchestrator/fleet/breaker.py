"""A circuit breaker: closed -> open -> half-open -> closed. Pure; every method takes `now` in monotonic seconds."""

from enum import StrEnum

from msgspec import Struct


class State(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Verdict(StrEnum):
    """What a breaker says of one more request."""

    ADMIT = "admit"
    TRIAL = "trial"  # half-open: one request, provided it has somewhere else to go
    OPEN = "open"  # opened by itself: only as a last resort
    FORCED = "forced"  # opened by an operator: never


class Transition(Struct, frozen=True):
    """A change of state, for logs and events. model is None for a server's own breaker."""

    before: State
    after: State
    reason: str


class BreakerRules(Struct, frozen=True):
    """Opens after `failures` in a row, or when at least `volume` requests within two windows failed at `rate` or more."""

    failures: int = 5
    rate: float = 0.5
    volume: int = 20
    window_seconds: float = 30.0
    open_seconds: float = 5.0
    open_seconds_max: float = 300.0


class Breaker:
    """One breaker. `start` and one of `succeed`, `fail`, `release` frame each request that it let through.

    The rate is taken over the current and the previous window (tumbling), so old failures age out within two windows.
    The open time doubles with each opening that follows a failed trial and starts over after a success.
    """

    __slots__ = ("before", "changed_at", "failed", "forced", "failures", "open_seconds", "reason", "retry_at", "rules", "state", "total", "trial", "window_at")

    def __init__(self, rules: BreakerRules, now: float) -> None:
        self.rules = rules
        self.state = State.CLOSED
        self.forced = False
        self.reason = ""
        self.failures = 0
        self.total = self.failed = 0
        self.before = (0, 0)
        self.window_at = now
        self.changed_at = now
        self.open_seconds = rules.open_seconds
        self.retry_at = 0.0
        self.trial = False

    def verdict(self, now: float) -> Verdict:
        if self.state is State.CLOSED:
            return Verdict.ADMIT
        if self.forced:
            return Verdict.FORCED
        if self.state is State.OPEN and now < self.retry_at:
            return Verdict.OPEN
        return Verdict.OPEN if self.trial else Verdict.TRIAL

    def start(self, now: float) -> Transition | None:
        """A request goes through; where one is due it becomes the trial."""
        if self.state is State.CLOSED or self.forced or self.verdict(now) is not Verdict.TRIAL:
            return None
        self.trial = True
        return self._to(State.HALF_OPEN, "trial request", now) if self.state is State.OPEN else None

    def succeed(self, now: float) -> Transition | None:
        self._count(now, 0)
        self.failures = 0
        if self.state is State.CLOSED or self.forced:
            return None
        return self.close("a request succeeded", now)

    def fail(self, reason: str, now: float, retry_after_seconds: float | None = None) -> Transition | None:
        """A strike. retry_after_seconds: the server said when to come back; opens at once for that long."""
        self._count(now, 1)
        self.failures += 1
        if self.forced:
            return None
        if self.state is State.HALF_OPEN:
            self.open_seconds = min(self.open_seconds * 2, self.rules.open_seconds_max)
            return self._open(reason, now, retry_after_seconds)
        if self.state is State.OPEN:
            if retry_after_seconds is not None:
                self.retry_at = max(self.retry_at, now + min(retry_after_seconds, self.rules.open_seconds_max))
            return None
        if retry_after_seconds is not None or self.failures >= self.rules.failures or self._rate_exceeded(now):
            return self._open(reason, now, retry_after_seconds)
        return None

    def release(self) -> None:
        """The request said nothing about the server (the client left, or was itself at fault)."""
        self.trial = False

    def close(self, reason: str, now: float) -> Transition | None:
        """Closed and forgotten: by a success, or by an operator (`close`, `reset`)."""
        self.failures = self.total = self.failed = 0
        self.before = (0, 0)
        self.open_seconds = self.rules.open_seconds
        self.forced = self.trial = False
        return self._to(State.CLOSED, reason, now) if self.state is not State.CLOSED else None

    def force_open(self, reason: str, now: float) -> Transition | None:
        """An operator's open holds until an operator closes it."""
        was, self.forced, self.retry_at, self.trial = self.state, True, 0.0, False
        self.reason = reason
        return self._to(State.OPEN, reason, now) if was is not State.OPEN else None

    def counts(self, now: float) -> tuple[int, int]:
        """(requests, failures) within the current and the previous window."""
        elapsed = now - self.window_at
        if elapsed >= self.rules.window_seconds:  # nothing came since
            return (self.total, self.failed) if elapsed < 2 * self.rules.window_seconds else (0, 0)
        return self.total + self.before[0], self.failed + self.before[1]

    def _open(self, reason: str, now: float, retry_after_seconds: float | None) -> Transition:
        self.trial = False
        self.retry_at = now + (self.open_seconds if retry_after_seconds is None else min(retry_after_seconds, self.rules.open_seconds_max))
        return self._to(State.OPEN, reason, now)

    def _to(self, state: State, reason: str, now: float) -> Transition:
        before, self.state, self.reason, self.changed_at = self.state, state, reason, now
        return Transition(before, state, reason)

    def _count(self, now: float, failed: int) -> None:
        if now - self.window_at >= self.rules.window_seconds:
            self.before = self.counts(now)
            self.total = self.failed = 0
            self.window_at = now
        self.total += 1
        self.failed += failed

    def _rate_exceeded(self, now: float) -> bool:
        total, failed = self.counts(now)
        return total >= self.rules.volume and failed >= self.rules.rate * total
