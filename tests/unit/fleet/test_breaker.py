"""Each state of the breaker, then a server that flaps for a minute."""

import pytest

from orchestrator.fleet.breaker import Breaker, BreakerRules, State, Transition, Verdict

RULES = BreakerRules(failures=3, rate=0.5, volume=10, window_seconds=30.0, open_seconds=5.0, open_seconds_max=40.0)
START = 1000.0


@pytest.fixture
def breaker():
    return Breaker(RULES, START)


def opened(now=START):
    breaker = Breaker(RULES, now)
    for _ in range(3):
        breaker.fail("status 500", now)
    return breaker


def half_open(now=START):
    """On trial at now + 5."""
    breaker = opened(now)
    breaker.start(now + 5)
    return breaker


class TestClosed:
    def test_it_admits(self, breaker):
        assert breaker.verdict(START) is Verdict.ADMIT

    def test_a_start_changes_nothing(self, breaker):
        assert breaker.start(START) is None
        assert (breaker.state, breaker.trial) == (State.CLOSED, False)

    def test_it_opens_at_the_third_failure_in_a_row_and_says_why(self, breaker):
        assert breaker.fail("status 500", START) is None
        assert breaker.fail("status 500", START) is None
        assert breaker.fail("status 502", START + 1) == Transition(State.CLOSED, State.OPEN, "status 502")
        assert (breaker.reason, breaker.changed_at, breaker.retry_at) == ("status 502", START + 1, START + 6)

    def test_a_success_between_failures_starts_the_row_over(self, breaker):
        for _ in range(4):
            breaker.fail("x", START)
            breaker.fail("x", START)
            assert breaker.succeed(START) is None
            for _ in range(4):  # enough that the rate does not open it
                breaker.succeed(START)
        assert breaker.state is State.CLOSED

    def test_a_rate_opens_it_only_from_the_minimum_volume_on(self, breaker):
        for _ in range(4):
            breaker.succeed(START)
            breaker.fail("x", START)
        breaker.succeed(START)
        assert breaker.state is State.CLOSED
        assert breaker.fail("x", START).after is State.OPEN
        assert breaker.counts(START) == (10, 5)

    def test_a_rate_below_the_limit_never_opens_it(self, breaker):
        for i in range(300):
            assert (breaker.fail("x", START + i) if i % 3 == 0 else breaker.succeed(START + i)) is None

    def test_failures_of_two_windows_ago_are_forgotten(self, breaker):
        for second in range(4):
            breaker.fail("x", START + second)
            breaker.succeed(START + second)
        breaker.succeed(START + 30)
        assert breaker.counts(START + 30) == (9, 4)
        breaker.succeed(START + 60)
        assert breaker.counts(START + 60) == (2, 0)

    def test_failures_age_although_no_request_comes(self, breaker):
        for second in range(3):
            breaker.fail("x", START + second)
        assert [breaker.counts(START + seconds) for seconds in (29, 59, 60, 600)] == [(3, 3), (3, 3), (0, 0), (0, 0)]

    def test_a_long_silence_forgets_both_windows(self, breaker):
        breaker.fail("x", START)
        breaker.succeed(START + 61)
        assert breaker.counts(START + 61) == (1, 0)

    def test_retry_after_opens_it_at_once_for_that_long(self, breaker):
        assert breaker.fail("429", START, 12.0).after is State.OPEN
        assert breaker.verdict(START + 11.9) is Verdict.OPEN
        assert breaker.verdict(START + 12) is Verdict.TRIAL

    def test_retry_after_is_bounded(self, breaker):
        breaker.fail("429", START, 1e9)
        assert breaker.retry_at == START + 40

    def test_a_release_is_no_strike(self, breaker):
        for _ in range(50):
            breaker.start(START)
            breaker.release()
        assert (breaker.state, breaker.failures, breaker.counts(START)) == (State.CLOSED, 0, (0, 0))

    def test_closing_what_is_closed_is_no_transition_but_forgets(self, breaker):
        breaker.fail("x", START)
        assert breaker.close("reset by an operator", START) is None
        assert (breaker.failures, breaker.counts(START)) == (0, (0, 0))


class TestOpen:
    def test_it_is_a_last_resort_until_its_time_is_over(self):
        breaker = opened()
        assert breaker.verdict(START) is Verdict.OPEN
        assert breaker.verdict(START + 4.999) is Verdict.OPEN
        assert breaker.verdict(START + 5) is Verdict.TRIAL

    def test_a_last_resort_request_is_no_trial(self):
        breaker = opened()
        assert breaker.start(START + 1) is None
        assert (breaker.state, breaker.trial) == (State.OPEN, False)

    def test_a_success_of_a_last_resort_closes_it(self):
        breaker = opened()
        breaker.start(START + 1)
        assert breaker.succeed(START + 2) == Transition(State.OPEN, State.CLOSED, "a request succeeded")
        assert breaker.verdict(START + 2) is Verdict.ADMIT

    def test_failures_of_requests_begun_before_do_not_prolong_it(self):
        breaker = opened()
        for _ in range(10):
            assert breaker.fail("late", START + 3) is None
        assert (breaker.retry_at, breaker.open_seconds) == (START + 5, 5.0)

    def test_a_later_retry_after_prolongs_it_within_bounds(self):
        breaker = opened()
        breaker.fail("429", START, 2.0)
        assert breaker.retry_at == START + 5
        breaker.fail("429", START, 20.0)
        assert breaker.retry_at == START + 20
        breaker.fail("429", START, 1e9)
        assert breaker.retry_at == START + 40

    def test_the_first_request_after_its_time_is_the_trial(self):
        assert opened().start(START + 5) == Transition(State.OPEN, State.HALF_OPEN, "trial request")


class TestHalfOpen:
    def test_one_request_is_admitted_and_no_more(self):
        breaker = half_open()
        assert (breaker.state, breaker.verdict(START + 5)) == (State.HALF_OPEN, Verdict.OPEN)
        assert breaker.start(START + 6) is None

    def test_a_success_closes_it_and_the_open_time_starts_over(self):
        breaker = half_open()
        breaker.fail("again", START + 6)
        breaker.start(START + 16)
        assert breaker.succeed(START + 17).after is State.CLOSED
        assert (breaker.open_seconds, breaker.failures, breaker.counts(START + 17)) == (5.0, 0, (0, 0))

    def test_a_failure_reopens_it_for_twice_as_long_up_to_the_most(self):
        breaker, now, waits = opened(), START, []
        for _ in range(5):
            now = breaker.retry_at
            breaker.start(now)
            assert breaker.fail("still", now) == Transition(State.HALF_OPEN, State.OPEN, "still")
            waits.append(breaker.retry_at - now)
        assert waits == [10.0, 20.0, 40.0, 40.0, 40.0]

    def test_retry_after_of_the_trial_wins_over_doubling(self):
        breaker = half_open()
        breaker.fail("429", START + 5, 1.0)
        assert breaker.retry_at == START + 6

    def test_a_trial_that_said_nothing_gives_its_place_to_the_next(self):
        breaker = half_open()
        breaker.release()
        assert (breaker.state, breaker.verdict(START + 6)) == (State.HALF_OPEN, Verdict.TRIAL)
        assert breaker.start(START + 6) is None
        assert breaker.verdict(START + 6) is Verdict.OPEN

    def test_an_operator_may_close_it(self):
        breaker = half_open()
        assert breaker.close("reset by an operator", START + 6).after is State.CLOSED
        assert not breaker.trial


class TestForced:
    def test_it_admits_nothing_however_late(self, breaker):
        assert breaker.force_open("opened by an operator", START).after is State.OPEN
        assert breaker.verdict(START + 1e9) is Verdict.FORCED
        assert breaker.start(START + 1e9) is None

    def test_the_end_of_requests_begun_before_does_not_change_it(self, breaker):
        breaker.force_open("opened by an operator", START)
        assert breaker.succeed(START + 1) is None
        assert breaker.fail("x", START + 1, 3.0) is None
        assert (breaker.verdict(START + 9), breaker.reason) == (Verdict.FORCED, "opened by an operator")

    def test_forcing_what_is_open_is_no_transition_but_holds(self):
        breaker = opened()
        assert breaker.force_open("opened by an operator", START + 1) is None
        assert breaker.verdict(START + 100) is Verdict.FORCED

    def test_forcing_ends_a_trial(self):
        breaker = half_open()
        assert breaker.force_open("opened by an operator", START + 6) == Transition(State.HALF_OPEN, State.OPEN, "opened by an operator")
        assert not breaker.trial

    def test_an_operator_closes_it_again(self, breaker):
        breaker.force_open("opened by an operator", START)
        assert breaker.close("closed by an operator", START + 1).after is State.CLOSED
        assert breaker.verdict(START + 1) is Verdict.ADMIT


def flap(up, seconds=60, step=0.1):
    """Requests every step that go only where the breaker lets them; up(t) says how they end. (requests, failures, transitions)"""
    breaker, asked, failed, seen = Breaker(RULES, START), 0, 0, []
    for tick in range(round(seconds / step)):
        now = START + tick * step
        if breaker.verdict(now) in (Verdict.ADMIT, Verdict.TRIAL):
            asked += 1
            seen.append(breaker.start(now))
            bad = not up(tick * step)
            failed += bad
            seen.append(breaker.fail("status 500", now) if bad else breaker.succeed(now))
    return asked, failed, [one for one in seen if one is not None], breaker


def test_a_server_that_flaps_each_ten_seconds_costs_few_failures_and_is_used_again():
    asked, failed, transitions, breaker = flap(lambda t: t % 20 < 10)
    assert failed <= 3 * (3 + 2)  # three downs: three failures to open, at most two failed trials each
    assert asked - failed >= 150  # three ups of a hundred requests, at most half of one waited for
    assert [one.after for one in transitions].count(State.CLOSED) >= 2
    assert breaker.state is not State.CLOSED


def test_a_server_that_answers_every_other_request_ends_open_by_its_rate():
    counter = iter(range(10_000))
    _, failed, transitions, _ = flap(lambda _: next(counter) % 2 == 0)
    assert transitions[0].after is State.OPEN
    assert failed < 100


def test_a_server_that_stays_down_is_tried_ever_less():
    asked, failed, transitions, breaker = flap(lambda _: False, seconds=300)
    assert asked == failed
    assert asked <= 3 + 4 + 300 / 40
    assert State.CLOSED not in [one.after for one in transitions]
    assert breaker.open_seconds == 40.0


def test_no_state_is_reached_but_by_its_arrow():
    _, _, transitions, _ = flap(lambda t: (t * 7) % 11 < 6, seconds=600)
    arrows = {(one.before, one.after) for one in transitions}
    assert arrows <= {(State.CLOSED, State.OPEN), (State.OPEN, State.HALF_OPEN), (State.HALF_OPEN, State.OPEN), (State.HALF_OPEN, State.CLOSED)}
    assert len(transitions) > 3
