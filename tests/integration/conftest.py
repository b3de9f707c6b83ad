"""Fixtures of the tests that run the orchestrator in this process."""

from contextlib import AsyncExitStack

import pytest
import pytest_asyncio
import uvloop

from orchestrator import app
from orchestrator.settings import Settings
from tests.integration.orchestrated import Fleet, Orchestrated


def pytest_asyncio_loop_factories():
    """The event loop that the real process runs on."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """A data folder with an empty database of the newest version and a key."""
    folder = tmp_path_factory.mktemp("prepared") / "data"
    app.prepare(Settings(data_dir=str(folder)))
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def orchestrated(request, tmp_path_factory, prepared):
    """A running orchestrator, one for all tests of a module; `@pytest.mark.parametrize("orchestrated", [{...}], indirect=True)` gives it settings."""
    async with Orchestrated(tmp_path_factory.mktemp("orchestrated"), prepared, **getattr(request, "param", {})) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def fleet(orchestrated):
    """Servers for one test. When it is over nothing may be under way any more."""
    async with AsyncExitStack() as stack:
        yield Fleet(orchestrated, stack)
        orchestrated.disconnect()
        await orchestrated.quiet()
        for server_id in list(orchestrated.plane.fleet.servers):
            await orchestrated.admin("DELETE", f"/api/servers/{server_id}", expected=204)
