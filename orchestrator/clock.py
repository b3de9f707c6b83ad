"""The two clocks: monotonic seconds for decisions (`now`, `*_at`), UTC for people (`*_time`)."""

from datetime import UTC, datetime
from time import monotonic


class Clock:
    """Real time. Tests pass an object with the same two methods."""

    __slots__ = ()

    def now(self) -> float:
        return monotonic()

    def utc(self) -> datetime:
        return datetime.now(UTC)
