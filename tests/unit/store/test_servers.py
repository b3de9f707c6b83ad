"""Rows and specs of servers."""

import msgspec
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text

from orchestrator.fleet.specs import Learned, ListedModel, Secret, ServerSpec
from orchestrator.store.engine import Conflict
from orchestrator.store.secrets import Secrets
from orchestrator.store.servers import Servers

LEARNED = Learned(
    kind="ollama", version="0.9.0", supports_ollama=True, models=(ListedModel("m:1", "2026-01-01T00:00:00Z", msgspec.Raw(b'{"name": "m:1",  "x":1.0}')),)
)
FULL = ServerSpec(
    id="full",
    url="http://one:1/base",
    name="Größe",
    type="openai",
    api_key=Secret("canary-key"),
    headers={"X-B": Secret("canary-header"), "X-A": Secret("env:A")},
    max_concurrency=3,
    priority=-1,
    weight=2.5,
    tags=("a", "b"),
    enabled=False,
    draining=True,
    models_allow=("m*",),
    models_deny=("*x",),
    verify_tls=False,
    connect_timeout_seconds=1.5,
    first_event_timeout_seconds=2.5,
    answer_timeout_seconds=3.5,
    idle_timeout_seconds=4.5,
    learned=LEARNED,
)
BARE = ServerSpec(id="bare", url="http://two")


@pytest.fixture
def servers(secrets):
    return Servers(secrets)


@pytest.fixture
async def load(database):
    async def load(servers):
        async with database.transaction() as connection:
            return (await servers.load(connection)).servers

    return load


@pytest.fixture
async def stored(database, servers):
    async with database.transaction() as connection:
        await servers.insert(connection, FULL)
        await servers.insert(connection, BARE)


async def test_every_member_comes_back_in_the_order_of_registration(stored, servers, load):
    assert await load(servers) == (FULL, BARE)


async def test_raw_entries_come_back_byte_for_byte(stored, servers, load):
    assert bytes((await load(servers))[0].learned.models[0].raw) == b'{"name": "m:1",  "x":1.0}'


async def test_no_plain_secret_stands_in_the_file(stored, path):
    found = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"one:1/base" in found
    assert b"canary" not in found


async def test_update_changes_one_row_and_keeps_its_place(stored, database, servers, load):
    changed = msgspec.structs.replace(FULL, api_key=None, headers={}, weight=1.0)
    async with database.transaction() as connection:
        await servers.update(connection, changed)
    assert await load(servers) == (changed, BARE)


async def test_delete_removes_one_row(stored, database, servers, load):
    async with database.transaction() as connection:
        await servers.delete(connection, "full")
    assert await load(servers) == (BARE,)


@pytest.mark.parametrize("twin", [ServerSpec(id="bare", url="http://new"), ServerSpec(id="new", url="http://two")])
async def test_taken_id_or_url_is_a_conflict(stored, database, servers, twin):
    with pytest.raises(Conflict):
        async with database.transaction() as connection:
            await servers.insert(connection, twin)


async def test_learned_is_stored_for_the_url_it_was_learned_from(stored, database, servers, load):
    async with database.transaction() as connection:
        await servers.save_learned(connection, "bare", "http://two", LEARNED)
        await servers.save_learned(connection, "full", "http://another", Learned())
    full, bare = await load(servers)
    assert (full.learned, bare.learned) == (LEARNED, LEARNED)


async def test_lost_key_is_a_fault_that_names_the_member_and_spares_other_servers(stored, database, load):
    other = Servers(Secrets(Fernet(Fernet.generate_key())))
    full, bare = await load(other)
    assert full.fault is not None
    assert full.fault.startswith("the stored apiKey cannot be decrypted")
    assert (bare.fault, full.learned) == (None, LEARNED)


async def test_lost_key_of_a_header_names_the_header(database, servers, load):
    async with database.transaction() as connection:
        await servers.insert(connection, ServerSpec(id="h", url="http://h", headers={"X-Extra": Secret("canary")}))
    (found,) = await load(Servers(Secrets(Fernet(Fernet.generate_key()))))
    assert found.fault is not None
    assert "header X-Extra cannot be decrypted" in found.fault


async def test_secret_that_cannot_be_opened_survives_an_update(stored, database, servers, load):
    other = Servers(Secrets(Fernet(Fernet.generate_key())))
    full = (await load(other))[0]
    async with database.transaction() as connection:
        await other.update(connection, msgspec.structs.replace(full, name="new"))
    assert (await load(servers))[0] == msgspec.structs.replace(FULL, name="new")


@pytest.mark.parametrize(("column", "fault"), [("headers", True), ("tags", True), ("models_allow", True), ("learned", False)])
async def test_damaged_row_is_a_fault_and_not_a_crash(stored, database, servers, load, column, fault):
    async with database.transaction() as connection:
        await connection.execute(text(f"UPDATE servers SET {column} = 'oops' WHERE id = 'full'"))
    full, bare = await load(servers)
    assert (full.fault is not None) is fault
    assert bare == BARE
