"""Connections to the database, each with a deadline, and what can go wrong with it in two exceptions."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from orchestrator.errors import ConfigError, OrchestratorError

DEADLINE_SECONDS = 5.0
BUSY_SHARE = 0.4  # of the deadline, so that a lock is told as such


class Unavailable(OrchestratorError):
    """The database is locked, gone or broken; nothing was changed."""


class Conflict(OrchestratorError):
    """A row with this id or url is there already."""


def sqlite_path(url: str) -> Path:
    """The file of a SQLAlchemy URL of SQLite. Raises ConfigError for every other database and for one in memory."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigError("database_url: not a SQLAlchemy URL, such as sqlite+aiosqlite:////var/lib/orchestrator/orchestrator.db") from None
    if parsed.get_backend_name() != "sqlite" or parsed.get_driver_name() not in ("aiosqlite", "pysqlite"):
        raise ConfigError(f"database_url: {parsed.drivername} is not supported, only sqlite+aiosqlite")
    if not parsed.database or parsed.database == ":memory:" or parsed.database.startswith("file:"):
        raise ConfigError("database_url: must name a file, such as sqlite+aiosqlite:////var/lib/orchestrator/orchestrator.db")
    return Path(parsed.database).resolve()


class Database:
    """One SQLite file.

    Each use opens its own connection to a file that must exist (`mode=rw`): a connection kept open would go on writing to a file that
    somebody removed, and would tell the operator that it was stored.
    """

    def __init__(self, path: Path, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self.path = path
        self.deadline_seconds = deadline_seconds
        url = URL.create("sqlite+aiosqlite", database=f"file:{quote(str(path))}", query={"mode": "rw", "uri": "true"})
        self.engine = create_async_engine(url, poolclass=NullPool, connect_args={"timeout": deadline_seconds * BUSY_SHARE})

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A connection whose work is committed at the end. Raises Unavailable, or Conflict, after which nothing has changed."""
        if not self.path.exists():
            raise Unavailable("the database file is gone")
        try:
            async with asyncio.timeout(self.deadline_seconds), self.engine.begin() as connection:
                await connection.exec_driver_sql("PRAGMA foreign_keys=ON")
                yield connection
        except IntegrityError:
            raise Conflict("a server with this id or url is registered already") from None
        except TimeoutError:
            raise Unavailable(f"the database did not answer within {self.deadline_seconds:g} s") from None
        except SQLAlchemyError as error:
            raise Unavailable(f"the database cannot be used: {getattr(error, 'orig', None) or type(error).__name__}") from None

    async def close(self) -> None:
        await self.engine.dispose()
