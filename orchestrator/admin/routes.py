"""The table of operations of the admin API, and the routes made of it."""

import logging
from collections.abc import Awaitable, Callable

from msgspec import Struct
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from orchestrator.admin.about import AboutOperations
from orchestrator.admin.access import Access, Guard
from orchestrator.admin.activity import ActivityOperations
from orchestrator.admin.breakers import BreakerOperations
from orchestrator.admin.compress import compressed
from orchestrator.admin.errors import AdminError
from orchestrator.admin.events import PATH as EVENTS
from orchestrator.admin.events import EventOperations
from orchestrator.admin.history import HistoryOperations
from orchestrator.admin.loading import LoadingOperations
from orchestrator.admin.matrix import MatrixOperations
from orchestrator.admin.requests import RequestOperations
from orchestrator.admin.servers import ServerOperations
from orchestrator.admin.signin import SessionOperations
from orchestrator.admin.trial import TrialOperations
from orchestrator.asgi import Receive, Scope, Send
from orchestrator.store.engine import Conflict, Unavailable

log = logging.getLogger(__name__)
Handler = Callable[[Request], Awaitable[Response]]
ROOTS = (
    "/api/servers", "/api/breakers", "/api/health-check", "/api/models", "/api/requests", "/api/session", "/api/about",
    "/api/events", "/api/activity", "/api/history",
)  # fmt: skip
SESSION = "/api/session"
TRIAL = "/api/servers/test"


class Handlers(Struct, kw_only=True):
    """Whoever answers the operations."""

    servers: ServerOperations
    breakers: BreakerOperations
    trial: TrialOperations
    loading: LoadingOperations
    matrix: MatrixOperations
    requests: RequestOperations
    events: EventOperations
    activity: ActivityOperations
    history: HistoryOperations
    session: SessionOperations
    about: AboutOperations


def operations(handlers: Handlers) -> dict[str, dict[str, Handler]]:
    """path -> method -> handler."""
    servers, breakers, requests, session = handlers.servers, handlers.breakers, handlers.requests, handlers.session
    return {
        "/api/about": {"GET": handlers.about.get},
        SESSION: {"GET": session.get, "POST": session.sign_in, "DELETE": session.sign_out},
        "/api/servers": {"GET": servers.list, "POST": servers.add},
        TRIAL: {"POST": handlers.trial.test},
        "/api/servers/{server_id}": {"GET": servers.get, "PATCH": servers.change, "DELETE": servers.remove},
        "/api/servers/{server_id}/check": {"POST": servers.check},
        "/api/servers/{server_id}/drain": {"POST": servers.drain},
        "/api/servers/{server_id}/resume": {"POST": servers.resume},
        "/api/servers/{server_id}/history": {"GET": handlers.history.server},
        "/api/servers/{server_id}/models": {"GET": servers.models},
        "/api/servers/{server_id}/models/load": {"POST": handlers.loading.load},
        "/api/servers/{server_id}/models/unload": {"POST": handlers.loading.unload},
        "/api/models": {"GET": handlers.matrix.models},
        "/api/health-check": {"POST": servers.check_all},
        "/api/breakers": {"GET": breakers.list},
        "/api/breakers/{server_id}/{action}": {"POST": breakers.turn_server},
        "/api/breakers/{server_id}/{model:path}/{action}": {"POST": breakers.turn_model},
        EVENTS: {"GET": handlers.events.stream},
        "/api/activity": {"GET": handlers.activity.list},
        "/api/history": {"GET": handlers.history.history},
        "/api/requests": {"GET": requests.list},
        "/api/requests/{request_id:path}/cancel": {"GET": requests.get, "POST": requests.cancel},
        "/api/requests/{request_id:path}": {"GET": requests.get},
    }


def routes(handlers: Handlers, guard: Guard) -> list[BaseRoute]:
    """Every route of the admin API behind its access rules, then one for all else below its paths."""
    found = [_route(path, methods, guard) for path, methods in operations(handlers).items()]
    return [*found, *(Route(f"{root}/{{rest:path}}", Access(Endpoint({}), guard.check)) for root in ROOTS)]


def _route(path: str, methods: dict[str, Handler], guard: Guard) -> Route:
    only = list(methods) if path == TRIAL else None  # everything else there is about a server with the id `test`
    return Route(path, Access(Endpoint(methods), guard.check_entrance if path == SESSION else guard.check), methods=only)


class Endpoint:
    """ASGI application of one path. Whatever goes wrong is told in the error shape of the admin API; what is long goes out compressed."""

    def __init__(self, methods: dict[str, Handler]) -> None:
        self._methods = methods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            request = Request(scope, receive)
            response = await compressed(await self._handler(scope["method"])(request), request)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 the last resort of every operation
            response = _failure(error, scope).response()
        await response(scope, receive, send)

    def _handler(self, method: str) -> Handler:
        if not self._methods:
            raise AdminError(404, "not_found", "the admin API has no such path")
        handler = self._methods.get("GET" if method == "HEAD" else method)
        if handler is None:
            raise _wrong_method([*self._methods, *(["HEAD"] if "GET" in self._methods else [])])
        return handler


def _wrong_method(allowed: list[str]) -> AdminError:
    allow = ", ".join(allowed)
    return AdminError(405, "method_not_allowed", f"this path allows {allow}", headers={"Allow": allow})


def _failure(error: Exception, scope: Scope) -> AdminError:
    if isinstance(error, AdminError):
        # While no server has this id, who asks so means the trial.
        return _wrong_method(["POST"]) if scope["path"] == TRIAL and error.detail.code == "unknown_server" else error
    if isinstance(error, Unavailable):
        return AdminError(503, "database_unavailable", f"nothing was changed: {error}", headers={"Retry-After": "5"})
    if isinstance(error, Conflict):
        return AdminError(409, "conflict", str(error))
    log.error("%s %s failed", scope["method"], scope["path"], exc_info=error)
    return AdminError(500, "internal_error", "something went wrong inside; the log says what")
