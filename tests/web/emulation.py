"""Emulated servers in a thread of their own, for tests that drive a browser and so cannot be coroutines."""

import asyncio
import json
import threading
from concurrent.futures import Future
from contextlib import suppress
from typing import NamedTuple

from aiohttp import web

from orchestrator.demo.emulated import build
from orchestrator.demo.speech import Profile

PATIENCE_SECONDS = 20.0


class Asked(NamedTuple):
    """An inference request as it reached a server; `body` decoded."""

    path: str
    body: dict


class EmulatedServer:
    """One server on a port of its own.

    `fault`: the status that every inference request gets, with `fault_headers`; 0 for answers. `delay_seconds`: before each.
    `asked`: the inference requests that came; `left`: how many clients went away before the end of their answer.
    """

    def __init__(self, emulation, profile):
        self._emulation = emulation
        self._profile = profile
        self._runner = None
        self.port = 0
        self.fault = 0
        self.fault_says = ""
        self.fault_headers = {}
        self.delay_seconds = 0.0
        self.asked = []
        self.left = 0
        self.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        """Again on the port that it had before."""
        self._emulation.run(self._start())

    def stop(self):
        """As if its plug were pulled: open connections break."""
        self._emulation.run(self._stop())

    async def _start(self):
        app = build(self._profile)
        app.middlewares.insert(0, self._faults())
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()
        self.port = self._runner.addresses[0][1]

    async def _stop(self):
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    def _faults(self):
        @web.middleware
        async def fault(request, handler):
            if request.method != "POST":
                return await handler(request)
            self.asked.append(Asked(request.path, json.loads(await request.read() or "{}")))
            try:
                await asyncio.sleep(self.delay_seconds)
                if self.fault:
                    return web.json_response({"error": self.fault_says or f"emulated fault {self.fault}"}, status=self.fault, headers=self.fault_headers)
                return await handler(request)
            except (asyncio.CancelledError, ConnectionResetError):
                self.left += 1
                raise

        return fault


class Emulation:
    """The thread. A context manager that leaves nothing behind."""

    def __enter__(self):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._servers = []
        return self

    def __exit__(self, *_):
        for server in self._servers:
            with suppress(Exception):
                server.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_SECONDS)
        self._loop.close()

    def run(self, coroutine):
        future: Future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        return future.result(PATIENCE_SECONDS)

    def add(self, **profile):
        """A server; members of Profile: speaks, models, key, first_token_seconds, token_seconds, slow_model, slow_seconds."""
        values = {
            "speaks": "both",
            "models": ("llama3.2:3b",),
            "key": "",
            "first_token_seconds": 0.02,
            "token_seconds": 0.01,
            "slow_model": "",
            "slow_seconds": 1.0,
        }
        server = EmulatedServer(self, Profile(**{**values, **profile}))
        self._servers.append(server)
        return server
