"""Nothing is left behind: no task, no thread, no socket, no descriptor."""

import asyncio
import socket
import threading
from pathlib import Path

import pytest

from tests.fakes.scripted import ScriptedServer, hang, reset
from tests.integration.dialects import BOTH, OLLAMA, OPENAI
from tests.integration.orchestrated import Orchestrated

STARTS = 50


def descriptors():
    """What is open in this process: number -> what it is."""
    found = {}
    for path in Path("/proc/self/fd").iterdir():
        try:
            found[int(path.name)] = str(path.readlink())
        except FileNotFoundError:
            continue
    return found


async def settled(before, tasks, threads):
    """Closed transports let go of their descriptors in the next turns of the loop; fails the test if some do not."""
    async with asyncio.timeout(20):
        while len(descriptors()) > len(before) or asyncio.all_tasks() - tasks or threading.active_count() > threads:
            await asyncio.sleep(0.01)


async def use(orchestrated, server):
    """Everything once: a stream, a plain answer, a failure, a client that leaves, one that waits, the lists, the admin API."""
    await orchestrated.register("a", server.url, maxConcurrency=2)
    for dialect in BOTH:
        boom = dialect.error(500, "boom")
        server.on(dialect.path, dialect.stream(["Hi"]), dialect.plain("Hi"), [reset], boom, boom, [*dialect.begin(["Hi"]), hang])
        assert (await orchestrated.answer(dialect.ask())).ended == "whole"
        assert (await orchestrated.answer(dialect.ask(stream=False))).status == 200
        assert (await orchestrated.answer(dialect.ask())).status == 500
        clients = [await orchestrated.send(dialect.ask()) for _ in range(3)]
        await orchestrated.until(lambda: orchestrated.gateway._admission.waiting("m") == 1)
        for client in clients:
            client.close()
        await orchestrated.quiet()
    assert (await orchestrated.answer(b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n")).status == 200
    await orchestrated.server_state("a")


async def test_fifty_starts_and_stops_leave_nothing(tmp_path, prepared):
    async with ScriptedServer() as server:
        async with Orchestrated(tmp_path / "first", prepared) as orchestrated:  # whatever is opened once and for all
            await use(orchestrated, server)
        await asyncio.sleep(0)
        before, tasks, threads = descriptors(), asyncio.all_tasks(), threading.active_count()
        for number in range(STARTS):
            async with Orchestrated(tmp_path / str(number % 3), prepared) as orchestrated:
                if number % 10 == 0:
                    for server_id in list(orchestrated.plane.fleet.servers):
                        await orchestrated.admin("DELETE", f"/api/servers/{server_id}", expected=204)
                    await use(orchestrated, server)
        await settled(before, tasks, threads)


async def test_a_stop_under_load_leaves_nothing(tmp_path, prepared):
    async with ScriptedServer() as server:
        before, tasks, threads = descriptors(), asyncio.all_tasks(), threading.active_count()
        for _ in range(3):
            async with Orchestrated(tmp_path, prepared) as orchestrated:
                if "a" not in orchestrated.plane.fleet.servers:
                    await orchestrated.register("a", server.url, maxConcurrency=40)
                clients = []
                for dialect in BOTH:
                    server.on(dialect.path, [*dialect.begin(["Hi"]), hang])
                    clients += [await orchestrated.send(dialect.ask()) for _ in range(30)]
                await orchestrated.until(lambda o=orchestrated: o.plane.fleet.servers["a"].in_flight == 40)
                clients += [await orchestrated.connect() for _ in range(10)]  # never say anything
                clients += [await orchestrated.send(OLLAMA.ask()[:50]) for _ in range(10)]
            ends = [await client.closed() for client in clients]
            assert sum(b"shutting down" in end for end in ends) == 60
            assert orchestrated.plane.fleet.servers["a"].in_flight == 0
            for client in clients:
                client.close()
        await settled(before, tasks, threads)


@pytest.mark.parametrize("dialect", BOTH, ids=lambda dialect: dialect.name)
async def test_many_requests_leave_as_many_connections_as_were_needed_at_once(tmp_path, prepared, dialect):
    async with ScriptedServer() as server, Orchestrated(tmp_path, prepared) as orchestrated:
        await orchestrated.register("a", server.url)
        server.on(dialect.path, dialect.stream(["Hi"]))
        for _ in range(10):
            await asyncio.gather(*(orchestrated.answer(dialect.ask()) for _ in range(20)))
        await orchestrated.quiet()
        connections = {seen.connection for seen in server.requests(dialect.path)}
        assert len(connections) <= 40  # some may still read the end of their answer when the next round begins
        await orchestrated.until(lambda: not orchestrated.server.server_state.connections)


async def test_broken_attempts_leave_no_connection(tmp_path, prepared):
    async with ScriptedServer() as server, Orchestrated(tmp_path, prepared) as orchestrated:
        await orchestrated.register("a", server.url, firstEventTimeoutSeconds=0.1, idleTimeoutSeconds=0.1)
        (target_pool,) = [orchestrated.gateway._targets.of(orchestrated.plane.fleet.servers["a"].spec).pool]
        for script in ([hang], [reset], [*OPENAI.begin(["Hi"]), hang], [*OPENAI.begin(["Hi"]), reset], [b"garbage\r\n\r\n", hang]):
            server.on(OPENAI.path, script)
            await orchestrated.answer(OPENAI.ask())
        await orchestrated.until(lambda: not target_pool.connections)


async def test_the_port_is_free_again_after_a_stop(tmp_path, prepared):
    async with Orchestrated(tmp_path, prepared) as orchestrated:
        port = orchestrated.port
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))
