"""Brings a database to the newest revision.

Alembic is imported only to upgrade: it would stay resident in the serving process, which therefore looks at the revision itself and
has another process upgrade.
"""

import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from orchestrator.errors import ConfigError

PACKAGE = Path(__file__).resolve().parent.parent
BUSY_TIMEOUT_SECONDS = 5.0
UPGRADE_TIMEOUT_SECONDS = 600.0


def folder() -> Path:
    """The migrations: inside the installed package, or beside it in a checkout."""
    shipped = PACKAGE / "_migrations"
    return shipped if shipped.is_dir() else PACKAGE.parent / "migrations"


def revisions() -> list[str]:
    """Every revision this version knows, oldest first. Their files are named `0001_words.py`."""
    found = [re.match(r"(\d{4})_\w+\.py$", path.name) for path in (folder() / "versions").iterdir()]
    return sorted(match[1] for match in found if match)


def revision(path: Path) -> str | None:
    """The revision of a database file, None if it is absent or empty. Raises ConfigError that names the file."""
    if not path.exists():
        return None
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=BUSY_TIMEOUT_SECONDS)) as connection:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
                return None
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            return None if row is None else str(row[0])
    except sqlite3.Error as error:
        raise ConfigError(f"{path}: cannot be used as database: {error}") from None


def pending(path: Path) -> bool:
    """Does it need an upgrade? Raises ConfigError if the database is of a newer version than this one."""
    known, found = revisions(), revision(path)
    if found is not None and found not in known:
        raise ConfigError(
            f"{path}: made by a newer version (revision {found}, this version knows {known[-1]}); install that version, or restore an older backup"
        )
    return found != known[-1]


def ensure(path: Path) -> None:
    """Upgrade in another process if need be. Raises ConfigError."""
    if not pending(path):
        return
    _make_folder(path)
    where = os.pathsep.join(part for part in (str(PACKAGE.parent), os.environ.get("PYTHONPATH")) if part)
    environment = {**os.environ, "PYTHONPATH": where}
    command = [sys.executable, "-P", "-m", "orchestrator.store.migrate", str(path)]
    try:
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=UPGRADE_TIMEOUT_SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise ConfigError(f"{path}: the upgrade did not end within {UPGRADE_TIMEOUT_SECONDS:g} s") from None
    if done.returncode:
        raise ConfigError((done.stderr.strip() or f"{path}: the upgrade failed").splitlines()[-1])


def upgrade(path: Path) -> bool:
    """Upgrade in this process, all or nothing. False if there was nothing to do. Raises ConfigError."""
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.pool import NullPool

    if not pending(path):
        return False
    _make_folder(path)
    # Autocommit in the driver, so that the one BEGIN below frames every statement, also those that change tables.
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT_SECONDS), poolclass=NullPool)
    config = Config()
    config.set_main_option("script_location", str(folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            connection.rollback()
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise ConfigError(f"{path}: cannot be upgraded: {getattr(error, 'orig', None) or error}") from None
    return True


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{path.parent}: cannot be made: {error.strerror}") from None


if __name__ == "__main__":
    try:
        upgrade(Path(sys.argv[1]))
    except ConfigError as problem:
        sys.exit(str(problem))
