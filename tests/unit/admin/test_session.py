"""Signed cookies that stand for the token."""

import pytest

from orchestrator.admin import session
from orchestrator.admin.session import LIFETIME_SECONDS, Sessions
from tests.fakes.clock import START_TIME, FakeClock


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def sessions(clock):
    return Sessions("secret", "/data", clock)


def cookie(sessions, value=None):
    """A Cookie header as a browser sends it."""
    return f"theme=dark; {sessions.cookie}={sessions.issue()[0] if value is None else value}; other=1"


def test_a_session_is_found_until_twelve_hours_have_passed(sessions, clock):
    given = cookie(sessions)
    clock.advance(LIFETIME_SECONDS - 1)
    assert (sessions.find([given]) - START_TIME).total_seconds() == LIFETIME_SECONDS
    clock.advance(1)
    assert sessions.find([given]) is None


def test_it_survives_a_restart(sessions, clock):
    assert Sessions("secret", "/data", clock).find([cookie(sessions)])


def test_it_ends_when_the_token_changes(sessions, clock):
    value = sessions.issue()[0]
    changed = Sessions("secret2", "/data", clock)
    assert changed.find([cookie(changed, value)]) is None


@pytest.mark.parametrize("token", ["secret", "", "secre"])
def test_without_a_token_there_is_no_session(clock, token):
    none = Sessions("", "/data", clock)
    assert none.find([cookie(none), cookie(none, Sessions(token, "/data", clock).issue()[0])]) is None
    assert not none.is_token(b"")


def test_every_changed_character_is_noticed(sessions):
    value = sessions.issue()[0]
    for at, character in enumerate(value):
        changed = value[:at] + ("0" if character != "0" else "1") + value[at + 1 :]
        assert sessions.find([cookie(sessions, changed)]) is None


@pytest.mark.parametrize("value", ["", ".", "..", "a.b.c", "9999999999.a.", "9999999999", "é.é.é", "-1.a.b", "9" * 5000, "1.2.3.4.5"])
def test_what_we_did_not_sign_is_none(sessions, value):
    assert sessions.find([cookie(sessions, value)]) is None


def test_one_is_revoked_and_others_are_not(sessions):
    one, other = cookie(sessions), cookie(sessions)
    sessions.revoke([one])
    assert sessions.find([one]) is None
    assert sessions.find([other])


def test_what_is_revoked_is_remembered_until_it_would_have_ended_and_bounded(sessions, clock, monkeypatch):
    monkeypatch.setattr(session, "MAX_REVOKED", 3)
    given = [cookie(sessions) for _ in range(5)]
    for one in given:
        sessions.revoke([one])
    assert [sessions.find([one]) is None for one in given] == [False, False, True, True, True]
    clock.advance(LIFETIME_SECONDS)
    sessions.revoke([cookie(sessions)])
    assert len(sessions._revoked) == 1


def test_a_foreign_value_is_not_remembered_as_revoked(sessions):
    sessions.revoke([cookie(sessions, "9999999999.nonce.signature")])
    assert sessions._revoked == {}


def test_a_cookie_set_beside_ours_does_not_sign_out(sessions):
    assert sessions.find([f"{sessions.cookie}=foreign; {cookie(sessions)}"])
    assert sessions.find([cookie(sessions, "foreign"), cookie(sessions)])


def test_names_tell_orchestrators_apart_and_nothing_else(sessions, clock):
    names = {Sessions(token, place, clock).cookie for token in ("secret", "other") for place in ("/data", "/other")}
    assert len(names) == 4
    assert Sessions("secret", "/data", clock).cookie == sessions.cookie
    assert all("secret" not in name and len(name) < 40 for name in names)


def test_no_two_values_are_alike_and_none_holds_the_token(sessions):
    values = {sessions.issue()[0] for _ in range(20)}
    assert len(values) == 20
    assert not any("secret" in value for value in values)


@pytest.mark.parametrize(("text", "same"), [(b"secret", True), (b"secret ", False), (b"", False), ("sécret".encode(), False), (b"secretsecret", False)])
def test_the_token_is_the_whole_of_it(sessions, text, same):
    assert sessions.is_token(text) is same
