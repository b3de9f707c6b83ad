"""The periodic jobs, run by APScheduler on the event loop."""

import asyncio
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from orchestrator.admin.history import History
from orchestrator.admin.registry import Registry
from orchestrator.admin.servers import Prober
from orchestrator.fleet.fleet import Fleet
from orchestrator.fleet.server import Server

STEP_SECONDS = 1.0
SAVE_SECONDS = 30.0
JITTER = 0.1  # share of the interval, so that probes of many servers do not fall on one moment


class Jobs:
    """One probing job per server, kept in step with the fleet; and the storing of the history and of what could not be stored at once.

    A job that is due while it still runs is skipped, and runs that were missed are made up for by one.
    """

    def __init__(self, fleet: Fleet, prober: Prober, registry: Registry, history: History, probe_interval_seconds: float) -> None:
        self._fleet = fleet
        self._prober = prober
        self._interval_seconds = probe_interval_seconds
        self._probed: set[str] = set()
        self._scheduler = AsyncIOScheduler(timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None})
        self._scheduler.add_job(self.step, IntervalTrigger(seconds=STEP_SECONDS, timezone=UTC), next_run_time=datetime.now(UTC))
        self._scheduler.add_job(history.save, IntervalTrigger(seconds=STEP_SECONDS, timezone=UTC), max_instances=60)  # it sees to that itself, in silence
        self._scheduler.add_job(registry.save_unsaved, IntervalTrigger(seconds=SAVE_SECONDS, timezone=UTC))

    def start(self) -> None:
        self._scheduler.start()

    async def stop(self) -> None:
        """No job runs afterwards; those that do are cancelled."""
        self._scheduler.shutdown(wait=False)
        await asyncio.sleep(0)  # the scheduler stops itself by a call on the loop

    async def step(self) -> None:
        """Jobs for new servers, none for removed ones, and a probe at once for those that want it."""
        servers = self._fleet.servers
        for server_id in self._probed - servers.keys():
            self._scheduler.remove_job(_job_id(server_id))
            self._probed.discard(server_id)
        for server_id, server in servers.items():
            if server_id not in self._probed:
                self._add(server)
            elif server.wants_probe:
                server.wants_probe = False
                self._scheduler.modify_job(_job_id(server_id), next_run_time=datetime.now(UTC))

    def _add(self, server: Server) -> None:
        delay = 0.0 if server.last_check_time is None else self._interval_seconds
        self._scheduler.add_job(
            self._prober.check,
            IntervalTrigger(seconds=self._interval_seconds, jitter=self._interval_seconds * JITTER, timezone=UTC),
            args=[server.id],
            id=_job_id(server.id),
            next_run_time=datetime.now(UTC) + timedelta(seconds=delay),
        )
        self._probed.add(server.id)


def _job_id(server_id: str) -> str:
    return f"probe {server_id}"
