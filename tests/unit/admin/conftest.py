"""The admin API over a real database in a temporary folder, asked in process; the prober finds what a test says."""

import sqlite3
from contextlib import closing

import httpx
import pytest
from cryptography.fernet import Fernet
from starlette.applications import Starlette

from orchestrator.admin.about import AboutOperations
from orchestrator.admin.access import Guard
from orchestrator.admin.breakers import BreakerOperations
from orchestrator.admin.bundle import Bundle
from orchestrator.admin.events import EventOperations
from orchestrator.admin.live import Live
from orchestrator.admin.loading import LoadingOperations
from orchestrator.admin.matrix import MatrixOperations
from orchestrator.admin.registry import Registry
from orchestrator.admin.requests import RequestOperations
from orchestrator.admin.routes import Handlers, routes
from orchestrator.admin.servers import ServerOperations
from orchestrator.admin.session import Sessions
from orchestrator.admin.signin import SessionOperations
from orchestrator.admin.trial import TrialOperations
from orchestrator.fleet.fleet import Fleet
from orchestrator.fleet.specs import Observation
from orchestrator.settings import Settings
from orchestrator.store import migrate
from orchestrator.store.engine import Database
from orchestrator.store.secrets import Secrets
from orchestrator.store.servers import Servers
from orchestrator.telemetry.recent import Recent
from orchestrator.upstream.control import open_session
from tests.unit.gateway.calls import Bench

LOCAL = ("127.0.0.1", 50000)


class ScriptedProber:
    """Finds `found` behind every server, as the real one does: it tells the fleet and has stored what was learned."""

    def __init__(self, fleet, clock):
        self.fleet = fleet
        self.clock = clock
        self.found = Observation(status="down", reason="connection refused")
        self.checked = []
        self.on_learned = None

    async def check(self, server_id, *, asked=False):
        self.checked.append(server_id)
        if self.fleet.observe(server_id, self.found, self.clock.now(), self.clock.utc()):
            await self.on_learned(server_id, self.found.learned)

    async def check_all(self, *, asked=False):
        for server_id in list(self.fleet.servers):
            await self.check(server_id)


class Admin:
    """The parts of one control plane, and requests to it."""

    def __init__(self, path, key, environment, token=""):
        self.path = path
        self.fleet = Fleet()
        self.bench = Bench(self.fleet)
        self.clock = self.bench.clock
        self.recent = Recent()
        self.bench.recorder.readers.append(self.recent.read)
        self.cancelled = []
        self.database = Database(path, deadline_seconds=1)
        self.changes = []
        self.registry = Registry(self.fleet, self.database, Servers(Secrets(Fernet(key))), self.clock, environment, lambda: self.changes.append(1))
        self.prober = ScriptedProber(self.fleet, self.clock)
        self.prober.on_learned = self.registry.save_learned
        guard = Guard(Sessions(token, str(path), self.clock))
        self.listening = [("127.0.0.1", 5100)]
        settings = Settings(data_dir=str(path.parent), admin_token=token)
        self.session = open_session()
        self.noted = []
        self.loading = LoadingOperations(self.registry, self.prober, self.session, self.clock, 5.0, lambda *note: self.noted.append(note), environment)
        self.live = Live(self.fleet, self.bench.gateway, self.bench.recorder, self.clock)
        handlers = Handlers(
            servers=ServerOperations(self.fleet, self.registry, self.prober, self.clock),
            breakers=BreakerOperations(self.fleet, self.clock, lambda: self.changes.append(1)),
            trial=TrialOperations(self.fleet, self.session, self.clock, 5.0, environment),
            loading=self.loading,
            matrix=MatrixOperations(self.fleet, self.bench.admission.preview, self.clock),
            requests=RequestOperations(self.bench.gateway, self.bench.recorder, self.recent, self.clock, self.cancelled.append),
            events=EventOperations(self.live.hub, guard.admits),
            activity=self.live.activity_operations,
            history=self.live.history_operations,
            session=SessionOperations(guard, self.clock),
            about=AboutOperations(settings, Bundle(path.parent / "ui"), self.database, self.clock, lambda: self.listening),
        )
        self.app = Starlette(routes=routes(handlers, guard))

    async def ask(self, method, path, body=None, client=LOCAL, headers=None, content=None):
        transport = httpx.ASGITransport(self.app, client=client)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:5100") as http:
            return (
                await http.request(method, path, json=body, headers=headers, content=content)
                if body is not None
                else await http.request(method, path, headers=headers, content=content)
            )

    async def add(self, server_id="a", **members):
        return await self.ask("POST", "/api/servers", {"id": server_id, "url": f"http://{server_id}:1", **members})

    def locked(self):
        """Within it another process has the database to itself."""
        connection = sqlite3.connect(self.path)
        connection.execute("BEGIN EXCLUSIVE")
        return closing(connection)


@pytest.fixture
def key():
    return Fernet.generate_key()


@pytest.fixture
async def make(tmp_path, key):
    """Makes a control plane over the same database each time, as a restart does."""
    path = tmp_path / "o.db"
    migrate.upgrade(path)
    made = []

    async def make(token="", key=key, environment=None):
        admin = Admin(path, key, environment or {}, token)
        made.append(admin)
        await admin.registry.load()
        return admin

    yield make
    for admin in made:
        await admin.loading.close()
        await admin.session.close()
        await admin.database.close()


@pytest.fixture
async def admin(make):
    return await make()
