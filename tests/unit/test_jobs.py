"""The table of jobs follows the fleet. The scheduler is APScheduler itself; what is waited for are events."""

import asyncio
from datetime import UTC, datetime

import pytest

from orchestrator.fleet.fleet import Fleet
from orchestrator.fleet.specs import FleetSpec, ServerSpec
from orchestrator.jobs import Jobs

SOON_SECONDS = 10


class Recorder:
    """In place of the prober and of the registry: tells what was asked of it."""

    def __init__(self):
        self.checks = asyncio.Queue()
        self.blocked = asyncio.Event()
        self.blocked.set()
        self.cancelled = asyncio.Event()
        self.saves = asyncio.Event()

    async def check(self, server_id):
        self.checks.put_nowait(server_id)
        try:
            await self.blocked.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise

    async def check_all(self):
        raise AssertionError("each server has a job of its own")

    async def save_unsaved(self):
        pass

    async def save(self):
        self.saves.set()

    async def next_checks(self, count):
        async with asyncio.timeout(SOON_SECONDS):
            return {await self.checks.get() for _ in range(count)}


@pytest.fixture
def fleet():
    fleet = Fleet()
    register(fleet, "a", "b")
    return fleet


@pytest.fixture
async def recorder():
    return Recorder()


@pytest.fixture
async def jobs(fleet, recorder):
    jobs = Jobs(fleet, recorder, recorder, recorder, 3600)
    jobs.start()
    yield jobs
    if jobs._scheduler.running:
        await jobs.stop()


def register(fleet, *ids):
    fleet.apply(FleetSpec(tuple(ServerSpec(id=one, url=f"http://{one}") for one in ids)), 0)


def waits_seconds(jobs, server_id):
    return (jobs._scheduler.get_job(f"probe {server_id}").next_run_time - datetime.now(UTC)).total_seconds()


async def test_every_server_is_probed_at_the_start_and_then_waits_an_interval(jobs, recorder):
    assert await recorder.next_checks(2) == {"a", "b"}
    await asyncio.sleep(0)
    assert 3600 * 0.85 < waits_seconds(jobs, "a") < 3600 * 1.15


async def test_server_that_was_just_probed_waits_for_its_turn(jobs, fleet, recorder):
    await recorder.next_checks(2)
    register(fleet, "a", "b", "c")
    fleet.servers["c"].last_check_time = datetime.now(UTC)
    await jobs.step()
    assert waits_seconds(jobs, "c") > 3000


async def test_removed_server_has_no_job_and_may_come_back(jobs, fleet, recorder):
    await recorder.next_checks(2)
    register(fleet, "a")
    await jobs.step()
    assert jobs._scheduler.get_job("probe b") is None
    register(fleet, "a", "b")
    await jobs.step()
    assert await recorder.next_checks(1) == {"b"}


async def test_server_that_wants_a_probe_gets_one_soon_and_one_only(jobs, fleet, recorder):
    await recorder.next_checks(2)
    fleet.servers["b"].wants_probe = True
    await jobs.step()
    assert await recorder.next_checks(1) == {"b"}
    assert not fleet.servers["b"].wants_probe


async def test_stop_cancels_what_runs_and_starts_nothing_more(jobs, fleet, recorder):
    recorder.blocked.clear()
    await recorder.next_checks(2)
    await jobs.stop()
    async with asyncio.timeout(SOON_SECONDS):
        await recorder.cancelled.wait()
    assert not jobs._scheduler.running


async def test_the_history_is_stored_by_a_job_of_its_own(jobs, recorder):
    async with asyncio.timeout(SOON_SECONDS):
        await recorder.saves.wait()
