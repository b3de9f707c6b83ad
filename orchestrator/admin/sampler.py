"""Four times a second: what the fleet does now, for the charts and for whoever listens. The data plane publishes nothing, it is read here."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial

from orchestrator.admin.history import WallTime, point_answer
from orchestrator.admin.hub import Hub
from orchestrator.admin.requests import failure_of, in_flight_answers, request_answer
from orchestrator.admin.shapes import InFlightRows, PointAnswer, RequestRows
from orchestrator.admin.watch import Watch
from orchestrator.clock import Clock
from orchestrator.fleet.fleet import Fleet
from orchestrator.fleet.server import Server
from orchestrator.gateway.flight import Flight
from orchestrator.gateway.gateway import Gateway
from orchestrator.telemetry.points import Point, Points, rounded
from orchestrator.telemetry.record import RequestRecord
from orchestrator.telemetry.recorder import MAX_GATHERED, Kept

SECOND = 0.95  # ticks are not exact
MAX_ROWS = 50
MAX_IN_FLIGHT_ROWS = 200
MAX_BUSY_SERVERS = 30
RECENT_SECONDS = 10  # what one figure that changes every second is made of
COMPLAINT_SECONDS = 60.0
log = logging.getLogger(__name__)


class Sampler:
    """`read` takes the requests that ended, `tick` counts them, closes a point each second and has the servers looked at."""

    def __init__(self, fleet: Fleet, gateway: Gateway, hub: Hub, points: Points, watch: Watch, clock: Clock, times: WallTime) -> None:
        self._fleet = fleet
        self._gateway = gateway
        self._hub = hub
        self._points = points
        self._watch = watch
        self._times = times
        self._ended: list[Kept] = []
        self._begun: dict[int, RequestRecord] = {}
        self._began_at = clock.now()
        self._point = Point(at=self._began_at, step_seconds=0)
        self._ticks = 0
        self._told_of_some = False
        self._complained_at = float("-inf")

    def read(self, batch: Sequence[Kept]) -> None:
        """A reader of the recorder."""
        self._ended.extend(batch)

    def tick(self, now: float) -> None:
        """Raises nothing: whoever calls it has requests to look after."""
        try:
            self._tick(now)
        except Exception:
            if now - self._complained_at >= COMPLAINT_SECONDS:
                self._complained_at = now
                log.exception("the fleet could not be sampled")

    def finish(self, now: float) -> None:
        """The process stops: what happened since the last full second counts too."""
        self._count_ended()
        self._close_second(now)

    def _tick(self, now: float) -> None:
        self._ticks += 1
        ended = self._count_ended()
        self._count_begun()
        if ended:
            self._hub.publish("requests", partial(_request_rows, ended))
        self._watch.look(now)
        if now - self._began_at >= SECOND:
            self._close_second(now)
        if self._ticks % 2 == 0 and self._hub.wants("inflight"):
            self._tell_in_flight(now)
        self._hub.tick(now)

    def _count_ended(self) -> list[Kept]:
        ended, self._ended = self._ended, []
        for kept in ended:
            self._count(kept)
        return ended

    def _count(self, kept: Kept) -> None:
        point, record = self._point, kept.record
        point.requests += 1
        point.prompt_tokens += record.prompt_tokens or 0
        point.completion_tokens += record.completion_tokens or 0
        failure = failure_of(record)
        if failure is not None:
            point.fail(failure)
        if self._begun.pop(id(record), None) is None and record.stream and record.first_event_seconds is not None:
            point.first_tokens.add(record.first_event_seconds)

    def _count_begun(self) -> None:
        """First tokens count when they come: an answer may take minutes from there."""
        begun = self._begun
        for call in self._gateway.calls:
            record = call.record
            if record.first_event_seconds is not None and record.stream and id(record) not in begun:
                begun[id(record)] = record
                self._point.first_tokens.add(record.first_event_seconds)
        if len(begun) > len(self._gateway.calls) + MAX_GATHERED:  # of some the end was never told
            self._begun = {id(call.record): call.record for call in self._gateway.calls if id(call.record) in begun}

    def _close_second(self, now: float) -> None:
        point, servers = self._point, self._fleet.servers
        point.at, point.step_seconds = now, max(1, round(now - self._began_at))
        flights = [call.flight for call in self._gateway.calls]
        point.queued = flights.count(None)
        point.in_flight = len(flights) - point.queued
        point.servers, point.servers_up = len(servers), self._watch.up
        point.in_flight_by_server = _busiest(servers, flights)
        self._points.add(point)
        self._hub.publish("metrics", partial(self._metrics, point))
        self._began_at, self._point = now, Point(at=now, step_seconds=0)

    def _metrics(self, point: Point) -> PointAnswer:
        answer, recent = point_answer(point, self._times), self._points.recent(RECENT_SECONDS)
        answer.recent_first_token_p50_seconds = rounded(recent.percentile(0.5))
        answer.recent_first_token_p95_seconds = rounded(recent.percentile(0.95))
        return answer

    def _tell_in_flight(self, now: float) -> None:
        """Also once that there is none any more."""
        total = len(self._gateway.calls)
        if total or self._told_of_some:
            rows = in_flight_answers(self._gateway, now, MAX_IN_FLIGHT_ROWS)
            self._hub.publish("inflight", partial(InFlightRows, rows, total))
        self._told_of_some = total > 0


def _busiest(servers: Mapping[str, Server], flights: Sequence[Flight | None]) -> dict[str, int]:
    """How many requests each has by its id, also of servers that were removed meanwhile and still answer."""
    removed = {flight.server for flight in flights if flight is not None and servers.get(flight.server.id) is not flight.server}
    counts = Counter({server_id: server.in_flight for server_id, server in servers.items() if server.in_flight > 0})
    for server in removed:
        counts[server.id] += server.in_flight
    return dict(counts.most_common(MAX_BUSY_SERVERS))


def _request_rows(ended: Sequence[Kept]) -> RequestRows:
    return RequestRows([request_answer(kept) for kept in reversed(ended[-MAX_ROWS:])], max(0, len(ended) - MAX_ROWS))
