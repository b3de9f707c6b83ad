"""The orchestrator in this process, on a free port, with everything that the real one has; and what a test asks of it."""

import asyncio
import gc
import json
import shutil
import urllib.parse
from functools import partial

import uvicorn

from orchestrator import app
from orchestrator.edge.wire import Wire
from orchestrator.settings import Settings
from tests.fakes.scripted import ScriptedServer
from tests.integration.client import PATIENCE_SECONDS, Client


class _Server(app.Server):
    """Ends when it is told to, without looking ten times a second whether it should."""

    def __init__(self, *how):
        super().__init__(*how)
        self.ending = asyncio.Event()

    async def main_loop(self):
        await self.on_tick(0)
        await self.ending.wait()


class Orchestrated:
    """Probes only what is registered or checked: the interval is long.

    prepared: a data folder to start from, so that no test waits for migrations. clock: real if none is given.
    """

    def __init__(self, folder, prepared, clock=None, **settings):
        self._clock = clock
        self._folder = folder / "data"
        self._prepared = prepared
        self._settings = {"port": 0, "log_level": "error", "probe_interval_seconds": 3600.0, "shutdown_grace_seconds": 0.0, **settings}
        self._clients = []
        self.plane = None
        self.port = 0

    async def __aenter__(self):
        if not self._folder.exists():
            shutil.copytree(self._prepared, self._folder)
        settings = Settings(data_dir=str(self._folder), **self._settings)
        app.prepare(settings)
        self.plane = plane = app.Plane(settings, self._clock)
        config = uvicorn.Config(
            app.build(settings, plane),
            host="127.0.0.1",
            port=0,
            http=partial(Wire, plane.shared),
            backlog=4096,
            ws="none",
            lifespan="on",
            access_log=False,
            log_config=None,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=2,
        )
        self.server = _Server(config, plane, settings.shutdown_grace_seconds)
        self._thresholds = gc.get_threshold()
        self._running = asyncio.create_task(self.server.serve())
        await self.until(lambda: self.server.started or self._running.done())
        if self._running.done():
            self._running.result()
        self.port = self.server.servers[0].sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        try:
            await self.stop()
        finally:
            self.disconnect()
            gc.unfreeze()
            gc.set_threshold(*self._thresholds)

    def begin_to_stop(self):
        """As SIGTERM does."""
        self.server.ending.set()

    async def stop(self):
        self.begin_to_stop()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._running

    @property
    def gateway(self):
        return self.plane.gateway

    # ---- as a client

    async def connect(self):
        """A client; closed at the end of its test at the latest."""
        client = await Client.to(self.port)
        self._clients.append(client)
        return client

    def disconnect(self):
        """All clients leave."""
        for client in self._clients:
            client.close()
        self._clients.clear()

    async def send(self, request):
        """A client that has sent this request."""
        client = await self.connect()
        client.send(request)
        return client

    async def answer(self, request):
        """The whole answer to one request on a connection of its own."""
        async with await self.send(request) as client:
            return await client.answer()

    # ---- as an operator

    async def admin(self, method, path, body=None, expected=200):
        """The decoded answer of the admin API, whose status must be the expected one."""
        data = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        answer = await self.answer(head.encode() + data)
        assert answer.status == expected, answer.body
        return answer.json() if answer.body else None

    async def register(self, server_id, url, probe=True, **members):
        query = "" if probe else "?probe=false"
        return await self.admin("POST", f"/api/servers{query}", {"id": server_id, "url": url, **members}, 201)

    async def server_state(self, server_id):
        return await self.admin("GET", f"/api/servers/{server_id}")

    async def outcomes(self, server_id):
        """Outcomes that were counted, without those that were not."""
        return {name: count for name, count in (await self.server_state(server_id))["outcomes"].items() if count}

    async def breaker(self, server_id, model=None):
        """A breaker of the server: its own, or that of a model (None if that model never failed)."""
        breakers = await self.admin("GET", "/api/breakers")
        return next((one for one in breakers if (one["server"], one["model"]) == (server_id, model)), None)

    async def turn(self, server_id, action, model=None):
        path = f"/{urllib.parse.quote(model, safe='/:')}" if model else ""
        return await self.admin("POST", f"/api/breakers/{server_id}{path}/{action}")

    # ---- waiting

    async def until(self, condition):
        """Until a synchronous condition holds; fails the test after 20 s."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not condition():
                await asyncio.sleep(0.005)

    async def quiet(self):
        """Until no request is under way anywhere; then nothing may be counted as in flight or in repetition any more."""
        await self.until(lambda: not self.gateway.calls)
        servers = self.plane.fleet.servers.values()
        assert [server.in_flight for server in servers] == [0] * len(servers)
        assert self.gateway._budget.active == 0
        assert not self.gateway._relays


class Fleet:
    """Scripted servers that are registered with the orchestrator in front of them. Their order is their priority: the first is asked first."""

    def __init__(self, orchestrated, stack):
        self._orchestrated = orchestrated
        self._stack = stack

    async def add(self, server_id, speaks="both", models=("m:latest",), key="", **members):
        server = await self._stack.enter_async_context(ScriptedServer(speaks, models, key=key))
        rank = len(self._orchestrated.plane.fleet.servers)
        answer = await self._orchestrated.register(server_id, server.url, **{"priority": rank, **members})
        assert answer["status"] in ("healthy", "disabled"), answer
        return server
