"""What probes, operators and requests make of a server's state."""

import pytest

from orchestrator.fleet.breaker import BreakerRules, State
from orchestrator.fleet.outcome import Outcome
from orchestrator.fleet.server import MAX_BREAKERS, Server
from orchestrator.fleet.specs import Learned, ListedModel, LoadedModel, Observation, Secret, ServerSpec
from tests.fakes.clock import FakeClock

KNOWN = Learned(kind="ollama", version="0.33.0", supports_ollama=True, models=(ListedModel("m:latest"),))
UP = Observation(status="healthy", learned=KNOWN, loaded=(), response_seconds=0.02)
DOWN = Observation(status="down", reason="connection refused")


@pytest.fixture
def clock():
    return FakeClock()


def make(clock, **spec):
    return Server(ServerSpec(**({"id": "a", "url": "http://a"} | spec)), BreakerRules(failures=2), clock.now())


def observe(server, clock, *seen):
    return [server.observe(one, clock.now(), clock.utc()) for one in seen][-1]


def status(server, clock):
    return server.status(clock.now())[0]


class TestProbes:
    def test_how_long_the_last_probe_took_is_not_that_of_the_one_before(self, clock):
        server = make(clock)
        assert server.check_seconds is None
        observe(server, clock, UP)
        assert server.check_seconds == 0.02
        observe(server, clock, DOWN)
        assert (server.check_seconds, server.probe_response_seconds) == (None, 0.02)

    def test_a_new_server_is_unknown_and_may_be_asked(self, clock):
        server = make(clock)
        assert server.status(clock.now()) == ("unknown", "not probed yet")
        assert server.routable(clock.now())

    def test_one_success_marks_up_and_keeps_what_was_seen(self, clock):
        server = make(clock)
        loaded = LoadedModel("M:latest", size=5)
        assert observe(server, clock, Observation(status="healthy", learned=KNOWN, loaded=(loaded,), response_seconds=0.25))
        assert (status(server, clock), server.learned, server.loaded, server.resident) == ("healthy", KNOWN, (loaded,), {"m"})
        assert (server.probe_response_seconds, server.last_check_time) == (0.25, clock.utc())

    def test_the_same_again_is_no_change_to_store(self, clock):
        server = make(clock)
        assert [observe(server, clock, UP), observe(server, clock, UP)] == [True, False]

    def test_three_failures_in_a_row_mark_down(self, clock):
        server = make(clock)
        observe(server, clock, UP, DOWN, DOWN)
        assert server.status(clock.now()) == ("degraded", "connection refused")
        assert server.routable(clock.now())
        observe(server, clock, DOWN)
        assert server.status(clock.now()) == ("down", "connection refused")
        assert not server.routable(clock.now())

    def test_a_success_between_failures_starts_the_count_over(self, clock):
        server = make(clock)
        observe(server, clock, UP, DOWN, DOWN, UP, DOWN, DOWN)
        assert server.routable(clock.now())

    def test_one_success_marks_up_again(self, clock):
        server = make(clock)
        observe(server, clock, UP, DOWN, DOWN, DOWN, UP)
        assert (status(server, clock), server.failures) == ("healthy", 0)

    def test_a_failure_keeps_what_was_known(self, clock):
        server = make(clock)
        observe(server, clock, UP, DOWN, DOWN, DOWN)
        assert server.learned == KNOWN

    def test_a_server_that_never_answered_is_down_at_the_first_failure(self, clock):
        server = make(clock)
        observe(server, clock, DOWN)
        assert status(server, clock) == "down"

    def test_a_server_known_from_before_a_restart_has_three_failures_too(self, clock):
        server = make(clock, learned=KNOWN)
        observe(server, clock, DOWN, DOWN)
        assert server.routable(clock.now())
        observe(server, clock, DOWN)
        assert status(server, clock) == "down"

    @pytest.mark.parametrize("health", ["warming", "configError"])
    def test_a_server_that_takes_no_requests_anyway_is_down_at_the_first_failure(self, clock, health):
        server = make(clock)
        observe(server, clock, UP, Observation(status=health, reason="because"))
        assert server.status(clock.now()) == (health, "because")
        assert not server.routable(clock.now())
        observe(server, clock, DOWN)
        assert status(server, clock) == "down"

    def test_a_rate_limit_holds_for_the_time_that_was_asked(self, clock):
        server = make(clock)
        observe(server, clock, UP, Observation(status="rateLimited", reason="429", retry_after_seconds=30.0))
        clock.advance(29.9)
        assert (status(server, clock), server.routable(clock.now())) == ("rateLimited", False)
        clock.advance(0.1)
        assert (status(server, clock), server.routable(clock.now())) == ("degraded", True)

    def test_a_rate_limit_without_a_time_holds_for_ten_seconds(self, clock):
        server = make(clock)
        observe(server, clock, UP, Observation(status="rateLimited"))
        clock.advance(9.9)
        assert not server.routable(clock.now())
        clock.advance(0.1)
        assert server.routable(clock.now())

    def test_one_failure_after_a_rate_limit_does_not_mark_down(self, clock):
        server = make(clock)
        observe(server, clock, UP, Observation(status="rateLimited", retry_after_seconds=1.0))
        clock.advance(1)
        observe(server, clock, DOWN, DOWN)
        assert server.routable(clock.now())
        observe(server, clock, DOWN)
        assert not server.routable(clock.now())

    def test_what_was_not_answered_of_the_loaded_models_stands(self, clock):
        server = make(clock)
        loaded = (LoadedModel("m:latest"),)
        observe(server, clock, Observation(status="healthy", learned=KNOWN, loaded=loaded), Observation(status="healthy", learned=KNOWN))
        assert server.loaded == loaded

    def test_a_probe_settles_the_wish_for_one(self, clock):
        server = make(clock)
        server.wants_probe = True
        observe(server, clock, DOWN)
        assert not server.wants_probe

    def test_a_refused_key_stops_requests_until_a_probe_succeeds(self, clock):
        server = make(clock)
        observe(server, clock, UP)
        server.blame_config("401")
        assert (server.status(clock.now()), server.routable(clock.now())) == (("configError", "401"), False)
        observe(server, clock, UP)
        assert server.routable(clock.now())


class TestOperators:
    @pytest.mark.parametrize(
        ("spec", "shown"), [({"enabled": False}, "disabled"), ({"draining": True}, "draining"), ({"fault": "the key cannot be decrypted"}, "configError")]
    )
    def test_their_word_wins_over_the_probes(self, clock, spec, shown):
        server = make(clock, **spec)
        observe(server, clock, UP)
        assert status(server, clock) == shown
        assert not server.routable(clock.now())

    def test_a_draining_server_says_how_much_is_left(self, clock):
        server = make(clock, draining=True)
        server.in_flight = 3
        assert server.status(clock.now())[1] == "draining, 3 in flight"

    def test_becoming_another_server_forgets_all_but_the_flights(self, clock):
        server = make(clock)
        observe(server, clock, UP)
        server.in_flight = 2
        server.strike(Outcome.SERVER_ERROR, "m", "500", clock.now())
        server.become(ServerSpec(id="a", url="http://b"), clock.now())
        assert (server.in_flight, server.breakers, server.learned, server.loaded) == (2, {}, Learned(), ())
        assert status(server, clock) == "unknown"


class TestBreakers:
    def test_a_strike_counts_for_the_model_alone(self, clock):
        server = make(clock)
        for _ in range(2):
            transition = server.strike(Outcome.SERVER_ERROR, "m", "500", clock.now())
        assert transition.after is State.OPEN
        assert server.breaker.state is State.CLOSED
        assert server.breaker_of("other", clock.now()).state is State.CLOSED

    def test_a_failed_connection_counts_for_the_server(self, clock):
        server = make(clock)
        for _ in range(2):
            server.strike(Outcome.CONNECT_ERROR, "m", "refused", clock.now())
        assert (server.breaker.state, server.breakers) == (State.OPEN, {})

    @pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome.strikes == "none"])
    def test_what_is_not_the_servers_doing_never_counts(self, clock, outcome):
        server = make(clock)
        for _ in range(20):
            assert server.strike(outcome, "m", "x", clock.now()) is None
        assert (server.breaker.counts(clock.now()), server.breakers) == ((0, 0), {})

    def test_a_healthy_server_with_an_open_breaker_is_degraded_and_says_which(self, clock):
        server = make(clock)
        observe(server, clock, UP)
        for model in ("a", "b", "c", "d"):
            server.breaker_of(model, clock.now()).force_open("operator", clock.now())
        assert server.status(clock.now()) == ("degraded", "breaker open for a, b, c and more")
        server.breaker.force_open("operator", clock.now())
        assert server.status(clock.now())[1] == "breaker of the server is open: operator"
        assert server.routable(clock.now())

    def test_a_breaker_is_made_once(self, clock):
        server = make(clock)
        assert server.breaker_of("m", clock.now()) is server.breaker_of("m", clock.now())

    def test_there_are_never_too_many_and_open_ones_stay(self, clock):
        server = make(clock)
        server.breaker_of("first", clock.now()).force_open("operator", clock.now())
        for i in range(MAX_BREAKERS + 50):
            server.breaker_of(f"m{i}", clock.now())
        assert len(server.breakers) == MAX_BREAKERS
        assert "first" in server.breakers
        assert "m0" not in server.breakers

    def test_even_if_all_are_open_there_are_never_too_many(self, clock):
        server = make(clock)
        for i in range(MAX_BREAKERS + 5):
            server.breaker_of(f"m{i}", clock.now()).force_open("operator", clock.now())
        assert len(server.breakers) == MAX_BREAKERS


class TestSecrets:
    def test_a_secret_never_shows_itself(self):
        spec = ServerSpec(id="a", url="http://a", api_key=Secret("sk-very-secret"), headers={"X-Key": Secret("also-secret")})
        assert "secret" not in repr(spec)
        assert "secret" not in f"{spec.api_key}"

    def test_a_reference_shows_its_variable(self):
        assert (repr(Secret("env:KEY")), Secret("env:KEY").variable, Secret("key").variable) == ("Secret('env:KEY')", "KEY", None)

    def test_secrets_compare_by_what_they_hold(self):
        assert Secret("a") == Secret("a") != Secret("b")
        assert len({Secret("a"), Secret("a")}) == 1
        assert Secret("a") != "a"


def test_a_model_that_answered_is_looked_for_once_and_again_only_after_it_was_seen(clock):
    server, none = make(clock), Observation(status="healthy", loaded=())
    server.answered_from("m")
    assert server.wants_probe
    observe(server, clock, none)
    server.answered_from("m")
    assert not server.wants_probe
    observe(server, clock, Observation(status="healthy", loaded=(LoadedModel("m:latest"),)), none)
    server.answered_from("m")
    assert server.wants_probe
