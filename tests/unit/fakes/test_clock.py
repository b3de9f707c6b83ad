import pytest

from orchestrator.clock import Clock
from tests.fakes.clock import START_TIME, FakeClock


def test_time_passes_only_when_told() -> None:
    clock = FakeClock()
    assert clock.now() == clock.now()
    before = clock.now()
    clock.advance(2.5)
    assert clock.now() - before == 2.5
    assert (clock.utc() - START_TIME).total_seconds() == 2.5


def test_a_fake_clock_stands_in_for_the_real_one() -> None:
    assert isinstance(FakeClock(), Clock)


def test_time_never_goes_back() -> None:
    with pytest.raises(ValueError, match="backwards"):
        FakeClock().advance(-1)
