"""Changes of the registered fleet: first the database, then what is in memory."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncConnection

from orchestrator.admin.errors import AdminError, unknown_server
from orchestrator.clock import Clock
from orchestrator.errors import ConfigError
from orchestrator.fleet.fleet import Fleet
from orchestrator.fleet.server import Server
from orchestrator.fleet.specs import FleetSpec, Learned, ServerSpec
from orchestrator.store.engine import Database, Unavailable
from orchestrator.store.servers import Servers
from orchestrator.upstream import auth
from orchestrator.upstream.address import parse

log = logging.getLogger(__name__)


class Registry:
    """The one writer of the servers' rows.

    A change is written and read back in one transaction, and only then applied to the fleet. The lock keeps the order of
    commits and the order in which they are applied the same.
    """

    def __init__(self, fleet: Fleet, database: Database, servers: Servers, clock: Clock, environment: Mapping[str, str], on_change: Callable[[], None]) -> None:
        self._fleet = fleet
        self._database = database
        self._servers = servers
        self._clock = clock
        self._environment = environment
        self._on_change = on_change
        self._lock = asyncio.Lock()
        self._unsaved: set[str] = set()

    async def load(self) -> None:
        """Make the fleet what the database says. Raises Unavailable."""
        async with self._exclusive():
            async with self._database.transaction() as connection:
                spec = await self._servers.load(connection)
            self._apply(spec)

    async def add(self, spec: ServerSpec) -> None:
        """Raises AdminError 409 on a taken id or url, Unavailable, Conflict."""
        async with self._changing() as connection:
            if spec.id in self._fleet.servers:
                raise AdminError(409, "id_taken", f"id: a server with the id {spec.id} is registered already", "id")
            self._refuse_taken_url(spec)
            await self._servers.insert(connection, spec)

    async def change(self, server_id: str, edit: Callable[[ServerSpec], ServerSpec]) -> None:
        """edit: from the spec before to the spec after; may raise. Raises AdminError 404 or 409, Unavailable, Conflict."""
        async with self._changing() as connection:
            server = self.server(server_id)
            spec = edit(server.spec)
            if spec.url != server.spec.url:
                self._refuse_taken_url(spec)
            await self._servers.update(connection, _with_learned(spec, server))

    async def remove(self, server_id: str) -> None:
        """Raises AdminError 404, Unavailable."""
        async with self._changing() as connection:
            await self._servers.delete(connection, self.server(server_id).id)
            self._unsaved.discard(server_id)

    async def save_learned(self, server_id: str, _learned: Learned) -> None:
        """Store what a probe learned. If that cannot be done now it is kept for `save_unsaved`; raises nothing of the database."""
        self._unsaved.add(server_id)
        await self.save_unsaved()

    async def save_unsaved(self) -> None:
        """Store all that was learned and not stored yet."""
        if not self._unsaved:
            return
        saving, self._unsaved = self._unsaved, set()
        try:
            async with self._exclusive(), self._database.transaction() as connection:
                await self._save(connection, saving)
        except Unavailable as error:
            self._unsaved |= saving
            log.warning("what probes learned is not stored yet: %s", error)

    def server(self, server_id: str) -> Server:
        """Raises AdminError 404."""
        found = self._fleet.servers.get(server_id)
        if found is None:
            raise unknown_server(server_id)
        return found

    @asynccontextmanager
    async def _changing(self) -> AsyncIterator[AsyncConnection]:
        async with self._exclusive():
            async with self._database.transaction() as connection:
                yield connection
                spec = await self._servers.load(connection)
            self._apply(spec)

    @asynccontextmanager
    async def _exclusive(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._database.deadline_seconds):
                await self._lock.acquire()
        except TimeoutError:
            raise Unavailable("the database is busy with earlier changes") from None
        try:
            yield
        finally:
            self._lock.release()

    async def _save(self, connection: AsyncConnection, server_ids: set[str]) -> None:
        for server_id in server_ids:
            server = self._fleet.servers.get(server_id)
            if server is not None:
                await self._servers.save_learned(connection, server_id, server.spec.url, server.learned)

    def _apply(self, spec: FleetSpec) -> None:
        self._fleet.apply(spec, self._clock.now())
        for server in self._fleet.servers.values():
            self._look_for_variables(server)
        self._on_change()

    def _look_for_variables(self, server: Server) -> None:
        """A variable that is not set is known before any probe or request."""
        if server.spec.fault is None:
            try:
                auth.headers(server.spec, self._environment)
            except ConfigError as error:
                server.blame_config(str(error))

    def _refuse_taken_url(self, spec: ServerSpec) -> None:
        """Two spellings of one address are one server."""
        address = parse(spec.url)
        for other in self._fleet.servers.values():
            if other.id != spec.id and parse(other.spec.url) == address:
                raise AdminError(409, "url_taken", f"url: the server {other.id} is registered with this url already", "url")


def _with_learned(spec: ServerSpec, server: Server) -> ServerSpec:
    """What was learned stays with the url it was learned from."""
    return replace(spec, learned=server.learned if spec.url == server.spec.url else Learned())
