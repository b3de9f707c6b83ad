"""Numbering, keeping and handing out of events."""

import asyncio

import pytest

from orchestrator.admin import hub as module
from orchestrator.admin.hub import TOPICS, Hub
from orchestrator.admin.shapes import Changed, ServerRemoved
from tests.fakes.clock import FakeClock
from tests.unit.admin.streams import Ear, waiting


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def hub(clock: FakeClock) -> Hub:
    made = Hub(clock)
    made.build = lambda: "b1"
    return made


def remove(hub: Hub, *ids: str) -> None:
    """A durable event for each."""
    for one in ids:
        hub.publish("server_removed", lambda one=one: ServerRemoved(one))  # type: ignore[misc]


def count(hub: Hub, calls: list[str], name: str) -> None:
    """An event whose making is noted."""

    def build() -> Changed:
        calls.append(name)
        return Changed("servers")

    hub.publish(name, build)


def ids(events: list[object]) -> list[str]:
    return [event.data["id"] for event in events if event.name == "server_removed"]  # type: ignore[attr-defined]


def test_hello_comes_first_and_says_who_speaks(hub: Hub, clock: FakeClock) -> None:
    ear = Ear(hub)
    assert (ear.hello.name, ear.hello.data) == ("hello", {"build": "b1", "time": clock.unix(), "resumed": False})
    assert ear.hello.id.startswith(f"{hub.boot}-")


def test_ids_rise_with_every_event(hub: Hub) -> None:
    ear = Ear(hub, *TOPICS)
    remove(hub, "a")
    count(hub, [], "metrics")
    remove(hub, "b")
    numbers = [ear.hello.number, *(event.number for event in ear.heard())]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == 4


def test_each_gets_only_its_topics(hub: Hub) -> None:
    servers, metrics = Ear(hub, "servers"), Ear(hub, "metrics")
    remove(hub, "a")
    count(hub, [], "metrics")
    assert (servers.names(), metrics.names()) == (["server_removed"], ["metrics"])


def test_an_event_is_encoded_once_for_all(hub: Hub) -> None:
    ears, calls = [Ear(hub) for _ in range(7)], []
    count(hub, calls, "changed")
    assert calls == ["changed"]
    frames = [waiting(ear.listener)[0] for ear in ears]
    assert all(frame is frames[0] for frame in frames)


def test_nothing_is_made_that_nobody_listens_to(hub: Hub, clock: FakeClock) -> None:
    calls: list[str] = []
    for name in ("metrics", "requests", "inflight", "changed", "event"):
        count(hub, calls, name)
    ear = Ear(hub, "metrics")
    ear.leave()
    clock.advance(121)
    for name in ("metrics", "changed"):
        count(hub, calls, name)
    Ear(hub, "servers")
    count(hub, calls, "requests")
    assert calls == []


def test_who_comes_back_gets_what_it_missed(hub: Hub, clock: FakeClock) -> None:
    ear = Ear(hub)
    remove(hub, "a", "b")
    last = ear.heard()[0].id
    ear.leave()
    clock.advance(100)
    remove(hub, "c")
    again = Ear(hub, last_id=last)
    assert again.hello.data["resumed"] is True
    assert ids(again.missed) == ["b", "c"]
    remove(hub, "d")
    assert ids(again.heard()) == ["d"]


def test_what_was_missed_comes_with_its_first_id_and_hello_does_not_run_ahead(hub: Hub) -> None:
    """A client that is cut off between hello and the rest must miss nothing."""
    ear = Ear(hub)
    remove(hub, "a", "b")
    first, second = ear.heard()
    again = Ear(hub, last_id=first.id)
    assert again.hello.id == first.id
    assert again.missed == [second]


def test_who_missed_nothing_resumes_too(hub: Hub) -> None:
    ear = Ear(hub)
    remove(hub, "a")
    last = ear.heard()[-1].id
    again = Ear(hub, last_id=last)
    assert (again.hello.data["resumed"], again.missed) == (True, [])
    assert Ear(hub, last_id=Ear(hub).hello.id).hello.data["resumed"] is True


def test_only_missed_events_of_its_topics_are_sent(hub: Hub) -> None:
    ear = Ear(hub, *TOPICS)
    remove(hub, "a")
    count(hub, [], "event")
    count(hub, [], "metrics")
    again = Ear(hub, "activity", "metrics", last_id=ear.hello.id)
    assert [event.name for event in again.missed] == ["event"]


def test_metrics_do_not_push_out_what_is_kept(hub: Hub) -> None:
    ear = Ear(hub, *TOPICS)
    remove(hub, "a")
    for _ in range(3000):
        count(hub, [], "metrics")
    again = Ear(hub, last_id=ear.hello.id)
    assert ids(again.missed) == ["a"]


@pytest.mark.parametrize(
    "last", ["", "x", "-", "-1", "{boot}", "{boot}-", "{boot}--1", "{boot}-1.5", "{boot}-x", "{boot}-٣", "{boot}-99", "{boot}-" + "9" * 5000, "00000000-1"]
)
def test_an_id_that_is_none_of_ours_is_no_resumption(hub: Hub, last: str) -> None:
    Ear(hub)
    remove(hub, "a")
    again = Ear(hub, last_id=last.format(boot=hub.boot))
    assert (again.hello.data["resumed"], again.missed) == (False, [])


def test_ids_of_another_run_are_not_taken_for_ours(clock: FakeClock) -> None:
    before, after = Hub(clock), Hub(clock)
    last = Ear(before).hello.id
    Ear(after)
    assert Ear(after, last_id=last).hello.data["resumed"] is False


def test_too_old_is_told_as_such(hub: Hub) -> None:
    ear = Ear(hub)
    remove(hub, *(str(n) for n in range(1001)))
    seen = [event.id for event in ear.heard()]
    assert Ear(hub, last_id=ear.hello.id).hello.data["resumed"] is False
    again = Ear(hub, last_id=seen[0])
    assert again.hello.data["resumed"] is True
    assert len(again.missed) == 1000


def test_what_is_kept_is_bounded_in_bytes(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_BYTES", 1000)
    ear = Ear(hub)
    remove(hub, *("x" * 100 for _ in range(20)))
    assert sum(len(kept.frame) for kept in hub._kept) == hub._kept_bytes <= 1000
    assert Ear(hub, last_id=ear.hello.id).hello.data["resumed"] is False


def test_who_was_away_for_long_begins_anew(hub: Hub, clock: FakeClock) -> None:
    """Meanwhile events were not even made."""
    ear = Ear(hub)
    remove(hub, "a")
    last = ear.heard()[-1].id
    ear.leave()
    clock.advance(121)
    remove(hub, "b")
    assert Ear(hub, last_id=last).hello.data["resumed"] is False


def test_a_slow_client_loses_its_queue_and_is_told_to_fetch_anew(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUEUE_EVENTS", 5)
    slow, quick = Ear(hub), Ear(hub)
    numbers = []
    for n in range(6):
        remove(hub, str(n))
        numbers += [event.number for event in quick.heard()]
    assert len(numbers) == 6
    [resync] = slow.heard()
    assert (resync.name, resync.data) == ("resync", {})
    assert resync.number == numbers[-1], "or it would get the same events again when it comes back"
    remove(hub, "more")
    assert slow.names() == ["server_removed"]


def test_however_long_it_does_not_read_its_queue_does_not_grow(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUEUE_BYTES", 2000)
    slow, most = Ear(hub), 0
    for n in range(500):
        remove(hub, "x" * (n % 90))
        most = max(most, sum(map(len, slow.listener._frames)))
        assert slow.listener._bytes == sum(map(len, slow.listener._frames))
    assert most <= 2000
    assert sum(event.name == "resync" for event in slow.heard()) == 1


def test_all_that_is_kept_fits_into_a_queue() -> None:
    """Or whoever comes back after long would be told at once that it is too slow."""
    assert module.KEPT_EVENTS < module.QUEUE_EVENTS
    assert module.KEPT_BYTES + 10_000 < module.QUEUE_BYTES


def test_a_comment_comes_every_fifteen_seconds(hub: Hub, clock: FakeClock) -> None:
    ear = Ear(hub)
    comments = 0
    for _ in range(61 * 4):
        clock.advance(0.25)
        hub.tick(clock.now())
        comments += sum(frame.startswith(b":") and frame.endswith(b"\n\n") for frame in waiting(ear.listener))
    assert comments in (4, 5)


def test_who_left_costs_nothing_any_more(hub: Hub) -> None:
    ear = Ear(hub, "requests")
    assert hub.wants("requests")
    ear.leave()
    ear.leave()
    assert not hub.wants("requests")
    assert not hub.listeners
    other = Ear(hub, "requests")
    assert hub.wants("requests")
    other.leave()
    assert not hub.wants("requests")


async def test_a_listener_waits_for_what_comes(hub: Hub) -> None:
    ear = Ear(hub)
    coming = asyncio.create_task(ear.listener.next())
    await asyncio.sleep(0)
    assert not coming.done()
    remove(hub, "a")
    frame = await coming
    assert frame is not None
    assert b"server_removed" in frame


async def test_at_the_end_nothing_more_is_waited_for(hub: Hub) -> None:
    waits, behind = Ear(hub), Ear(hub)
    coming = asyncio.create_task(waits.listener.next())
    await asyncio.sleep(0)
    remove(hub, "a")
    hub.close()
    assert hub.closed
    assert await behind.listener.next() is None
    await coming
    assert await waits.listener.next() is None
