"""What the program tells of itself is so."""

import platform

import pytest

from orchestrator import __version__
from orchestrator.admin.about import LINKS, address, size
from orchestrator.edge.surface import METHODS
from orchestrator.store import migrate


async def about(admin, **headers):
    answer = await admin.ask("GET", "/api/about", headers=headers)
    assert answer.status_code == 200
    return answer.json()


async def test_version_addresses_policy_and_time(admin):
    admin.clock.advance(90.04)
    told = await about(admin)
    assert (told["version"], told["python"], told["variablePrefix"]) == (__version__, platform.python_version(), "ORCHESTRATOR_")
    assert (told["policy"], told["access"], told["addresses"]) == ("least-in-flight", "local", ["http://127.0.0.1:5100"])
    assert (told["startedTime"], told["uptimeSeconds"]) == ("2026-01-02T03:04:05.000Z", 90.0)
    assert len(told["build"]) == 12


async def test_the_database_as_it_is_on_disk(admin):
    told = await about(admin)
    assert told["dataDir"] == str(admin.path.parent)
    assert told["database"] == {"kind": "sqlite", "location": str(admin.path), "size": size(admin.path), "schema": migrate.revisions()[-1]}
    assert told["database"]["size"] >= admin.path.stat().st_size > 0


async def test_a_database_that_others_write_to_is_still_read(admin):
    with admin.locked():
        assert (await about(admin))["database"]["schema"] == migrate.revisions()[-1]


@pytest.mark.parametrize("broken", ["gone", "no database"])
async def test_one_that_cannot_be_read_takes_nothing_else_away(admin, broken):
    admin.path.unlink()
    if broken == "no database":
        admin.path.write_bytes(b"x" * 4096)
    told = await about(admin)
    assert told["database"] == {"kind": "sqlite", "location": str(admin.path), "size": size(admin.path), "schema": ""}
    assert told["version"] == __version__


async def test_with_a_token_it_is_told_as_access_and_never_shown(make):
    admin = await make(token="canary")
    answer = await admin.ask("GET", "/api/about", headers={"Authorization": "Bearer canary"})
    assert answer.json()["access"] == "token"
    assert "canary" not in answer.text


def test_links_lead_to_what_there_is():
    assert all(link.url in METHODS or link.url == "/api/servers" for link in LINKS)


def test_size_counts_what_was_not_written_back_yet(tmp_path):
    path = tmp_path / "o.db"
    assert size(path) is None
    path.write_bytes(b"12345")
    (tmp_path / "o.db-wal").write_bytes(b"123")
    assert size(path) == 8


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (("127.0.0.1", 5100), "http://127.0.0.1:5100"),
        (("0.0.0.0", 80), "http://0.0.0.0:80"),
        (("::1", 5100, 0, 0), "http://[::1]:5100"),
        ("/run/o.sock", "/run/o.sock"),
    ],
)
def test_addresses_are_urls(name, shown):
    assert address(name) == shown
