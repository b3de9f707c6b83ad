"""A clock that moves only when a test says so."""

from datetime import UTC, datetime, timedelta

from orchestrator.clock import Clock

START_TIME = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class FakeClock(Clock):
    """Starts at now() == 1000.0 and 2026-01-02T03:04:05Z; advance() moves both clocks, set_wall() only the one for people."""

    __slots__ = ("_now", "_utc")

    def __init__(self, now: float = 1000.0, utc: datetime = START_TIME) -> None:
        self._now = now
        self._utc = utc

    def now(self) -> float:
        return self._now

    def utc(self) -> datetime:
        return self._utc

    def unix(self) -> float:  # type: ignore[override]
        return self._utc.timestamp()

    def set_wall(self, seconds: float) -> None:
        """Somebody sets the wall clock, so many seconds ahead or back."""
        self._utc += timedelta(seconds=seconds)

    def advance(self, seconds: float) -> None:
        """Let that much time pass. A clock never goes back."""
        if seconds < 0:
            raise ValueError("time does not run backwards")
        self._now += seconds
        self._utc += timedelta(seconds=seconds)
