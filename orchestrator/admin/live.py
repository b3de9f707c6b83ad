"""Everything that shows the fleet as it is now and as it was lately, put together."""

from collections.abc import Callable

from orchestrator.admin.activity import Activity, ActivityOperations
from orchestrator.admin.history import History, HistoryOperations, WallTime
from orchestrator.admin.hub import Hub
from orchestrator.admin.sampler import Sampler
from orchestrator.admin.watch import Watch
from orchestrator.clock import Clock
from orchestrator.fleet.fleet import Fleet
from orchestrator.gateway.gateway import Gateway
from orchestrator.store.engine import Database
from orchestrator.telemetry.points import Points
from orchestrator.telemetry.recorder import Recorder


class Live:
    """`begin` once the fleet is loaded, then `tick` a few times a second; `close` ends the streams, `finish` stores what is left."""

    def __init__(self, fleet: Fleet, gateway: Gateway, recorder: Recorder, clock: Clock) -> None:
        times = WallTime(clock)
        self.hub = Hub(clock)
        self.activity = Activity(clock, self.hub)
        self._clock = clock
        self._times = times
        self._recorder = recorder
        self._points = Points()
        self._watch = Watch(fleet, self.hub, self.activity)
        self._sampler = Sampler(fleet, gateway, self.hub, self._points, self._watch, clock, times)
        recorder.readers.append(self._sampler.read)
        self.activity_operations = ActivityOperations(self.activity)
        self.history_operations = HistoryOperations(fleet, self._points, self._watch, clock, times)
        self.tick = self._sampler.tick
        self._begun = False

    async def begin(self, database: Database, build: Callable[[], str], version: str) -> History:
        """build: as in AboutAnswer."""
        self.hub.build = build
        self._watch.begin(self._clock.now())
        self._begun = True
        self.activity.note("started", "info", None, None, f"the orchestrator {version} was started")
        history = History(self._points, database, self._clock, self._times)
        await history.load()
        return history

    async def finish(self, history: History) -> None:
        """Also what happened in the last moments is stored."""
        self._recorder.flush()
        self._sampler.finish(self._clock.now())
        await history.close()

    def look(self) -> None:
        """An operator did something: told at once, or the next thing might undo it before anybody looks."""
        if self._begun:
            self._watch.look(self._clock.now(), thorough=True)

    def close(self) -> None:
        self.hub.close()
