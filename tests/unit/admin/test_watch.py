"""What is told of the servers as they change."""

import pytest
from msgspec.structs import replace

from orchestrator.admin import watch as module
from orchestrator.admin.activity import Activity
from orchestrator.admin.answers import server_answer
from orchestrator.admin.hub import Hub
from orchestrator.admin.watch import Watch
from orchestrator.fleet.specs import FleetSpec, ListedModel, LoadedModel, Observation, Secret
from tests.fakes import fleets
from tests.fakes.clock import FakeClock
from tests.unit.admin.streams import Ear


class Watched:
    """A fleet that is watched, and somebody who listens."""

    def __init__(self, *ids):
        self.clock = FakeClock()
        self.fleet = fleets.fleet(*(fleets.spec(one) for one in ids), now=self.clock.now())
        self.hub = Hub(self.clock)
        self.activity = Activity(self.clock, self.hub)
        self.watch = Watch(self.fleet, self.hub, self.activity)
        self.watch.begin(self.clock.now())
        self.look()
        self.ear = Ear(self.hub)

    def look(self, seconds=1.0):
        self.clock.advance(seconds)
        self.watch.look(self.clock.now())

    def server(self, server_id="a"):
        return self.fleet.servers[server_id]

    def probe(self, status="healthy", server_id="a", **seen):
        self.fleet.observe(server_id, Observation(status=status, **seen), self.clock.now(), self.clock.utc())

    def apply(self, *specs):
        self.fleet.apply(FleetSpec(specs), self.clock.now())

    def change(self, server_id="a", **members):
        """As the registry does it: every spec is a new one."""
        self.apply(*(replace(one.spec, **members) if one.id == server_id else replace(one.spec) for one in self.fleet.servers.values()))

    def names(self, seconds=1.0):
        self.look(seconds)
        return [event.name for event in self.ear.heard()]

    def notes(self, seconds=1.0):
        """(kind, level, message) of what happened."""
        self.look(seconds)
        return [(data["kind"], data["level"], data["message"]) for data in self.ear.of("event")]

    def of(self, name, seconds=1.0):
        self.look(seconds)
        return self.ear.of(name)


@pytest.fixture
def one():
    return Watched("a")


# Servers


def test_while_nothing_changes_nothing_is_told(one):
    assert [one.names() for _ in range(3)] == [[], [], []]
    one.server().in_flight += 3
    one.server().outcomes["ok"] += 1
    one.server().last_response_seconds = 0.5
    assert one.names() == []


def test_the_servers_at_the_start_are_no_news():
    watched = Watched("a", "b")
    assert [event.kind for event in watched.activity.newest_first()] == []


def test_a_probe_is_told_with_all_that_changes_by_itself(one):
    one.probe(loaded=(LoadedModel("m", 5, 3, "2026-01-02T03:09:05Z", 4096),), response_seconds=0.02)
    [told] = one.of("server")
    answer = server_answer(one.server(), one.clock.now())
    assert (told["id"], told["status"], told["healthy"], told["lastCheckTime"]) == ("a", "healthy", True, answer.last_check_time)
    assert told["loadedModels"] == [{"name": "m", "size": 5, "sizeVram": 3, "expiresAt": "2026-01-02T03:09:05Z", "contextLength": 4096}]
    assert told["checkSeconds"] == 0.02
    assert "url" not in told
    assert "apiKey" not in told


def test_one_server_is_told_of_once_a_second_at_most_and_then_as_it_is(one):
    told = []
    for number in range(12):
        one.probe(reason=f"r{number}")
        told += [data["statusReason"] for data in one.of("server", 0.25)]
    assert 3 <= len(told) <= 4
    one.look(1)
    assert [data["statusReason"] for data in one.ear.of("server")] in (["r11"], [])
    assert server_answer(one.server(), one.clock.now()).status_reason == "r11"


def test_a_change_within_the_second_is_told_after_it(one):
    one.probe(reason="one")
    assert len(one.of("server", 1)) == 1
    one.probe(reason="two")
    assert one.of("server", 0.25) == []
    assert [data["statusReason"] for data in one.of("server", 0.75)] == ["two"]
    assert one.of("server", 5) == []


def test_a_status_that_only_time_changes_is_told(one):
    one.probe("rateLimited", reason="429", retry_after_seconds=30.0)
    assert [data["status"] for data in one.of("server")] == ["rateLimited"]
    assert [data["status"] for data in one.of("server", 30)] == ["degraded"]


def test_many_servers_at_once_are_told_in_several_looks():
    watched = Watched(*(f"s{n}" for n in range(50)))
    for _ in range(4):
        watched.look(1)
    watched.ear.heard()
    for server_id in watched.fleet.servers:
        watched.probe(server_id=server_id)
    told = [[data["id"] for data in watched.of("server", 0.25)] for _ in range(4)]
    assert [len(ids) for ids in told] == [20, 20, 10, 0]
    assert {server_id for ids in told for server_id in ids} == set(watched.fleet.servers)


def test_up_are_the_healthy_and_the_degraded():
    watched = Watched("a", "b", "c")
    watched.probe("healthy", "a")
    watched.probe("rateLimited", "b", retry_after_seconds=1.0)
    for _ in range(3):
        watched.probe("down", "c")
    watched.look()
    assert watched.watch.up == 2  # b is degraded since its time is over
    watched.change("a", enabled=False)
    watched.look()
    assert watched.watch.up == 1


# The registry


def test_a_new_server_is_told_of(one):
    one.apply(one.server().spec, fleets.spec("b", url="http://b.test:1"))
    one.look()
    events = one.ear.heard()
    assert [event.name for event in events] == ["event", "changed", "server"]
    assert events[0].data["message"] == "b was added: http://b.test:1"
    assert events[1].data == {"what": "servers"}


def test_a_removed_server_is_told_of_and_forgotten(one):
    one.probe()
    one.look()
    one.ear.heard()
    one.apply()
    one.look()
    events = one.ear.heard()
    assert [(event.name, event.data.get("id")) for event in events if event.name == "server_removed"] == [("server_removed", "a")]
    assert [event.data["kind"] for event in events if event.name == "event"] == ["serverRemoved"]
    assert one.watch.checks("a") == []


def test_a_change_is_told_by_the_names_of_its_members_without_values(one):
    one.change(weight=2.0, api_key=Secret("canary"), headers={"X-Key": Secret("canary")}, models_deny=("x*",))
    one.look()
    events = one.ear.heard()
    [note] = [event.data for event in events if event.name == "event"]
    words, _, names = note["message"].partition(": ")
    assert (note["kind"], words, set(names.split(", "))) == ("serverChanged", "a was changed", {"apiKey", "headers", "weight", "modelsDeny"})
    assert "changed" in [event.name for event in events]
    assert "server" in [event.name for event in events]
    assert "canary" not in str(events)


def test_a_reload_that_changes_nothing_is_not_told(one):
    one.change()
    assert one.names() == []


def test_what_a_probe_had_stored_is_no_change_of_what_is_registered(one):
    learned = replace(one.server().learned, version="2")
    one.probe(learned=learned)
    one.look()
    one.ear.heard()
    one.change(learned=learned)
    assert one.names() == []


@pytest.mark.parametrize(("members", "message"), [({"draining": True}, "a is draining, 0 in flight"), ({"enabled": False}, "a is disabled by an operator")])
def test_draining_and_disabling_are_told_as_changes_of_status(one, members, message):
    one.change(**members)
    assert one.notes() == [("serverStatus", "info", message)]
    one.change(draining=False, enabled=True)
    assert one.notes() == [("serverStatus", "info", "a is healthy again")]


def test_a_draining_server_is_told_of_as_its_requests_end(one):
    one.server().in_flight = 2
    one.change(draining=True)
    assert [data["statusReason"] for data in one.of("server")] == ["draining, 2 in flight"]
    one.server().in_flight = 1
    assert [data["inFlight"] for data in one.of("server")] == [1]


def test_behind_another_url_is_another_server_with_no_past(one):
    one.probe()
    one.look()
    assert len(one.watch.checks("a")) == 1
    one.change(url="http://other.test")
    one.look()
    assert one.watch.checks("a") == []


# Status


@pytest.mark.parametrize(
    ("status", "level", "words"),
    [("warming", "warning", "warming up"), ("configError", "warning", "misconfigured"), ("rateLimited", "warning", "rate limited")],
)
def test_trouble_is_told_with_its_reason_and_its_end(one, status, level, words):
    one.probe(status, reason="because")
    assert one.notes() == [("serverStatus", level, f"a is {words}: because")]
    one.probe()
    assert one.notes() == [("serverStatus", "info", "a is healthy again")]


def test_down_is_an_error(one):
    one.probe("down", reason="refused")
    assert one.notes() == [("serverStatus", "warning", "a is degraded: refused")]
    one.probe("down")
    one.probe("down", reason="refused")
    assert one.notes() == [("serverStatus", "error", "a is down: refused")]


def test_another_reason_alone_is_no_event(one):
    one.probe("warming", reason="loading 10 %")
    assert len(one.notes()) == 1
    one.probe("warming", reason="loading 20 %")
    assert one.notes() == []


def test_the_first_probe_of_a_healthy_server_is_no_event(one):
    one.apply(one.server().spec, fleets.spec("b"))
    assert [kind for kind, *_ in one.notes()] == ["serverAdded"]
    one.probe(server_id="b")
    assert one.notes() == []


def test_a_new_server_that_is_down_is_told_of(one):
    one.apply(one.server().spec, replace(fleets.spec("b"), learned=one.server().learned))
    one.look()
    for _ in range(3):
        one.probe("down", "b", reason="refused")
    assert ("serverStatus", "error", "b is down: refused") in one.notes()


def test_a_server_that_flaps_does_not_flood(one):
    for number in range(600):
        one.probe("healthy" if number % 2 else "warming", reason="x")
        one.look(1)
    notes = [event for event in one.activity.newest_first() if event.kind == "serverStatus"]
    assert 10 <= len(notes) <= 16, "five at once, then one a minute"


def test_after_all_the_flapping_the_last_status_is_the_one_that_was_told(one):
    for number in range(31):
        one.probe("healthy" if number % 2 else "warming", reason="x")
        one.look(1)
    for _ in range(120):
        one.look(1)
    assert one.server().status(one.clock.now())[0] == "warming"
    assert one.activity.newest_first()[0].message == "a is warming up: x"


# Models


def test_other_models_are_told_once(one):
    learned = replace(one.server().learned, models=(ListedModel("m"), ListedModel("n")))
    one.probe(learned=learned)
    assert one.of("models") == [{"server": "a"}]
    one.probe(learned=replace(learned))
    assert one.of("models") == []


def test_what_is_in_memory_is_told_when_it_is_another_and_not_when_only_its_expiry_moves(one):
    one.probe(loaded=(LoadedModel("m", expires_at="1"),))
    assert one.of("models") == [{"server": "a"}]
    one.probe(loaded=(LoadedModel("m", expires_at="2"),))
    assert one.names() == ["server"]
    one.probe(loaded=())
    assert one.of("models") == [{"server": "a"}]


def test_another_version_alone_is_no_change_of_models(one):
    one.probe(learned=replace(one.server().learned, version="2"))
    assert one.names() == ["server"]


# Breakers


def test_an_opened_and_a_closed_breaker_are_told(one):
    breaker = one.server().breaker_of("m", one.clock.now())
    breaker.force_open("opened by an operator", one.clock.now())
    one.look()
    events = one.ear.heard()
    [told] = [event.data for event in events if event.name == "breaker"]
    assert (told["server"], told["model"], told["state"], told["forced"]) == ("a", "m", "open", True)
    assert ("breaker", "warning", "breaker of a opened for m: opened by an operator") in [
        (event.data["kind"], event.data["level"], event.data["message"]) for event in events if event.name == "event"
    ]
    assert [event.data["breakers"] for event in events if event.name == "server"] == [{"closed": 1, "open": 1, "halfOpen": 0}]
    breaker.close("reset by an operator", one.clock.now())
    one.look()
    events = one.ear.heard()
    assert [event.data["state"] for event in events if event.name == "breaker"] == ["closed"]
    assert "breaker of a closed for m: reset by an operator" in [event.data["message"] for event in events if event.name == "event"]


def test_the_breaker_of_a_server_has_no_model(one):
    one.server().breaker.force_open("x", one.clock.now())
    one.look()
    events = one.ear.heard()
    assert [event.data["model"] for event in events if event.name == "breaker"] == [None]
    assert "breaker of a opened for the server itself: x" in [event.data["message"] for event in events if event.name == "event"]


def test_a_breaker_is_told_by_the_name_that_the_server_lists():
    watched = Watched()
    watched.apply(fleets.spec("a", models=("Big-Model:Latest",)))
    watched.look()
    watched.ear.heard()
    watched.server().breaker_of("big-model", watched.clock.now()).force_open("x", watched.clock.now())
    [told] = watched.of("breaker")
    assert told["model"] == "Big-Model:Latest"


def test_a_trial_and_its_failure_are_told_live_but_no_news(one):
    breaker = one.server().breaker_of("m", one.clock.now())
    for _ in range(fleets.RULES.failures):
        breaker.fail("500", one.clock.now())
    one.look()
    one.ear.heard()
    one.clock.advance(20)
    breaker.start(one.clock.now())
    one.look()
    events = one.ear.heard()
    assert [event.data["state"] for event in events if event.name == "breaker"] == ["half-open"]
    assert not [event for event in events if event.name == "event"]
    breaker.fail("500", one.clock.now())
    one.look()
    events = one.ear.heard()
    assert [event.data["state"] for event in events if event.name == "breaker"] == ["open"]
    assert not [event for event in events if event.name == "event"]


def test_a_breaker_of_a_server_that_started_over_is_closed_without_a_trace(one):
    one.server().breaker_of("m", one.clock.now()).force_open("x", one.clock.now())
    one.look()
    one.ear.heard()
    one.change(url="http://other.test")
    one.look()
    assert one.ear.of("breaker") == []


def test_breakers_that_flap_do_not_flood(one):
    breaker = one.server().breaker_of("m", one.clock.now())
    for _ in range(300):
        breaker.force_open("x", one.clock.now())
        one.look(1)
        breaker.close("y", one.clock.now())
        one.look(1)
    notes = [event for event in one.activity.newest_first() if event.kind == "breaker"]
    assert 10 <= len(notes) <= 16, "five at once, then one a minute"


def test_many_at_once_are_one_sentence(one):
    for n in range(12):
        one.server().breaker_of(f"m{n:02}", one.clock.now()).force_open("opened by an operator", one.clock.now())
    told, notes = [], []
    for _ in range(module.TURNS):
        one.look(0.25)
        for event in one.ear.heard():
            told += [event.data["model"]] if event.name == "breaker" else []
            notes += [event.data] if event.name == "event" and event.data["kind"] == "breaker" else []
    assert len(told) == 12
    assert [note["message"] for note in notes] == ["breaker of a opened for m00, m01, m02 and 9 more: opened by an operator"]
    assert notes[0]["model"] is None


def test_servers_with_many_breakers_are_looked_at_in_turns_but_all_of_them():
    watched = Watched(*(f"s{n}" for n in range(8)))
    for server in watched.fleet.servers.values():
        for n in range(module.MANY_BREAKERS + 1):
            server.breaker_of(f"m{n}", watched.clock.now())
    for _ in range(module.TURNS):
        watched.look(0.25)
    watched.look(2)
    watched.ear.heard()
    for server in watched.fleet.servers.values():
        server.breakers["m0"].force_open("x", watched.clock.now())
    told = [[data["server"] for data in watched.of("breaker", 0.25)] for _ in range(module.TURNS)]
    assert [len(ids) for ids in told] == [2, 2, 2, 2]
    assert len({server_id for ids in told for server_id in ids}) == 8


# Checks


def test_every_probe_is_a_check(one):
    one.probe(response_seconds=0.25)
    one.look()
    one.probe("down", reason="refused")
    one.look()
    one.look()
    first, second = one.watch.checks("a")
    assert (first.status, first.seconds, second.time - first.time) == ("healthy", 0.25, 1.0)
    assert (second.status, second.reason, second.seconds) == ("degraded", "refused", None)


def test_checks_are_bounded_and_the_newest_are_given(one):
    for _ in range(800):
        one.probe()
        one.look(10)
    assert len(one.watch.checks("a")) == 720
    assert one.watch.checks("a", 30) == one.watch.checks("a")[-30:]


def test_equal_reasons_are_kept_once(one):
    for _ in range(2):
        one.probe("warming", reason=f"loading {one.server().in_flight}")
        one.look()
    first, second = one.watch.checks("a")
    assert first.reason is second.reason


def test_a_wall_clock_that_is_set_back_does_no_harm(one):
    one.probe()
    one.look()
    one.clock.set_wall(-86_400)
    one.probe()
    one.look()
    assert [check.status for check in one.watch.checks("a")] == ["healthy", "healthy"]


def test_an_unknown_server_has_no_checks(one):
    assert one.watch.checks("x") == []
