"""Empty, older, newer and unusable databases."""

import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from orchestrator.errors import ConfigError
from orchestrator.store import migrate
from orchestrator.store.tables import metadata


def tables(path):
    with closing(sqlite3.connect(path)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_tables_are_what_the_migrations_make(path):
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(path), poolclass=NullPool)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_absent_database_is_made_with_its_folder(tmp_path):
    path = tmp_path / "x" / "y" / "o.db"
    assert migrate.pending(path)
    assert migrate.upgrade(path)
    assert tables(path) == {"servers", "points", "alembic_version"}
    assert not migrate.pending(path)


def test_newest_database_is_left_alone(path):
    before = path.read_bytes()
    assert migrate.upgrade(path) is False
    assert path.read_bytes() == before


def test_serving_process_has_another_one_upgrade(tmp_path):
    code = "import sys, pathlib; from orchestrator.store import migrate; migrate.ensure(pathlib.Path(sys.argv[1])); sys.exit('alembic' in sys.modules)"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "o.db")], check=True)
    assert migrate.revision(tmp_path / "o.db") == migrate.revisions()[-1]


def test_newer_database_is_refused_and_untouched(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    for refuses in (migrate.pending, migrate.ensure, migrate.upgrade):
        with pytest.raises(ConfigError, match=r"made by a newer version \(revision 9999"):
            refuses(path)


def test_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "o.db"
    path.write_bytes(b"something else entirely" * 100)
    with pytest.raises(ConfigError, match=r"o\.db: cannot be used as database"):
        migrate.ensure(path)


def test_empty_file_counts_as_an_empty_database(tmp_path):
    path = tmp_path / "o.db"
    path.touch()
    migrate.upgrade(path)
    assert "servers" in tables(path)


def test_folder_that_cannot_be_made_is_a_config_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be made"):
        migrate.ensure(tmp_path / "file" / "below" / "o.db")


def test_failed_upgrade_changes_nothing_and_says_why(tmp_path):
    path = tmp_path / "o.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE servers (id TEXT)")
    with pytest.raises(ConfigError, match=r"o\.db: cannot be upgraded: table servers already exists"):
        migrate.ensure(path)
    assert tables(path) == {"servers"}


def test_revisions_are_numbered_without_gaps():
    assert migrate.revisions() == [f"{number + 1:04}" for number in range(len(migrate.revisions()))]
