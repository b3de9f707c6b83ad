from math import ceil

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.telemetry.histogram import GROWTH, Histogram

DURATIONS = st.lists(st.floats(0.0001, 86400.0), min_size=1, max_size=200)


def of(durations: list[float]) -> Histogram:
    histogram = Histogram()
    for seconds in durations:
        histogram.add(seconds)
    return histogram


def exact(durations: list[float], share: float) -> float:
    """By the nearest rank."""
    return sorted(durations)[max(1, ceil(share * len(durations))) - 1]


def test_of_nothing_there_is_no_percentile() -> None:
    assert Histogram().percentile(0.5) is None


@given(DURATIONS, st.sampled_from([0.01, 0.5, 0.9, 0.95, 0.99, 1.0]))
def test_a_percentile_is_less_than_a_tenth_off(durations: list[float], share: float) -> None:
    found, true = of(durations).percentile(share), exact(durations, share)
    assert found is not None
    assert true / GROWTH * 0.999 <= found <= true * GROWTH * 1.001


@given(DURATIONS, DURATIONS)
def test_merged_is_as_if_all_were_added_to_one(some: list[float], more: list[float]) -> None:
    merged = of(some)
    merged.merge(of(more))
    assert merged == of(some + more)


def test_merging_leaves_the_other_alone() -> None:
    one, other = of([1.0]), of([1.0, 2.0])
    one.merge(other)
    one.add(1.0)
    assert other == of([1.0, 2.0])


def test_percentiles_rise_with_their_share() -> None:
    histogram = of([0.05 * n for n in range(1, 100)])
    found = [histogram.percentile(share / 100) or 0.0 for share in range(1, 101)]
    assert found == sorted(found)
    assert found[49] == pytest.approx(2.5, rel=0.1)


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 1e-9, 1e9])
def test_durations_out_of_all_measure_are_bounded(seconds: float) -> None:
    found = of([seconds]).percentile(0.5)
    assert found is not None
    assert 0.00009 < found < 100_000


def test_buckets_are_few_whatever_comes() -> None:
    assert len(of([0.0001 * 1.01**n for n in range(2500)]).counts) < 220


def test_stored_and_read_back_it_is_the_same() -> None:
    histogram = of([0.1, 0.2, 7.0])
    assert msgspec.json.decode(msgspec.json.encode(histogram), type=Histogram) == histogram
