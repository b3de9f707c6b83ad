"""The list of what happened lately."""

import pytest

from orchestrator.admin.activity import Activity
from orchestrator.admin.hub import Hub
from tests.fakes.clock import FakeClock
from tests.unit.admin.streams import Ear


def note(activity, message="x"):
    activity.note("serverStatus", "error", "a", "m", message)


async def events(admin, query=""):
    answer = await admin.ask("GET", f"/api/activity{query}")
    assert answer.status_code == 200
    return answer.json()["events"]


async def test_events_are_listed_newest_first(admin):
    note(admin.live.activity, "one")
    admin.clock.advance(5)
    admin.live.activity.note("started", "info", None, None, "two")
    now = admin.clock.unix()
    assert await events(admin) == [
        {"number": 2, "time": now, "kind": "started", "level": "info", "server": None, "model": None, "message": "two"},
        {"number": 1, "time": now - 5, "kind": "serverStatus", "level": "error", "server": "a", "model": "m", "message": "one"},
    ]


async def test_the_last_five_hundred_are_kept(admin):
    for n in range(600):
        note(admin.live.activity, str(n))
    found = await events(admin)
    assert [event["message"] for event in found] == [str(n) for n in range(599, 99, -1)]
    assert [event["number"] for event in found][:2] == [600, 599]


async def test_fewer_can_be_asked_for(admin):
    for n in range(10):
        note(admin.live.activity, str(n))
    assert [event["message"] for event in await events(admin, "?limit=3")] == ["9", "8", "7"]


@pytest.mark.parametrize("limit", ["0", "501", "-1", "x", "", "1.5", "٣", "9" * 5000])
async def test_a_limit_that_cannot_be_is_refused(admin, limit):
    answer = await admin.ask("GET", f"/api/activity?limit={limit}")
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "limit")


def test_who_listens_is_told_at_once():
    clock = FakeClock()
    hub = Hub(clock)
    activity, ear = Activity(clock, hub), Ear(hub, "activity")
    note(activity, "one")
    [event] = ear.heard()
    assert (event.name, event.data["message"], event.data["number"]) == ("event", "one", 1)


def test_long_messages_are_cut():
    clock = FakeClock()
    activity = Activity(clock, Hub(clock))
    note(activity, "x" * 10_000)
    assert len(activity.newest_first()[0].message) == 300


async def test_a_cancelled_request_is_told_of(admin):
    admin.live.activity.cancelled("r1")
    assert [(event["kind"], event["message"]) for event in await events(admin)] == [("requestCancelled", "request r1 was cancelled by an operator")]
