"""Counting what ended, closing seconds, and telling who listens."""

import asyncio
import itertools

import pytest
from msgspec.structs import fields

from orchestrator.admin import sampler as module
from orchestrator.admin.live import Live
from orchestrator.admin.shapes import InFlightRows, PointAnswer, RequestRows
from orchestrator.fleet.specs import FleetSpec
from orchestrator.telemetry.record import RequestRecord
from orchestrator.telemetry.recorder import Kept
from tests.fakes import fleets
from tests.fakes.scripted import ScriptedServer, hang
from tests.fakes.wire import ollama_error
from tests.unit.admin.streams import Ear
from tests.unit.gateway.calls import Bench, bench

QUARTER = 0.25


class Sampled:
    """A gateway whose fleet is sampled, four times a second of a fake clock."""

    def __init__(self, *ids, bench=None):
        self.bench = bench or Bench(fleets.fleet(*map(fleets.spec, ids)))
        self.clock = self.bench.clock
        self.live = Live(self.bench.fleet, self.bench.gateway, self.bench.recorder, self.clock)
        self.live._watch.begin(self.clock.now())
        self.number = 0

    def ended(self, count=1, **more):
        """So many requests end."""
        for _ in range(count):
            self.number += 1
            members = {"outcome": "ok", "status": 200, "model": "m", **more}
            self.live._sampler.read([Kept(RequestRecord(self.clock.unix(), f"r{self.number}", "ollama", "chat", **members), None)])

    def ticks(self, count):
        for _ in range(count):
            self.clock.advance(QUARTER)
            self.live.tick(self.clock.now())

    def point(self):
        """The last second."""
        return self.live._points.since(10, self.clock.now())[-1]


class Answering:
    """What the sampler reads of a call."""

    flight = None

    def __init__(self, record):
        self.record = record


def names(shape):
    return {field.encode_name for field in fields(shape)}


@pytest.fixture
def sampled():
    return Sampled("a", "b")


def test_a_second_counts_what_ended_in_it(sampled):
    sampled.ended(2, prompt_tokens=10, completion_tokens=5)
    sampled.ticks(2)
    sampled.ended(1, prompt_tokens=None, completion_tokens=None)
    sampled.ticks(2)
    point = sampled.point()
    assert (point.requests, point.prompt_tokens, point.completion_tokens, point.step_seconds) == (3, 20, 10, 1)
    sampled.ticks(4)
    assert sampled.point().requests == 0


def test_failures_are_counted_by_their_kind(sampled):
    sampled.ended(2, outcome="timeout", status=504)
    sampled.ended(1, outcome="client_gone", status=0)
    sampled.ended(1, outcome="model_not_found", status=404)
    sampled.ended(3)
    sampled.ticks(4)
    assert sampled.point().errors == {"timeout": 2, "clientGone": 1, "clientError": 1}


def test_first_tokens_are_those_of_streams_alone(sampled):
    sampled.ended(1, stream=True, first_event_seconds=0.5)
    sampled.ended(1, stream=False, first_event_seconds=60.0)
    sampled.ended(1, stream=True, first_event_seconds=None, outcome="connect_error")
    sampled.ticks(4)
    assert sampled.point().first_token_p50_seconds == pytest.approx(0.5, rel=0.1)
    assert sampled.point().first_token_p95_seconds == pytest.approx(0.5, rel=0.1)


def test_a_first_token_counts_when_it_comes_and_once(sampled):
    call = Answering(RequestRecord(sampled.clock.unix(), "r", "ollama", "chat", stream=True))
    sampled.bench.gateway.calls.add(call)
    sampled.ticks(4)
    assert sampled.point().first_token_p50_seconds is None
    call.record.first_event_seconds = 0.5
    sampled.ticks(4)
    assert sampled.point().first_token_p50_seconds == pytest.approx(0.5, rel=0.1)
    sampled.ticks(4)
    assert sampled.point().first_token_p50_seconds is None
    sampled.bench.gateway.calls.remove(call)
    sampled.ticks(1)
    call.record.outcome = "ok"
    sampled.live._sampler.read([Kept(call.record, None)])
    sampled.ticks(3)
    assert (sampled.point().requests, sampled.point().first_token_p50_seconds) == (1, None)


def test_the_state_of_the_fleet_is_that_at_the_end_of_the_second(sampled):
    sampled.bench.fleet.servers["a"].in_flight = 3
    sampled.bench.fleet.servers["b"].health = "down"
    sampled.ticks(4)
    point = sampled.point()
    assert (point.servers, point.servers_up, point.in_flight_by_server) == (2, 1, {"a": 3})


def test_of_many_busy_servers_the_busiest_are_told():
    sampled = Sampled(*(f"s{n:03}" for n in range(100)))
    for n, server in enumerate(sampled.bench.fleet.servers.values()):
        server.in_flight = n
    sampled.ticks(4)
    assert sampled.point().in_flight_by_server == {f"s{n:03}": n for n in range(99, 69, -1)}


def test_metrics_are_told_once_a_second_and_are_small():
    sampled = Sampled(*(f"server-{n:03}" for n in range(100)))
    for server in sampled.bench.fleet.servers.values():
        server.in_flight = 10
    ear = Ear(sampled.live.hub, "metrics")
    sampled.ended(50, outcome="timeout", stream=True, first_event_seconds=1.0)
    sampled.ticks(20)
    events = [event for event in ear.heard() if event.name == "metrics"]
    assert len(events) == 5
    assert set(events[0].data) == names(PointAnswer)
    assert len(str(events[0].data)) < 2048
    assert events[0].data["recentFirstTokenP50Seconds"] == pytest.approx(1.0, rel=0.1)


def test_a_page_can_tell_a_point_that_it_fetched_from_the_same_one_streamed(sampled):
    """The wall clock is corrected a little all the time."""
    ear = Ear(sampled.live.hub, "metrics")
    sampled.ticks(4)
    [streamed] = ear.of("metrics")
    sampled.clock.set_wall(0.004)
    sampled.ticks(1)
    assert sampled.live._times.of(sampled.live._points.since(10, sampled.clock.now())[0].at) == streamed["time"]


@pytest.mark.parametrize("seconds", [-86_400.0, 86_400.0])
def test_a_wall_clock_that_is_set_leaves_neither_gap_nor_overlap(sampled, seconds):
    sampled.ticks(20)
    sampled.clock.set_wall(seconds)
    sampled.ticks(20)
    points = sampled.live._points.since(60, sampled.clock.now())
    assert [round(later.at - earlier.at, 3) for earlier, later in itertools.pairwise(points)] == [1.0] * 9
    assert sampled.live._times.of(points[-1].at) == pytest.approx(sampled.clock.unix(), abs=1)


def test_a_loop_that_was_held_up_makes_one_long_second(sampled):
    sampled.ticks(4)
    sampled.clock.advance(6.5)
    sampled.live.tick(sampled.clock.now())
    assert sampled.point().step_seconds == pytest.approx(6.5, abs=0.5)


# Requests


def test_ended_requests_are_told_newest_first_to_whoever_wants_them(sampled):
    ear = Ear(sampled.live.hub, "requests")
    sampled.ended(3)
    sampled.ticks(1)
    [rows] = ear.of("requests")
    assert set(rows) == names(RequestRows)
    assert [row["id"] for row in rows["requests"]] == ["r3", "r2", "r1"]
    assert rows["dropped"] == 0
    sampled.ticks(8)
    assert ear.heard() == []


def test_of_very_many_the_newest_are_told_and_the_rest_counted(sampled):
    ear = Ear(sampled.live.hub, "requests")
    sampled.ended(125)
    sampled.ticks(1)
    [rows] = ear.of("requests")
    assert [row["id"] for row in rows["requests"]] == [f"r{n}" for n in range(125, 75, -1)]
    assert rows["dropped"] == 75
    sampled.ticks(3)
    assert sampled.point().requests == 125


def test_rows_are_made_only_for_somebody(sampled, monkeypatch):
    monkeypatch.setattr(module, "request_answer", lambda kept: pytest.fail("made for nobody"))
    monkeypatch.setattr(module, "in_flight_answers", lambda *_: pytest.fail("made for nobody"))
    Ear(sampled.live.hub, "metrics", "servers", "activity")
    sampled.ended(10)
    sampled.ticks(8)
    assert sampled.live._points.since(10, sampled.clock.now())[0].requests == 10


# In flight


async def test_requests_in_flight_are_told_twice_a_second_and_that_they_are_gone_once():
    async with bench(fleets.spec("a", max_concurrency=1)) as made:
        sampled = Sampled(bench=made)
        ear = Ear(sampled.live.hub, "inflight")
        sampled.ticks(8)
        assert ear.heard() == []
        made.fleet.servers["a"].in_flight = 1  # so that the request waits
        waits = made.post()
        sampled.ticks(8)
        told = ear.of("inflight")
        assert len(told) == 4
        assert set(told[0]) == names(InFlightRows)
        assert ([(row["id"], row["phase"]) for row in told[0]["inFlight"]], told[0]["total"]) == ([("r1", "queued")], 1)
        await asyncio.sleep(0)
        sampled.ticks(4)
        assert (sampled.point().in_flight, sampled.point().queued) == (0, 1)
        waits.call.leave()
        await waits.whole()
        made.fleet.servers["a"].in_flight = 0
        ear.heard()
        sampled.ticks(8)
        assert [data["total"] for data in ear.of("inflight")] == [0]


async def test_who_waits_between_two_attempts_waits():
    async with ScriptedServer("a") as server, bench(fleets.spec("a", url=server.url)) as made:
        server.on("/api/chat", ollama_error(429, "slow", {"Retry-After": "1"}))
        sampled = Sampled(bench=made)
        waits = made.post()
        async with asyncio.timeout(10):
            while waits.call.flight is not None:
                await asyncio.sleep(0.005)
        sampled.ticks(4)
        assert (waits.call.attempts, sampled.point().in_flight, sampled.point().queued) == (1, 0, 1)
        waits.call.leave()
        await waits.whole()


async def test_a_server_that_was_removed_is_told_until_its_requests_end():
    async with ScriptedServer("a") as server, bench(fleets.spec("a", url=server.url), fleets.spec("b")) as made:
        server.on("/api/chat", [hang])
        made.fleet.servers["b"].health = "down"
        sampled = Sampled(bench=made)
        answered = [made.post(request_id=f"r{number}") for number in range(2)]
        await server.request("/api/chat", 2)
        made.fleet.apply(FleetSpec(()), made.clock.now())
        sampled.ticks(4)
        assert (sampled.point().in_flight, sampled.point().in_flight_by_server, sampled.point().servers) == (2, {"a": 2}, 0)
        made.fleet.apply(FleetSpec((fleets.spec("a"),)), made.clock.now())
        made.fleet.servers["a"].in_flight = 3
        sampled.ticks(4)
        assert sampled.point().in_flight_by_server == {"a": 5}
        for one in answered:
            one.call.leave()
            await one.whole()
        sampled.ticks(4)
        assert sampled.point().in_flight_by_server == {"a": 3}
        made.fleet.servers["a"].in_flight = 0


# Trouble


def test_a_failure_inside_is_told_now_and_then_and_holds_up_nobody(sampled, monkeypatch, caplog):
    monkeypatch.setattr(sampled.live._watch, "look", lambda now: 1 / 0)
    sampled.ticks(400)
    assert len([record for record in caplog.records if "could not be sampled" in record.message]) == 2


def test_at_the_end_the_last_moments_count_too(sampled):
    sampled.ended(2)
    sampled.ticks(1)
    sampled.ended(3)
    sampled.live._sampler.finish(sampled.clock.now())
    assert sampled.point().requests == 5
