"""The parts that show the fleet live, put together."""

import asyncio

from orchestrator.store.engine import Database
from tests.unit.admin.streams import Ear


async def test_it_begins_with_what_was_and_ends_with_all_of_it_stored(admin):
    live = admin.live
    history = await live.begin(admin.database, lambda: "build 7", "1.2.3")
    assert Ear(live.hub).hello.data["build"] == "build 7"
    assert [(event.kind, event.message) for event in live.activity.newest_first()] == [("started", "the orchestrator 1.2.3 was started")]
    await admin.bench.ask()  # refused, there is no server: it counts all the same
    await live.finish(history)
    again = (await admin.ask("GET", "/api/history")).json()
    assert sum(point["requests"] for point in again["points"]) == 1
    assert [point["errors"] for point in again["points"]] == [{"clientError": 1}]


async def test_servers_that_were_there_at_the_start_are_no_news(admin):
    await admin.add("a")
    await admin.live.begin(admin.database, str, "1")
    admin.clock.advance(1)
    admin.live.tick(admin.clock.now())
    assert "serverAdded" not in [event.kind for event in admin.live.activity.newest_first()]


async def test_without_a_database_it_begins_and_ends_too(admin, tmp_path):
    database = Database(tmp_path / "none.db", deadline_seconds=0.1)
    history = await admin.live.begin(database, str, "1")
    admin.clock.advance(1)
    admin.live.tick(admin.clock.now())
    await admin.live.finish(history)
    await database.close()


async def test_closing_ends_every_stream(admin):
    ears = [Ear(admin.live.hub) for _ in range(3)]
    admin.live.close()
    assert await asyncio.gather(*(ear.listener.next() for ear in ears)) == [None] * 3
