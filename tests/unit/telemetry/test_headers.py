import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.protocol.http import RequestHeaders
from orchestrator.telemetry.headers import MAX_NAME, MAX_VALUE, shown

SECRET_HEADERS = [
    "authorization", "proxy-authorization", "x-api-key", "api-key", "cookie", "x-auth-token", "x-goog-api-key", "x-amz-security-token", "x-forwarded-for",
    "referer", "ocp-apim-subscription-key", "x-my-own", "accept-token", "x-orchestrator-key", "x-stainless", "openai-organization", "tracestate",
]  # fmt: skip


def value_of(name: str, value: bytes) -> str | None:
    ((found, value_shown),) = shown(RequestHeaders([(name.encode(), value)]))
    assert found == name
    return value_shown


@pytest.mark.parametrize("name", SECRET_HEADERS)
def test_whatever_is_not_known_to_be_harmless_shows_its_name_only(name: str) -> None:
    assert value_of(name, b"canary") is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("user-agent", "OpenAI/Python 2.54.0"),
        ("accept", "application/json"),
        ("accept-encoding", "gzip, deflate"),
        ("content-type", "application/json"),
        ("content-length", "1200"),
        ("connection", "keep-alive"),
        ("x-request-id", "my-id"),
        ("x-stainless-retry-count", "0"),
        ("openai-beta", "assistants=v2"),
        ("anthropic-version", "2023-06-01"),
        ("anthropic-beta", "a,b"),
        ("x-orchestrator-server", "gpu-1"),
        ("traceparent", "00-1-2-01"),
    ],
)
def test_what_holds_no_secret_is_shown(name: str, value: str) -> None:
    assert value_of(name, value.encode()) == value


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        (b"https://app.example:8443", "https://app.example:8443"),
        (b"https://app.example/canary", "https://app.example"),
        (b"https://app.example?key=canary", "https://app.example"),
        (b"https://user:canary@app.example", None),
        (b"http://[::1]:3000", "http://[::1]:3000"),
        (b"user:canary/", None),
        (b"null", "null"),
        (b"app canary", None),
        (b"", None),
    ],
)
@pytest.mark.parametrize("name", ["origin", "host"])
def test_addresses_are_shown_without_path_and_not_at_all_with_a_password(name: str, value: bytes, seen: str | None) -> None:
    assert value_of(name, value) == seen


def test_all_headers_are_there_also_those_that_no_server_gets() -> None:
    sent = [(b"host", b"a"), (b"user-agent", b"x"), (b"cookie", b"canary"), (b"x-other", b"canary"), (b"accept", b"y")]
    found = shown(RequestHeaders(sent))
    assert sorted(name for name, _ in found) == sorted(name.decode() for name, _ in sent)
    assert {name for name, value in found if value is None} == {"cookie", "x-other"}


def test_a_value_with_the_separator_in_it_is_one_value() -> None:
    assert value_of("user-agent", b"a: b: c") == "a: b: c"
    assert value_of("x-my-own", b"a: b") is None


def test_long_values_are_cut() -> None:
    value = value_of("user-agent", b"x" * 5000)
    assert value is not None
    assert (len(value), value[-1]) == (MAX_VALUE, "…")
    assert value_of("user-agent", b"x" * MAX_VALUE) == "x" * MAX_VALUE


def test_what_cannot_be_printed_is_escaped() -> None:
    assert value_of("user-agent", b"a\x1b[31m\tb") == "a\\x1b[31m\\tb"
    assert value_of("user-agent", "a\u202eb".encode()) == "a\\u202eb"
    assert value_of("user-agent", "Grüße".encode()) == "Grüße"


@given(
    st.lists(
        st.tuples(st.from_regex(rb"[a-z-]{1,120}", fullmatch=True), st.binary(max_size=400).map(lambda value: value.replace(b"\r", b"").replace(b"\n", b"")))
    )
)
def test_nothing_that_is_shown_is_long_or_unprintable(headers: list[tuple[bytes, bytes]]) -> None:
    for name, value in shown(RequestHeaders(headers)):
        assert len(name) <= MAX_NAME
        assert value is None or (len(value) <= MAX_VALUE and value.isprintable())
