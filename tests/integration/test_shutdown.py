"""The end of the process: asked for, in time and too late, and by force."""

import asyncio
import signal

import pytest

from tests.fakes.scripted import ScriptedServer, hang, repeat
from tests.fakes.wire import JSON, head
from tests.integration.client import PATIENCE_SECONDS, Client
from tests.integration.dialects import BOTH, OLLAMA, OPENAI
from tests.integration.orchestrated import Orchestrated
from tests.integration.serving import Serving

both = pytest.mark.parametrize("dialect", BOTH, ids=lambda dialect: dialect.name)
LONG = {"shutdown_grace_seconds": 60.0}
SHORT = {"shutdown_grace_seconds": 0.2}
MIB = 1 << 20


async def refused(port):
    """Until nobody listens there any more."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                (await Client.to(port)).close()
            except ConnectionRefusedError:
                return
            await asyncio.sleep(0.01)


@both
@pytest.mark.parametrize("stream", [True, False], ids=["stream", "plain"])
async def test_what_is_under_way_is_finished_within_the_grace_time(tmp_path, prepared, dialect, stream):
    go = asyncio.Event()
    script = [*dialect.begin(["Hel"]), go, dialect.event("lo"), *dialect.end()] if stream else [go, *dialect.plain("Hello")]
    async with ScriptedServer() as a, Orchestrated(tmp_path, prepared, **LONG) as orchestrated:
        a.on(dialect.path, script)
        await orchestrated.register("a", a.url)
        async with await orchestrated.send(dialect.ask(stream)) as client, await orchestrated.connect() as idle:
            await a.request(dialect.path)
            orchestrated.begin_to_stop()
            assert await idle.closed() == b""
            await refused(orchestrated.port)
            go.set()
            answer = await client.answer()
            assert (answer.status, answer.ended) == (200, "whole")
            assert dialect.is_ended(answer.body) if stream else answer.json()
            assert await client.closed() == b""
        await orchestrated.stop()
        assert orchestrated.plane.fleet.servers["a"].outcomes == {"ok": 1}


@both
async def test_a_stream_that_takes_longer_ends_with_an_error_record(tmp_path, prepared, dialect):
    async with ScriptedServer() as a, Orchestrated(tmp_path, prepared, **SHORT) as orchestrated:
        a.on(dialect.path, [*dialect.begin(["Hel"]), dialect.event("canary")[:-9], hang])
        await orchestrated.register("a", a.url)
        async with await orchestrated.send(dialect.ask()) as client:
            await client.until(b'"Hel"')
            orchestrated.begin_to_stop()
            end = await client.closed()
            assert b"canary" not in end
            assert end.endswith(b"0\r\n\r\n")
            record = next(line for line in end.split(b"\r\n") if b"error" in line) + b"\r\n"
            assert "shutting down" in dialect.stream_error(record.removesuffix(b"\r\n"))
        await a.requests(dialect.path)[0].until_left()
        server = orchestrated.plane.fleet.servers["a"]
        await orchestrated.stop()
        assert (server.outcomes, server.in_flight, server.breakers) == ({"truncated": 1}, 0, {})


@both
async def test_what_is_not_answered_yet_gets_a_503(tmp_path, prepared, dialect):
    async with ScriptedServer() as a, Orchestrated(tmp_path, prepared, **SHORT) as orchestrated:
        a.on(dialect.path, [hang])
        await orchestrated.register("a", a.url, maxConcurrency=2)
        clients = [await orchestrated.send(dialect.ask(stream)) for stream in (True, False, True, False)]
        await orchestrated.until(lambda: orchestrated.gateway._admission.waiting("m") == 2)
        orchestrated.begin_to_stop()
        for client in clients:
            answer = await client.answer()
            assert (answer.status, answer.header("retry-after")) == (503, "5")
            assert "shutting down" in dialect.error_text(answer)
            assert await client.closed() == b""
        await orchestrated.stop()
        assert orchestrated.plane.fleet.servers["a"].in_flight == 0


async def test_a_long_plain_answer_that_takes_longer_is_cut(tmp_path, prepared):
    async with ScriptedServer() as a, Orchestrated(tmp_path, prepared, **SHORT) as orchestrated:
        a.on(OLLAMA.path, [head(200, JSON, {"Content-Length": str(20 * MIB)}), repeat(b"x" * MIB, 10), hang])
        await orchestrated.register("a", a.url)
        async with await orchestrated.send(OLLAMA.ask(stream=False)) as client:
            answer = await client.head()
            orchestrated.begin_to_stop()
            await client.rest(answer)
        assert answer.ended in ("cut", "reset")


async def test_silent_and_slow_connections_do_not_hold_it_up(tmp_path, prepared):
    async with Orchestrated(tmp_path, prepared, **LONG) as orchestrated:
        clients = [await orchestrated.send(sent) for sent in (b"", OLLAMA.ask()[:50], OPENAI.ask()[:-5])]
        await orchestrated.until(lambda: len(orchestrated.server.server_state.connections) == 3)
        orchestrated.begin_to_stop()
        for client in clients:
            assert await client.closed() in (b"", b"RST")
        await orchestrated.stop()


# ---- the real process


async def exited(serving):
    """Its exit status."""
    return await asyncio.to_thread(serving.process.wait, PATIENCE_SECONDS)


async def registered(serving, **urls):
    for name, url in urls.items():
        status, answer = await asyncio.to_thread(serving.ask, "POST", "/api/servers", {"id": name, "url": url})
        assert (status, answer["healthy"]) == (201, True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_lets_the_process_finish(tmp_path, number):
    go = asyncio.Event()
    with Serving(tmp_path) as serving:
        async with ScriptedServer() as a:
            await registered(serving, a=a.url)
            clients = []
            for dialect in BOTH:
                a.on(dialect.path, [*dialect.begin(["Hel"]), go, dialect.event("lo"), *dialect.end()])
                clients.append(await Client.to(serving.port))
                clients[-1].send(dialect.ask())
            answers = [await client.head() for client in clients]
            serving.process.send_signal(number)
            await refused(serving.port)
            go.set()
            for dialect, client, answer in zip(BOTH, clients, answers, strict=True):
                await client.rest(answer)
                assert (answer.ended, dialect.said(answer.body), dialect.is_ended(answer.body)) == ("whole", "Hello", True)
                client.close()
            assert await exited(serving) == 0
    assert "Traceback" not in serving.log.read_text()


async def test_a_signal_ends_streams_with_an_error_record_after_the_grace_time(tmp_path):
    with Serving(tmp_path, {"ORCHESTRATOR_SHUTDOWN_GRACE_SECONDS": "0.2"}) as serving:
        async with ScriptedServer() as a:
            await registered(serving, a=a.url)
            clients = []
            for dialect in BOTH:
                a.on(dialect.path, [*dialect.begin(["Hel"]), hang])
                clients.append(await Client.to(serving.port))
                clients[-1].send(dialect.ask())
            answers = [await client.head() for client in clients]
            serving.process.send_signal(signal.SIGTERM)
            for dialect, client, answer in zip(BOTH, clients, answers, strict=True):
                await client.rest(answer)
                assert (answer.ended, dialect.said(answer.body), dialect.is_ended(answer.body)) == ("whole", "Hel", False)
                assert "shutting down" in dialect.stream_error(answer.body)
                client.close()
            assert await exited(serving) == 0
    assert "Traceback" not in serving.log.read_text()


async def test_after_a_kill_clients_see_no_clean_end_and_the_next_process_routes_at_once(tmp_path):
    async with ScriptedServer() as a:
        with Serving(tmp_path) as serving:
            await registered(serving, a=a.url)
            clients = []
            for dialect in BOTH:
                a.on(dialect.path, [*dialect.begin(["Hel"]), hang])
                clients.append(await Client.to(serving.port))
                clients[-1].send(dialect.ask())
            answers = [await client.head() for client in clients]
            serving.kill()
            for client, answer in zip(clients, answers, strict=True):
                assert (await client.rest(answer)).ended in ("cut", "reset")
                client.close()
            for dialect in BOTH:
                await a.requests(dialect.path)[0].until_left()
                a.on(dialect.path, dialect.stream(["Hi"]))
        for path in ("/api/tags", "/api/version", "/api/ps", "/v1/models"):  # the server is too busy for probes
            a.on(path, [hang])
        with Serving(tmp_path) as serving:
            for dialect in BOTH:
                async with await Client.to(serving.port) as client:
                    client.send(dialect.ask())
                    answer = await client.answer()
                    assert (answer.status, dialect.said(answer.body), answer.header("x-orchestrator-server")) == (200, "Hi", "a")
