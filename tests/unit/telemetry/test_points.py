from typing import Any

import msgspec
import pytest

from orchestrator.telemetry.points import RINGS, Point, Points


def second(at: float, **counts: Any) -> Point:
    return Point(at=at, step_seconds=counts.pop("step_seconds", 1), **counts)


def filled(seconds: int, **counts: Any) -> Points:
    """One point for each of the seconds 1, 2, ..."""
    points = Points()
    for at in range(1, seconds + 1):
        points.add(second(float(at), **counts))
    return points


def span(points: list[Point]) -> int:
    return sum(point.step_seconds for point in points)


def test_merging_adds_counts_and_keeps_the_latest_state() -> None:
    one = second(1.0, requests=2, errors={"timeout": 1}, prompt_tokens=5, completion_tokens=7, in_flight=9, queued=3, servers=2, servers_up=1)
    one.first_tokens.add(1.0)
    other = second(2.0, requests=1, errors={"timeout": 1, "truncated": 2}, prompt_tokens=1, completion_tokens=1, in_flight=1, servers=3, servers_up=3)
    other.first_tokens.add(3.0)
    other.in_flight_by_server = {"a": 1}
    one.merge(other)
    one.summarise()
    assert (one.at, one.step_seconds, one.requests, one.errors) == (2.0, 2, 3, {"timeout": 2, "truncated": 2})
    assert (one.prompt_tokens, one.completion_tokens, one.in_flight, one.queued, one.servers, one.servers_up) == (6, 8, 1, 0, 3, 3)
    assert one.in_flight_by_server == {"a": 1}
    assert one.first_token_p50_seconds == pytest.approx(1.0, rel=0.11)
    assert one.first_token_p95_seconds == pytest.approx(3.0, rel=0.11)


def test_without_streams_there_are_no_percentiles() -> None:
    point = second(1.0, requests=5)
    point.summarise()
    assert point.first_token_p50_seconds is None


@pytest.mark.parametrize(("seconds", "step"), [(1, 1), (300, 1), (600, 1), (601, 10), (7200, 10), (7201, 60), (86400, 60)])
def test_the_finest_intervals_that_reach_back_so_far_are_given(seconds: int, step: int) -> None:
    found = filled(86_400, requests=1).since(seconds, 86_400.0)
    assert {point.step_seconds for point in found} == {step}
    assert span(found) == pytest.approx(seconds, abs=step)
    assert sum(point.requests for point in found) == span(found)
    assert [point.at for point in found] == sorted(point.at for point in found)


def test_everything_is_bounded() -> None:
    points = filled(90_000)
    assert [len(ring.kept) for ring in points._rings] == [size for _, size in RINGS]
    assert len(points.unsaved(10_000)) == sum(size for _, size in RINGS[1:])


def test_the_interval_that_is_filling_is_told_too() -> None:
    found = filled(1207, requests=1).since(1000, 1207.0)
    assert [point.step_seconds for point in found[-2:]] == [10, 7]
    assert sum(point.requests for point in filled(1207, requests=1).since(86_400, 1207.0)) == 1207


def test_a_second_that_took_long_counts_as_long_as_it_took() -> None:
    points = Points()
    points.add(second(1.0))
    points.add(second(14.0, step_seconds=13, requests=2))
    points.add(second(15.0, requests=1))
    assert [(point.step_seconds, point.requests) for _, point in points.unsaved(10)] == [(14, 2)]


def test_intervals_are_to_be_stored_once_when_they_are_over() -> None:
    points = filled(59, requests=1)
    assert [(resolution, point.at) for resolution, point in points.unsaved(10)] == [(10, 10.0), (10, 20.0), (10, 30.0), (10, 40.0), (10, 50.0)]
    points.saved(points.unsaved(3))
    points.add(second(60.0, requests=1))
    rest = points.unsaved(10)
    assert [(resolution, point.at) for resolution, point in rest] == [(10, 40.0), (10, 50.0), (10, 60.0), (60, 60.0)]
    points.saved(rest)
    points.saved(rest)
    assert points.unsaved(10) == []


def test_what_is_lost_from_the_ring_meanwhile_does_not_confuse_what_is_stored() -> None:
    points = filled(7200)
    storing = points.unsaved(2)
    for at in range(7201, 7221):
        points.add(second(float(at)))
    points.saved(storing)
    assert points.unsaved(1)[0][1].at == 30.0


def test_at_the_end_short_intervals_are_stored_with_their_true_length() -> None:
    points = filled(67, requests=1)
    points.finish()
    assert [(resolution, point.step_seconds) for resolution, point in points.unsaved(99)[-3:]] == [(10, 7), (60, 60), (60, 7)]


def reloaded(points: Points, later: float, now: float) -> Points:
    """After a restart with another monotonic clock, which is `later` seconds ahead."""
    stored: dict[int, list[Point]] = {}
    for resolution, point in points.unsaved(10_000):
        copy = msgspec.json.decode(msgspec.json.encode(point), type=Point)
        copy.at += later
        stored.setdefault(resolution, []).append(copy)
    loaded = Points()
    loaded.restore(stored, now)
    return loaded


def test_after_a_restart_history_goes_on_where_it_ended() -> None:
    before = filled(1000, requests=1)
    before.finish()
    after = reloaded(before, 5000.0, 6003.0)
    for at in range(6004, 6024):
        after.add(second(float(at), requests=1))
    for seconds in (600, 3600, 86_400):
        found = after.since(seconds, 6023.0)
        assert sum(point.requests for point in found) == pytest.approx(min(1020, seconds - 3), abs=10)
        begins = [point.at - point.step_seconds for point in found]
        assert all(begin >= point.at for begin, point in zip(begins[1:], found, strict=False)), "they overlap"


def test_minutes_that_a_killed_process_did_not_store_are_made_of_tens() -> None:
    before = filled(175, requests=1)
    stored = [(resolution, point.step_seconds) for resolution, point in before.unsaved(99)]
    assert stored.count((60, 60)) == 2
    after = reloaded(before, 0.0, 180.0)
    assert [(point.at, point.step_seconds) for point in after.since(86_400, 180.0)] == [(60.0, 60), (120.0, 60), (170.0, 50)]
    assert [(resolution, point.step_seconds) for resolution, point in after.unsaved(99)] == [(60, 50)]


def test_with_no_minute_stored_at_all_they_are_made_of_tens() -> None:
    after = reloaded(filled(45, requests=2), 0.0, 50.0)
    assert [(point.step_seconds, point.requests) for point in after.since(86_400, 50.0)] == [(40, 80)]


def test_points_of_the_future_and_of_long_ago_are_left_out() -> None:
    stored = {10: [second(at, step_seconds=10) for at in (-9000.0, 500.0, 990.0, 5000.0)], 60: [second(-90_000.0, step_seconds=60)]}
    points = Points()
    points.restore(stored, 1000.0)
    assert [point.at for point in points.since(7200, 1000.0)] == [500.0, 990.0]


def test_of_points_that_overlap_since_the_clock_was_set_back_one_is_kept() -> None:
    stored = {10: [second(at, step_seconds=10) for at in (100.0, 110.0, 120.0, 103.0, 113.0, 123.0, 133.0)]}
    points = Points()
    points.restore(stored, 200.0)
    assert [point.at for point in points.since(7200, 200.0)] == [100.0, 110.0, 120.0, 133.0]


def test_recent_first_tokens_are_those_of_the_last_seconds_alone() -> None:
    points = Points()
    for at, seconds in enumerate((9.0, 1.0, 2.0), start=1):
        point = second(float(at))
        point.first_tokens.add(seconds)
        points.add(point)
    assert points.recent(2).percentile(0.5) == pytest.approx(1.0, rel=0.11)
    assert points.recent(2).percentile(1.0) == pytest.approx(2.0, rel=0.11)
    assert points.recent(10).percentile(1.0) == pytest.approx(9.0, rel=0.11)
    assert Points().recent(10).percentile(0.5) is None
