"""What `/api/history` answers, and the way of points to the database and back."""

import asyncio
import sqlite3
from contextlib import closing

import msgspec
import pytest

from orchestrator.admin.history import History, WallTime
from orchestrator.admin.shapes import HistoryAnswer, ServerHistoryAnswer
from orchestrator.fleet.specs import Observation
from orchestrator.store.engine import Database
from orchestrator.telemetry.points import Point, Points


def seconds(admin, count, **counts):
    """So many seconds pass with this in each."""
    for _ in range(count):
        admin.clock.advance(1)
        admin.live._points.add(Point(at=admin.clock.now(), step_seconds=1, **counts))


def probe(admin, *ids):
    for server_id in ids:
        admin.fleet.observe(server_id, Observation(status="healthy", response_seconds=0.1), admin.clock.now(), admin.clock.utc())
    admin.live.tick(admin.clock.now())


async def history(admin, query=""):
    answer = await admin.ask("GET", f"/api/history{query}")
    assert answer.status_code == 200
    return msgspec.json.decode(answer.content, type=HistoryAnswer)


async def test_the_last_five_minutes_are_given_unless_asked_for_more(admin):
    seconds(admin, 1000, requests=2)
    found = await history(admin)
    assert [point.step_seconds for point in found.points] == [1] * 300
    assert found.points[-1].time == admin.clock.unix()
    assert {point.step_seconds for point in (await history(admin, "?seconds=601")).points} == {10}
    assert sum(point.requests for point in (await history(admin, "?seconds=86400")).points) == 2000


async def test_a_point_has_all_its_figures(admin):
    seconds(
        admin,
        1,
        requests=3,
        errors={"timeout": 1},
        prompt_tokens=5,
        completion_tokens=6,
        in_flight=2,
        queued=1,
        servers=4,
        servers_up=3,
        in_flight_by_server={"a": 2},
    )
    [point] = (await history(admin)).points
    assert (point.requests, point.errors, point.prompt_tokens, point.completion_tokens) == (3, {"timeout": 1}, 5, 6)
    assert (point.in_flight, point.queued, point.servers, point.servers_up, point.in_flight_by_server) == (2, 1, 4, 3, {"a": 2})
    assert (point.first_token_p50_seconds, point.first_token_p95_seconds) == (None, None)


@pytest.mark.parametrize("text", ["0", "86401", "-1", "x", "", "1.5", "1e3", "٣", "9" * 5000])
async def test_a_time_that_cannot_be_is_refused(admin, text):
    answer = await admin.ask("GET", f"/api/history?seconds={text}")
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "seconds")


async def test_the_last_checks_of_every_server_come_with_it(admin):
    await admin.add("a")
    await admin.add("b")
    for _ in range(40):
        admin.clock.advance(10)
        probe(admin, "a")
    found = await history(admin)
    assert {server: len(checks) for server, checks in found.checks.items()} == {"a": 30, "b": 1}
    last = found.checks["a"][-1]
    assert (last.time, last.status, last.seconds) == (admin.clock.unix(), "healthy", 0.1)


async def test_all_checks_of_one_server_can_be_had(admin):
    await admin.add("a")
    for _ in range(40):
        admin.clock.advance(10)
        probe(admin, "a")
    answer = await admin.ask("GET", "/api/servers/a/history")
    found = msgspec.json.decode(answer.content, type=ServerHistoryAnswer)
    assert (found.server, len(found.checks)) == ("a", 40)
    assert [check.time for check in found.checks] == sorted(check.time for check in found.checks)


async def test_an_unknown_server_has_no_history(admin):
    answer = await admin.ask("GET", "/api/servers/x/history")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_server")


# Over restarts


class Run:
    """One run of the program as far as history goes. ahead: of the clocks of the run before."""

    def __init__(self, admin, path=None):
        self.clock = admin.clock
        self.points = Points()
        self.database = Database(path or admin.path, deadline_seconds=0.5)
        self.history = History(self.points, self.database, self.clock, WallTime(self.clock))

    def passes(self, count, **counts):
        for _ in range(count):
            self.clock.advance(1)
            self.points.add(Point(at=self.clock.now(), step_seconds=1, **counts))

    def total(self, seconds=86_400):
        return sum(point.requests for point in self.points.since(seconds, self.clock.now()))


@pytest.fixture
async def run(admin):
    runs = []

    def make(path=None):
        runs.append(Run(admin, path))
        return runs[-1]

    yield make
    for one in runs:
        await one.database.close()


def rows(admin):
    with closing(sqlite3.connect(admin.path)) as connection:
        return connection.execute("SELECT count(*) FROM points").fetchone()[0]


async def test_a_stopped_run_leaves_everything_to_the_next(run):
    before = run()
    before.passes(137, requests=1)
    await before.history.close()
    after = run()
    await after.history.load()
    assert after.total() == 137
    assert after.total(7200) == 137
    after.passes(3, requests=1)
    assert after.total(600) == 140


async def test_of_a_killed_run_less_than_its_last_ten_seconds_are_gone(run):
    before = run()
    for _ in range(137):
        before.passes(1, requests=1)
        await before.history.save()
    after = run()
    await after.history.load()
    assert after.total() == 130
    assert after.total(7200) == 130


async def test_it_is_stored_once_and_in_one_go(run, admin):
    before = run()
    before.passes(9)
    await before.history.save()
    assert rows(admin) == 0
    before.passes(111)
    await before.history.save()
    assert rows(admin) == 14
    await before.history.save()
    assert rows(admin) == 14


async def test_a_locked_database_delays_and_loses_nothing(run, admin, caplog):
    before = run()
    before.passes(30, requests=1)
    with admin.locked():
        await before.history.save()
        before.passes(5, requests=1)
        await before.history.save()
        before.passes(10, requests=1)
        await before.history.save()
    assert rows(admin) == 0
    before.passes(10, requests=1)
    await before.history.save()
    await before.history.close()
    after = run()
    await after.history.load()
    assert after.total() == 55
    assert [record.message.split(":")[0] for record in caplog.records if record.name.endswith("history")] == ["the history is not stored for the time being"], (
        "told once, not at every try"
    )


async def test_a_database_that_fails_is_left_alone_for_a_while(run, admin, monkeypatch):
    before = run()
    before.passes(10)
    with admin.locked():
        await before.history.save()
    before.passes(5)
    await before.history.save()
    assert rows(admin) == 0
    before.passes(5)
    await before.history.save()
    assert rows(admin) == 2


async def test_two_savings_at_a_time_store_nothing_twice(run, admin):
    before = run()
    before.passes(60)
    await asyncio.gather(before.history.save(), before.history.save())
    assert rows(admin) == 7


async def test_a_missing_database_is_no_reason_not_to_start(run, tmp_path):
    one = run(tmp_path / "none.db")
    await one.history.load()
    one.passes(20, requests=1)
    await one.history.save()
    await one.history.close()
    assert one.total() == 20


async def test_after_a_long_outage_it_is_stored_in_pieces(run, admin):
    before = run()
    before.passes(7000)
    await before.history.save()
    assert rows(admin) == 200
    for _ in range(4):
        await before.history.save()
    assert rows(admin) == 700 + 116
    assert before.points.unsaved() == []


@pytest.mark.parametrize("hours", [-2, 2])
async def test_a_wall_clock_that_is_set_while_it_runs_loses_nothing(run, hours):
    before = run()
    for _ in range(3):
        before.passes(60, requests=1)
        await before.history.save()
    before.clock.set_wall(hours * 3600)
    for _ in range(3):
        before.passes(60, requests=1)
        await before.history.save()
    assert before.total() == 360
    after = run()
    await after.history.load()
    found = after.points.since(86_400, after.clock.now())
    assert [point.at for point in found] == sorted(point.at for point in found)
    assert sum(point.requests for point in found) in (180, 360), "what lies in the future is not shown"
    after.passes(60, requests=1)
    await after.history.close()


async def test_a_wall_clock_that_was_wrong_at_the_start_only_hides_what_was(run, admin):
    before = run()
    before.passes(120, requests=1)
    await before.history.close()
    stored = rows(admin)
    before.clock.set_wall(-10 * 365 * 86_400)
    wrong = run()
    await wrong.history.load()
    wrong.passes(20, requests=1)
    assert wrong.total() == 20
    await wrong.history.close()
    assert rows(admin) > stored
    before.clock.set_wall(10 * 365 * 86_400)
    right = run()
    await right.history.load()
    assert right.total() == 120
