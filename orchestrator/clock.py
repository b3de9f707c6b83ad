"""The two clocks: monotonic seconds for decisions (`now`, `*_at`), UTC for people (`*_time`)."""

import time
from datetime import UTC, datetime


class Clock:
    """Real time. Tests pass an object with the same methods."""

    __slots__ = ()

    now = staticmethod(time.monotonic)
    """Seconds; only differences mean anything."""

    unix = staticmethod(time.time)
    """Seconds since 1970, UTC."""

    @staticmethod
    def utc() -> datetime:
        return datetime.now(UTC)
