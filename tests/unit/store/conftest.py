"""A migrated database in a temporary folder."""

import pytest
from cryptography.fernet import Fernet

from orchestrator.store import migrate
from orchestrator.store.engine import Database
from orchestrator.store.secrets import Secrets


@pytest.fixture
def path(tmp_path):
    """With characters in its path that mean something in a URL."""
    path = tmp_path / "a b%20?#" / "o.db"
    migrate.upgrade(path)
    return path


@pytest.fixture
async def database(path):
    database = Database(path, deadline_seconds=1)
    yield database
    await database.close()


@pytest.fixture
def secrets():
    return Secrets(Fernet(Fernet.generate_key()))
