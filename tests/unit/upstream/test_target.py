import ssl

import pytest

from orchestrator.errors import ConfigError
from orchestrator.fleet.specs import Secret, ServerSpec
from orchestrator.upstream.target import Target, Targets
from tests.fakes.transport import FakeTransport

CLIENT = b"content-type: application/json\r\nx-own: 1\r\n"


def spec(url: str = "http://host:8000", **more: object) -> ServerSpec:
    return ServerSpec(id="a", url=url, **more)  # type: ignore[arg-type]


def head(of: ServerSpec, path: bytes = b"/v1/chat/completions?x=1") -> list[bytes]:
    return Target(of, None).head(path, CLIENT, 7).split(b"\r\n")


def test_head_is_for_the_server_and_not_for_us() -> None:
    assert head(spec()) == [
        b"POST /v1/chat/completions?x=1 HTTP/1.1", b"host: host:8000", b"content-type: application/json", b"x-own: 1", b"accept-encoding: identity",
        b"content-length: 7", b"",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("url", "first", "host"),
    [
        ("https://openrouter.ai/api", b"POST /api/v1/x HTTP/1.1", b"host: openrouter.ai"),
        ("http://[::1]:5000", b"POST /v1/x HTTP/1.1", b"host: [::1]:5000"),
        ("https://r.openai.azure.com", b"POST /openai/v1/x HTTP/1.1", b"host: r.openai.azure.com"),
        ("http://host/v1", b"POST /v1/x HTTP/1.1", b"host: host"),
    ],
)
def test_base_paths_stand_before_the_path(url: str, first: bytes, host: bytes) -> None:
    assert head(spec(url), b"/v1/x")[:2] == [first, host]


@pytest.mark.parametrize(("url", "line"), [("http://host", b"Authorization: Bearer k1"), ("https://r.openai.azure.com", b"api-key: k1")])
def test_the_servers_own_key_is_sent(url: str, line: bytes) -> None:
    assert line in head(spec(url, api_key=Secret("k1")))


def test_a_reference_is_resolved_at_each_request(monkeypatch: pytest.MonkeyPatch) -> None:
    target = Target(spec(api_key=Secret("env:TARGET_KEY")), None)
    monkeypatch.delenv("TARGET_KEY", raising=False)
    with pytest.raises(ConfigError, match="TARGET_KEY"):
        target.head(b"/", CLIENT, 0)
    for value in ("one", "two"):
        monkeypatch.setenv("TARGET_KEY", value)
        assert f"Authorization: Bearer {value}".encode() in target.head(b"/", CLIENT, 0)


def test_a_key_that_no_header_can_carry_is_an_error_without_it() -> None:
    with pytest.raises(ConfigError) as caught:
        Target(spec(api_key=Secret("se\r\ncret")), None)
    assert "cret" not in str(caught.value).replace("secret", "")


def test_headers_of_the_registry_win_over_the_clients() -> None:
    lines = head(spec(headers={"X-Own": Secret("2"), "X-More": Secret("3")}))
    assert b"X-Own: 2" in lines
    assert b"X-More: 3" in lines
    assert b"x-own: 1" not in lines
    assert b"content-type: application/json" in lines


# ---- the targets of a fleet


def test_a_target_lasts_as_long_as_what_matters_to_it() -> None:
    targets = Targets()
    first = targets.of(spec())
    assert targets.of(spec(weight=2.0, models_allow=("x",))) is first
    assert first.spec.weight == 2.0


@pytest.mark.parametrize("change", [{"url": "http://other:1"}, {"api_key": Secret("k")}, {"headers": {"a": Secret("b")}}, {"verify_tls": False}])
def test_a_change_of_what_matters_makes_a_new_one(change: dict[str, object]) -> None:
    targets = Targets()
    first = targets.of(spec())
    second = targets.of(spec(**{"url": "http://host:8000", **change}))
    assert second is not first
    assert first.pool.closed
    assert not second.pool.closed


def test_servers_that_are_gone_are_forgotten() -> None:
    targets = Targets()
    target = targets.of(spec())
    targets.keep({"a", "b"})
    assert targets.of(target.spec) is target
    targets.keep({"b"})
    assert target.pool.closed
    assert targets.of(target.spec) is not target


def test_retired_pools_are_swept_until_their_last_request_ends() -> None:
    from orchestrator.upstream.wire import Connection

    targets = Targets()
    pool = targets.of(spec()).pool
    connection = Connection(pool)
    connection.connection_made(FakeTransport())
    targets.keep(set())
    targets.sweep(1000.0)
    assert pool.now == 1000.0
    connection.connection_lost(None)
    targets.sweep(1001.0)
    targets.sweep(1002.0)
    assert pool.now == 1001.0


def test_close_closes_the_present_and_the_retired() -> None:
    targets = Targets()
    pools = [targets.of(spec()).pool, targets.of(spec("http://other")).pool]
    targets.close()
    assert [pool.closed for pool in pools] == [True, True]


def test_tls_is_verified_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[ssl.SSLContext | None] = []
    monkeypatch.setattr("orchestrator.upstream.target.Pool", lambda host, port, tls: made.append(tls))
    for one in (spec("https://host"), spec("https://host", verify_tls=False), spec("http://host")):
        targets = Targets()
        targets.of(one)
    strict, loose, plain = made
    assert strict is not None
    assert (strict.check_hostname, strict.verify_mode) == (True, ssl.CERT_REQUIRED)
    assert loose is not None
    assert (loose.check_hostname, loose.verify_mode) == (False, ssl.CERT_NONE)
    assert plain is None
