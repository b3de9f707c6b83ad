import asyncio
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import Refusal
from orchestrator.fleet.breaker import Breaker
from orchestrator.fleet.fleet import Fleet
from orchestrator.fleet.models import Host
from orchestrator.fleet.outcome import Outcome
from orchestrator.gateway.admission import Admission
from orchestrator.gateway.flight import Flight
from orchestrator.routing.policies import named
from orchestrator.routing.router import Router
from tests.fakes import fleets
from tests.fakes.clock import FakeClock

FAR_AT = 1e9


def admission(clock: FakeClock | None = None, *, size: int = 10, seconds: float = 60.0) -> Admission:
    return Admission(Router(named("least-in-flight", Random(1))), clock or FakeClock(), size, seconds)


def taken(room: Admission, fleet: Fleet, asked: str = "m") -> Flight:
    flight = room.take(fleets.wanted(fleet, asked), 1000.0)
    assert flight is not None
    return flight


def free(room: Admission, flight: Flight) -> None:
    """What the gateway does when a flight ends."""
    flight.finish(Outcome.OK, 1000.0)
    room.pump()


async def queued(room: Admission, fleet: Fleet, asked: str = "m", *, deadline_at: float = FAR_AT) -> "asyncio.Task[Flight]":
    task = asyncio.create_task(room.wait(fleets.wanted(fleet, asked), deadline_at))
    await asyncio.sleep(0)
    return task


async def refused(task: "asyncio.Task[Flight]") -> Refusal:
    with pytest.raises(Refusal) as caught:
        await task
    return caught.value


async def test_where_there_is_room_nobody_waits() -> None:
    fleet, room = fleets.fleet(fleets.spec("a", max_concurrency=2)), admission()
    assert [taken(room, fleet).server.id for _ in range(2)] == ["a", "a"]
    assert room.take(fleets.wanted(fleet), 1000.0) is None


async def test_who_came_first_goes_first() -> None:
    fleet, room = fleets.fleet(fleets.spec("a", max_concurrency=1)), admission()
    flight = taken(room, fleet)
    order: list[int] = []

    async def one(number: int) -> None:
        mine = await room.wait(fleets.wanted(fleet), FAR_AT)
        order.append(number)
        free(room, mine)

    tasks = []
    for number in range(5):
        tasks.append(asyncio.create_task(one(number)))
        await asyncio.sleep(0)
    assert room.waiting("m") == 5
    free(room, flight)
    await asyncio.gather(*tasks)
    assert order == [0, 1, 2, 3, 4]
    assert room.waiting("m") == 0
    assert fleet.servers["a"].in_flight == 0


async def test_a_newcomer_overtakes_nobody() -> None:
    fleet, room = fleets.fleet(fleets.spec("a", max_concurrency=1)), admission()
    flight = taken(room, fleet)
    first = await queued(room, fleet)
    flight.finish(Outcome.OK, 1000.0)  # free, but nobody was let in yet
    assert room.take(fleets.wanted(fleet), 1000.0) is None
    second = await queued(room, fleet)
    assert (await first).server.id == "a"
    assert not second.done()
    second.cancel()


async def test_a_light_request_waits_for_nobody() -> None:
    fleet, room = fleets.fleet(fleets.spec("a", max_concurrency=1)), admission()
    taken(room, fleet)
    waiting = await queued(room, fleet)
    assert room.take(fleets.wanted(fleet, light=True), 1000.0) is not None
    waiting.cancel()


async def test_models_have_lines_of_their_own() -> None:
    fleet, room = fleets.fleet(fleets.spec("a", max_concurrency=1), fleets.spec("b", models=("n",))), admission()
    taken(room, fleet)
    waiting = await queued(room, fleet)
    assert taken(room, fleet, "n").server.id == "b"
    assert (room.waiting("m"), room.waiting("n")) == (1, 0)
    waiting.cancel()


async def test_a_full_line_is_refused_in_the_words_of_ollama() -> None:
    fleet, room = fleets.fleet(fleets.spec("a", max_concurrency=1)), admission(size=1)
    taken(room, fleet)
    waiting = await queued(room, fleet)
    refusal = await refused(await queued(room, fleet))
    assert (refusal.status, refusal.code) == (503, "queue_full")
    assert refusal.message == "server busy, please try again.  maximum pending requests exceeded"
    assert refusal.retry_after_seconds
    assert room.waiting("m") == 1
    waiting.cancel()


async def test_a_line_of_length_zero_refuses_at_once() -> None:
    fleet, room = fleets.fleet(fleets.spec("a", max_concurrency=1)), admission(size=0)
    taken(room, fleet)
    assert (await refused(await queued(room, fleet))).code == "queue_full"


@pytest.mark.parametrize(("seconds", "deadline_at"), [(0.001, FAR_AT), (60.0, 1000.001), (60.0, 900.0)])
async def test_waiting_has_an_end(seconds: float, deadline_at: float) -> None:
    fleet, room = fleets.fleet(fleets.spec("a", max_concurrency=1)), admission(seconds=seconds)
    flight = taken(room, fleet)
    refusal = await refused(await queued(room, fleet, deadline_at=deadline_at))
    assert (refusal.status, refusal.code) == (503, "queue_timeout")
    assert room.waiting("m") == 0
    free(room, flight)
    assert fleet.servers["a"].in_flight == 0


async def test_who_leaves_the_line_takes_no_slot() -> None:
    fleet, room = fleets.fleet(fleets.spec("a", max_concurrency=1)), admission()
    flight = taken(room, fleet)
    first, second = await queued(room, fleet), await queued(room, fleet)
    first.cancel()
    await asyncio.sleep(0)
    assert room.waiting("m") == 1
    free(room, flight)
    assert (await second).server.in_flight == 1


async def test_a_slot_given_in_the_very_moment_of_leaving_goes_to_the_next() -> None:
    fleet, room = fleets.fleet(fleets.spec("a", max_concurrency=1)), admission()
    flight = taken(room, fleet)
    first, second = await queued(room, fleet), await queued(room, fleet)
    free(room, flight)  # given to the first
    first.cancel()  # before it ran
    with pytest.raises(asyncio.CancelledError):
        await first
    assert (await asyncio.wait_for(second, 5)).server.in_flight == 1
    assert fleet.servers["a"].outcomes == {"ok": 1}


async def test_when_all_go_down_those_who_wait_are_told() -> None:
    fleet, room = fleets.fleet(fleets.spec("a", max_concurrency=1)), admission()
    taken(room, fleet)
    waiting = await queued(room, fleet)
    fleet.servers["a"].health = "down"
    room.pump()
    refusal = await refused(waiting)
    assert refusal.status == 503
    assert "a (down)" in refusal.message


async def test_where_nobody_can_be_asked_nobody_waits() -> None:
    fleet, room = fleets.fleet(fleets.spec("a", draining=True)), admission()
    with pytest.raises(Refusal, match="draining"):
        room.take(fleets.wanted(fleet), 1000.0)


async def test_a_refusal_that_nobody_waits_for_any_more_is_forgotten() -> None:
    """Otherwise the event loop complains of an exception that was never looked at."""
    fleet, room = fleets.fleet(fleets.spec("a", max_concurrency=1)), admission()
    taken(room, fleet)
    waiting = await queued(room, fleet)
    fleet.servers["a"].health = "down"
    room.pump()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert room.waiting("m") == 0


async def test_a_server_that_comes_lets_in_who_waits() -> None:
    fleet, room = fleets.fleet(fleets.spec("a", max_concurrency=1), fleets.spec("b")), admission()
    fleet.servers["b"].health = "down"
    taken(room, fleet)
    waiting = await queued(room, fleet)
    fleet.servers["b"].health = "healthy"
    room.pump()
    assert (await waiting).server.id == "b"


# ---- preview

BREAKERS = ["closed", "open", "due", "forced"]


def random_fleet(drawn: list[tuple[str, bool, bool, int | None, int, int, str]]) -> Fleet:
    """Servers in every state that routing looks at."""
    specs = [
        fleets.spec(f"s{number}", enabled=enabled, draining=draining, max_concurrency=limit, priority=priority)
        for number, (_, enabled, draining, limit, _, priority, _) in enumerate(drawn)
    ]
    made = fleets.fleet(*specs)
    for server, (health, _, _, _, in_flight, _, breaker) in zip(made.servers.values(), drawn, strict=True):
        server.health, server.in_flight = health, in_flight
        _turn(server.breaker, breaker)
    return made


def _turn(breaker: Breaker, state: str) -> None:
    if state == "forced":
        breaker.force_open("by hand", 1000.0)
    elif state != "closed":
        for _ in range(fleets.RULES.failures):
            breaker.fail("x", 1000.0 if state == "open" else 900.0)


servers = st.tuples(
    st.sampled_from(["healthy", "healthy", "unknown", "down", "configError"]),
    st.sampled_from([True, True, False]),
    st.sampled_from([False, False, True]),
    st.sampled_from([None, 1, 2]),
    st.integers(0, 2),
    st.integers(0, 1),
    st.sampled_from(BREAKERS),
)


@given(
    drawn=st.lists(servers, min_size=1, max_size=5),
    policy=st.sampled_from(["least-in-flight", "round-robin", "weighted-random", "random"]),
    size=st.integers(0, 2),
)
async def test_a_preview_says_what_then_becomes_of_a_request(drawn: list[tuple[str, bool, bool, int | None, int, int, str]], policy: str, size: int) -> None:
    fleet, room = random_fleet(drawn), Admission(Router(named(policy, Random(1))), FakeClock(), size, 60.0)
    foreseen, hosts = foretold(room, fleet)
    became, host = await took(room, fleet)
    assert became == foreseen
    assert host is None or host in hosts
    assert bool(hosts) == (became in ("goes", "waits"))


def foretold(room: Admission, fleet: Fleet) -> tuple[str, Sequence[Host]]:
    """goes or waits and where, or the words of the refusal."""
    try:
        hosts, waits = room.preview(fleets.wanted(fleet), 1000.0)
    except Refusal as refusal:
        return refusal.message, ()
    return "waits" if waits else "goes", hosts


async def took(room: Admission, fleet: Fleet) -> tuple[str, Host | None]:
    """What became of a request."""
    try:
        flight = await take_or_wait(room, fleet)
    except Refusal as refusal:
        return refusal.message, None
    return ("waits", None) if flight is None else ("goes", flight.host)


async def take_or_wait(room: Admission, fleet: Fleet) -> Flight | None:
    """What a request gets; None if it is left waiting."""
    flight = room.take(fleets.wanted(fleet), 1000.0)
    if flight is not None:
        return flight
    task = await queued(room, fleet)
    if task.done():
        return await task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return None


async def test_a_preview_knows_of_those_in_line() -> None:
    fleet, room = fleets.fleet(fleets.spec("a", max_concurrency=1)), admission(size=1)
    taken(room, fleet)
    assert room.preview(fleets.wanted(fleet), 1000.0)[1]
    task = await queued(room, fleet)
    with pytest.raises(Refusal, match="server busy"):
        room.preview(fleets.wanted(fleet), 1000.0)
    hosts, waits = room.preview(fleets.wanted(fleet, light=True), 1000.0)
    assert ([host.server.id for host in hosts], waits) == (["a"], False)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
