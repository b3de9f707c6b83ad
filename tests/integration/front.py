"""The orchestrator as a process of its own, in front of servers that live in the test."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.integration.serving import Serving

PATIENCE_SECONDS = 20.0


class Front:
    """A running orchestrator and what a test asks of its admin API."""

    def __init__(self, serving: Serving) -> None:
        self.base: str = serving.base
        self.port: int = serving.port
        self._serving = serving

    async def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> tuple[int, Any]:
        """(status, decoded answer)."""
        return await asyncio.to_thread(self._serving.ask, method, path, body, headers)

    async def kill(self) -> None:
        """End the process as a crash does."""
        await asyncio.to_thread(self._serving.kill)

    @asynccontextmanager
    async def servers(self, **urls: str) -> AsyncIterator[None]:
        """Registered as long as the block lasts: id=URL."""
        try:
            for name, url in urls.items():
                status, answer = await self.ask("POST", "/api/servers", {"id": name, "url": url})
                assert (status, answer["healthy"]) == (201, True), answer
            yield
        finally:
            for name in urls:
                await self.ask("DELETE", f"/api/servers/{name}")

    async def server(self, name: str) -> dict[str, Any]:
        """What GET /api/servers/{id} says."""
        status, answer = await self.ask("GET", f"/api/servers/{name}")
        assert status == 200, answer
        return dict(answer)

    async def until(self, name: str, **expected: Any) -> dict[str, Any]:
        """The server's state as soon as these members are so; fails the test after 20 s."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not expected.items() <= (state := await self.server(name)).items():
                await asyncio.sleep(0.05)
        return state


@asynccontextmanager
async def fronted(folder: Path, **settings: str) -> AsyncIterator[Front]:
    """A running orchestrator on an empty database in that folder; settings by their environment names without the prefix."""
    serving = Serving(folder, {f"ORCHESTRATOR_{name}": value for name, value in settings.items()})
    await asyncio.to_thread(serving.__enter__)
    try:
        yield Front(serving)
    finally:
        await asyncio.to_thread(serving.__exit__, None, None, None)
