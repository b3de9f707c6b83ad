"""A reverse proxy with faults to order, in front of an orchestrator."""

import asyncio
from contextlib import suppress

import aiohttp
from aiohttp import web

EVENTS = "/api/events"
OF_THE_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "date", "server"}


class FaultyProxy:
    """A context manager. `statuses`: by path, what is answered instead of the orchestrator's answer. `replaces`: (what, by what) in all that passes."""

    def __init__(self, emulation, target):
        self.statuses = {}
        self.replaces = (b"", b"")
        self.base = ""
        self._emulation = emulation
        self._target = target
        self._streams = set()

    def __enter__(self):
        self._emulation.run(self._start())
        return self

    def __exit__(self, *_):
        self._emulation.run(self._stop())

    @property
    def streams(self):
        """How many streams of events are open."""
        return len(self._streams)

    def cut(self):
        """All streams of events end in the middle."""
        self._emulation.run(self._cut())

    def silence(self):
        """Nothing gets through any more, and nothing is closed."""
        self._emulation.run(self._speak(False))

    def speak(self):
        self._emulation.run(self._speak(True))

    async def _start(self):
        self._speaking = asyncio.Event()
        self._speaking.set()
        self._session = aiohttp.ClientSession(auto_decompress=False, timeout=aiohttp.ClientTimeout(total=None))
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def _stop(self):
        self._speaking.set()
        await self._runner.cleanup()
        await self._session.close()

    async def _cut(self):
        for transport in self._streams:
            transport.abort()

    async def _speak(self, speaks):
        (self._speaking.set if speaks else self._speaking.clear)()

    async def _handle(self, request):
        if status := self.statuses.get(request.path):
            return web.Response(status=status, text="an error of the proxy")
        await self._speaking.wait()
        try:
            async with self._session.request(
                request.method, self._target + request.path_qs, headers=request.headers, data=await request.read(), allow_redirects=False
            ) as upstream:
                return await self._pass_on(request, upstream)
        except aiohttp.ClientConnectorError:
            return web.Response(status=502, text="the proxy reaches nobody")
        except aiohttp.ClientError:
            with suppress(AttributeError):
                request.transport.abort()
            raise asyncio.CancelledError from None

    async def _pass_on(self, request, upstream):
        headers = [(name, value) for name, value in upstream.headers.items() if name.lower() not in OF_THE_CONNECTION]
        answer = web.StreamResponse(status=upstream.status, headers=headers)
        await answer.prepare(request)
        transport = request.transport
        if request.path == EVENTS:
            self._streams.add(transport)
        try:
            async for part in upstream.content.iter_any():
                await self._speaking.wait()
                await answer.write(part.replace(*self.replaces))
            await answer.write_eof()
        finally:
            self._streams.discard(transport)
        return answer
