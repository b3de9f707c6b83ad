"""The database: which URLs are understood, and what its absence looks like."""

import asyncio
import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import text

from orchestrator.errors import ConfigError
from orchestrator.store import migrate
from orchestrator.store.engine import Conflict, Database, Unavailable, sqlite_path

NEWEST = migrate.revisions()[-1]
INSERT = text("INSERT INTO alembic_version VALUES (:word)")


async def add_word(database, word):
    async with database.transaction() as connection:
        await connection.execute(INSERT, {"word": word})


async def words(database):
    async with database.transaction() as connection:
        return list((await connection.execute(text("SELECT version_num FROM alembic_version"))).scalars())


@pytest.mark.parametrize("url", ["sqlite+aiosqlite:////tmp/o.db", "sqlite:////tmp/o.db"])
def test_file_of_a_url(url):
    assert str(sqlite_path(url)) == "/tmp/o.db"


@pytest.mark.parametrize(
    "url", ["", "nonsense", "sqlite+aiosqlite://", "sqlite+aiosqlite:///:memory:", "postgresql+asyncpg://u:canary@h/d", "sqlite:///file:x?uri=true"]
)
def test_other_databases_are_refused_without_quoting_the_url(url):
    with pytest.raises(ConfigError, match="database_url") as caught:
        sqlite_path(url)
    assert "canary" not in str(caught.value)


async def test_work_is_committed_at_the_end(database):
    await add_word(database, "more")
    assert await words(database) == [NEWEST, "more"]


async def test_work_is_undone_when_something_raises(database):
    async def fail():
        async with database.transaction() as connection:
            await connection.execute(INSERT, {"word": "more"})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await words(database) == [NEWEST]


async def test_taken_key_is_a_conflict(database):
    with pytest.raises(Conflict):
        await add_word(database, NEWEST)


async def test_locked_database_is_unavailable_and_usable_again_afterwards(database, path):
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(Unavailable, match="locked"):
            await add_word(database, "more")
        other.rollback()
    await add_word(database, "more")
    assert await words(database) == [NEWEST, "more"]


async def test_removed_file_is_unavailable_and_not_made_anew(database, path):
    assert await words(database) == [NEWEST]
    path.unlink()
    with pytest.raises(Unavailable, match="file is gone"):
        await words(database)
    assert not path.exists()


async def test_damaged_file_is_unavailable(database, path):
    assert await words(database) == [NEWEST]
    path.write_bytes(b"no database at all" * 1000)
    with pytest.raises(Unavailable, match=r"not a database|malformed"):
        await words(database)


async def test_what_takes_longer_than_the_deadline_is_unavailable_and_undone(path):
    async def hang():
        async with Database(path, deadline_seconds=0.3).transaction() as connection:
            await connection.execute(INSERT, {"word": "more"})
            await asyncio.Event().wait()

    with pytest.raises(Unavailable, match="did not answer"):
        await hang()
    assert await words(Database(path)) == [NEWEST]


async def test_foreign_keys_are_enforced(database):
    async with database.transaction() as connection:
        assert (await connection.execute(text("PRAGMA foreign_keys"))).scalar() == 1


async def test_readers_do_not_wait_for_a_writer(database, path):
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        other.execute("BEGIN IMMEDIATE")
        assert await words(database) == [NEWEST]
