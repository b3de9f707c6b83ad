"""The composition root: what there is, in the order in which it opens; it closes in reverse."""

import logging
import math
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import uvicorn
from starlette.applications import Starlette

from orchestrator.admin.access import is_loopback
from orchestrator.admin.breakers import BreakerOperations
from orchestrator.admin.registry import Registry
from orchestrator.admin.routes import routes as admin_routes
from orchestrator.admin.servers import ServerOperations
from orchestrator.clock import Clock
from orchestrator.errors import ConfigError
from orchestrator.fleet.fleet import Fleet
from orchestrator.health.prober import Prober
from orchestrator.jobs import Jobs
from orchestrator.settings import Settings
from orchestrator.store import migrate
from orchestrator.store.engine import Database, sqlite_path
from orchestrator.store.secrets import find_key, open_secrets
from orchestrator.store.servers import Servers
from orchestrator.upstream.control import open_session

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
CHATTY = ("aiosqlite", "apscheduler", "asyncio")


def build(settings: Settings) -> Starlette:
    """The whole application. Its lifespan opens and closes everything; `prepare` must have been called for the same settings."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with opened(app, settings):
            yield

    return Starlette(lifespan=lifespan)


@asynccontextmanager
async def opened(app: Starlette, settings: Settings) -> AsyncIterator[None]:
    """Everything open, and the routes in place."""
    clock, fleet = Clock(), Fleet()

    def changed() -> None:
        """Servers or breakers are not what they were."""

    async with AsyncExitStack() as stack:
        database = Database(sqlite_path(settings.resolved_database_url))
        stack.push_async_callback(database.close)
        registry = Registry(fleet, database, Servers(open_secrets(settings)), clock, os.environ, changed)
        await registry.load()
        session = await stack.enter_async_context(open_session())
        prober = Prober(fleet, session, clock, settings, registry.save_learned)
        jobs = Jobs(fleet, prober, registry, settings.probe_interval_seconds)
        jobs.start()
        stack.push_async_callback(jobs.stop)
        servers = ServerOperations(fleet, registry, prober, clock)
        breakers = BreakerOperations(fleet, clock, changed)
        app.router.routes[:] = admin_routes(servers, breakers, settings.admin_token)
        yield


def check_access(settings: Settings) -> None:
    """Raises ConfigError if strangers could use the admin API."""
    token = settings.admin_token
    if any(not "!" <= character <= "~" for character in token):
        raise ConfigError("admin_token: must be of printable ASCII characters without spaces")
    if not token and not is_loopback(settings.host):
        raise ConfigError(
            f"host: {settings.host} can be reached from other machines, so the admin API needs a token: "
            "set ORCHESTRATOR_ADMIN_TOKEN to a long random text, or listen on 127.0.0.1"
        )


def check(settings: Settings) -> None:
    """Whatever can be found wrong without changing anything. Raises ConfigError."""
    check_access(settings)
    find_key(settings)
    migrate.pending(sqlite_path(settings.resolved_database_url))


def prepare(settings: Settings) -> None:
    """Check, then make the key file and the newest database where they are not there yet. Raises ConfigError."""
    check(settings)
    open_secrets(settings)
    migrate.ensure(sqlite_path(settings.resolved_database_url))


def serve(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT. The exit status of the process. Raises ConfigError."""
    prepare(settings)
    start_logging(settings.log_level)
    server = uvicorn.Server(
        uvicorn.Config(
            build(settings),
            host=settings.host,
            port=settings.port,
            loop="uvloop",
            http="httptools",
            ws="none",
            lifespan="on",
            access_log=False,
            log_config=None,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=math.ceil(settings.shutdown_grace_seconds),
        )
    )
    server.run()
    return 0 if server.started else 1


def start_logging(level: str) -> None:
    """To standard error. Libraries that tell of every step are heard only when something is wrong."""
    logging.basicConfig(level=level.upper(), format=LOG_FORMAT, stream=sys.stderr)
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a probe slower than its interval is no news each time
