"""What happened lately, in intervals: seconds for ten minutes, ten seconds for two hours, minutes for a day.

Intervals are told apart by the monotonic clock: a wall clock that is set leaves no gap and no overlap here.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from itertools import islice

from msgspec import Struct, field

from orchestrator.telemetry.histogram import Histogram

# (seconds of an interval, how many are kept), each a multiple of the one before.
RINGS = ((1, 600), (10, 720), (60, 1440))
SAVED = tuple(resolution for resolution, _ in RINGS[1:])


class Point(Struct, kw_only=True):
    """One interval. at: its end, monotonic seconds. Counts are of the whole interval; errors: per failure.

    first_tokens: of streams; first_token_p50_seconds and the p95 are made of it when the interval is over.
    in_flight to in_flight_by_server: as they were at the end.
    """

    at: float
    step_seconds: int
    requests: int = 0
    errors: dict[str, int] = {}
    first_tokens: Histogram = field(default_factory=Histogram)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    in_flight: int = 0
    queued: int = 0
    servers: int = 0
    servers_up: int = 0
    in_flight_by_server: dict[str, int] = {}
    first_token_p50_seconds: float | None = None
    first_token_p95_seconds: float | None = None

    def fail(self, failure: str) -> None:
        self.errors[failure] = self.errors.get(failure, 0) + 1

    def merge(self, later: "Point") -> None:
        """Take in the interval that followed."""
        self.at = later.at
        self.step_seconds += later.step_seconds
        self.requests += later.requests
        for failure, count in later.errors.items():
            self.errors[failure] = self.errors.get(failure, 0) + count
        self.first_tokens.merge(later.first_tokens)
        self.prompt_tokens += later.prompt_tokens
        self.completion_tokens += later.completion_tokens
        self.in_flight, self.queued = later.in_flight, later.queued
        self.servers, self.servers_up = later.servers, later.servers_up
        self.in_flight_by_server = later.in_flight_by_server

    def summarise(self) -> None:
        self.first_token_p50_seconds = rounded(self.first_tokens.percentile(0.5))
        self.first_token_p95_seconds = rounded(self.first_tokens.percentile(0.95))


class Ring:
    """Intervals of one length: those that are over, the one that is filling, and those that nobody has stored yet."""

    __slots__ = ("filling", "kept", "resolution_seconds", "unsaved")

    def __init__(self, resolution_seconds: int, size: int) -> None:
        self.resolution_seconds = resolution_seconds
        self.kept: deque[Point] = deque(maxlen=size)
        self.unsaved: deque[Point] = deque(maxlen=size)
        self.filling: Point | None = None

    def add(self, point: Point) -> None:
        """A shorter interval, which goes into the one that is filling."""
        if self.filling is None:
            self.filling = Point(at=point.at, step_seconds=0)
        self.filling.merge(point)
        if self.filling.step_seconds >= self.resolution_seconds:
            self.finish()

    def finish(self) -> None:
        """What is filling is over, however short it is."""
        if self.filling is not None:
            self.filling.summarise()
            self.kept.append(self.filling)
            self.unsaved.append(self.filling)
            self.filling = None

    def between(self, start_at: float, end_at: float) -> list[Point]:
        """Those that ended after start_at and no later than end_at, the filling one included, oldest first."""
        if self.filling is not None:
            self.filling.summarise()
        points = (*self.kept, self.filling) if self.filling is not None else self.kept
        return [point for point in points if start_at < point.at <= end_at]


class Points:
    """The rings of all lengths."""

    __slots__ = ("_rings",)

    def __init__(self) -> None:
        self._rings = [Ring(resolution, size) for resolution, size in RINGS]

    def add(self, second: Point) -> None:
        """An interval of about a second that has just ended; the caller changes it no more."""
        seconds, *coarser = self._rings
        second.summarise()
        seconds.kept.append(second)
        for ring in coarser:
            ring.add(second)

    def recent(self, seconds: int) -> Histogram:
        """First tokens of the last so many seconds."""
        merged = Histogram()
        for point in islice(reversed(self._rings[0].kept), seconds):
            merged.merge(point.first_tokens)
        return merged

    def since(self, seconds: float, now: float) -> list[Point]:
        """The last so many seconds, oldest first, in the finest intervals that are kept for so long.

        What those do not reach back to (a restart ended them) is told in coarser ones.
        """
        start_at, end_at = now - seconds, now
        finest = next((i for i, (resolution, size) in enumerate(RINGS) if resolution * size >= seconds), len(RINGS) - 1)
        found: list[Point] = []
        for ring in self._rings[finest:]:
            if not found or end_at - start_at > ring.resolution_seconds:
                found = ring.between(start_at, end_at) + found
            if found:
                end_at = found[0].at - found[0].step_seconds + 0.5  # steps are rounded
        return found

    def unsaved(self, most: int | None = None) -> list[tuple[int, Point]]:
        """(resolution in seconds, point) of the oldest that are over and not stored yet; all without a number."""
        return [(ring.resolution_seconds, point) for ring in self._rings[1:] for point in ring.unsaved][:most]

    def saved(self, points: Iterable[tuple[int, Point]]) -> None:
        """They are stored now; of what `unsaved` gave."""
        for resolution, point in points:
            unsaved = self._ring(resolution).unsaved
            if unsaved and unsaved[0] is point:
                unsaved.popleft()

    def finish(self) -> None:
        """The process stops: all intervals are over."""
        for ring in self._rings[1:]:
            ring.finish()

    def restore(self, stored: Mapping[int, list[Point]], now: float) -> None:
        """Stored points by their resolution, in any order. Those of another time, or that overlap others, are left out.

        A process that was killed left minutes without a point of their own: they are made of the shorter ones.
        """
        for resolution, size in RINGS[1:]:
            ring = self._ring(resolution)
            ring.kept.extend(_apart(stored.get(resolution, []), now - resolution * size, now))
        tens, minutes = self._rings[1:]
        covered_at = minutes.kept[-1].at if minutes.kept else now - RINGS[1][0] * RINGS[1][1]
        for point in tens.kept:
            if point.at - point.step_seconds >= covered_at - 1.0:
                minutes.add(point)
        minutes.finish()

    def _ring(self, resolution: int) -> Ring:
        return next(ring for ring in self._rings if ring.resolution_seconds == resolution)


def _apart(points: Iterable[Point], start_at: float, end_at: float) -> list[Point]:
    """In order, without those that overlap one before by more than half of themselves: the wall clock was set meanwhile."""
    kept: list[Point] = []
    for point in sorted(points, key=lambda one: one.at):
        begins_at = point.at - point.step_seconds
        if start_at < point.at <= end_at + 1.0 and (not kept or begins_at >= kept[-1].at - point.step_seconds / 2):
            kept.append(point)
    return kept


def rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 4)
