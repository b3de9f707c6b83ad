"""Points of the charts in the database."""

import sqlite3
from contextlib import closing

import pytest

from orchestrator.store import points as module
from orchestrator.store.points import PointRows, StoredPoint
from orchestrator.telemetry.points import Point


def stored(time, resolution=10, **counts):
    point = Point(at=1.0, step_seconds=resolution, **counts)
    return StoredPoint(resolution, time, point)


async def save(database, *points):
    async with database.transaction() as connection:
        await PointRows().save(connection, points)


async def load(database):
    async with database.transaction() as connection:
        return await PointRows().load(connection)


async def test_points_come_back_as_they_were_stored(database):
    full = stored(1767323045.25, requests=3, errors={"timeout": 1}, prompt_tokens=7, completion_tokens=9, in_flight=2, queued=1, servers=4, servers_up=3)
    full.point.first_tokens.add(0.4)
    full.point.in_flight_by_server["a"] = 2
    full.point.summarise()
    minute = stored(1767323050.0, 60)
    await save(database, full, minute)
    assert await load(database) == [full, minute]


async def test_the_oldest_go_when_there_are_more_than_a_ring_holds(database, monkeypatch):
    monkeypatch.setattr(module, "RINGS", ((1, 5), (10, 3), (60, 2)))
    await save(database, *(stored(float(n)) for n in range(5)), *(stored(float(n), 60) for n in range(5)))
    await save(database, stored(5.0))
    assert [(one.resolution_seconds, one.time) for one in await load(database)] == [(10, 3.0), (10, 4.0), (60, 3.0), (60, 4.0), (10, 5.0)]


async def test_a_clock_set_back_throws_nothing_away(database):
    await save(database, stored(2_000_000_000.0))
    await save(database, stored(5.0))
    assert [one.time for one in await load(database)] == [2_000_000_000.0, 5.0]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"at": 1}', '{"at": 1.0, "step_seconds": "x"}', "null"])
async def test_rows_that_cannot_be_read_are_passed_over(database, path, text):
    good = stored(7.0)
    await save(database, good)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO points (resolution_seconds, time, point) VALUES (10, 1.0, ?)", [text])
        connection.commit()
    assert await load(database) == [good]


async def test_points_of_a_newer_version_are_read_as_far_as_they_are_known(database, path):
    await save(database, stored(7.0, requests=2))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE points SET point = '{\"more\": 1,' || substr(point, 2)")
        connection.commit()
    [found] = await load(database)
    assert found == stored(7.0, requests=2)
