"""The charts' past: what `/api/history` answers, and keeping it over restarts."""

import logging

import msgspec
from msgspec import Raw
from starlette.requests import Request
from starlette.responses import Response

from orchestrator.admin.activity import whole_number
from orchestrator.admin.errors import json, unknown_server
from orchestrator.admin.shapes import PointAnswer, ServerHistoryAnswer
from orchestrator.admin.slices import Slices
from orchestrator.admin.watch import Watch
from orchestrator.clock import Clock
from orchestrator.fleet.fleet import Fleet
from orchestrator.store.engine import Database, Unavailable
from orchestrator.store.points import PointRows, StoredPoint
from orchestrator.telemetry.points import Point, Points

DEFAULT_SECONDS = 300
DAY_SECONDS = 86400
CHECKS = 30  # of each server, beside the points
MAX_SAVED = 200  # in one transaction
PAUSE_SECONDS = 10.0  # after a failure
JUMP_SECONDS = 0.5
log = logging.getLogger(__name__)


class WallTime:
    """Unix time of moments of the monotonic clock. It follows a wall clock that is set, but not every little correction of it:
    a moment keeps its time, so that a page can tell what it has got twice."""

    __slots__ = ("_clock", "_offset")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset = clock.unix() - clock.now()

    @property
    def offset(self) -> float:
        offset = self._clock.unix() - self._clock.now()
        if abs(offset - self._offset) > JUMP_SECONDS:
            self._offset = offset
        return self._offset

    def of(self, at: float) -> float:
        return round(at + self.offset, 3)


class History:
    """Points between memory and the database. Without the database they wait in memory, as many as there is room for."""

    def __init__(self, points: Points, database: Database, clock: Clock, times: WallTime) -> None:
        self._points = points
        self._database = database
        self._clock = clock
        self._times = times
        self._rows = PointRows()
        self._retry_at = 0.0
        self._saving = self._failing = False

    async def load(self) -> None:
        """What the run before left. Nothing, if the database cannot be read: charts are no reason not to start."""
        try:
            async with self._database.transaction() as connection:
                stored = await self._rows.load(connection)
        except Unavailable as error:
            log.warning("the history is not loaded: %s", error)
            return
        found: dict[int, list[Point]] = {}
        for row in stored:
            row.point.at = row.time - self._times.offset
            found.setdefault(row.resolution_seconds, []).append(row.point)
        self._points.restore(found, self._clock.now())

    async def save(self) -> None:
        """Store what is over, if anything is: called once a second, so every ten seconds. Does nothing while an earlier call still waits for the database."""
        if self._saving or self._clock.now() < self._retry_at:
            return
        self._saving = True
        try:
            await self._save(MAX_SAVED)
        finally:
            self._saving = False

    async def close(self) -> None:
        """Store everything, also what is not over yet."""
        self._points.finish()
        await self._save(None)

    async def _save(self, most: int | None) -> None:
        points = self._points.unsaved(most)
        if not points:
            return
        stored = [StoredPoint(resolution, self._times.of(point.at), point) for resolution, point in points]
        try:
            async with self._database.transaction() as connection:
                await self._rows.save(connection, stored)
        except Unavailable as error:
            self._retry_at = self._clock.now() + PAUSE_SECONDS
            if not self._failing:
                log.warning("the history is not stored for the time being: %s", error)
            self._failing = True
            return
        self._points.saved(points)
        if self._failing:
            log.info("the history is stored again")
        self._failing = False


class HistoryOperations:
    """Handlers of `/api/history` and `/api/servers/{id}/history`."""

    def __init__(self, fleet: Fleet, points: Points, watch: Watch, clock: Clock, times: WallTime) -> None:
        self._fleet = fleet
        self._points = points
        self._watch = watch
        self._clock = clock
        self._times = times

    async def history(self, request: Request) -> Response:
        seconds = whole_number(request, "seconds", DEFAULT_SECONDS, DAY_SECONDS)
        slices = Slices()
        points: list[Raw] = []
        for point in self._points.since(seconds, self._clock.now()):
            points.append(Raw(msgspec.json.encode(point_answer(point, self._times))))
            await slices.pause()
        checks: dict[str, Raw] = {}
        for server_id in list(self._fleet.servers):
            checks[server_id] = Raw(msgspec.json.encode(self._watch.checks(server_id, CHECKS)))
            await slices.pause()
        return json({"points": points, "checks": checks})

    async def server(self, request: Request) -> Response:
        server_id = str(request.path_params["server_id"])
        if server_id not in self._fleet.servers:
            raise unknown_server(server_id)
        return json(ServerHistoryAnswer(server_id, self._watch.checks(server_id)))


def point_answer(point: Point, times: WallTime) -> PointAnswer:
    return PointAnswer(
        time=times.of(point.at),
        step_seconds=point.step_seconds,
        requests=point.requests,
        errors=point.errors,
        first_token_p50_seconds=point.first_token_p50_seconds,
        first_token_p95_seconds=point.first_token_p95_seconds,
        prompt_tokens=point.prompt_tokens,
        completion_tokens=point.completion_tokens,
        in_flight=point.in_flight,
        queued=point.queued,
        servers=point.servers,
        servers_up=point.servers_up,
        in_flight_by_server=point.in_flight_by_server,
    )
