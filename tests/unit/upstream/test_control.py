"""Requests of probes against real sockets: they end in time, bounded, and say in our own words what went wrong."""

import asyncio
import contextlib
import gzip
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from orchestrator.fleet.specs import Secret, ServerSpec
from orchestrator.upstream import control
from orchestrator.upstream.control import Answer, Failure, get, open_session
from tests.fakes import wire
from tests.fakes.scripted import ScriptedServer, cut, hang, refusing, reset

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
async def session():
    async with open_session() as session:
        yield session


async def ask(session, url, path="/x", *, timeout_seconds=5.0, environment=None, **spec):
    return await get(session, ServerSpec(id="a", url=url, **spec), path, timeout_seconds=timeout_seconds, environment=environment or {})


async def test_an_answer_of_any_status_comes_whole(session):
    async with ScriptedServer("nothing") as server:
        server.on("/x", wire.plain(b"teapot", 418, "text/plain", {"Retry-After": "7", "Server": "s"}))
        answer = await ask(session, server.url)
    assert isinstance(answer, Answer)
    assert (answer.status, answer.body, answer.headers["retry-after"], answer.headers["server"]) == (418, b"teapot", "7", "s")
    assert answer.seconds > 0


async def test_a_base_path_and_credentials_are_sent_and_compression_is_not_wanted(session):
    async with ScriptedServer("nothing") as server:
        await ask(session, f"{server.url}/base/v1", api_key=Secret("env:KEY"), headers={"X-Org": Secret("o")}, environment={"KEY": "k"})
        seen = server.seen[0]
    assert (seen.method, seen.path) == ("GET", "/base/x")
    assert [seen.header(name) for name in ("authorization", "x-org", "accept-encoding", "accept")] == ["Bearer k", "o", "identity", "application/json"]
    assert seen.header("host") == f"127.0.0.1:{server.port}"
    assert seen.header("cookie") is None


async def test_a_redirect_is_an_answer_and_not_followed(session):
    async with ScriptedServer("nothing") as server:
        server.on("/x", wire.plain(b"", 302, headers={"Location": "/y"}))
        answer = await ask(session, server.url, api_key=Secret("k"))
        assert (answer.status, [seen.path for seen in server.seen]) == (302, ["/x"])


async def test_no_cookie_is_kept(session):
    async with ScriptedServer("nothing") as server:
        server.on("/x", wire.plain(b"", 200, headers={"Set-Cookie": "a=b"}))
        await ask(session, server.url)
        await ask(session, server.url)
        assert server.seen[1].header("cookie") is None


async def test_a_missing_variable_is_named_and_nothing_is_sent(session):
    async with ScriptedServer("nothing") as server:
        failure = await ask(session, server.url, api_key=Secret("env:MISSING_KEY"))
        assert failure == Failure("config", "environment variable MISSING_KEY is not set")
        assert server.seen == []


@pytest.mark.parametrize("script", [[hang], [wire.head(200, headers={"Content-Length": "9"}), hang], [wire.head(200)[:20], hang]])
async def test_an_answer_that_does_not_end_in_time_is_a_timeout(session, script):
    async with ScriptedServer("nothing") as server:
        server.on("/x", script)
        assert await ask(session, server.url, timeout_seconds=0.05) == Failure("timeout", "no answer within 0.05 s")


async def test_a_refused_connection(session):
    with refusing() as url:
        assert await ask(session, url) == Failure("connect", "connection refused")


@pytest.mark.parametrize("script", [[reset], cut(wire.plain(b"x" * 100), 120), cut(wire.chunked([b"x" * 100], wire.JSON), 150)])
async def test_a_connection_that_breaks(session, script):
    async with ScriptedServer("nothing") as server:
        server.on("/x", script)
        assert await ask(session, server.url) == Failure("broken", "the connection broke before the answer was whole")


async def test_bytes_that_are_no_http_are_not_quoted(session):
    async with ScriptedServer("nothing") as server:
        server.on("/x", [b"SSH-2.0-secret-banner\r\n\r\n", hang])
        failure = await ask(session, server.url)
    assert (failure.kind, "secret" in failure.reason) == ("broken", False)


def self_signed(folder):
    """A TLS context of a server whose certificate nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    start = datetime(2020, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), start, start + timedelta(days=36500))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / "cert.pem").write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


async def listen(answer, context=None):
    async def connected(reader, writer):
        with contextlib.suppress(OSError):
            await reader.read(1)
            writer.write(answer)
            await writer.drain()
        writer.close()

    return await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)


async def test_a_certificate_that_nobody_vouches_for_is_accepted_only_on_demand(session, tmp_path):
    listener = await listen(wire.answer({})[0], self_signed(tmp_path))
    async with listener:
        url = f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        failure = await ask(session, url)
        assert (failure.kind, "certificate" in failure.reason) == ("connect", True)
        assert (await ask(session, url, verify_tls=False)).status == 200


async def test_tls_to_a_server_without_it(session):
    async with await listen(b"HTTP/1.1 400 Bad Request\r\n\r\n") as listener:
        failure = await ask(session, f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}")
    assert (failure.kind, "TLS" in failure.reason) == ("connect", True)


async def test_an_answer_too_large_is_given_up(session, monkeypatch):
    monkeypatch.setattr(control, "MAX_BODY_BYTES", 1 << 20)
    async with ScriptedServer("nothing") as server:
        server.on("/x", wire.plain(b"x" * (2 << 20)))
        failure = await ask(session, server.url)
        assert (failure.kind, failure.reason) == ("too_large", "the answer is larger than 1 MiB")
        server.on("/x", wire.plain(b"x" * (1 << 20)))
        assert len((await ask(session, server.url)).body) == 1 << 20


async def test_a_compressed_answer_is_read_all_the_same(session):
    async with ScriptedServer("nothing") as server:
        server.on("/x", wire.plain(gzip.compress(b'{"a":1}'), headers={"Content-Encoding": "gzip"}))
        assert (await ask(session, server.url)).body == b'{"a":1}'


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ssl.SSLError("secret"), "connect"),
        (OSError("secret"), "broken"),
        (ValueError("secret"), "config"),
        (ConnectionResetError("secret"), "broken"),
    ],
)
def test_texts_of_exceptions_stay_inside(error, kind):
    failure = control._failure(error)
    assert (failure.kind, "secret" in failure.reason) == (kind, False)


async def test_a_body_is_posted_as_json_with_the_credentials(session):
    async with ScriptedServer("nothing") as server:
        server.on("/base/x", wire.answer({"done": True}))
        spec = ServerSpec(id="a", url=f"{server.url}/base", api_key=Secret("k"))
        answer = await control.post(session, spec, "/x", b'{"model":"m"}', timeout_seconds=5.0, environment={})
        seen = server.seen[0]
    assert (answer.status, answer.body) == (200, b'{"done":true}')
    assert (seen.method, seen.path, seen.body, seen.header("content-type")) == ("POST", "/base/x", b'{"model":"m"}', "application/json")
    assert (seen.header("authorization"), seen.header("content-length")) == ("Bearer k", "13")


async def test_a_post_ends_in_time_and_sends_nothing_without_its_key(session):
    async with ScriptedServer("nothing") as server:
        server.on("/x", [hang])
        spec = ServerSpec(id="a", url=server.url)
        assert await control.post(session, spec, "/x", b"{}", timeout_seconds=0.05, environment={}) == Failure("timeout", "no answer within 0.05 s")
        without = ServerSpec(id="a", url=server.url, api_key=Secret("env:MISSING_KEY"))
        assert (await control.post(session, without, "/x", b"{}", timeout_seconds=5.0, environment={})).kind == "config"
        assert len(server.seen) == 1
