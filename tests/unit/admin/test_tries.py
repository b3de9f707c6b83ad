"""Who guesses has to wait."""

import pytest

from orchestrator.admin import tries as module
from orchestrator.admin.tries import Tries


def failed(times, tries=None, address="10.0.0.1", now=0.0):
    """After so many wrong tries, each as soon as it was allowed; and when that was."""
    tries = tries or Tries()
    for _ in range(times):
        now += tries.wait_seconds(address, now)
        tries.wrong(address, now)
    return tries, now


def test_four_wrong_tries_are_free():
    tries, now = failed(4)
    assert (tries.wait_seconds("10.0.0.1", now), now) == (0.0, 0.0)


def test_each_further_one_waits_twice_as_long_and_a_minute_at_most():
    waits = []
    for times in range(5, 14):
        tries, now = failed(times)
        waits.append(tries.wait_seconds("10.0.0.1", now))
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_waiting_ends():
    tries, now = failed(7)
    assert tries.wait_seconds("10.0.0.1", now + 3.5) == 0.5
    assert tries.wait_seconds("10.0.0.1", now + 4) == 0


def test_others_do_not_wait():
    tries, now = failed(9)
    assert tries.wait_seconds("10.0.0.2", now) == 0


def test_tries_of_more_than_a_minute_ago_do_not_count():
    tries, now = failed(4)
    tries, now = failed(4, tries, now=now + 60)
    assert tries.wait_seconds("10.0.0.1", now) == 0


def test_who_goes_on_after_a_wait_waits_longer_and_is_forgotten_a_minute_after_it():
    tries, now = failed(11)
    tries.wrong("10.0.0.1", now + 60 + 59)
    assert tries.wait_seconds("10.0.0.1", now + 60 + 59) == 60
    tries, now = failed(11)
    tries.wrong("10.0.0.1", now + 60 + 60)
    assert tries.wait_seconds("10.0.0.1", now + 60 + 60) == 0


def test_a_right_one_is_a_fresh_start():
    tries, now = failed(4)
    tries.right("10.0.0.1")
    tries.wrong("10.0.0.1", now)
    assert tries.wait_seconds("10.0.0.1", now) == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.2", False),
        ("", "", True),
        ("testclient", "other", False),
    ],
)
def test_neighbours_in_a_network_of_ipv6_are_one(one, other, same):
    tries, now = failed(5, address=one)
    assert (tries.wait_seconds(other, now) > 0) is same


def test_only_so_many_addresses_are_remembered_and_the_oldest_goes_first(monkeypatch):
    monkeypatch.setattr(module, "MAX_ADDRESSES", 3)
    tries, now = Tries(), 0.0
    for number in range(4):
        failed(5, tries, f"10.0.0.{number}", now)
    assert [tries.wait_seconds(f"10.0.0.{number}", now) > 0 for number in range(4)] == [False, True, True, True]
