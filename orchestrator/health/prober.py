"""Asks the servers whether they live and what they are, and tells the fleet."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Mapping

import aiohttp
from msgspec import Struct

from orchestrator.clock import Clock
from orchestrator.fleet.fleet import Fleet
from orchestrator.fleet.server import Server
from orchestrator.fleet.specs import Learned, Observation, ServerSpec
from orchestrator.health.probe import ask
from orchestrator.settings import Settings

MAX_CONCURRENT = 32
FLOW_INTERVALS = 2.0

log = logging.getLogger(__name__)

OnLearned = Callable[[str, Learned], Awaitable[None]]


class Running(Struct, frozen=True):
    """A probe under way, and the spec that it goes by."""

    spec: ServerSpec
    task: "asyncio.Task[Observation | None]"


class Prober:
    """Probes servers, each at most once at a time.

    on_learned: called after a probe that changed what is known for good of a server, to store it; what it raises is logged.
    """

    def __init__(
        self, fleet: Fleet, session: aiohttp.ClientSession, clock: Clock, settings: Settings, on_learned: OnLearned, environment: Mapping[str, str] = os.environ
    ) -> None:
        self._fleet = fleet
        self._session = session
        self._clock = clock
        self._timeout_seconds = settings.probe_timeout_seconds
        self._flow_seconds = settings.probe_interval_seconds * FLOW_INTERVALS
        self._on_learned = on_learned
        self._environment = environment
        self._running: dict[str, Running] = {}
        self._closed = False

    async def check(self, server_id: str, *, asked: bool = False) -> Observation | None:
        """Probe now, or share a probe that is under way; it goes on if the caller is cancelled.

        None if there is nothing to say: no such server, a stored row that cannot be used, a server that asked to be left alone for a time (429;
        a person who asks for the probe knows better), or one that was changed meanwhile so that the result was dropped.
        """
        while True:
            server = self._fleet.servers.get(server_id)
            if server is None or server.spec.fault is not None:
                return None
            running = self._running.get(server_id)
            if running is None:
                if not asked and server.health == "rateLimited" and self._clock.now() < server.limited_until:
                    return None
                running = self._start(server.spec)
            elif not _same_target(running.spec, server.spec):
                await asyncio.wait([running.task])
                continue
            try:
                return await asyncio.shield(running.task)
            except asyncio.CancelledError:
                if running.task.cancelled() and self._closed:  # at shutdown: nothing to say any more
                    return None
                raise

    async def check_all(self, *, asked: bool = False) -> None:
        """Probe every server, so many at a time."""
        gate = asyncio.Semaphore(MAX_CONCURRENT)

        async def one(server_id: str) -> None:
            async with gate:
                await self.check(server_id, asked=asked)

        await asyncio.gather(*(one(server_id) for server_id in self._fleet.servers))

    async def close(self) -> None:
        """Ends the probes under way, before the session is closed."""
        self._closed = True
        tasks = [running.task for running in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, spec: ServerSpec) -> Running:
        task = asyncio.create_task(self._guarded(spec), name=f"probe {spec.id}")
        running = self._running[spec.id] = Running(spec, task)
        task.add_done_callback(lambda _: self._running.pop(spec.id, None))
        return running

    async def _guarded(self, spec: ServerSpec) -> Observation | None:
        try:
            return await self._probe(spec)
        except Exception:
            log.exception("probe of server %s failed inside", spec.id)
            return None

    async def _probe(self, spec: ServerSpec) -> Observation | None:
        server = self._fleet.servers.get(spec.id)
        if server is None:
            return None
        seen = (await ask(self._session, spec, server.learned, self._clock, timeout_seconds=self._timeout_seconds, environment=self._environment)).seen
        server = self._fleet.servers.get(spec.id)
        if server is None or not _same_target(spec, server.spec):
            return None
        await self._take_in(server, seen)
        return seen

    async def _take_in(self, server: Server, seen: Observation) -> None:
        now = self._clock.now()
        if seen.status == "down" and seen.timed_out and now - server.flowed_at <= self._flow_seconds:
            # Busy, not dead: its tokens reach clients while it has no time for questions.
            server.last_check_time, server.check_seconds = self._clock.utc(), None
            return
        before, _ = server.status(now)
        changed = self._fleet.observe(server.id, seen, now, self._clock.utc())
        after, reason = server.status(now)
        if after != before:
            log.info("server %s: %s -> %s%s", server.id, before, after, f" ({reason})" if reason else "")
        if changed:
            await self._store(server)

    async def _store(self, server: Server) -> None:
        try:
            await self._on_learned(server.id, server.learned)
        except Exception as error:  # noqa: BLE001 - traffic goes on without the store
            log.warning("what was learned of server %s could not be stored: %s", server.id, type(error).__name__)


def _same_target(one: ServerSpec, other: ServerSpec) -> bool:
    """Would a probe of the one say the same of the other?"""

    def target(spec: ServerSpec) -> tuple[object, ...]:
        return spec.url, spec.type, spec.api_key, spec.headers, spec.verify_tls, spec.fault

    return target(one) == target(other)
