"""Which headers carry the credentials, and that a mistake names the variable and never the value."""

import pytest

from orchestrator.errors import ConfigError
from orchestrator.fleet.specs import Secret, ServerSpec
from orchestrator.upstream.auth import headers, resolve


def spec(url="http://h", **more):
    return ServerSpec(id="a", url=url, **more)


def test_a_key_is_a_bearer_token():
    assert headers(spec(api_key=Secret("sk-1")), {}) == [("Authorization", "Bearer sk-1")]


def test_azure_wants_its_own_header():
    assert headers(spec("https://r.openai.azure.com", api_key=Secret("k")), {}) == [("api-key", "k")]


def test_without_a_key_nothing_is_sent():
    assert headers(spec(), {"KEY": "k"}) == []


def test_references_are_resolved_when_they_are_sent():
    one = spec(api_key=Secret("env:KEY"), headers={"X-Org": Secret("env:ORG"), "X-Plain": Secret("p")})
    environment = {"KEY": " k1\n".strip(), "ORG": "o"}
    assert headers(one, environment) == [("Authorization", "Bearer k1"), ("X-Org", "o"), ("X-Plain", "p")]
    environment["KEY"] = "k2"
    assert headers(one, environment)[0] == ("Authorization", "Bearer k2")


def test_an_extra_header_of_the_same_name_wins():
    one = spec(api_key=Secret("k"), headers={"authorization": Secret("Basic abc")})
    assert headers(one, {}) == [("authorization", "Basic abc")]


@pytest.mark.parametrize("environment", [{}, {"KEY": ""}])
def test_a_variable_that_is_not_set_is_named(environment):
    with pytest.raises(ConfigError, match="KEY is not set"):
        headers(spec(api_key=Secret("env:KEY")), environment)


@pytest.mark.parametrize("bad", ["se\ncret", "secr\ret", "sec\0ret", "sécret"])
def test_what_no_header_can_carry_is_refused_without_being_shown(bad):
    for secret in (Secret("env:KEY"), Secret(bad)):
        with pytest.raises(ConfigError, match="no header can carry") as caught:
            resolve(secret, {"KEY": bad})
        assert bad not in str(caught.value)
        assert ("KEY" in str(caught.value)) == (secret.variable is not None)


def test_space_around_a_key_is_not_part_of_it():
    assert resolve(Secret(" k "), {}) == "k"
