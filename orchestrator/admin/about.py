"""What the program says of itself: version and build, where it listens, where its data is."""

import asyncio
import platform
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import Response

from orchestrator import __version__
from orchestrator.admin.answers import rfc3339
from orchestrator.admin.bundle import Bundle
from orchestrator.admin.errors import json
from orchestrator.admin.shapes import AboutAnswer, DatabaseAnswer, Link
from orchestrator.clock import Clock
from orchestrator.settings import PREFIX, Settings
from orchestrator.store.engine import Database, Unavailable

SIDE_FILES = ("", "-wal", "-shm")  # of a SQLite database
LINKS = [
    Link("Models, as Ollama lists them", "/api/tags"),
    Link("Models in memory, as Ollama lists them", "/api/ps"),
    Link("Models, as OpenAI lists them", "/v1/models"),
    Link("Servers of the admin API", "/api/servers"),
]


class AboutOperations:
    """Handler of `/api/about`. listening: the names of the sockets that are listened on."""

    def __init__(self, settings: Settings, bundle: Bundle, database: Database, clock: Clock, listening: Callable[[], Iterable[Any]]) -> None:
        self._settings = settings
        self._bundle = bundle
        self._database = database
        self._clock = clock
        self._listening = listening
        self._data_dir = str(Path(settings.data_dir).resolve())
        self._started_at, self._started_time = clock.now(), clock.utc()

    async def get(self, _request: Request) -> Response:
        answer = AboutAnswer(
            version=__version__,
            build=self._bundle.build,
            python=platform.python_version(),
            started_time=rfc3339(self._started_time),
            uptime_seconds=round(self._clock.now() - self._started_at, 1),
            addresses=[address(name) for name in self._listening()],
            data_dir=self._data_dir,
            database=DatabaseAnswer("sqlite", str(self._database.path), await asyncio.to_thread(size, self._database.path), await self._revision()),
            access="token" if self._settings.admin_token else "local",
            policy=self._settings.policy,
            variable_prefix=PREFIX,
            links=LINKS,
        )
        return json(answer)

    async def _revision(self) -> str:
        """ "" while the database cannot be read."""
        try:
            async with self._database.transaction() as connection:
                return str((await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar_one())
        except Unavailable:
            return ""


def address(name: Any) -> str:
    """The URL of a listening socket, from its name as Python tells it; the path of a Unix socket."""
    if not isinstance(name, tuple):
        return str(name)
    host, port = name[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def size(path: Path) -> int | None:
    """Bytes of the database with what belongs to it, None if it is gone."""
    sizes = [file.stat().st_size for side in SIDE_FILES if (file := Path(f"{path}{side}")).is_file()]
    return sum(sizes) if path.is_file() else None
